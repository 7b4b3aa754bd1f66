import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { AttachedArena } from "@nigh/index";
import { FEW } from "./cell-search.ts";
import { type DiskGeneration, diskGeneration, KINDS, vectorsFor } from "./disk-generation.test-support.ts";
import { DiskSearch } from "./disk-search.ts";
import { distanceBetween } from "./generations.test-support.ts";
import type { MainSpec } from "./main-search.ts";
import type { SlotQuery } from "./searcher.ts";

const N = 1_200;
const QUERIES = vectorsFor(30, 32, 1).slice(0, 20);

function searchOf({ owned, searcher }: DiskGeneration) {
	const { handle } = owned.generation;
	const main = owned.areas.caller.main as Exclude<MainSpec, { kind: "hnsw" }>;
	const files = searcher.files ?? assert.fail("there are no row files");
	let reads = 0;
	const counted = {
		readSync: (slot: number, rows: number, into: Uint8Array) => {
			reads++;
			files.readSync(slot, rows, into);
		},
	};
	const search = new DiskSearch(new AttachedArena(handle.memory, handle.engine), main.reader, counted);
	const { generation } = owned;
	return (asked: Partial<SlotQuery> & { vector: Float32Array }, mainEnd = generation.mainEnd) => {
		const query: SlotQuery = { k: 10, change: 1, exact: false, ...asked };
		const { matches } = query;
		const { born, died } = handle.tables;
		const allow = matches && { address: matches.bitmap, covered: handle.size.capacity };
		const eligibility = { born, died, dated: generation.slotEnd, reader: query.change, allow };
		const steps = search.search(query, { mainEnd, dead: generation.deadInMain, eligibility });
		reads = 0;
		let hasWaited = false;
		let step = steps.next();
		for (; step.done !== true; step = steps.next()) {
			if (!hasWaited) assert.deepEqual([search.waitsForDisk, reads], [true, 0], "nothing is read before it is said");
			hasWaited = true;
		}
		assert.equal(search.waitsForDisk, false);
		const slots = Array.from({ length: search.count }, (_, i) => search.slotAt(i));
		return { way: step.value, search, reads, slots };
	};
}

/** The bits of those slots in the first bitmap of the area. */
function bitmap({ owned }: DiskGeneration, slots: Iterable<number>): NonNullable<SlotQuery["matches"]> {
	const { bitmaps, bitmapBytes } = owned.areas.caller;
	const words = new Uint32Array(owned.generation.handle.memory.buffer, bitmaps, bitmapBytes / 4).fill(0);
	let count = 0;
	for (const slot of slots) {
		words[slot >>> 5] = (words[slot >>> 5] as number) | (1 << (slot & 31));
		count++;
	}
	return { bitmap: bitmaps, count, change: 1 };
}

function nearest(
	{ vectors, format }: DiskGeneration,
	query: Float32Array,
	k: number,
	among = vectors.keys(),
): number[] {
	return [...among]
		.map((slot) => [distanceBetween(format.metric, query, vectors[slot] as Float32Array), slot] as const)
		.sort(([a], [b]) => a - b)
		.slice(0, k)
		.map(([, slot]) => slot);
}

for (const wanted of KINDS) {
	describe(`${wanted.kind} on disk`, () => {
		const made = (t: TestContext) => diskGeneration(t, wanted, { n: N });

		test("names the slots whose rows decide: most of the nearest are among them, and of all cells every one", async (t) => {
			const small = await made(t);
			const search = searchOf(small);
			const { nlist } = (small.owned.areas.caller.main as Exclude<MainSpec, { kind: "hnsw" }>).reader;
			let found = 0;
			for (const vector of QUERIES) {
				const { way, search: done, reads } = search({ vector });
				assert.deepEqual([way, done.count, reads], ["index", 0, 0]);
				assert.ok(done.unranked.length >= 10 && done.unranked.length < N);
				assert.equal(new Set(done.unranked).size, done.unranked.length);
				assert.equal(done.widths.rerank, done.unranked.length);
				found += nearest(small, vector, 10).filter((slot) => done.unranked.includes(slot)).length;
				const rerank = wanted.kind === "ivf" ? {} : { rerank: N };
				const all = search({ vector, nprobe: nlist, ...rerank }).search;
				assert.ok(nearest(small, vector, 10).every((slot) => all.unranked.includes(slot)));
				assert.deepEqual([all.widths.nprobe, all.widths.cells, all.widths.rows], [nlist, nlist, N]);
			}
			assert.ok(found >= 0.85 * 10 * QUERIES.length, `${found} of the nearest`);
		});

		test("of few matches names those that may be nearest, and of none nothing", async (t) => {
			const small = await made(t);
			const search = searchOf(small);
			const slots = Array.from({ length: 90 }, (_, i) => i * 13);
			for (const exact of [false, true]) {
				for (const vector of QUERIES) {
					const { way, search: done, reads } = search({ vector, exact, matches: bitmap(small, slots) });
					assert.deepEqual([way, reads, done.count], ["filtered-scan", 0, 0]);
					assert.ok(done.unranked.every((slot) => slots.includes(slot)));
					assert.ok(nearest(small, vector, 10, slots.values()).every((slot) => done.unranked.includes(slot)));
				}
				const none = search({ vector: QUERIES[0] as Float32Array, exact, matches: bitmap(small, []) });
				assert.deepEqual([none.way, none.search.unranked.length, none.reads], ["filtered-scan", 0, 0]);
			}
		});

		test("reads the files where it takes all rows: exact searches, and budgets that end before there are enough", async (t) => {
			const small = await made(t);
			const search = searchOf(small);
			const vector = QUERIES[0] as Float32Array;
			const exact = search({ vector, exact: true });
			assert.deepEqual([exact.way, exact.search.unranked.length], ["scan", 0]);
			assert.deepEqual(exact.slots, nearest(small, vector, 10));
			// 256 rows at a time.
			assert.equal(exact.reads, Math.ceil(N / 256));
			const short = search({ vector, k: 1_000, budget: 1, ...(wanted.kind !== "ivf" && { rerank: 1_000 }) });
			assert.deepEqual([short.way, short.search.unranked.length], ["scan", 0]);
			assert.deepEqual(short.slots, nearest(small, vector, 1_000));
			const distances = Array.from({ length: 1_000 }, (_, i) => short.search.distanceAt(i));
			assert.deepEqual(
				distances,
				distances.toSorted((a, b) => a - b),
			);
			// Told of more matches than few, it does not name them one by one; of blocks without a match nothing is read.
			const some = [...small.vectors.keys()].filter((slot) => slot % 3 === 0 && (slot < 200 || slot > 1_100));
			const filtered = search({ vector, exact: true, matches: { ...bitmap(small, some), count: FEW + 1 } });
			assert.deepEqual([filtered.way, filtered.reads], ["filtered-scan", 2]);
			assert.deepEqual(filtered.slots, nearest(small, vector, 10, some.values()));
			const after = search({ vector });
			assert.deepEqual([after.way, after.reads, after.slots], ["index", 0, []]);
		});

		test("ranks the slots whose rows the caller has read, at the change that is asked for", async (t) => {
			const small = await made(t);
			const { search, searcher } = { search: searchOf(small), searcher: small.searcher };
			const { generation } = small.owned;
			const { born, died } = generation.handle.tables;
			const vector = QUERIES[2] as Float32Array;
			const [first, second] = nearest(small, vector, 2) as [number, number];
			generation.kill(first, 3);
			generation.born[second] = 5;
			const slots = Uint32Array.from(small.vectors.keys());
			const rows = small.owned.rows?.read(slots) as Uint8Array;
			const ranking = search({ vector }).search;
			for (const [change, gone] of [
				[2, [second]],
				[3, [first, second]],
				[5, [first]],
			] as const) {
				const at = { born, died, dated: generation.slotEnd, reader: change, allow: undefined };
				ranking.rank({ vector, k: 10 }, slots, rows, at);
				const found = Array.from({ length: ranking.count }, (_, i) => ranking.slotAt(i));
				const expected = nearest(small, vector, 12).filter((slot) => !gone.some((each) => each === slot));
				assert.deepEqual(found, expected.slice(0, 10));
				const none = { slots: [], distances: [] };
				searcher.rank({ vector, k: 10, change, exact: false }, slots, rows, none);
				assert.deepEqual(searcher.slots, found);
			}
		});

		test("an error of the files ends the search, and the next one searches", async (t) => {
			const small = await made(t);
			const { handle } = small.owned.generation;
			const main = small.owned.areas.caller.main as Exclude<MainSpec, { kind: "hnsw" }>;
			const failing = {
				readSync: (slot: number) => {
					if (slot > 0) throw new Error("the disk is gone");
				},
			};
			const search = new DiskSearch(new AttachedArena(handle.memory, handle.engine), main.reader, failing);
			const state = { mainEnd: N, dead: 0, eligibility: { born: 0, died: 0, dated: 0, reader: 0, allow: undefined } };
			const query = { vector: QUERIES[0] as Float32Array, k: 10, change: 1 };
			assert.throws(() => [...search.search({ ...query, exact: true }, state)], /the disk is gone/);
			assert.equal(search.waitsForDisk, false);
			assert.deepEqual([...search.search({ ...query, exact: false }, state)], []);
			assert.ok(search.unranked.length >= 10);
		});

		test("where nothing is to be ranked, estimates are the answer", async (t) => {
			const small = await made(t);
			const search = searchOf(small);
			const vector = QUERIES[3] as Float32Array;
			// Of an "ivf" nobody may ask for it: see check-request.
			if (wanted.kind === "ivf") {
				assert.throws(() => search({ vector, rerank: 0 }), { code: "UNSUPPORTED" });
				return;
			}
			const { way, search: done } = search({ vector, rerank: 0 });
			assert.deepEqual([way, done.count, done.unranked.length, done.widths.rerank], ["index", 10, 0, 0]);
			const distances = Array.from({ length: 10 }, (_, i) => done.distanceAt(i));
			assert.deepEqual(
				distances,
				distances.toSorted((a, b) => a - b),
			);
			// There are 75 around each centre.
			const near = nearest(small, vector, N / 16);
			const found = Array.from({ length: 10 }, (_, i) => done.slotAt(i));
			assert.ok(found.every((slot) => near.includes(slot)));
			assert.equal(new Set(found).size, 10);
			// One that ranks leaves no answer of the one before.
			assert.equal(search({ vector }).search.count, 0);
		});

		test("what has died is not named", async (t) => {
			const small = await made(t);
			const search = searchOf(small);
			const vector = QUERIES[5] as Float32Array;
			const gone = nearest(small, vector, 30);
			for (const slot of gone) small.owned.generation.kill(slot, 1);
			for (const asked of [{}, { matches: bitmap(small, gone.concat(nearest(small, vector, 60))) }]) {
				const { unranked } = search({ vector, ...asked }).search;
				assert.ok(unranked.length >= 10);
				assert.ok(gone.every((slot) => !unranked.includes(slot)));
			}
		});
	});
}
