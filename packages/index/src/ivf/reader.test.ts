import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AbortFlag, Arena, LabelSet } from "@nigh/kernels";
import type { Eligibility } from "../eligibility.ts";
import { mixture, range, rowOf } from "../hnsw/graphs.test-support.ts";
import { serial } from "../parallel.ts";
import { refusal, rejection } from "../refusal.test-support.ts";
import type { Neighbor } from "../vector-index.ts";
import type { IvfOptions } from "./create-file.ts";
import { createIvf, type IvfIndex } from "./ivf.ts";
import { type IvfReader, type IvfReaderSearchOptions, openIvfReader } from "./reader.ts";
import type { IvfReaderOptions, IvfReaderSpec } from "./reader-spec.ts";

const N = 3_000;
const D = 40;
const NLIST = 40;
const { rows: ROWS } = mixture(N, D, 7);
const { rows: QUERIES } = mixture(20, D, 8);

/** A reader on this thread, of a specification that has been sent as to another one. */
function readerOf(index: IvfIndex, options?: IvfReaderOptions): IvfReader {
	return openIvfReader(index.arena.memory, index.arena.engine, structuredClone(index.readerSpec(options)));
}

function answers(reader: IvfReader): Neighbor[] {
	return Array.from({ length: reader.count }, (_, i) => ({
		label: reader.labelAt(i),
		distance: reader.distanceAt(i) as Neighbor["distance"],
	}));
}

/** Runs a scan to its end. */
function scanned(reader: IvfReader, ...args: Parameters<IvfReader["scan"]>): Neighbor[] {
	const scan = reader.scan(...args);
	let step = scan.next();
	while (!step.done) step = scan.next();
	assert.equal(step.value, reader.count);
	return answers(reader);
}

function query(i: number): Float32Array {
	return rowOf(QUERIES, i, D);
}

const shared = (options: Partial<IvfOptions> = {}): IvfOptions => ({
	kind: "ivf",
	dimensions: D,
	metric: "l2",
	nlist: NLIST,
	shared: true,
	...options,
});

/** An index that has learnt from all rows and holds the first `n`. */
async function build(n: number, options: IvfOptions): Promise<IvfIndex> {
	const index = createIvf(options);
	await index.train(ROWS.subarray(0, N * options.dimensions));
	await index.insertMany(ROWS.subarray(0, n * options.dimensions));
	return index;
}

const VARIANTS: readonly [name: string, options: IvfOptions][] = [
	...(["l2", "cosine", "ip"] as const).flatMap((metric): [string, IvfOptions][] => [
		[`ivf, ${metric}, codes`, shared({ metric })],
		[`ivf, ${metric}, no codes`, shared({ metric, codes: "none", rotation: "none" })],
		[`ivfpq, ${metric}, 4 bits`, shared({ kind: "ivfpq", metric })],
		[`ivfpq, ${metric}, 8 bits, as they are`, shared({ kind: "ivfpq", metric, M: 8, bits: 8, residual: false })],
		[`ivfrabitq, ${metric}, 1 bit`, shared({ kind: "ivfrabitq", metric })],
		[`ivfrabitq, ${metric}, 4 bits`, shared({ kind: "ivfrabitq", metric, bits: 4 })],
	]),
	["ivf, l1 with weights", shared({ metric: "l1", weights: [...range(1, D + 1)] })],
	["ivfpq, l2 with weights", shared({ kind: "ivfpq", weights: Array.from({ length: D }, (_, i) => i / D) })],
	["ivf with centroids that are coded", shared({ nlist: 300 })],
];

describe("a reader answers what the owner's search does, bit for bit", () => {
	for (const [name, options] of VARIANTS) {
		test(name, async () => {
			const index = await build(N, options);
			index.remove(range(0, N).filter((label) => label % 7 === 0));
			const reader = readerOf(index);
			const chosen = range(0, N).filter((label) => label % 2 === 0);
			const allow = new LabelSet(index.arena, chosen);
			const asked: IvfReaderSearchOptions[] = [{}, { nprobe: 1 }, { nprobe: 10, budget: 300 }];
			if (options.kind !== "ivf") asked.push({ nprobe: 5, rerank: 0 }, { nprobe: 5, rerank: 100 });
			for (let i = 0; i < 20; i++) {
				for (const k of [1, 10, 40]) {
					for (const search of asked) {
						const { nprobe, budget, rerank } = search;
						const own = {
							...(nprobe !== undefined && { nprobe }),
							...(budget !== undefined && { budget }),
							...(rerank !== undefined && { rerank }),
						};
						const expected = index.explain(query(i), k, own);
						assert.equal(reader.search(query(i), k, search), expected.neighbors.length);
						assert.deepEqual(answers(reader), expected.neighbors);
						assert.deepEqual({ ...reader.report, way: "cells" }, expected.report);
						if (nprobe === undefined) continue;
						reader.search(query(i), k, { ...search, eligibility: { allow } });
						assert.deepEqual(answers(reader), index.search(query(i), k, { ...own, allow }));
					}
				}
				assert.deepEqual(scanned(reader, query(i), 10), index.search(query(i), 10, { exact: true }));
				const exact = index.search(query(i), 10, { exact: true, allow });
				assert.deepEqual(scanned(reader, query(i), 10, { eligibility: { allow } }), exact);
				assert.equal(reader.rank(query(i), chosen, 10), 10);
				assert.deepEqual(answers(reader), exact);
				assert.equal(reader.rankAllowed(query(i), 10, { eligibility: { allow } }), 10);
				assert.deepEqual(answers(reader), exact);
				const distances = reader.distances(query(i), [...exact.map(({ label }) => label), 0, N, -1]);
				assert.deepEqual(
					[...distances],
					[...exact.map(({ distance }) => distance), Number.NaN, Number.NaN, Number.NaN],
				);
			}
		});
	}

	test("on the scalar engine", async () => {
		const arena = new Arena({ shared: true, engine: "scalar" });
		const index = createIvf({ kind: "ivfpq", dimensions: D, metric: "l2", nlist: 5, arena });
		await index.train(ROWS.subarray(0, 300 * D));
		await index.insertMany(ROWS.subarray(0, 300 * D));
		const reader = readerOf(index);
		reader.search(query(0), 5);
		assert.deepEqual(answers(reader), index.search(query(0), 5));
	});
});

describe("change numbers", () => {
	for (const kind of ["ivf", "ivfpq", "ivfrabitq"] as const) {
		for (const share of [0, 0.1, 0.9]) {
			test(`only what is alive at the reader's number is answered, ${kind}, ${100 * share} % dead`, async () => {
				const index = await build(N, shared({ kind }));
				const { arena } = index;
				const [born, died] = [arena.alloc(8 * N), arena.alloc(8 * N)];
				arena.f64(born, N).set(range(0, N).map((label) => label % 10));
				arena.f64(died, N).fill(Number.POSITIVE_INFINITY);
				for (let label = 0; label < N; label++) {
					if ((label * 7919) % 1_000 < 1_000 * share) arena.f64(died, N)[label] = 5;
				}
				// What is born later than 5 is not there yet.
				const alive = range(0, N).filter((label) => label % 10 <= 5 && arena.f64(died, N)[label] !== 5);
				const at: Eligibility = { born, died, dated: N, reader: 5 };
				const allow = new LabelSet(arena, alive);
				const reader = readerOf(index);
				for (let i = 0; i < 20; i++) {
					const exact = index.search(query(i), 10, { exact: true, allow });
					assert.deepEqual(scanned(reader, query(i), 10, { eligibility: at }), exact);
					reader.rank(query(i), range(0, N), 10, { eligibility: at });
					assert.deepEqual(answers(reader), exact);
					const everything = new LabelSet(arena, range(0, N));
					reader.rankAllowed(query(i), 10, { eligibility: { ...at, allow: everything } });
					assert.deepEqual(answers(reader), exact);
					everything.dispose();
					const asked = { nprobe: 5 };
					reader.search(query(i), 10, { ...asked, eligibility: at });
					const found = answers(reader);
					// The owner compares sets of up to 1,000 labels one by one.
					if (alive.length > 1_000) assert.deepEqual(found, index.search(query(i), 10, { ...asked, allow }));
					assert.equal(found.length, 10);
					assert.ok(found.every(({ label }) => allow.has(label)));
				}
			});
		}
	}

	test("of no more rows than are wanted no more cells are looked into than are asked for", async () => {
		const index = await build(N, shared());
		const reader = readerOf(index);
		const allow = new LabelSet(index.arena, [3, 4]);
		assert.equal(reader.search(query(0), 10, { nprobe: 1, eligibility: { allow } }), 2);
		assert.equal(reader.report.cells, NLIST);
		assert.equal(reader.report.wentOn, true);
		assert.equal(reader.search(rowOf(ROWS, 3, D), 10, { nprobe: 1, wanted: 1, eligibility: { allow } }), 1);
		assert.equal(reader.report.cells, 1);
		assert.equal(reader.report.wentOn, false);
		reader.search(query(0), 10, { nprobe: 1, wanted: 0, eligibility: { allow } });
		assert.equal(reader.report.cells, 1);
	});
});

describe("a reader of a file that grows", () => {
	for (const kind of ["ivf", "ivfpq", "ivfrabitq"] as const) {
		test(`of none at first finds all that came, by cells, by scan and by label, ${kind}`, async () => {
			const index = createIvf(shared({ kind }));
			await index.train(ROWS);
			index.reserve(N);
			const reader = readerOf(index);
			assert.equal(reader.search(query(0), 5), 0);
			assert.deepEqual(scanned(reader, query(0), 5), []);
			assert.equal(reader.rank(query(0), range(0, N), 5), 0);
			assert.equal(reader.slots, 0);
			for (let from = 0; from < N; from += 250) {
				if (from === 1_000) {
					for (let label = from; label < from + 250; label++) index.insert(label, rowOf(ROWS, label, D));
				} else await index.insertMany(ROWS.subarray(from * D, (from + 250) * D));
				assert.equal(reader.slots, from + 250);
				const exact = index.search(query(1), 20, { exact: true });
				assert.deepEqual(scanned(reader, query(1), 20), exact);
				assert.equal(reader.rank(query(1), range(0, N), 20), 20);
				assert.deepEqual(answers(reader), exact);
				const allow = new LabelSet(index.arena, range(0, N));
				assert.equal(reader.rankAllowed(query(1), 20, { eligibility: { allow } }), 20);
				assert.deepEqual(answers(reader), exact);
				allow.dispose();
				reader.search(query(1), 20);
				assert.deepEqual(answers(reader), index.search(query(1), 20));
			}
			assert.equal(index.room, 0);
		});
	}

	test("keeps the owner from all that would change what it reads, until it is given back", async () => {
		const index = await build(500, shared());
		index.reserve(502);
		const spec = index.readerSpec();
		const other = index.readerSpec();
		const writes = [
			() => index.remove([1]),
			() => index.compact(),
			() => index.reserve(10_000),
			() => index.relabel((label) => label + 1),
			() => index.insert(4, rowOf(ROWS, 3, D)),
			() => index.insert(600, rowOf(ROWS, 3, D)),
		];
		for (const write of writes) assert.match(refusal("LOCKED", write).message, /2 readers on other threads/);
		await rejection("LOCKED", index.insertMany(ROWS.subarray(500 * D, 503 * D)));
		await rejection("LOCKED", index.train());
		assert.equal(index.size, 500);
		await index.insertMany(ROWS.subarray(500 * D, 502 * D));
		assert.equal(index.releaseReader(spec), true);
		assert.equal(index.releaseReader(spec), false);
		for (const write of writes) refusal("LOCKED", write);
		index.releaseReader(other);
		for (const write of writes) write();
		await index.train();
		assert.equal(index.size, 502);
		index.dispose();
		assert.equal(index.arena.usedBytes, 0);
	});

	test("never meets another row in a place that was free", async () => {
		const index = await build(500, shared());
		index.remove([0, 1, 2]);
		index.reserve(600);
		assert.ok(index.room >= 103);
		const spec = index.readerSpec();
		assert.equal(index.room, 103);
		index.insert(500, rowOf(ROWS, 500, D));
		const reader = openIvfReader(index.arena.memory, index.arena.engine, spec);
		assert.equal(reader.slots, 501);
		assert.equal(index.room, 102);
		index.releaseReader(spec);
		index.insert(501, rowOf(ROWS, 501, D));
		assert.equal(readerOf(index).slots, 501);
	});

	test("can be opened and given back while insertMany runs", async () => {
		const index = await build(500, shared());
		const specs: IvfReaderSpec[] = [];
		const inserting = index.insertMany(ROWS.subarray(500 * D, 1_000 * D), {
			parallel: {
				lanes: 1,
				async run(arena, kernel, args) {
					await serial.run(arena, kernel, args);
					if (specs.length > 0) return;
					specs.push(index.readerSpec());
					const reader = openIvfReader(index.arena.memory, index.arena.engine, specs[0] as IvfReaderSpec);
					// What is written and not yet in a cell is found by scan and by label.
					assert.deepEqual(scanned(reader, query(0), 900), index.search(query(0), 900, { exact: true }));
					reader.search(query(0), 10);
					assert.deepEqual(answers(reader), index.search(query(0), 10));
				},
			},
		});
		refusal("LOCKED", () => index.remove([1]));
		assert.equal(index.isInserting, true);
		await inserting;
		assert.equal(index.isInserting, false);
		assert.equal(specs.length, 1);
		refusal("LOCKED", () => index.remove([1]));
		index.releaseReader(specs[0] as IvfReaderSpec);
		assert.equal(index.remove([1]), 1);
	});

	test("opened while insertMany uses places again does not judge rows by what was there", async () => {
		const index = await build(N, shared());
		index.reserve(2 * N);
		index.remove(range(0, 1_000));
		const asked = new LabelSet(index.arena);
		for (let label = 1_000; label < 4_000; label++) asked.add(label);
		let compared = 0;
		await index.insertMany(ROWS.subarray(0, 1_000 * D), {
			labels: range(N, N + 1_000),
			parallel: {
				lanes: 1,
				async run(arena, kernel, args) {
					await serial.run(arena, kernel, args);
					if (compared > 0) return;
					const spec = index.readerSpec();
					const reader = openIvfReader(index.arena.memory, index.arena.engine, spec);
					for (let i = 0; i < 20; i++) {
						reader.rankAllowed(query(i), 10, { eligibility: { allow: asked } });
						assert.deepEqual(answers(reader), index.search(query(i), 10, { exact: true, allow: asked }));
						compared++;
					}
					index.releaseReader(spec);
				},
			},
		});
		assert.equal(compared, 20);
		index.dispose();
	});

	test("opened in the middle of insertMany finds the vectors of its later steps by label too", async () => {
		const N_LONG = 16_400;
		const rows = Float32Array.from({ length: N_LONG * 2 }, (_, i) => i % 97);
		for (const first of [2, 40_000]) {
			const index = createIvf(shared({ dimensions: 2, nlist: 4 }));
			await index.train(rows.subarray(0, 200));
			await index.insertMany(rows.subarray(0, 4));
			let reader: IvfReader | undefined;
			await index.insertMany(rows, {
				labels: range(first, first + N_LONG),
				onProgress(done) {
					if (done < N_LONG) reader = readerOf(index);
				},
			});
			assert.ok(reader !== undefined, "it came in the middle");
			for (const label of [0, first, first + N_LONG - 1]) {
				assert.equal(reader.rank(new Float32Array(2), [label], 1), 1, `${label}`);
			}
			index.dispose();
		}
	});

	test("finds by label what was inserted and relabelled since the last was given back", async () => {
		for (const isReserved of [false, true]) {
			const index = await build(100, shared());
			if (isReserved) index.reserve(150);
			const used = index.arena.usedBytes;
			index.releaseReader(index.readerSpec());
			assert.ok(isReserved || index.arena.usedBytes <= used + 64, "what was for readers is given back");
			const allowedBy = (labels: Uint32Array) => {
				const reader = readerOf(index);
				const allow = new LabelSet(index.arena, labels);
				const found = reader.rankAllowed(query(0), 1_000, { eligibility: { allow } });
				assert.equal(reader.rank(query(0), labels, 1_000), found);
				allow.dispose();
				index.releaseReader(reader.spec);
				return found;
			};
			await index.insertMany(ROWS.subarray(100 * D, 300 * D), { labels: range(5_000, 5_200) });
			assert.equal(allowedBy(range(5_000, 5_200)), 200);
			index.relabel((label) => 10_000 + label);
			assert.equal(allowedBy(range(10_000, 15_200)), 300);
		}
	});

	test("finds no labels but those that were named for it", async () => {
		const index = await build(100, shared());
		index.reserve(200, { from: 50, count: 20 });
		await index.insertMany(ROWS.subarray(100 * D, 110 * D));
		const reader = readerOf(index);
		assert.equal(reader.rank(query(0), range(0, 110), 100), 20);
	});

	test("that has been given back keeps no label from coming, unless some were reserved", async () => {
		const index = await build(100, shared());
		index.compact();
		const room = () => index.fits([200]);
		await index.insertMany(ROWS.subarray(100 * D, 150 * D));
		index.remove([149]);
		assert.equal(room(), true);
		const spec = index.readerSpec();
		assert.equal(room(), false);
		index.releaseReader(spec);
		assert.equal(room(), true);
	});

	test("cannot be opened while vectors are replaced, or while it is trained", async () => {
		const index = await build(500, shared());
		const refused: string[] = [];
		const parallel = {
			lanes: 1,
			async run(...args: Parameters<typeof serial.run>) {
				await serial.run(...args);
				refused.push(refusal("LOCKED", () => index.readerSpec()).code);
			},
		};
		await index.insertMany(ROWS.subarray(0, 10 * D), { labels: range(0, 10), parallel });
		assert.ok(refused.length > 0);
		const before = refused.length;
		await index.train(undefined, { parallel });
		assert.ok(refused.length > before);
		assert.equal(index.releaseReader(index.readerSpec()), true);
	});

	test("does not see rows that could not be put into a cell", async () => {
		const index = await build(500, shared());
		index.reserve(800);
		const spec = index.readerSpec();
		const reader = openIvfReader(index.arena.memory, index.arena.engine, spec);
		const failing = index.insertMany(ROWS.subarray(500 * D, 600 * D), {
			parallel: { lanes: 1, run: () => Promise.reject(new Error("boom")) },
		});
		await assert.rejects(failing, /boom/);
		assert.equal(index.size, 500);
		assert.equal(reader.rank(query(0), range(500, 600), 10), 0);
		index.insert(700, rowOf(ROWS, 700, D));
		assert.deepEqual(scanned(reader, query(0), 600), index.search(query(0), 600, { exact: true }));
		assert.equal(reader.count, 501);
		index.releaseReader(spec);
		// Their places serve again, and nothing is left of them.
		await index.insertMany(ROWS.subarray(500 * D, 600 * D), { labels: range(500, 600) });
		assert.equal(readerOf(index).slots, 601);
		assert.deepEqual(index.validate(50).found, 50);
	});
});

describe("a reader refuses", () => {
	test("what it has no room for, and what is out of bounds", async () => {
		const index = await build(500, shared());
		const reader = readerOf(index, { maxK: 20 });
		assert.equal(reader.search(query(0), 20), 20);
		assert.equal(refusal("INVALID_OPTION", () => reader.search(query(0), 21)).details.field, "k");
		for (const k of [0, 21, 1.5]) {
			refusal("INVALID_OPTION", () => reader.search(query(0), k));
			refusal("INVALID_OPTION", () => reader.rank(query(0), [1], k));
			refusal("INVALID_OPTION", () => reader.scan(query(0), k).next());
		}
		for (const [field, value] of [
			["nprobe", 0],
			["nprobe", NLIST + 1],
			["budget", 0],
			["rerank", 5],
			["wanted", -1],
			["wanted", 11],
		] as const) {
			const { details } = refusal("INVALID_OPTION", () => reader.search(query(0), 10, { [field]: value }));
			assert.equal(details.field, field);
		}
		refusal("INVALID_OPTION", () => reader.rankAllowed(query(0), 10, {}));
		for (const options of [{ maxK: 0 }, { maxK: 10_001 }, { maxEf: 5 } as object]) {
			refusal("INVALID_OPTION", () => index.readerSpec(options));
		}
	});

	test("to be made over memory that other threads cannot see, or before training", async () => {
		const index = await build(500, shared({ shared: false }));
		refusal("INVALID_OPTION", () => index.readerSpec());
		refusal("NOT_TRAINED", () => createIvf(shared()).readerSpec());
	});

	test("to go on with a scan after another search, or once the abort word is raised", async () => {
		const { rows } = mixture(9_000, 4, 3);
		const index = createIvf(shared({ dimensions: 4, nlist: 20 }));
		await index.train(rows);
		await index.insertMany(rows);
		const reader = readerOf(index);
		const zero = new Float32Array(4);
		const scan = reader.scan(zero, 5);
		assert.equal(scan.next().value, 4_096);
		reader.search(zero, 5);
		refusal("LOCKED", () => scan.next());
		const flag = new AbortFlag(index.arena);
		const allow = new LabelSet(index.arena, [1]);
		const stopped = reader.scan(zero, 5, { abort: flag.address });
		stopped.next();
		flag.raise();
		const abort = flag.address;
		refusal("ABORTED", () => stopped.next());
		refusal("ABORTED", () => reader.search(zero, 5, { abort }));
		refusal("ABORTED", () => reader.rank(zero, [1], 5, { abort }));
		refusal("ABORTED", () => reader.rankAllowed(zero, 5, { abort, eligibility: { allow } }));
		assert.equal(reader.count, 0);
		assert.equal(reader.search(zero, 5), 5);
		assert.equal(scanned(reader, zero, 5).length, 5);
	});
});

test("a reader's memory is counted, and given back", async () => {
	const index = await build(500, shared({ kind: "ivfpq" }));
	index.reserve(1_000);
	const [before, used] = [index.memory().total, index.arena.usedBytes];
	const small = index.readerSpec({ maxK: 100 });
	const first = index.memory().total - before;
	const large = index.readerSpec();
	assert.ok(index.memory().total - before > 2 * first + 8 * 9_000);
	assert.ok(index.arena.usedBytes - used >= index.memory().total - before - 1_000);
	index.releaseReader(small);
	index.releaseReader(large);
	assert.ok(index.memory().total <= before + 64);
});
