import assert from "node:assert/strict";
import { AbortFlag, Arena, LabelSet } from "@nigh/kernels";
import { refusal } from "../refusal.test-support.ts";
import type { AnyIndex, Bench, Run, Variant } from "./bench.test-support.ts";

/** Sets of labels that may be answered, and the flag that ends a search. */
export function allowCases(run: Run, { kind }: Variant): void {
	const sets: readonly (readonly [string, (label: number) => boolean, ...more: number[]])[] = [
		["no label", () => false],
		["labels that are not in the index", () => false, 700, 90_000],
		["one label", (label) => label === 17],
		["one label and others that are not in the index", (label) => label === 17, 700, 90_000],
		["a tenth", (label) => label % 10 === 0],
		["half", (label) => label % 2 === 0],
		["all but one", (label) => label !== 0],
		["all", () => true],
		["all and others that are not in the index", () => true, 700, 90_000],
	];

	for (const [name, admits, ...more] of sets) {
		run(`a search that allows ${name} gives exactly min(k, matches) hits, all allowed`, async (bench) => {
			const n = 400;
			const index = await bench.filled(n, 1);
			const rows = bench.rows(n, 1);
			const matches = Array.from({ length: n }, (_, label) => label).filter(admits);
			const allow = setOf(bench, index, [...matches, ...more]);
			for (const k of [1, 10, 100, n]) {
				const query = bench.vector(k);
				const count = Math.min(k, matches.length);
				const hits = index.search(query, k, { allow });
				bench.checkHits(hits, query, count, (label) => bench.row(rows, label));
				assert.ok(hits.every(({ label }) => admits(label)));
				const filtered = index
					.search(query, n, { exact: true })
					.filter(({ label }) => admits(label))
					.slice(0, k);
				assert.deepEqual(index.search(query, k, { allow, exact: true }), filtered);
				if (kind === "flat") assert.deepEqual(hits, filtered);
				assert.deepEqual(index.searchMany(query, k, { allow }), [hits]);
			}
		});
	}

	run("a set can be changed between searches", async (bench) => {
		const index = await bench.filled(50, 2);
		const allow = setOf(bench, index, [1, 2, 3]);
		const labels = () =>
			index
				.search(bench.vector(1), 50, { allow })
				.map(({ label }) => label)
				.sort((a, b) => a - b);
		assert.deepEqual(labels(), [1, 2, 3]);
		allow.delete(2);
		allow.add(40);
		assert.deepEqual(labels(), [1, 3, 40]);
		index.remove([1]);
		assert.deepEqual(labels(), [3, 40]);
		allow.clear();
		assert.deepEqual(labels(), []);
	});

	run("a set of another arena is refused", async (bench) => {
		const index = await bench.filled(5, 2);
		const allow = new LabelSet(new Arena({ engine: "scalar" }), [1]);
		assert.equal(refusal("INVALID_OPTION", () => index.search(bench.vector(1), 1, { allow })).details.field, "allow");
		assert.equal(
			refusal("INVALID_OPTION", () => index.searchMany(bench.vector(1), 1, { allow })).details.field,
			"allow",
		);
	});

	run("a raised flag ends a search, and a lowered one does not", async (bench) => {
		const index = await bench.filled(50, 3);
		const abort = bench.keep(new AbortFlag(index.arena));
		const query = bench.vector(1);
		const expected = index.search(query, 5);
		assert.deepEqual(index.search(query, 5, { abort }), expected);
		abort.raise();
		const allow = setOf(bench, index, [1]);
		for (const options of [{ abort }, { abort, exact: true }, { abort, allow }]) {
			refusal("ABORTED", () => index.search(query, 5, options));
			refusal("ABORTED", () => index.searchMany(query, 5, options));
		}
		assert.deepEqual(index.search(query, 5), expected);
		abort.lower();
		assert.deepEqual(index.search(query, 5, { abort }), expected);
	});
}

function setOf(bench: Bench, index: AnyIndex, labels: readonly number[]): LabelSet {
	return bench.keep(new LabelSet(index.arena, labels));
}
