import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CELL_KINDS, type CellKind, type Metric } from "@nigh/contract";
import { serial } from "@nigh/index";
import { rowBytes } from "@nigh/kernels";
import fc from "fast-check";
import { emptyGeneration, nextGeneration, type Owned } from "../workers/next-generation.ts";
import { NOWHERE, rowOf } from "../workers/rows.test-support.ts";
import { usualNprobe } from "./cell-search.ts";
import type { VectorFormat } from "./generation.ts";
import { distanceBetween } from "./generations.test-support.ts";
import { RowMaker, vectorBytes } from "./rows.ts";
import { Searcher, type SlotQuery } from "./searcher.ts";
import { SlotWriter } from "./slot-writer.ts";

const DIMENSIONS = 32;
/** More than a filter's matches are compared one by one for. */
const N = 2_600;
const NLIST = 26;
/** Change numbers: everything is born at BORN, what dies does at DIED. */
const [BORN, DIED] = [1, 5];

function vectorOf(i: number): Float32Array {
	return Float32Array.from({ length: DIMENSIONS }, (_, d) =>
		Math.fround(Math.sin(i * (d + 1)) + 2 * Math.cos((i % 26) * (d + 3))),
	);
}

/** A generation whose main index is of cells, with a searcher of its first reader. */
async function cells(kind: CellKind, metric: Metric = "l2", count = N): Promise<{ owned: Owned; searcher: Searcher }> {
	const format: VectorFormat = { metric, dimensions: DIMENSIONS, weights: null };
	const bytes = rowBytes(vectorBytes(format));
	const flat = emptyGeneration(1, format, bytes, count, null);
	const slots = new SlotWriter(flat.generation);
	const rows = new RowMaker(format);
	for (let i = 0; i < count; i++) {
		slots.append({ label: i, id: `r${i}`, born: BORN, expires: Infinity, row: rows.row(vectorOf(i)) });
	}
	flat.generation.publish(BORN);
	const { owned } = await nextGeneration(flat, bytes, {
		wanted: { kind, nlist: NLIST },
		fresh: true,
		arrange: true,
		place: NOWHERE,
		parallel: serial,
		between: async () => {},
		onProgress() {},
	});
	return { owned, searcher: new Searcher(owned.generation.handle, owned.areas.caller) };
}

/** A bitmap of these slots, as a filter lends one. */
function matching({ generation, areas }: Owned, members: readonly number[]) {
	const { bitmaps, bitmapBytes } = areas.caller;
	const words = new Uint32Array(generation.handle.memory.buffer, bitmaps, bitmapBytes / 4).fill(0);
	for (const slot of members) words[slot >>> 5] = (words[slot >>> 5] as number) | (1 << (slot & 31));
	return { bitmap: bitmaps, count: members.length, change: DIED };
}

const all = Array.from({ length: N }, (_, slot) => slot);

for (const kind of CELL_KINDS) {
	describe(kind, async () => {
		const { owned, searcher } = await cells(kind);
		const dead = all.filter((slot) => slot % 11 === 4);
		for (const slot of dead) owned.generation.kill(slot, DIED);
		owned.generation.publish(DIED);

		/** Searches; checks that there are as many as are owed, each once, may be answered and is where it is said to be. */
		const check = (query: Omit<SlotQuery, "change" | "exact"> & Partial<SlotQuery>, members = all) => {
			const asked = { change: DIED, exact: false, ...query };
			searcher.search(asked);
			const { slots, distances } = searcher;
			const alive = new Set(members.filter((slot) => asked.change < DIED || slot % 11 !== 4));
			assert.equal(slots.length, Math.min(query.k, alive.size), "how many");
			assert.equal(new Set(slots).size, slots.length, "each once");
			slots.forEach((slot, i) => {
				assert.ok(alive.has(slot), `slot ${slot} may not be answered`);
				const distance = distanceBetween("l2", query.vector, rowOf(owned, slot));
				const estimated = query.rerank === 0;
				assert.ok(estimated || Math.abs((distances[i] as number) - distance) <= 1e-4 * (1 + distance));
				assert.ok(i === 0 || (distances[i - 1] as number) <= (distances[i] as number), "ascending");
			});
			return searcher;
		};
		const nearest = (vector: Float32Array, k: number, members: readonly number[]) =>
			members
				.filter((slot) => slot % 11 !== 4)
				.map((slot) => distanceBetween("l2", vector, rowOf(owned, slot)))
				.sort((a, b) => a - b)
				.slice(0, k);
		const isNearest = (vector: Float32Array, k: number, members: readonly number[]) =>
			nearest(vector, k, members).every(
				(distance, i) => Math.abs(distance - (searcher.distances[i] as number)) <= 1e-4 * (1 + distance),
			);

		test("whatever is asked, there are exactly min(k, matches) answers, at their own distances", () => {
			const width = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
			const plan = fc.record({
				at: fc.double({ min: -50, max: 5_000, noNaN: true }),
				k: fc.constantFrom(1, 7, 100, 2_000, N),
				change: fc.constantFrom(BORN, DIED),
				exact: fc.boolean(),
				nprobe: width(fc.integer({ min: 1, max: NLIST })),
				budget: width(fc.constantFrom(1, 90, 10_000)),
				breadth: width(fc.constantFrom(0.5, 1, 16)),
				rerank: width(fc.constantFrom(0, 2_600, 16_000)),
				every: width(fc.constantFrom(1, 2, 9, 300, N)),
			});
			fc.assert(
				fc.property(plan, ({ at, every, rerank, ...query }) => {
					const members = every === undefined ? all : all.filter((slot) => slot % every === 1 % every);
					const matches = every === undefined ? undefined : matching(owned, members);
					check({ ...query, vector: vectorOf(at), ...(kind !== "ivf" && { rerank }), matches }, members);
				}),
				{ numRuns: 150 },
			);
		});

		test("a search looks into as many cells as it is told, and says so", () => {
			const vector = vectorOf(3.5);
			let rows = 0;
			for (const nprobe of [1, 3, 12, NLIST]) {
				const { widths, way } = check({ vector, k: 5, nprobe });
				assert.deepEqual([widths.nprobe, way], [nprobe, "index"]);
				assert.ok((widths.cells as number) >= nprobe && (widths.rows as number) >= rows);
				rows = widths.rows as number;
			}
			assert.equal(rows, N);
			assert.ok(isNearest(vector, 5, all));
			assert.equal(check({ vector, k: 5 }).widths.nprobe, 6, "the square root of their number");
			assert.equal(check({ vector, k: 5, breadth: 0.5 }).widths.nprobe, 3);
			assert.equal(check({ vector, k: 5, breadth: 2 }).widths.nprobe, 12);
			assert.equal(check({ vector, k: 5, breadth: 16 }).widths.nprobe, NLIST);
			assert.equal(check({ vector, k: 150 }).widths.nprobe, 6, "still four rows for each");
			assert.equal(check({ vector, k: 300 }).widths.nprobe, 12);
			assert.equal(check({ vector, k: 2_000 }).widths.nprobe, NLIST);
			assert.equal(check({ vector, k: 300, nprobe: 2 }).widths.nprobe, 2, "as it was asked for");
			const { widths } = check({ vector, k: 5, nprobe: NLIST, budget: 10 });
			assert.ok((widths.cells as number) < NLIST && (widths.rows as number) >= 10);
			if (kind === "ivf") {
				assert.equal(widths.rerank, undefined);
				return;
			}
			assert.ok((check({ vector, k: 5 }).widths.rerank as number) >= 5, "candidates that were compared");
			assert.equal(check({ vector, k: 5, rerank: 77 }).widths.rerank, 77);
			assert.equal(check({ vector, k: 5, rerank: 0 }).widths.rerank, 0);
			check({ vector, k: 5, nprobe: NLIST, rerank: N });
			assert.ok(isNearest(vector, 5, all));
		});

		test("the fewer match, the more cells are looked into, until their matches are compared one by one", () => {
			const vector = vectorOf(70.25);
			const most = all.slice(0, 2_500);
			const many = check({ vector, k: 5, nprobe: 4, matches: matching(owned, most) }, most);
			assert.deepEqual([many.way, many.widths.nprobe], ["filtered-index", 4]);
			const usual = check({ vector, k: 5, matches: matching(owned, most) }, most);
			assert.deepEqual([usual.way, usual.widths.nprobe], ["filtered-index", 6]);
			const wide = check({ vector, k: 5, breadth: 3, matches: matching(owned, most) }, most);
			assert.deepEqual([wide.way, wide.widths], ["filtered-scan", {}]);
			assert.ok(isNearest(vector, 5, most));
			for (const members of [all.slice(0, 2_000), all.slice(100, 103), []]) {
				const { way } = check({ vector, k: 5, nprobe: 1, matches: matching(owned, members) }, members);
				assert.equal(way, "filtered-scan");
				assert.ok(isNearest(vector, 5, members));
			}
		});

		test("an exact search compares everything that may be answered", () => {
			const vector = vectorOf(0.75);
			assert.deepEqual([check({ vector, k: 40, exact: true }).way, searcher.widths], ["scan", {}]);
			assert.ok(isNearest(vector, 40, all));
			const most = all.slice(0, 2_500);
			assert.equal(check({ vector, k: 40, exact: true, matches: matching(owned, most) }, most).way, "filtered-scan");
			assert.ok(isNearest(vector, 40, most));
		});

		test("who reads the state of before finds what has died since, however many are asked for", () => {
			for (const k of [N - dead.length - 1, N - dead.length, N - dead.length + 1, N - 20, N]) {
				for (const nprobe of [undefined, 1, 24, NLIST]) check({ vector: vectorOf(5), k, nprobe, change: BORN });
			}
		});

		test("what a search reads grows with the cells that it looks into, so that a long one goes to another thread", () => {
			const bytes = { ivf: DIMENSIONS, ivfpq: DIMENSIONS / 4, ivfrabitq: DIMENSIONS / 8 }[kind];
			const of = (query: Partial<SlotQuery>) => Math.round(searcher.bytesCompared({ k: 5, exact: false, ...query }));
			assert.equal(of({ nprobe: NLIST }), N * bytes);
			assert.equal(of({ nprobe: 13 }), (N * bytes) / 2);
			assert.equal(of({}), Math.round((6 / NLIST) * N * bytes));
			assert.equal(of({ breadth: 16 }), N * bytes);
			assert.equal(of({ nprobe: 1, matches: matching(owned, all.slice(0, 100)) }), 0, "few are compared");
			assert.equal(of({ exact: true, nprobe: 1 }), N * DIMENSIONS * 4);
		});

		test("where a budget ends it too early, everything is compared instead of answering less", () => {
			const { way, widths } = check({ vector: vectorOf(9), k: 500, nprobe: 1, budget: 1 });
			assert.deepEqual([way, widths], ["scan", {}]);
			assert.ok(isNearest(vectorOf(9), 500, all));
		});
	});
}

test("what a search looks into that does not say is the index's, held to the cells there are, or their square root", () => {
	const spec = (nlist: number, nprobe?: number) =>
		({ nlist, parameters: { kind: "ivf", nprobe, budget: undefined, rerank: undefined, storage: "memory" } }) as const;
	assert.equal(usualNprobe(spec(100)), 10);
	assert.equal(usualNprobe(spec(101)), 11);
	assert.equal(usualNprobe(spec(1)), 1);
	assert.equal(usualNprobe(spec(100, 33)), 33);
	assert.equal(usualNprobe(spec(20, 33)), 20);
});
