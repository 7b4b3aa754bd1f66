import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AbortFlag, Arena, LabelSet } from "@nigh/kernels";
import type { Eligibility } from "../eligibility.ts";
import { serial } from "../parallel.ts";
import { refusal, rejection } from "../refusal.test-support.ts";
import type { Neighbor, VectorRows } from "../vector-index.ts";
import { type Built, bitRows, build, checkGraph, create, mixture, range, rowOf } from "./graphs.test-support.ts";
import type { HnswOptions } from "./hnsw.ts";
import { type GraphReader, openReader } from "./reader.ts";
import type { ReaderOptions, ReaderSpec } from "./reader-spec.ts";

const N = 2_000;
const D = 24;
const { rows: ROWS } = mixture(N, D, 7);
const { rows: QUERIES } = mixture(40, D, 8);

/** A reader on this thread, of a specification that has been sent as to another one. */
function readerOf({ index }: Pick<Built, "index">, options?: ReaderOptions): GraphReader {
	return openReader(index.arena.memory, index.arena.engine, structuredClone(index.readerSpec(options)));
}

function answers(reader: GraphReader): Neighbor[] {
	return Array.from({ length: reader.count }, (_, i) => ({
		label: reader.labelAt(i),
		distance: reader.distanceAt(i) as Neighbor["distance"],
	}));
}

/** Runs a scan to its end. */
function scanned(reader: GraphReader, ...args: Parameters<GraphReader["scan"]>): Neighbor[] {
	const scan = reader.scan(...args);
	let step = scan.next();
	while (!step.done) step = scan.next();
	assert.equal(step.value, reader.count);
	return answers(reader);
}

const shared = (options: Partial<HnswOptions> = {}) =>
	({ dimensions: D, metric: "l2", shared: true, ...options }) as const;

const VARIANTS: readonly [name: string, options: HnswOptions][] = [
	...(["l2", "cosine", "ip"] as const).flatMap((metric) =>
		(["sq7", "none"] as const).map((codes): [string, HnswOptions] => [
			`${metric}, codes ${codes}`,
			shared({ metric, codes }),
		]),
	),
	["l1 with weights", shared({ metric: "l1", weights: range(1, D + 1) as unknown as number[] })],
	["l2 with weights", shared({ weights: Float32Array.from({ length: D }, (_, i) => i / D) })],
	["hamming", shared({ metric: "hamming", dimensions: 128 })],
];

describe("a reader answers what the owner's search does, bit for bit", () => {
	for (const [name, options] of VARIANTS) {
		test(name, async () => {
			const isBits = options.metric === "hamming";
			const length = isBits ? 16 : D;
			const rows: VectorRows = isBits ? bitRows(N, 128, 7) : ROWS;
			const queries: VectorRows = isBits ? bitRows(40, 128, 8) : QUERIES;
			const plain = options.weights === undefined ? options : { ...options, weights: [...options.weights] };
			const built = await build(rows, plain);
			const { index } = built;
			index.remove(range(0, N).filter((label) => label % 7 === 0));
			const reader = readerOf(built);
			const chosen = range(0, N).filter((label) => label % 3 === 0);
			const allow = new LabelSet(index.arena, chosen);
			for (let i = 0; i < 40; i++) {
				const query = rowOf(queries, i, length) as Float32Array;
				for (const [k, ef] of [
					[1, 1],
					[10, undefined],
					[30, 90],
				] as const) {
					const asked = ef === undefined ? {} : { ef };
					assert.equal(reader.search(query, k, asked), k);
					assert.deepEqual(answers(reader), index.search(query, k, asked));
					reader.search(query, k, { ...asked, eligibility: { allow } });
					assert.deepEqual(answers(reader), index.search(query, k, { ...asked, allow }));
				}
				assert.deepEqual(scanned(reader, query, 10), index.search(query, 10, { exact: true }));
				const exact = index.search(query, 10, { exact: true, allow });
				assert.deepEqual(scanned(reader, query, 10, { eligibility: { allow } }), exact);
				assert.equal(reader.rank(query, chosen, 10), 10);
				assert.deepEqual(answers(reader), exact);
				const distances = reader.distances(query, [...exact.map(({ label }) => label), 0, N, -1]);
				assert.deepEqual(
					[...distances],
					[...exact.map(({ distance }) => distance), Number.NaN, Number.NaN, Number.NaN],
				);
			}
		});
	}

	test("on the scalar engine", async () => {
		const arena = new Arena({ shared: true, engine: "scalar" });
		const built = await build(ROWS.subarray(0, 300 * D), { dimensions: D, metric: "l2", arena });
		const reader = readerOf(built);
		reader.search(rowOf(QUERIES, 0, D), 5);
		assert.deepEqual(answers(reader), built.index.search(rowOf(QUERIES, 0, D), 5));
	});
});

describe("change numbers", () => {
	async function dated(
		share: number,
		codes: "sq7" | "none" = "sq7",
	): Promise<Built & { reader: GraphReader; alive: Uint32Array; at: Eligibility }> {
		const built = await build(ROWS, shared({ codes }));
		const { arena } = built.index;
		const [born, died] = [arena.alloc(8 * N), arena.alloc(8 * N)];
		arena.f64(born, N).set(range(0, N).map((label) => label % 10));
		arena.f64(died, N).fill(Number.POSITIVE_INFINITY);
		for (let label = 0; label < N; label++) if ((label * 7919) % 1_000 < 1_000 * share) arena.f64(died, N)[label] = 5;
		// What is born later than 5 is not there yet.
		const alive = range(0, N).filter((label) => label % 10 <= 5 && arena.f64(died, N)[label] !== 5);
		return { ...built, reader: readerOf(built), alive, at: { born, died, dated: N, reader: 5 } };
	}

	for (const share of [0, 0.1, 0.9]) {
		test(`only what is alive at the reader's number is answered, ${100 * share} % dead`, async () => {
			const { index, reader, alive, at } = await dated(share);
			const allow = new LabelSet(index.arena, alive);
			for (let i = 0; i < 40; i++) {
				const query = rowOf(QUERIES, i, D);
				reader.search(query, 10, { ef: 50, eligibility: at });
				const found = answers(reader);
				// The walk minds both alike; the owner would rank sets no larger than ef.
				if (alive.length > 50) assert.deepEqual(found, index.search(query, 10, { ef: 50, allow }));
				const exact = index.search(query, 10, { exact: true, allow });
				assert.deepEqual(scanned(reader, query, 10, { eligibility: at }), exact);
				reader.rank(query, range(0, N), 10, { eligibility: at });
				assert.deepEqual(answers(reader), exact);
			}
		});
	}

	test("what is dropped after the walk is all that may not be answered, and the rest is the best of what was met", async () => {
		// Without codes, so that nothing but the walk decides what is met: the 26 nearest where 10 are asked for.
		const { reader, alive, at } = await dated(0.1, "none");
		const living = new Set(alive);
		for (let i = 0; i < 40; i++) {
			const query = rowOf(QUERIES, i, D);
			reader.search(query, 26, { ef: 50 });
			const expected = answers(reader).filter(({ label }) => living.has(label));
			const found = reader.search(query, 10, { ef: 50, eligibility: at, dropAfter: true });
			assert.equal(found, Math.min(10, expected.length));
			assert.deepEqual(answers(reader), expected.slice(0, 10));
		}
	});
});

describe("a reader of a graph that grows", () => {
	test("of none at first finds all that came, by walk, by scan and by label", async () => {
		const built = create(shared());
		const { index, graph } = built;
		index.reserve(N);
		const reader = readerOf(built);
		const query = rowOf(QUERIES, 0, D);
		assert.equal(reader.search(query, 5), 0);
		assert.deepEqual(scanned(reader, query, 5), []);
		assert.equal(reader.rank(query, range(0, N), 5), 0);
		assert.equal(reader.slots, 0);
		for (let from = 0; from < N; from += 250) {
			if (from === 1_000)
				for (let label = from; label < from + 250; label++) index.insert(label, rowOf(ROWS, label, D));
			else await index.insertMany(ROWS.subarray(from * D, (from + 250) * D));
			assert.equal(reader.slots, from + 250);
			const exact = index.search(query, 20, { exact: true });
			assert.deepEqual(scanned(reader, query, 20), exact);
			assert.equal(reader.rank(query, range(0, N), 20), 20);
			assert.deepEqual(answers(reader), exact);
			reader.search(query, 20);
			assert.deepEqual(answers(reader), index.search(query, 20));
		}
		// Codes are those of the first rows, whatever came later.
		assert.equal(graph.codes?.trainedOn, 250);
		assert.equal(index.room, 0);
	});

	test("keeps the owner from all that would change what it reads, until it is given back", async () => {
		const built = await build(ROWS.subarray(0, 500 * D), shared());
		const { index, graph } = built;
		index.reserve(502);
		const spec = index.readerSpec();
		const other = index.readerSpec();
		const writes = [
			() => index.remove([1]),
			() => index.compact(),
			() => index.optimize(),
			() => index.reserve(10_000),
			() => index.insert(3, rowOf(ROWS, 3, D)),
			() => index.insert(600, rowOf(ROWS, 3, D)),
		];
		for (const write of writes) assert.match(refusal("LOCKED", write).message, /2 readers on other threads/);
		await rejection("LOCKED", index.insertMany(ROWS.subarray(500 * D, 503 * D)));
		assert.equal(index.size, 500);
		index.rebalance();
		await index.insertMany(ROWS.subarray(500 * D, 502 * D));
		assert.equal([...index.serialize()].length > 0, true);
		assert.equal(index.releaseReader(spec), true);
		assert.equal(index.releaseReader(spec), false);
		for (const write of writes) refusal("LOCKED", write);
		index.releaseReader(other);
		for (const write of writes) write();
		checkGraph(graph);
		index.dispose();
		assert.equal(index.arena.usedBytes, 0);
	});

	test("can be opened and given back while insertMany runs", async () => {
		const built = await build(ROWS.subarray(0, 500 * D), shared());
		const { index } = built;
		const specs: ReaderSpec[] = [];
		const inserting = index.insertMany(ROWS.subarray(500 * D, 1_000 * D), {
			onProgress(done) {
				if (specs.length > 0 || done < 100) return;
				specs.push(index.readerSpec());
				const reader = openReader(index.arena.memory, index.arena.engine, specs[0] as ReaderSpec);
				const query = rowOf(QUERIES, 0, D);
				// What is written and not yet linked is found by scan and by label.
				assert.deepEqual(scanned(reader, query, 900), index.search(query, 900, { exact: true }));
				assert.equal(reader.rank(query, range(0, 1_000), 900), 900);
				reader.search(query, 10);
				assert.deepEqual(answers(reader), index.search(query, 10));
			},
		});
		await inserting;
		refusal("LOCKED", () => index.remove([1]));
		await index.insertMany(new Float32Array(0), { onProgress: () => index.releaseReader(specs[0] as ReaderSpec) });
		assert.equal(index.remove([1]), 1);
		checkGraph(built.graph);
	});

	test("finds by label what was inserted and relabelled since the last was given back", async () => {
		for (const isReserved of [false, true]) {
			const { index } = await build(ROWS.subarray(0, 100 * D), shared());
			if (isReserved) index.reserve(150);
			const used = index.arena.usedBytes;
			index.releaseReader(index.readerSpec());
			assert.ok(isReserved || index.arena.usedBytes <= used + 64, "what was for readers is given back");
			const found = (labels: Uint32Array) => {
				const reader = openReader(index.arena.memory, index.arena.engine, index.readerSpec());
				const count = reader.rank(rowOf(QUERIES, 0, D), labels, 1_000);
				index.releaseReader(reader.spec);
				return count;
			};
			await index.insertMany(ROWS.subarray(100 * D, 300 * D), { labels: range(5_000, 5_200) });
			assert.equal(found(range(5_000, 5_200)), 200);
			index.relabel((label) => 10_000 + label);
			assert.equal(found(range(10_000, 15_200)), 300);
		}
	});

	test("never meets another vector in the place of one that could not be linked", async () => {
		const built = await build(ROWS.subarray(0, 500 * D), shared());
		const { index, graph } = built;
		index.reserve(800);
		const spec = index.readerSpec();
		const reader = openReader(index.arena.memory, index.arena.engine, spec);
		let steps = 0;
		const failing = index.insertMany(ROWS.subarray(500 * D, 600 * D), {
			parallel: {
				lanes: 1,
				async run(arena, kernel, args) {
					await serial.run(arena, kernel, args);
					if (++steps === 7) throw new Error("boom");
				},
			},
		});
		await assert.rejects(failing, /boom/);
		const { size } = index;
		assert.ok(size > 500 && size < 600);
		const query = rowOf(QUERIES, 0, D);
		const gone = range(500, 600).filter((label) => !index.has(label));
		const [first] = gone;
		assert.equal(reader.rank(query, gone, 10), 0);
		assert.deepEqual(scanned(reader, query, 600), index.search(query, 600, { exact: true }));
		index.insert(700, rowOf(ROWS, 700, D));
		assert.equal(graph.table.get(700), 600);
		index.releaseReader(spec);
		index.insert(first as number, rowOf(ROWS, first as number, D));
		assert.ok((graph.table.get(first as number) as number) < 600);
		checkGraph(graph, { connected: false });
	});
});

describe("a reader refuses", () => {
	test("what it has no room for", async () => {
		const built = await build(ROWS.subarray(0, 500 * D), shared());
		const reader = readerOf(built, { maxEf: 50, maxK: 20 });
		const query = rowOf(QUERIES, 0, D);
		assert.equal(reader.search(query, 20, { ef: 50 }), 20);
		assert.equal(refusal("INVALID_OPTION", () => reader.search(query, 20, { ef: 51 })).details.field, "ef");
		assert.equal(refusal("INVALID_OPTION", () => reader.search(query, 21, { ef: 50 })).details.field, "k");
		for (const ef of [19, 0, 1.5, Number.NaN]) refusal("INVALID_OPTION", () => reader.search(query, 20, { ef }));
		for (const k of [0, 21, 1.5]) {
			refusal("INVALID_OPTION", () => reader.rank(query, [1], k));
			refusal("INVALID_OPTION", () => reader.scan(query, k).next());
		}
		for (const options of [{ maxEf: 0 }, { maxEf: 10_001 }, { maxK: 0 }, { maxK: 10_001 }, { ef: 5 } as object]) {
			refusal("INVALID_OPTION", () => built.index.readerSpec(options));
		}
	});

	test("to be made over memory that other threads cannot see", async () => {
		const { index } = await build(ROWS.subarray(0, 5 * D), { dimensions: D, metric: "l2" });
		refusal("INVALID_OPTION", () => index.readerSpec());
	});

	test("to go on with a scan after another search, or once the abort word is raised", async () => {
		const built = await build(mixture(9_000, 4, 3).rows, shared({ dimensions: 4, M: 4, efConstruction: 16 }));
		const reader = readerOf(built);
		const query = new Float32Array(4);
		const scan = reader.scan(query, 5);
		assert.equal(scan.next().value, 4_096);
		reader.search(query, 5);
		refusal("LOCKED", () => scan.next());
		const flag = new AbortFlag(built.index.arena);
		const stopped = reader.scan(query, 5, { abort: flag.address });
		stopped.next();
		flag.raise();
		refusal("ABORTED", () => stopped.next());
		refusal("ABORTED", () => reader.search(query, 5, { abort: flag.address }));
		refusal("ABORTED", () => reader.rank(query, [1], 5, { abort: flag.address }));
		assert.equal(reader.count, 0);
		assert.equal(reader.search(query, 5), 5);
		assert.equal(scanned(reader, query, 5).length, 5);
	});
});

test("a reader's memory is counted, and given back", async () => {
	const { index } = await build(ROWS.subarray(0, 500 * D), shared());
	index.reserve(1_000);
	const [before, used] = [index.memory().total, index.arena.usedBytes];
	const small = index.readerSpec({ maxEf: 100, maxK: 100 });
	const first = index.memory().total - before;
	assert.ok(first > 1_000 * 10, "marks and a heap for every node");
	const large = index.readerSpec();
	assert.ok(index.memory().total - before > 2 * first);
	assert.ok(index.arena.usedBytes - used >= index.memory().total - before - 1_000);
	index.releaseReader(small);
	index.releaseReader(large);
	assert.ok(index.memory().total <= before + 64);
});
