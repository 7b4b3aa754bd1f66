import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Arena } from "@nigh/kernels";
import { allowCases } from "./cases/allow.test-support.ts";
import { answerCases } from "./cases/answers.test-support.ts";
import { Bench, type Run, type Variant } from "./cases/bench.test-support.ts";
import { imageCases } from "./cases/image.test-support.ts";
import { lifeCases } from "./cases/life.test-support.ts";
import { refusalCases } from "./cases/refusals.test-support.ts";
import { removeCases } from "./cases/remove.test-support.ts";
import { weightCases } from "./cases/weights.test-support.ts";

/** Everything that is promised of every index, for one variant. */
export function indexCases(variant: Variant): void {
	const { kind, metric, codes, engine } = variant;
	const parts = [kind, typeof metric === "string" ? metric : "a metric of one's own", codes, engine];
	describe(parts.filter((part) => part !== undefined).join(", "), () => {
		// One memory for all cases: each must give back what it took, and a memory of its own for each would be hundreds.
		const arena = new Arena(engine === undefined ? {} : { engine });
		const run: Run = (name, body) => {
			test(name, async () => {
				const bench = new Bench(variant, arena);
				try {
					await body(bench);
				} finally {
					bench.close();
				}
				assert.equal(arena.usedBytes, 0, "the case has left memory in use");
			});
		};
		answerCases(run, variant);
		removeCases(run);
		allowCases(run, variant);
		imageCases(run, variant);
		refusalCases(run, variant);
		lifeCases(run, variant);
		if (typeof metric === "string" && metric !== "hamming") weightCases(run, metric);
	});
}
