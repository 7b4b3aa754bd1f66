import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AbortFlag, Arena, LabelSet } from "@nigh/kernels";
import { refusal } from "../refusal.test-support.ts";
import type { Neighbor } from "../vector-index.ts";
import { isOrdered, randomNumbers, trueNeighbors } from "../vectors.test-support.ts";
import type { IvfOptions } from "./create-file.ts";
import { built, clustered, flatOf, labelsOf, leavingNothing, mean, recallOf, rowAt } from "./ivf.test-support.ts";
import { createIvf } from "./ivf.ts";

const arena = new Arena();

type Settings = Omit<IvfOptions, "arena" | "dimensions" | "metric">;

/** Every kind of cells, with the codes there are kernels for. */
const KINDS: Readonly<Record<string, Settings>> = {
	ivf: { kind: "ivf", codes: "none" },
	"ivf by codes": { kind: "ivf", codes: "sq7" },
	"ivfpq of 4 bits": { kind: "ivfpq", bits: 4 },
	"ivfpq of 8 bits": { kind: "ivfpq", bits: 8 },
	ivfrabitq: { kind: "ivfrabitq", bits: 4 },
};

const names = Object.keys(KINDS);
const settingsOf = (name: string) => KINDS[name] as Settings;
/** Settings with which a search of this kind ranks every row of the cells it looks into. */
const deep = (name: string) => (name.startsWith("ivf by") || name === "ivf" ? {} : { rerank: 16_000 });

const D = 12;
const N = 900;
const ROWS = clustered(1, { n: N, d: D, centers: 20, spread: 0.5 });
const QUERIES = Array.from({ length: 12 }, (_, i) =>
	rowAt(ROWS, D, 70 * i).map((x, j) => x + 0.2 * Math.sin(7 * i + 3 * j)),
);

const base = (name: string): IvfOptions => ({ ...settingsOf(name), dimensions: D, metric: "l2", arena, nlist: 20 });

describe("C-6: a search of all cells is the exact answer, bit for bit", () => {
	for (const codes of ["none", "sq7"] as const) {
		for (const metric of ["l2", "cosine", "ip", "l1"] as const) {
			if (metric === "l1" && codes === "sq7") continue;
			// On a line there are two directions only: cells of these collapse.
			for (const d of [metric === "cosine" ? 2 : 1, 5, 48]) {
				test(`ivf, ${metric}, codes ${codes}, ${d} dimensions: also among equals, after removals, replacements and compact`, () =>
					leavingNothing(arena, async () => {
						const options: IvfOptions = { kind: "ivf", codes, metric, dimensions: d, arena, nlist: 12 };
						const rows = clustered(d, { n: 600, d, centers: 15, spread: 0.4 });
						// Every fifth row is one of ten.
						for (let i = 0; i < 600; i += 5) rows.set(rowAt(rows, d, i % 10 === 0 ? 0 : 7), i * d);
						const index = await built(options, rows);
						const flat = await flatOf(options, rows);
						const all = { nprobe: 12 };
						const same = () => {
							for (let i = 0; i < 8; i++) {
								const query = i === 7 ? new Float32Array(d) : rowAt(rows, d, 31 * i).map((x) => x * (1 + 0.01 * i));
								for (const k of [1, 10, 150, 600]) {
									assert.deepEqual(index.search(query, k, all), flat.search(query, k), `query ${i}, k ${k}`);
									assert.deepEqual(index.search(query, k, { exact: true }), flat.search(query, k));
								}
							}
						};
						same();
						const gone = Array.from({ length: 150 }, (_, i) => 4 * i + 1);
						assert.equal(index.remove(gone), flat.remove(gone));
						same();
						const labels = Uint32Array.from({ length: 120 }, (_, i) => (i % 3 === 0 ? 5 * i : 700 + i));
						const more = clustered(d + 1, { n: 120, d, centers: 15, spread: 0.4 });
						await index.insertMany(more, { labels });
						await flat.insertMany(more, { labels });
						index.insert(3, rowAt(rows, d, 0));
						flat.insert(3, rowAt(rows, d, 0));
						same();
						const before = [1, 10, 600].map((k) => index.search(rowAt(rows, d, 9), k, all));
						index.compact();
						assert.deepEqual(
							[1, 10, 600].map((k) => index.search(rowAt(rows, d, 9), k, all)),
							before,
						);
						same();
						index.dispose();
						flat.dispose();
					}));
			}
		}
	}

	test("codes that rank every candidate again give the exact answer too", () =>
		leavingNothing(arena, async () => {
			for (const name of names) {
				for (const metric of ["l2", "cosine", "ip"] as const) {
					const options = { ...base(name), metric };
					const index = await built(options, ROWS);
					const flat = await flatOf(options, ROWS);
					for (const query of QUERIES) {
						for (const k of [1, 10, 900]) {
							assert.deepEqual(
								index.search(query, k, { nprobe: 20, ...deep(name) }),
								flat.search(query, k),
								`${name} ${metric}`,
							);
						}
					}
					index.dispose();
					flat.dispose();
				}
			}
		}));

	test("exact, few allowed labels, and k above 4,000 do not look into cells at all", () =>
		leavingNothing(arena, async () => {
			for (const name of names) {
				const index = await built(base(name), ROWS);
				const flat = await flatOf(base(name), ROWS);
				const few = new LabelSet(arena, [3, 5, 800, 5_000]);
				const [query] = QUERIES as [Float32Array];
				const exact = index.explain(query, 10, { exact: true });
				assert.equal(exact.report.way, "scan");
				assert.deepEqual(exact.neighbors, flat.search(query, 10));
				assert.deepEqual(labelsOf(index.search(query, 10, { allow: few })).sort(), [3, 5, 800].sort());
				assert.equal(index.explain(query, 10, { allow: few }).report.way, "labels");
				const large = index.explain(query, 4_001);
				assert.equal(large.report.way, "scan");
				assert.deepEqual(large.neighbors, flat.search(query, 4_001));
				few.dispose();
				index.dispose();
				flat.dispose();
			}
		}));
});

describe("C-6: recall over nprobe", () => {
	for (const name of names) {
		const perQuery = deep(name);
		const isExactInCells = Object.keys(perQuery).length === 0;
		test(`${name}: ${isExactInCells ? "never falls, query by query" : "falls by no more than 0.5 % in the mean"}, and ends exact`, () =>
			leavingNothing(arena, async () => {
				const options = { ...base(name), nlist: 32 };
				const rows = clustered(4, { n: 1_600, d: D, centers: 60, spread: 0.7 });
				const index = await built(options, rows);
				const flat = await flatOf(options, rows);
				const queries = Array.from({ length: 60 }, (_, i) =>
					rowAt(rows, D, 20 * i).map((x, j) => x + 0.3 * Math.sin(i + 5 * j)),
				);
				const exact = queries.map((query) => flat.search(query, 10));
				let before = queries.map(() => 0);
				let first = 0;
				for (const nprobe of [1, 2, 3, 4, 6, 8, 12, 16, 24, 32]) {
					const recalls = queries.map((query, i) =>
						recallOf(index.search(query, 10, { nprobe }), exact[i] as (typeof exact)[number]),
					);
					if (nprobe === 1) first = mean(recalls);
					for (const [i, recall] of recalls.entries()) {
						if (isExactInCells) assert.ok(recall >= (before[i] as number), `nprobe ${nprobe}, query ${i}`);
					}
					assert.ok(mean(recalls) >= mean(before) - 0.005, `nprobe ${nprobe}: ${mean(recalls)} after ${mean(before)}`);
					before = recalls;
				}
				assert.ok(first < 0.9, `one cell finds ${first} already: the data say nothing`);
				assert.ok(isExactInCells ? mean(before) === 1 : mean(before) >= 0.99, `${mean(before)} in all cells`);
				for (const query of queries.slice(0, 5)) {
					assert.deepEqual(index.search(query, 10, { nprobe: 32, ...perQuery }), flat.search(query, 10));
				}
				index.dispose();
				flat.dispose();
			}));
	}
});

describe("N-13: the scan budget", () => {
	for (const name of names) {
		test(`${name}: rows are at most the budget and one cell more, in whole cells, and the report says so`, () =>
			leavingNothing(arena, async () => {
				const index = await built(base(name), ROWS);
				const cellRows = (query: Float32Array, cells: number) => index.explain(query, 1, { nprobe: cells }).report.rows;
				for (const query of QUERIES) {
					// What each cell adds, nearest first.
					const sizes = Array.from(
						{ length: 20 },
						(_, i) => cellRows(query, i + 1) - (i === 0 ? 0 : cellRows(query, i)),
					);
					const largest = Math.max(...sizes);
					for (const budget of [1, 10, 50, 100, 333, 899, 900, 10_000]) {
						const { neighbors, report } = index.explain(query, 1, { nprobe: 20, budget });
						assert.ok(report.rows < budget + largest, `${report.rows} rows, budget ${budget}`);
						const whole = sizes.slice(0, report.cells).reduce((a, b) => a + b, 0);
						assert.equal(report.rows, whole, "cells are scanned whole");
						assert.ok(report.cells === 20 || report.rows >= budget);
						assert.equal(report.budgetSpent, report.cells < 20);
						assert.equal(report.way, "cells");
						assert.equal(neighbors.length, 1);
					}
				}
				index.dispose();
			}));

		test(`${name}: the index's own budget holds where a search does not say, and its own where it does`, () =>
			leavingNothing(arena, async () => {
				const index = await built({ ...base(name), budget: 1, nprobe: 20 }, ROWS);
				const [query] = QUERIES as [Float32Array];
				assert.equal(index.explain(query, 1).report.cells, 1);
				assert.ok(index.explain(query, 1).report.budgetSpent);
				assert.equal(index.explain(query, 1, { budget: N }).report.cells, 20);
				index.dispose();
			}));

		test(`${name}: a probe that finds nothing goes on to further cells, and says so`, () =>
			leavingNothing(arena, async () => {
				const index = await built(base(name), ROWS);
				const [query] = QUERIES as [Float32Array];
				const { neighbors: near } = index.explain(query, 300, { exact: true });
				index.remove(labelsOf(near));
				const { neighbors, report } = index.explain(query, 10, { nprobe: 1 });
				assert.equal(neighbors.length, 10);
				assert.ok(report.wentOn && report.cells > 1);
				// With a budget that the empty cell uses up (its tombstones count) it ends, and says why.
				const short = index.explain(query, 10, { nprobe: 1, budget: 1 });
				assert.ok(short.report.budgetSpent && short.neighbors.length < 10);
				assert.ok(
					!index.explain(rowAt(ROWS, D, labelsOf(index.search(query, 600)).at(-1) as number), 1, { nprobe: 1 }).report
						.wentOn,
				);
				index.dispose();
			}));

		test(`${name}: cells that never held a row are passed by, and what lies behind them is ranked as well as ever`, () =>
			leavingNothing(arena, async () => {
				const rows = clustered(6, { n: 1_000, d: D, centers: 20, spread: 0.3 });
				const index = await built({ ...base(name), nlist: 20 }, rows);
				index.remove(Array.from({ length: 1_000 }, (_, i) => i));
				index.compact();
				const odd = Uint32Array.from({ length: 500 }, (_, i) => i * 2 + 1);
				const kept = new Float32Array(500 * D);
				for (const [i, label] of odd.entries()) kept.set(rowAt(rows, D, label), i * D);
				await index.insertMany(kept, { labels: odd });
				let went = 0;
				for (let i = 0; i < 100; i += 2) {
					const query = rowAt(rows, D, i);
					const { neighbors, report } = index.explain(query, 10, { nprobe: 1 });
					assert.equal(neighbors.length, 10);
					if (report.wentOn) went++;
					const best = index.search(query, 10, { nprobe: report.cells, ...deep(name) });
					assert.ok(recallOf(neighbors, best) >= 0.9, `query ${i}`);
				}
				assert.ok(went > 0);
				index.dispose();
			}));
	}

	test("an empty index refuses what it would refuse with vectors in it, trained or not", async () => {
		const query = QUERIES[0] as Float32Array;
		for (const kind of ["ivf", "ivfpq", "ivfrabitq"] as const) {
			const index = createIvf({ kind, dimensions: query.length, metric: "l2", nlist: 20, arena });
			const refusedAsks = [{ nprobe: 0 }, { nprobe: 21 }, { budget: 0 }, { rerank: -1 }];
			if (kind === "ivf") refusedAsks.push({ rerank: 5 });
			const fields = () => {
				for (const asked of refusedAsks) {
					for (const call of [() => index.search(query, 5, asked), () => index.probe(query, 5, asked)]) {
						assert.equal(refusal("INVALID_OPTION", call).details.field, Object.keys(asked)[0]);
					}
				}
			};
			fields();
			await index.train(ROWS);
			fields();
			await index.insertMany(ROWS);
			fields();
			index.dispose();
		}
		const plain = createIvf({ kind: "ivf", dimensions: query.length, metric: "l2", codes: "none", arena });
		refusal("UNSUPPORTED", () => plain.probe(query, 5));
		plain.dispose();
	});

	test("what an empty index answers is the caller's own", () => {
		const query = QUERIES[0] as Float32Array;
		const empty = () => createIvf({ kind: "ivf", dimensions: query.length, metric: "l2", codes: "sq7", arena });
		const [first, second] = [empty(), empty()];
		first.search(query, 5).push({ label: 1, distance: 0 as Neighbor["distance"] });
		Object.assign(first.probe(query, 5).report, { cells: 7 });
		for (const index of [first, second]) {
			assert.deepEqual(index.search(query, 5), []);
			assert.equal(index.explain(query, 5).report.cells, 0);
			index.dispose();
		}
	});

	test("an empty index answers nothing, trained or not", () =>
		leavingNothing(arena, async () => {
			for (const name of names) {
				const index = await built(base(name), ROWS);
				index.remove(index.labels());
				for (const options of [{}, { exact: true }, { nprobe: 20, budget: 1 }]) {
					assert.deepEqual(index.search(QUERIES[0] as Float32Array, 5, options), []);
				}
				index.compact();
				assert.deepEqual(index.search(QUERIES[0] as Float32Array, 5), []);
				index.dispose();
			}
		}));
});

describe("filters", () => {
	test("labels that the index does not hold are not counted among those that were compared", async () => {
		const index = await built(base(names[0] as string), ROWS);
		const held = index.labels().slice(0, 5);
		const allow = new LabelSet(arena, [...held, 900_000, 900_001, 900_002]);
		const { report } = index.explain(QUERIES[0] as Float32Array, 10, { allow });
		assert.deepEqual([report.way, report.ranked], ["labels", 5]);
		allow.dispose();
		index.dispose();
	});

	for (const name of names) {
		test(`${name}: exactly min(k, matches), all allowed, of any number of labels`, () =>
			leavingNothing(arena, async () => {
				const n = 3_000;
				const rows = clustered(2, { n, d: D, centers: 40, spread: 0.5 });
				const index = await built({ ...base(name), nlist: 40 }, rows);
				index.remove(Array.from({ length: 300 }, (_, i) => 10 * i));
				const alive = new Map([...index.labels()].map((label) => [label, rowAt(rows, D, label)] as const));
				const random = randomNumbers(5);
				const sets: (readonly number[])[] = [
					[],
					[1],
					[0, 10, 20],
					[1, 99_999],
					Array.from({ length: 40 }, () => Math.floor(n * random())),
					...[900, 1_001, 1_500, 2_990].map((count) => Array.from({ length: count }, (_, i) => (i * 7) % n)),
					Array.from({ length: 5_000 }, (_, i) => i),
				];
				for (const labels of sets) {
					const allow = new LabelSet(arena, labels);
					const matches = new Map([...alive].filter(([label]) => allow.has(label)));
					for (const [i, query] of QUERIES.slice(0, 3).entries()) {
						for (const k of [1, 10, 120, 10_000]) {
							const hits = index.search(query, k, { allow, ...(i === 2 ? { nprobe: 1 } : {}) });
							assert.equal(hits.length, Math.min(k, matches.size), `${labels.length} allowed, k ${k}`);
							assert.ok(isOrdered(hits));
							for (const { label } of hits) assert.ok(matches.has(label), `${label} is not allowed`);
							const all = index.search(query, k, { allow, nprobe: 40, ...deep(name) });
							const truth = trueNeighbors("l2", query, matches).slice(0, k);
							assert.equal(all.length, truth.length);
							all.forEach(({ distance }, rank) => {
								const { distance: best, tolerance } = truth[rank] as (typeof truth)[number];
								assert.ok(Math.abs(distance - best) <= tolerance, `rank ${rank}`);
							});
						}
					}
					allow.dispose();
				}
				index.dispose();
			}));
	}
});

describe("answers", () => {
	for (const name of names) {
		test(`${name}: as many as asked for, from 1 to 10,000, in order, with their true distances`, () =>
			leavingNothing(arena, async () => {
				for (const metric of ["l2", "cosine", "ip"] as const) {
					const index = await built({ ...base(name), metric }, ROWS);
					const vectors = new Map(Array.from({ length: N }, (_, i) => [i, rowAt(ROWS, D, i)] as const));
					for (const k of [1, 2, 10, 33, 257, 899, 900, 901, 3_999, 4_000, 4_001, 10_000]) {
						const query = QUERIES[k % QUERIES.length] as Float32Array;
						const hits = index.search(query, k);
						assert.equal(hits.length, Math.min(k, N));
						assert.ok(isOrdered(hits), `k ${k}`);
						const truths = new Map(trueNeighbors(metric, query, vectors).map((truth) => [truth.label, truth]));
						for (const { label, distance } of hits) {
							const truth = truths.get(label) as { distance: number; tolerance: number };
							assert.ok(Math.abs(distance - truth.distance) <= truth.tolerance, `${metric}, k ${k}, ${label}`);
						}
					}
					index.dispose();
				}
			}));

		test(`${name}: every duplicate comes back`, () =>
			leavingNothing(arena, async () => {
				const rows = ROWS.slice();
				const twin = rowAt(rows, D, 100).slice();
				const twins = Array.from({ length: 45 }, (_, i) => 20 * i);
				for (const label of twins) rows.set(twin, label * D);
				const index = await built(base(name), rows);
				const hits = index.search(twin, 46);
				assert.deepEqual(
					labelsOf(hits.slice(0, 45)).sort((a, b) => a - b),
					[...twins.filter((label) => label !== 100), 100].sort((a, b) => a - b),
				);
				for (const { distance } of hits.slice(0, 45)) assert.ok(distance < 1e-6);
				assert.ok((hits[45]?.distance as number) > 0);
				index.dispose();
			}));

		test(`${name}: rows that are all at the centroids of their cells are told apart by these, at any scale`, () =>
			leavingNothing(arena, async () => {
				for (const scale of [1e-12, 0.02, 1, 1e12]) {
					const middles = clustered(3, { n: 24, d: D, centers: 24, spread: 0 }).map((x) => scale * x);
					const rows = Float32Array.from({ length: 24 * 80 * D }, (_, i) => middles[i % (24 * D)] as number);
					const index = await built({ ...base(name), nlist: 24 }, rows);
					for (let i = 0; i < 24; i++) {
						const hits = index.search(rowAt(middles, D, i), 10, { nprobe: 24 });
						assert.ok(
							hits.every(({ label }) => label % 24 === i),
							`scale ${scale}, ${i}: ${labelsOf(hits)}`,
						);
					}
					index.dispose();
				}
			}));

		test(`${name}: what was removed never comes back, a replaced vector is found where it is now, tombstones go with compact`, () =>
			leavingNothing(arena, async () => {
				const index = await built(base(name), ROWS);
				const gone = Array.from({ length: 300 }, (_, i) => 3 * i);
				assert.equal(index.remove([...gone, 5_000, 5_001]), 300);
				assert.equal(index.remove(gone), 0);
				const far = rowAt(ROWS, D, 7).map((x, j) => x + 0.4 * Math.cos(j));
				for (const label of [1, 2]) index.insert(label, far);
				await index.insertMany(far, { labels: Uint32Array.of(4) });
				const check = () => {
					assert.equal(index.size, 600);
					for (const query of [...QUERIES, rowAt(ROWS, D, 1), rowAt(ROWS, D, 3)]) {
						for (const options of [{}, { nprobe: 20 }, { exact: true }]) {
							const hits = index.search(query, 600, options);
							assert.equal(hits.length, 600);
							assert.ok(hits.every(({ label }) => label % 3 !== 0));
						}
					}
					assert.deepEqual(labelsOf(index.search(far, 3)).sort(), [1, 2, 4]);
					assert.ok(!index.has(3) && index.vector(3) === undefined && index.has(1));
					assert.deepEqual(index.vector(1), far);
				};
				check();
				const { rows } = index.explain(far, 1, { nprobe: 20 }).report;
				assert.equal(rows, 903, "tombstones are scanned");
				const report = index.compact();
				assert.equal(report.removedNodes, 303);
				assert.equal(report.totalNodes, 600);
				assert.equal(index.explain(far, 1, { nprobe: 20 }).report.rows, 600);
				check();
				assert.equal(index.compact().removedNodes, 0);
				index.dispose();
			}));

		test(`${name}: many queries are answered as single ones are`, () =>
			leavingNothing(arena, async () => {
				const index = await built(base(name), ROWS);
				const all = Float32Array.from(QUERIES.flatMap((query) => [...query]));
				for (const options of [{}, { nprobe: 1 }, { exact: true }]) {
					assert.deepEqual(
						index.searchMany(all, 7, options),
						QUERIES.map((query) => index.search(query, 7, options)),
					);
				}
				index.dispose();
			}));
	}

	test("re-ranking: none gives estimates in order, k gives true distances, more never finds less", () =>
		leavingNothing(arena, async () => {
			const rows = clustered(9, { n: 2_000, d: 24, centers: 30, spread: 0.8 });
			for (const settings of [
				{ kind: "ivfpq", bits: 4, M: 6 },
				{ kind: "ivfpq", bits: 8, M: 3 },
				{ kind: "ivfrabitq", bits: 1 },
			] as const) {
				const options: IvfOptions = { ...settings, dimensions: 24, metric: "l2", arena, nlist: 20 };
				const index = await built(options, rows);
				const flat = await flatOf(options, rows);
				const queries = Array.from({ length: 40 }, (_, i) =>
					rowAt(rows, 24, 40 * i).map((x, j) => x + 0.2 * Math.sin(i * j)),
				);
				const recalls = [0, 1, 10, 40, 200, 2_000, 16_000].map((rerank) =>
					mean(
						queries.map((query) => {
							const { neighbors, report } = index.explain(query, 10, { nprobe: 20, rerank });
							assert.equal(neighbors.length, 10);
							assert.ok(isOrdered(neighbors));
							assert.equal(report.ranked, rerank === 0 ? 0 : Math.min(2_000, Math.max(10, rerank)));
							const truth = new Map(flat.search(query, 2_000).map(({ label, distance }) => [label, distance]));
							for (const { label, distance } of neighbors) {
								if (rerank > 0) assert.equal(distance, truth.get(label));
							}
							const wanted = new Set(labelsOf(flat.search(query, 10)));
							return neighbors.filter(({ label }) => wanted.has(label)).length / 10;
						}),
					),
				);
				for (let i = 3; i < recalls.length; i++) {
					assert.ok(
						(recalls[i] as number) >= (recalls[i - 1] as number),
						`${settings.kind} ${settings.bits}: ${recalls}`,
					);
				}
				assert.equal(recalls.at(-1), 1);
				assert.ok((recalls[2] as number) < 0.95, `${recalls}: the codes are too good to show anything`);
				index.dispose();
				flat.dispose();
			}
		}));

	test("options of other kinds, out of bounds or unknown are refused by name", () =>
		leavingNothing(arena, async () => {
			const query = QUERIES[0] as Float32Array;
			for (const name of names) {
				const index = await built(base(name), ROWS);
				const field = (options: object) =>
					refusal("INVALID_OPTION", () => index.search(query, 5, options)).details.field;
				for (const nprobe of [0, 21, 1.5, Number.NaN]) assert.equal(field({ nprobe }), "nprobe");
				for (const budget of [0, -1, 2 ** 31]) assert.equal(field({ budget }), "budget");
				assert.equal(field({ ef: 10 }), "ef");
				assert.equal(field({ patience: 10 }), "patience");
				if (name.startsWith("ivf ") || name === "ivf") assert.equal(field({ rerank: 10 }), "rerank");
				else for (const rerank of [-1, 16_001, 0.5]) assert.equal(field({ rerank }), "rerank");
				const error = refusal("INVALID_OPTION", () => index.search(query, 5, { probes: 5 } as object));
				assert.match(error.message, /probes/);
				for (const k of [0, 10_001, 1.5]) {
					assert.equal(refusal("INVALID_OPTION", () => index.search(query, k)).details.field, "k");
				}
				refusal("DIMENSION_MISMATCH", () => index.search(new Float32Array(D + 1), 5));
				refusal("INVALID_VECTOR", () => index.search(new Float32Array(D).fill(Number.NaN), 5));
				index.dispose();
				refusal("CLOSED", () => index.search(query, 5));
			}
		}));

	test("a raised flag ends a search with ABORTED, by whichever way, and the next one is whole", () =>
		leavingNothing(arena, async () => {
			const query = QUERIES[0] as Float32Array;
			const abort = new AbortFlag(arena);
			const many = new LabelSet(
				arena,
				Array.from({ length: 1_100 }, (_, i) => i),
			);
			const few = new LabelSet(arena, [1]);
			for (const name of names) {
				const index = await built(base(name), ROWS);
				for (const options of [{}, { exact: true }, { allow: few }, { allow: many }]) {
					abort.raise();
					refusal("ABORTED", () => index.search(query, 5, { ...options, abort }));
					abort.lower();
					assert.deepEqual(index.search(query, 5, { ...options, abort }), index.search(query, 5, options));
				}
				index.dispose();
			}
			for (const thing of [few, many, abort]) thing.dispose();
		}));
});
