import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { nearestMatches } from "./filters/filter-set.ts";
import type { EngineStart } from "./filters/filtering-engine.ts";
import { filtersBeside } from "./filters.ts";
import type { DatabaseBenchOptions, Measured, Measurement } from "./measurement.ts";
import { MEASUREMENTS } from "./measurements.ts";
import { openingAfter } from "./open.ts";

/** Figures that time has no part in: they have to be right at any size and on any machine. */
const SURE: Readonly<Record<string, Readonly<Record<string, (value: number) => boolean>>>> = {
	ingest: {
		"the last record is found at once, no text": (value) => value === 1,
		"the last record is found at once, 40 words each": (value) => value === 1,
	},
	overhead: {
		"recall@10, index": (value) => value > 0.95 && value <= 1,
		"recall@10, collection": (value) => value > 0.95 && value <= 1,
	},
	filters: Object.fromEntries(
		["lot", "side"].flatMap((field) =>
			[0.1, 1, 10, 50].flatMap((share) => [
				[`nigh, ${field} ${share} %: recall@10`, (value: number) => value >= 0.9 && value <= 1],
				[`nigh, ${field} ${share} %: short or wrong answers`, (value: number) => value === 0],
			]),
		),
	),
};

/** In place of those that look for peers or drop the page cache of the machine. */
const HARMLESS: Readonly<Record<string, Measurement>> = {
	open: (options) => openingAfter(() => false, options),
	filters: (options) => filtersBeside({}, options),
};

test("a peer that is there is judged as Nigh is, and one that is not is named", async (t) => {
	const folder = mkdtempSync(join(tmpdir(), "nigh-bench-db-"));
	t.after(() => rmSync(folder, { recursive: true }));
	const start: EngineStart = async (set) => ({
		name: "scan",
		about: "compares everything",
		buildSeconds: 0,
		async search(query, filter) {
			const one = { ...set, queries: [query] };
			// Without a filter it answers nothing, which nobody judges.
			return filter === undefined ? [] : ((await nearestMatches(one, filter))[0] as number[]);
		},
		close: async () => {},
	});
	const absent: EngineStart = () => Promise.reject(new Error("it is not there"));
	const peers = { scan: { missing: () => undefined, start }, other: { missing: () => "no file", start: absent } };
	const { about, figures } = await filtersBeside(peers, { size: 200, folder, onStep() {} });
	assert.match(about.join(" "), /scan: compares everything\. other is left out.*bench:setup/);
	const recalls = figures.filter(({ of, what }) => of?.startsWith("scan, ") && what === "recall@10");
	assert.equal(recalls.length, 8);
	for (const { of, value, target } of recalls) assert.deepEqual([of, value, target], [of, 1, undefined]);
});

for (const [name, measurement] of Object.entries(MEASUREMENTS)) {
	test(`${name} is measured at a small size`, async (t) => {
		const folder = mkdtempSync(join(tmpdir(), "nigh-bench-db-"));
		t.after(() => rmSync(folder, { recursive: true }));
		const options: DatabaseBenchOptions = { size: 400, folder, onStep() {} };
		const { title, about, figures }: Measured = await (HARMLESS[name] ?? measurement)(options);
		assert.ok(title !== "" && about.length > 0);
		const named = new Map(figures.map(({ of, what, value }) => [of === undefined ? what : `${of}: ${what}`, value]));
		assert.equal(named.size, figures.length);
		for (const { what, value } of figures) assert.ok(Number.isFinite(value), what);
		for (const [what, isRight] of Object.entries(SURE[name] ?? {})) {
			const value = named.get(what);
			assert.ok(value !== undefined && isRight(value), `${what}: ${value}`);
		}
	});
}
