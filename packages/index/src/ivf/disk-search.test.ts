import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AbortFlag, Arena, LabelSet } from "@nigh/kernels";
import fc from "fast-check";
import { refusal } from "../refusal.test-support.ts";
import type { Neighbor } from "../vector-index.ts";
import type { IvfOptions } from "./create-file.ts";
import { paddedRowsOf, splitSearch, type Twins, twins, vectorsOf } from "./disk.test-support.ts";
import { built, clustered, flatOf, mean, recallOf, rowAt } from "./ivf.test-support.ts";
import { createIvf } from "./ivf.ts";
import { openIvfReader } from "./reader.ts";
import type { IvfSearchOptions } from "./search.ts";

const D = 38;
const N = 1_500;
const NLIST = 30;
const ROWS = clustered(1, { n: N, d: D, centers: 40, spread: 0.7 });
const QUERIES = Array.from({ length: 12 }, (_, i) =>
	rowAt(ROWS, D, 7 * i).map((x, j) => x + 0.2 * Math.cos(i * 31 + j)),
);
const WEIGHTS = Array.from({ length: D }, (_, i) => (i % 5) / 2);

const KINDS: Readonly<Record<string, Pick<IvfOptions, "kind" | "bits" | "M" | "residual" | "rotation" | "codes">>> = {
	ivf: { kind: "ivf", rotation: "none" },
	"ivf, turned": { kind: "ivf" },
	ivfpq: { kind: "ivfpq" },
	"ivfpq of 8 bits": { kind: "ivfpq", M: 19, bits: 8, residual: false },
	"ivfrabitq of 1 bit": { kind: "ivfrabitq" },
	"ivfrabitq of 4 bits": { kind: "ivfrabitq", bits: 4 },
};

const shape = (name: string, options: Partial<IvfOptions> = {}): IvfOptions => ({
	...(KINDS[name] as IvfOptions),
	dimensions: D,
	metric: "l2",
	nlist: NLIST,
	...options,
});

/** What may be asked of a search. For RaBitQ codes only where both ways take as many candidates. */
function asked(kind: IvfOptions["kind"]): IvfSearchOptions[] {
	if (kind === "ivf") return [{}, { nprobe: 1 }, { nprobe: 9, budget: 200 }, { exact: true }, { nprobe: NLIST }];
	const list = [{ rerank: 60 }, { nprobe: 1, rerank: 25 }, { nprobe: 9, budget: 200, rerank: 100 }];
	return kind === "ivfpq" ? [{}, ...list] : list;
}

describe("probe and rank of an index on disk answer what one in memory finds, bit for bit", () => {
	for (const name of Object.keys(KINDS)) {
		for (const metric of ["l2", "cosine", "ip"] as const) {
			for (const weights of [undefined, WEIGHTS]) {
				test(`${name}, ${metric}${weights === undefined ? "" : ", weights"}`, async () => {
					const options = shape(name, { metric, ...(weights !== undefined && { weights }) });
					const both = await twins(options, ROWS);
					const half = new LabelSet(both.memory.arena);
					const halfToo = new LabelSet(both.disk.arena);
					for (let label = 0; label < 1_400; label++)
						if (label % 4 !== 0) for (const set of [half, halfToo]) set.add(label);
					for (const removed of [false, true]) {
						if (removed) for (const one of [both.memory, both.disk]) one.remove([0, 7, 14, 21, 1_000, 1_001]);
						for (const query of QUERIES) {
							for (const search of asked(options.kind)) {
								for (const k of [1, 10, 60]) {
									const wanted = both.memory.explain(query, k, search);
									assert.deepEqual(splitSearch(both, query, k, search), wanted.neighbors);
									const { report } = both.disk.probe(query, k, search);
									if (search.exact !== true) {
										assert.deepEqual([report.cells, report.rows], [wanted.report.cells, wanted.report.rows]);
									}
								}
								const { labels } = both.disk.probe(query, 10, { ...search, allow: halfToo });
								assert.ok(labels.every((label) => halfToo.has(label)));
								assert.deepEqual(
									both.disk.rank(query, 10, labels, vectorsOf(both.memory, labels)),
									both.memory.search(query, 10, { ...search, allow: half }),
								);
							}
						}
					}
				});
			}
		}
	}
});

test("of ivf, an exact probe and one for more than can be found by cells miss nothing", async () => {
	const rows = clustered(3, { n: 4_300, d: 8, centers: 9, spread: 1 });
	const both = await twins({ kind: "ivf", dimensions: 8, metric: "l2", nlist: 12 }, rows);
	const flat = await flatOf({ kind: "ivf", dimensions: 8, metric: "l2" }, rows);
	const query = rowAt(rows, 8, 5);
	assert.deepEqual(splitSearch(both, query, 20, { exact: true }), flat.search(query, 20));
	assert.deepEqual(splitSearch(both, query, 4_200), flat.search(query, 4_200));
	const { labels, report } = both.disk.probe(query, 4_200);
	assert.ok(labels.length >= 4_200);
	assert.deepEqual([report.cells, report.ranked], [12, labels.length]);
});

test("bounds exclude most rows, and none that ties", async () => {
	const both = await twins(shape("ivf"), ROWS);
	const shares = QUERIES.map((query) => {
		const { labels, report } = both.disk.probe(query, 10, { nprobe: NLIST });
		assert.equal(new Set(labels).size, labels.length);
		assert.equal(report.rows, N);
		return labels.length / N;
	});
	assert.ok(mean(shares) < 0.1, `${mean(shares)} of the rows`);
	// What was kept while less was known is dropped in the end.
	const many = clustered(5, { n: 9_000, d: 8, centers: 30, spread: 0.8 });
	const index = await built({ ...shape("ivf"), dimensions: 8, storage: "disk" }, many);
	for (let i = 0; i < 20; i++) {
		const { labels } = index.probe(rowAt(many, 8, 40 * i), 3_000, { nprobe: NLIST });
		assert.ok(labels.length >= 3_000 && labels.length < 3_450, `${labels.length} of 9,000 named for 3,000`);
	}
	// One vector more often than there is room for at first.
	const same = Float32Array.from({ length: 3_000 * 8 }, (_, i) => (i % 16 < 8 ? 1 + (i % 8) : Math.sin(i)));
	const tied = await twins({ kind: "ivf", dimensions: 8, metric: "l2", nlist: 2 }, same);
	const query = rowAt(same, 8, 0);
	assert.ok(tied.disk.probe(query, 5, { nprobe: 2 }).labels.length >= 1_500);
	assert.deepEqual(splitSearch(tied, query, 5, { nprobe: 2 }), tied.memory.search(query, 5, { nprobe: 2 }));
});

test("whatever the rows and queries, ivf on disk answers as in memory", () => {
	const coordinate = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.float({ min: -1_000, max: 1_000, noNaN: true }));
	const vector = fc.array(coordinate, { minLength: 4, maxLength: 4 });
	return fc.assert(
		fc.asyncProperty(
			fc.array(vector, { minLength: 6, maxLength: 60 }),
			vector,
			fc.integer({ min: 1, max: 12 }),
			fc.constantFrom("l2" as const, "cosine" as const, "ip" as const),
			async (rows, query, k, metric) => {
				const options = { kind: "ivf", dimensions: 4, metric, nlist: 2, arena: new Arena() } as const;
				const given = Float32Array.from(rows.flat());
				let both: Twins;
				try {
					both = await twins(options, given);
				} catch (error) {
					// Rows that are too much alike to learn from.
					assert.equal((error as { code: string }).code, "NOT_TRAINED");
					return;
				}
				const asked = Float32Array.from(query);
				for (const nprobe of [1, both.disk.effective().nlist as number]) {
					assert.deepEqual(splitSearch(both, asked, k, { nprobe }), both.memory.search(asked, k, { nprobe }));
				}
			},
		),
		{ numRuns: 60 },
	);
});

describe("RaBitQ codes, with as many candidates as nobody has asked for", () => {
	for (const bits of [1, 2, 4]) {
		for (const metric of ["l2", "cosine", "ip"] as const) {
			test(`${bits} bits, ${metric}: answers are the nearest of what is named, and hardly ever other than in memory`, async () => {
				const options = shape("ivfrabitq of 1 bit", { bits, metric });
				const both = await twins(options, ROWS);
				const flat = await flatOf(options, ROWS);
				const recalls = QUERIES.map((query) => {
					const search = { nprobe: 8 };
					const { labels } = both.disk.probe(query, 10, search);
					const allow = new LabelSet(flat.arena, labels);
					const found = splitSearch(both, query, 10, search);
					assert.deepEqual(found, flat.search(query, 10, { allow }));
					const exact = flat.search(query, 10);
					return [recallOf(found, exact), recallOf(both.memory.search(query, 10, search), exact)] as const;
				});
				const [disk, memory] = [mean(recalls.map(([a]) => a)), mean(recalls.map(([, b]) => b))];
				assert.ok(disk >= memory - 0.01, `${disk} on disk, ${memory} in memory`);
			});
		}
	}
});

test("estimates alone are those of an index in memory", async () => {
	for (const name of Object.keys(KINDS).filter((kind) => !kind.startsWith("ivf,") && kind !== "ivf")) {
		for (const metric of ["l2", "cosine", "ip"] as const) {
			const { memory, disk } = await twins(shape(name, { metric }), ROWS);
			const byDefault = await twins(shape(name, { metric, rerank: 0 }), ROWS);
			const allow = new LabelSet(disk.arena, [3, 9, 27, 81]);
			for (const query of QUERIES) {
				const expected = memory.explain(query, 10, { nprobe: 5, rerank: 0 });
				assert.deepEqual(disk.explain(query, 10, { nprobe: 5, rerank: 0 }), expected);
				assert.deepEqual(byDefault.disk.search(query, 10, { nprobe: 5 }), expected.neighbors);
				const few = disk.search(query, 10, { rerank: 0, allow });
				assert.deepEqual(
					few.map(({ label }) => label).sort((a, b) => a - b),
					[3, 9, 27, 81],
				);
			}
			const many = Float32Array.from(QUERIES.flatMap((query) => [...query]));
			assert.deepEqual(disk.searchMany(many, 5, { rerank: 0 }), memory.searchMany(many, 5, { rerank: 0 }));
			assert.equal(disk.search(QUERIES[0] as Float32Array, 5_000, { rerank: 0, nprobe: NLIST }).length, N);
		}
	}
});

test("of few labels that may be answered each that is there is named, less what bounds exclude", async () => {
	for (const name of Object.keys(KINDS)) {
		const both = await twins(shape(name), ROWS);
		const chosen = [5, 6, 700, 701, 1_499, 8_000];
		const [allow, own] = [new LabelSet(both.disk.arena, chosen), new LabelSet(both.memory.arena, chosen)];
		for (const query of QUERIES) {
			const { labels } = both.disk.probe(query, 2, { allow });
			assert.ok(labels.every((label) => label !== 8_000 && allow.has(label)));
			if (!name.startsWith("ivf,") && name !== "ivf") assert.equal(labels.length, 5);
			assert.deepEqual(splitSearch(both, query, 2, { allow }), both.memory.search(query, 2, { allow: own }));
		}
		const none = new LabelSet(both.disk.arena, [8_000]);
		assert.deepEqual(both.disk.probe(QUERIES[0] as Float32Array, 2, { allow: none }).labels, new Uint32Array(0));
	}
});

test("an index in memory probes and ranks as well", async () => {
	for (const name of Object.keys(KINDS)) {
		const { memory, disk } = await twins(shape(name), ROWS);
		for (const query of QUERIES) {
			const { labels, report } = memory.probe(query, 10);
			assert.deepEqual({ labels, report }, disk.probe(query, 10));
			const used = memory.arena.usedBytes;
			const rows = vectorsOf(memory, labels);
			assert.deepEqual(memory.rank(query, 10, labels, rows), disk.rank(query, 10, labels, rows));
			assert.equal(memory.arena.usedBytes, used);
		}
	}
});

test("the best come first, and none twice", async () => {
	for (const name of Object.keys(KINDS)) {
		const both = await twins(shape(name), ROWS);
		for (const query of QUERIES) {
			const { labels } = both.disk.probe(query, 20);
			assert.equal(new Set(labels).size, labels.length);
			const found = both.disk.rank(query, labels.length, labels, vectorsOf(both.memory, labels));
			const distanceOf = new Map(found.map(({ label, distance }) => [label, distance as number]));
			const half = labels.length >> 1;
			const average = (some: Uint32Array) => mean(Array.from(some, (label) => distanceOf.get(label) as number));
			assert.ok(average(labels.subarray(0, half)) < average(labels.subarray(half)), name);
		}
	}
});

test("an empty index names nothing", async () => {
	const index = createIvf(shape("ivf", { storage: "disk" }));
	assert.deepEqual([...index.probe(new Float32Array(D), 5).labels], []);
	await index.train(ROWS);
	assert.deepEqual([...index.probe(new Float32Array(D), 5).labels], []);
	assert.deepEqual(index.rank(new Float32Array(D), 5, new Uint32Array(0), new Float32Array(0)), []);
});

describe("an index on disk refuses", () => {
	test("to be made where there would be nothing to scan", () => {
		const none = refusal("INVALID_OPTION", () => createIvf(shape("ivf", { storage: "disk", codes: "none" })));
		assert.equal(none.details.field, "codes");
		assert.match(none.message, /nothing in memory to scan/);
		assert.equal(
			refusal("UNSUPPORTED", () => createIvf(shape("ivf", { storage: "disk", metric: "l1" }))).details.field,
			"storage",
		);
		const few = createIvf({ kind: "ivf", dimensions: 3, metric: "l2", storage: "disk" });
		assert.deepEqual([few.effective().codes, few.effective().storage, few.storage], ["sq7", "disk", "disk"]);
		assert.equal(createIvf({ kind: "ivf", dimensions: 3, metric: "l2" }).storage, "memory");
	});

	test("what needs the vectors, and says what to do", async () => {
		for (const name of Object.keys(KINDS)) {
			const { disk } = await twins(shape(name), ROWS);
			const query = QUERIES[0] as Float32Array;
			const isCoded = disk.kind !== "ivf";
			const calls: readonly (readonly [() => unknown, RegExp])[] = [
				[() => disk.vector(3), /owner/],
				[() => disk.search(query, 5), /probe\(\).*rank\(\)/],
				[() => disk.explain(query, 5), /probe\(\).*rank\(\)/],
				[() => disk.searchMany(query, 5), /probe\(\).*rank\(\)/],
				[() => disk.search(query, 5, { exact: true, ...(isCoded && { rerank: 0 }) }), /exact: true/],
				[() => disk.search(query, 5, { allow: new LabelSet(disk.arena, [1]) }), /probe\(\).*rank\(\)/],
				...(isCoded
					? ([
							[() => disk.search(query, 5, { rerank: 50 }), /rerank: 0/],
							[() => disk.probe(query, 5, { exact: true }), /exact: true/],
						] as const)
					: []),
			];
			for (const [call, message] of calls) assert.match(refusal("UNSUPPORTED", call).message, message);
			for (const training of [disk.train(), disk.train(ROWS)]) {
				await assert.rejects(training, (error: { code: string; message: string }) => {
					assert.equal(error.code, "UNSUPPORTED");
					assert.match(error.message, /another index/);
					return true;
				});
			}
			assert.equal(disk.needsRetraining, false);
			assert.equal(disk.size, N);
		}
	});

	test("what is out of bounds, and what does not fit together", async () => {
		const both = await twins(shape("ivf"), ROWS);
		const { disk, memory } = both;
		const query = QUERIES[0] as Float32Array;
		for (const k of [0, 10_001, 1.5]) {
			refusal("INVALID_OPTION", () => disk.probe(query, k));
			refusal("INVALID_OPTION", () => disk.rank(query, k, Uint32Array.of(1), new Float32Array(D)));
		}
		refusal("INVALID_OPTION", () => disk.probe(query, 5, { nprobe: NLIST + 1 }));
		refusal("INVALID_OPTION", () => disk.probe(query, 5, { rerank: 50 }));
		refusal("INVALID_OPTION", () => disk.probe(query, 5, { ef: 50 }));
		refusal("DIMENSION_MISMATCH", () => disk.probe(query.subarray(1), 5));
		refusal("DIMENSION_MISMATCH", () => disk.rank(query, 5, Uint32Array.of(1, 2), new Float32Array(D)));
		refusal("DIMENSION_MISMATCH", () => disk.rank(query, 5, Uint32Array.of(1), new Float32Array(D + 1)));
		refusal("DIMENSION_MISMATCH", () => disk.rank(query.subarray(1), 5, Uint32Array.of(1), new Float32Array(D)));
		const bad = new Float32Array(2 * D);
		bad[D + 1] = Number.NaN;
		assert.equal(refusal("INVALID_VECTOR", () => disk.rank(query, 5, Uint32Array.of(1, 2), bad)).details.row, 1);
		refusal("INVALID_OPTION", () => disk.rank(query, 5, [1] as unknown as Uint32Array, new Float32Array(D)));
		refusal("INVALID_VECTOR", () =>
			disk.rank(query, 5, Uint32Array.of(1), paddedRowsOf(memory, Uint32Array.of(1)) as unknown as Float32Array),
		);
		refusal("NOT_TRAINED", () =>
			createIvf(shape("ivf", { storage: "disk" })).rank(query, 5, Uint32Array.of(1), new Float32Array(D)),
		);
		const abort = new AbortFlag(disk.arena);
		abort.raise();
		refusal("ABORTED", () => disk.probe(query, 5, { abort }));
		refusal("ABORTED", () => disk.probe(query, 5, { abort, allow: new LabelSet(disk.arena, [1]) }));
		refusal("INVALID_OPTION", () => disk.probe(query, 5, { allow: new LabelSet(memory.arena, [1]) }));
		disk.dispose();
		refusal("CLOSED", () => disk.probe(query, 5));
		refusal("CLOSED", () => disk.rank(query, 5, Uint32Array.of(1), new Float32Array(D)));
	});

	test("to probe where rows in memory have no codes", async () => {
		const { memory } = await twins({ kind: "ivf", dimensions: 8, metric: "l2", nlist: 5 }, ROWS.subarray(0, 4_000));
		assert.match(refusal("UNSUPPORTED", () => memory.probe(new Float32Array(8), 5)).message, /sq7/);
	});
});

describe("estimates of more answers than are ranked at a time", () => {
	const rows = clustered(17, { n: 5_000, d: 16, centers: 40, spread: 0.6 });
	const query = rowAt(rows, 16, 8);
	const ask = { rerank: 0, nprobe: 20 };
	for (const kind of ["ivfpq", "ivfrabitq"] as const) {
		for (const storage of ["memory", "disk"] as const) {
			test(`${kind}, ${storage}: the first of many are what few have, ascending, each label once`, async () => {
				const arena = new Arena({ shared: true });
				const index = await built({ kind, dimensions: 16, metric: "l2", nlist: 20, storage, arena }, rows);
				const few = index.search(query, 4_000, ask);
				const spec = index.readerSpec({ maxK: 4_900 });
				const reader = openIvfReader(arena.memory, arena.engine, spec);
				// What lies behind the reader's memory is another's.
				const guard = arena.alloc(2 ** 16);
				assert.equal(reader.search(query, 4_900, ask), 4_900);
				const many = Array.from({ length: 4_900 }, (_, i) => ({
					label: reader.labelAt(i),
					distance: reader.distanceAt(i) as Neighbor["distance"],
				}));
				assert.ok(arena.u8(guard, 2 ** 16).every((byte) => byte === 0));
				assert.deepEqual(many.slice(0, 4_000), few);
				assert.equal(new Set(many.map(({ label }) => label)).size, many.length);
				assert.ok(many.every(({ distance }, i) => i === 0 || (many[i - 1]?.distance as number) <= distance));
				// In memory so many are found by a scan of all.
				if (storage === "disk") assert.deepEqual(index.search(query, 4_900, ask), many);
				arena.free(guard);
				index.releaseReader(spec);
				index.dispose();
			});
		}
	}
});
