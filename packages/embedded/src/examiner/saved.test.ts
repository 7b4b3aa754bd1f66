import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { UNFILTERED } from "@nigh/recall";
import { testFolder } from "../folder/folder.test-support.ts";
import { drawn, type Examined, examined, examinersSearcher, filterOf, NO_LIMITS } from "./examined.test-support.ts";
import { ExaminedCollection } from "./examined-collection.ts";
import { readTable, recallPath, writeRecallFile } from "./file.ts";
import { askByHeldOut } from "./held-out.ts";
import type { ExaminedSpec } from "./messages.ts";
import { restore, save } from "./saved.ts";

/** A collection of which something is known by every means, and where it was written down. */
async function written(t: TestContext): Promise<Examined & { path: string }> {
	const all = await examined(t, { n: 1_500, dimensions: 8 });
	const { collection, queries, filters } = all;
	const node = filterOf("half");
	filters.set(JSON.stringify(node), (slot) => slot % 2 === 0);
	collection.keep([...drawn(queries(330)), ...drawn(queries(40), { node, share: 0.5 })]);
	const stratum = collection.stratum(10, UNFILTERED);
	collection.give(
		stratum,
		queries(30).map((vector) => ({ vector, node: undefined })),
	);
	await collection.certify(stratum, { ...NO_LIMITS, maxQueries: 90 });
	await askByHeldOut(collection, collection.searcher, queries(200), NO_LIMITS.check);
	for (const process of [stratum.byQueries, stratum.byHeldOut]) process?.detector(0.9, 10, all.random).add(0.7);
	collection.stratum(100, UNFILTERED).voidAll({ at: 3, audits: 9, mean: 0.4 });
	stratum.rebuilds = 1;
	const path = recallPath(testFolder(t), 7);
	save(path, "d", collection);
	return { ...all, path };
}

function reopened({ collection, owned, random }: Examined, spec: Partial<ExaminedSpec> = {}): ExaminedCollection {
	const around = { random, now: () => 2_000, matchesOf: async () => undefined };
	return new ExaminedCollection(7, "notes", { ...collection.spec, ...spec }, examinersSearcher(owned), around);
}

function described({ strata }: ExaminedCollection) {
	return [...strata.values()].map((stratum) => {
		const { k, band, targets, byQueries, byHeldOut, breach, rebuilds, queries } = stratum;
		return {
			...{ k, band, breach, rebuilds },
			targets: [...targets],
			byQueries: byQueries?.saved,
			byHeldOut: byHeldOut?.saved,
			queries: queries.items.map(({ usedBy, ...query }) => ({
				...query,
				isUsed: usedBy !== undefined && usedBy === byQueries,
			})),
		};
	});
}

test("what was known is known again, and goes on where it was: no query is asked twice", async (t) => {
	const all = await written(t);
	const again = reopened(all);
	restore(all.path, "d", again);
	assert.deepEqual(described(again), described(all.collection));
	assert.deepEqual(again.table, { ...all.collection.table, purges: 0 });
	assert.deepEqual(readTable(all.path, "d", 7)?.cells, all.collection.table.cells);
	const stratum = again.stratum(10, UNFILTERED);
	const order = all.collection.stratum(10, UNFILTERED);
	assert.deepEqual(
		stratum.unused(stratum.byQueries).map(({ vector }) => vector),
		order.unused(order.byQueries).map(({ vector }) => vector),
	);
	const left = stratum.unused(stratum.byQueries).length;
	const { asked } = stratum.byQueries as NonNullable<typeof stratum.byQueries>;
	await again.certify(stratum, NO_LIMITS);
	assert.ok((stratum.byQueries?.asked as number) <= asked + left);
	again.close();
});

test("of what was known of another index queries stay, and a drop that was found", async (t) => {
	const all = await written(t);
	const other = await all.next(true);
	const again = reopened({ ...all, owned: other });
	restore(all.path, "d", again);
	const stratum = again.stratum(10, UNFILTERED);
	assert.deepEqual([stratum.byQueries, stratum.byHeldOut], [undefined, undefined]);
	assert.ok(stratum.queries.items.length > 300);
	assert.deepEqual(
		again.table.cells.map(({ k, state }) => [k, state]),
		[[100, "breached"]],
	);
	again.close();
});

test("without a log no vector is on disk, and what was logged before goes", async (t) => {
	const all = await written(t);
	const again = reopened(all, { logQueries: false });
	restore(all.path, "d", again);
	assert.ok([...again.strata.values()].every(({ queries }) => queries.items.length === 0));
	assert.deepEqual(
		again.stratum(10, UNFILTERED).byQueries?.saved,
		all.collection.stratum(10, UNFILTERED).byQueries?.saved,
	);
	assert.ok(again.isChanged);
	save(all.path, "d", again);
	const bytes = readFileSync(all.path);
	for (const { queries } of all.collection.strata.values()) {
		for (const { vector } of queries.items) {
			assert.equal(bytes.indexOf(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength)), -1);
		}
	}
	assert.equal(bytes.indexOf("half"), -1);
	const last = reopened(all, { logQueries: false });
	restore(all.path, "d", last);
	assert.ok(!last.isChanged);
	again.close();
	last.close();
});

test("where any byte of it is another, all is as it was or nothing is known", async (t) => {
	const all = await written(t);
	const sound = readFileSync(all.path);
	const expected = JSON.stringify(described(all.collection));
	const again = reopened(all);
	// The front, every byte of it; of the rest some.
	const places = [
		...Array(24).keys(),
		...Array.from({ length: 60 }, (_, i) => 24 + Math.floor((i * (sound.length - 24)) / 60)),
	];
	for (const at of places) {
		for (const mask of at < 24 ? [1, 2, 4, 8, 16, 32, 64, 128] : [1 << (at % 8)]) {
			const bytes = Buffer.from(sound);
			bytes[at] = (bytes[at] as number) ^ mask;
			writeFileSync(all.path, bytes);
			again.strata.clear();
			restore(all.path, "d", again);
			if (again.strata.size > 0) assert.equal(JSON.stringify(described(again)), expected, `${at} ${mask}`);
		}
	}
	for (const length of [0, 8, 24, 100, sound.length - 1]) {
		writeFileSync(all.path, sound.subarray(0, length));
		again.strata.clear();
		restore(all.path, "d", again);
		assert.equal(again.strata.size, 0);
	}
	again.close();
});

test("what is sound and of something else is nothing", async (t) => {
	const all = await written(t);
	const again = reopened(all);
	const { table } = all.collection;
	for (const state of [
		null,
		7,
		{},
		{ strata: 3 },
		{ vectorBytes: 32, strata: [{}] },
		{ vectorBytes: 32, strata: [{ k: 10, band: -1, targets: [0.9], queries: [[null, 0, 0, 0, 0.5]] }] },
		// Vectors of another length.
		{ vectorBytes: 8, strata: [{ ...emptyStratum, queries: [[null, 0, 0, 0, 0.5]] }] },
	]) {
		writeRecallFile(all.path, { databaseId: "d", table, state, vectors: [new Uint8Array(8)] });
		restore(all.path, "d", again);
		assert.equal(again.strata.size, 0, JSON.stringify(state));
	}
	restore(join(all.path, "nowhere"), "d", again);
	restore(all.path, "another", again);
	assert.equal(again.strata.size, 0);
	assert.ok(existsSync(all.path));
	again.close();
});

const emptyStratum = {
	k: 10,
	band: UNFILTERED,
	targets: [0.9],
	byQueries: null,
	byHeldOut: null,
	breach: null,
	rebuilds: 0,
};
