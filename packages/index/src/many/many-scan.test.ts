import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AbortFlag, Arena, LabelSet } from "@nigh/kernels";
import { AttachedArena } from "../arena-view.ts";
import type { Eligibility } from "../eligibility.ts";
import { bitRows, mixture, range, rowOf } from "../hnsw/graphs.test-support.ts";
import { createHnsw, type HnswIndex, type HnswOptions } from "../hnsw/hnsw.ts";
import { GraphReader, openReader } from "../hnsw/reader.ts";
import type { IvfOptions } from "../ivf/create-file.ts";
import { paddedRowsOf, twins } from "../ivf/disk.test-support.ts";
import { createIvf, type IvfIndex } from "../ivf/ivf.ts";
import { type IvfReader, openIvfReader } from "../ivf/reader.ts";
import type { ReaderScanOptions } from "../reader-call.ts";
import { refusal } from "../refusal.test-support.ts";
import type { Neighbor, VectorRows } from "../vector-index.ts";
import { randomNumbers } from "../vectors.test-support.ts";
import type { ManyOptions } from "./room.ts";

/** As many as make codes worth their while, and some more than whole chunks. */
const N = 5_003;
const D = 24;
const Q = 33;
const MANY = { queries: Q, k: 50 };
const { rows: ROWS } = mixture(N, D, 7);
const { rows: QUERIES } = mixture(Q, D, 8);

type Reader = GraphReader | IvfReader;
type Query = Float32Array | Uint8Array;

/** A reader on this thread, of a specification that has been sent as to another one. */
function readerOf(index: HnswIndex | IvfIndex, options: { readonly many?: ManyOptions } = { many: MANY }): Reader {
	const { memory, engine } = index.arena;
	const spec = structuredClone(index.readerSpec(options));
	return "ownGraph" in spec ? openReader(memory, engine, spec) : openIvfReader(memory, engine, spec);
}

function queriesOf(rows: VectorRows, length: number): Query[] {
	return Array.from({ length: rows.length / length }, (_, i) => rowOf(rows, i, length) as Query);
}

/** Runs a pass to its end; returns the answers of each query. */
function scannedMany(reader: Reader, queries: readonly Query[], k: number, options?: ReaderScanOptions): Neighbor[][] {
	for (const looked of reader.scanMany(queries, k, options)) assert.ok(looked > 0 && looked < reader.slots);
	return manyAnswers(reader, queries.length);
}

function manyAnswers(reader: Reader, queries: number): Neighbor[][] {
	return Array.from({ length: queries }, (_, i) =>
		Array.from({ length: reader.manyCount(i) }, (_, j) => ({
			label: reader.manyLabelAt(i, j),
			distance: reader.manyDistanceAt(i, j) as Neighbor["distance"],
		})),
	);
}

/** The answers of one scan after the other. */
function scannedOneByOne(
	reader: Reader,
	queries: readonly Query[],
	k: number,
	options?: ReaderScanOptions,
): Neighbor[][] {
	return queries.map((query) => {
		const scan = reader.scan(query, k, options);
		while (!scan.next().done);
		return Array.from({ length: reader.count }, (_, i) => ({
			label: reader.labelAt(i),
			distance: reader.distanceAt(i) as Neighbor["distance"],
		}));
	});
}

const graph = (options: Partial<HnswOptions> = {}): HnswOptions => ({
	dimensions: D,
	metric: "l2",
	shared: true,
	M: 2,
	efConstruction: 4,
	...options,
});
const cells = (options: Partial<IvfOptions> = {}): IvfOptions => ({
	kind: "ivf",
	dimensions: D,
	metric: "l2",
	nlist: 20,
	shared: true,
	...options,
});

const WEIGHTS = Array.from({ length: D }, (_, i) => (i % 5) / 2 + 0.1);

const VARIANTS: readonly [name: string, open: () => HnswIndex | IvfIndex][] = [
	...(["l2", "cosine", "ip"] as const).flatMap((metric): [string, () => HnswIndex | IvfIndex][] => [
		[`hnsw, ${metric}, codes`, () => createHnsw(graph({ metric, codes: "sq7" }))],
		[`hnsw, ${metric}, vectors alone`, () => createHnsw(graph({ metric, codes: "none" }))],
		[`ivf, ${metric}`, () => createIvf(cells({ metric }))],
		[`ivfpq, ${metric}`, () => createIvf(cells({ metric, kind: "ivfpq" }))],
		[`ivfrabitq, ${metric}`, () => createIvf(cells({ metric, kind: "ivfrabitq" }))],
		[`hnsw, ${metric} with weights`, () => createHnsw(graph({ metric, weights: WEIGHTS }))],
	]),
	["hnsw, l1", () => createHnsw(graph({ metric: "l1" }))],
	["ivf, l1 with weights", () => createIvf(cells({ metric: "l1", weights: WEIGHTS }))],
	["hnsw, hamming", () => createHnsw(graph({ metric: "hamming", dimensions: 128 }))],
];

async function fill(index: HnswIndex | IvfIndex, rows: VectorRows = ROWS): Promise<void> {
	if (index.kind !== "hnsw") await (index as IvfIndex).train(rows as Float32Array);
	await index.insertMany(rows);
}

/** Change numbers by which every tenth label is not yet born at 5, and every eleventh is dead. */
function dates({ arena }: { readonly arena: Arena }): Eligibility {
	const [born, died] = [arena.alloc(8 * N), arena.alloc(8 * N)];
	arena.f64(born, N).set(range(0, N).map((label) => (label % 10 === 3 ? 6 : 5)));
	arena.f64(died, N).fill(Number.POSITIVE_INFINITY);
	for (let label = 0; label < N; label += 11) arena.f64(died, N)[label] = 5;
	return { born, died, dated: N, reader: 5 };
}

describe("a pass for many queries answers what one scan after the other does, bit for bit", () => {
	for (const [name, open] of VARIANTS) {
		test(name, async () => {
			const index = open();
			const isBits = name.endsWith("hamming");
			const rows: VectorRows = isBits ? bitRows(N, 128, 7) : ROWS;
			const queries = queriesOf(isBits ? bitRows(Q, 128, 8) : QUERIES, isBits ? 16 : D);
			await fill(index, rows);
			const at = dates(index);
			const chosen = new LabelSet(
				index.arena,
				range(0, N).filter((label) => label % 3 === 0),
			);
			const few = new LabelSet(index.arena, range(100, 130));
			const reader = readerOf(index);
			for (const [k, eligibility] of [
				[10, undefined],
				[1, undefined],
				[50, at],
				[10, { allow: chosen }],
				[7, { ...at, allow: chosen }],
				[50, { allow: few }],
			] as const) {
				const options = eligibility === undefined ? {} : { eligibility };
				const found = scannedMany(reader, queries, k, options);
				assert.deepEqual(found, scannedOneByOne(reader, queries, k, options));
				assert.equal(found[0]?.length, eligibility !== undefined && eligibility.allow === few ? 30 : k);
			}
			const one = queries.slice(0, 1);
			assert.deepEqual(scannedMany(reader, one, 5), scannedOneByOne(reader, one, 5));
			assert.equal(reader.manyCount(1), 0, "the answers of an earlier pass are gone");
		});
	}

	for (const open of [() => createHnsw(graph({ codes: "sq7" })), () => createIvf(cells())]) {
		test(`after removals, in ${open().kind}`, async () => {
			const index = open();
			await fill(index);
			// Whole chunks are empty, and of others every second row.
			index.remove(range(0, N).filter((label) => label < 1_200 || label % 2 === 0));
			const reader = readerOf(index);
			const queries = queriesOf(QUERIES, D);
			const found = scannedMany(reader, queries, 20);
			assert.deepEqual(found, scannedOneByOne(reader, queries, 20));
			assert.ok(found.flat().every(({ label }) => label >= 1_200 && label % 2 === 1));
		});
	}

	test("on the scalar engine", async () => {
		const arena = new Arena({ shared: true, engine: "scalar" });
		const { rows } = mixture(4_200, 5, 3);
		const index = createHnsw({ dimensions: 5, metric: "l2", arena, M: 2, efConstruction: 4 });
		await index.insertMany(rows);
		const reader = readerOf(index);
		const queries = queriesOf(mixture(9, 5, 4).rows, 5);
		assert.deepEqual(scannedMany(reader, queries, 10), scannedOneByOne(reader, queries, 10));
	});
});

test("the answers are those of float64, but for what float32 cannot tell apart", async () => {
	for (const metric of ["l2", "ip", "cosine"] as const) {
		const index = createHnsw(graph({ metric }));
		await fill(index);
		const reader = readerOf(index);
		const queries = queriesOf(QUERIES, D) as Float32Array[];
		const found = scannedMany(reader, queries, 10);
		queries.forEach((query, i) => {
			const distances = Float64Array.from(range(0, N), (label) => distance64(metric, query, rowOf(ROWS, label, D)));
			const nearest = distances.toSorted().subarray(0, 10);
			found[i]?.forEach(({ label, distance }, j) => {
				const tolerance = 1e-5 * (1 + Math.abs(nearest[j] as number));
				assert.ok(Math.abs(distance - (nearest[j] as number)) <= tolerance);
				assert.ok(Math.abs(distance - (distances[label] as number)) <= tolerance);
			});
		});
	}
});

function distance64(metric: "l2" | "ip" | "cosine", a: Float32Array, b: Float32Array): number {
	let [squares, dot, ofA, ofB] = [0, 0, 0, 0];
	a.forEach((x, i) => {
		const y = b[i] as number;
		squares += (x - y) ** 2;
		dot += x * y;
		ofA += x * x;
		ofB += y * y;
	});
	if (metric === "l2") return Math.sqrt(squares);
	return metric === "ip" ? -dot : 1 - dot / Math.sqrt(ofA * ofB);
}

describe("whatever the rows and the queries are", () => {
	const random = randomNumbers(11);
	const repeated = Float32Array.from({ length: N * D }, (_, i) => (Math.floor(i / D) % 4) + (i % 3));
	const outliers = ROWS.map((x, i) => (Math.floor(i / D) % 97 === 5 ? 1e6 * x : x));
	const CASES: Readonly<Record<string, readonly [rows: Float32Array, queries: Float32Array]>> = {
		"rows of which many are equal": [repeated, repeated.slice(0, Q * D)],
		"rows that are all equal": [new Float32Array(N * D).fill(0.3), QUERIES],
		"rows of zeros": [new Float32Array(N * D), QUERIES],
		"rows far out": [outliers, QUERIES],
		"queries far out": [ROWS, QUERIES.map((x, i) => (i % (3 * D) < D ? 1e5 * x : x))],
		"queries of zeros, and rows that are queries": [ROWS, ROWS.slice(0, Q * D).fill(0, 0, 5 * D)],
		"rows far from the origin": [ROWS.map((x) => x + 1e4), QUERIES.map((x) => x + 1e4)],
		"very small numbers": [ROWS.map((x) => 1e-13 * x), QUERIES.map((x) => 1e-13 * x)],
		"numbers too small for codes": [ROWS.map((x) => 1e-30 * x), QUERIES.map((x) => 1e-30 * x)],
		"very large numbers": [ROWS.map((x) => 1e14 * x), QUERIES.map((x) => 1e14 * x)],
		"evenly spread rows": [
			Float32Array.from({ length: N * D }, () => random()),
			Float32Array.from({ length: Q * D }, () => random()),
		],
	};
	for (const [name, [rows, queries]] of Object.entries(CASES)) {
		test(name, async () => {
			for (const metric of ["l2", "cosine", "ip"] as const) {
				// Cells take rows in without comparing many of them, however equal they are.
				const index = createIvf(cells({ kind: "ivf", metric, nlist: 1, rotation: "none", codes: "none" }));
				await fill(index, rows);
				const reader = readerOf(index);
				const asked = queriesOf(queries, D);
				assert.deepEqual(scannedMany(reader, asked, 10), scannedOneByOne(reader, asked, 10), metric);
			}
		});
	}

	test("fewer vectors than answers are all answered, and none where there are none", async () => {
		const index = createHnsw(graph());
		index.reserve(20);
		const reader = readerOf(index);
		const queries = queriesOf(QUERIES, D);
		assert.deepEqual(scannedMany(reader, queries, 5), new Array(Q).fill([]));
		await index.insertMany(ROWS.subarray(0, 20 * D));
		const found = scannedMany(reader, queries, 50);
		assert.deepEqual(found, scannedOneByOne(reader, queries, 50));
		assert.equal(found[3]?.length, 20);
	});
});

test("once the pools are full, codes exclude most rows before they are compared", async () => {
	const index = createHnsw(graph());
	await fill(index);
	const spec = index.readerSpec({ many: MANY });
	const arena = new AttachedArena(index.arena.memory, index.arena.engine);
	let [judged, compared] = [0, 0];
	const kernels = Object.create(arena.kernels, {
		nearestMany: {
			value: (...args: Parameters<typeof arena.kernels.nearestMany>) => {
				judged += args[3] * Q;
				const pairs = arena.kernels.nearestMany(...args);
				compared += pairs;
				return pairs;
			},
		},
	});
	const views = {
		kernels,
		u8: (at: number, n: number) => arena.u8(at, n),
		u32: (at: number, n: number) => arena.u32(at, n),
		i32: (at: number, n: number) => arena.i32(at, n),
		f32: (at: number, n: number) => arena.f32(at, n),
		f64: (at: number, n: number) => arena.f64(at, n),
	};
	const reader = new GraphReader(views, spec);
	scannedMany(reader, queriesOf(QUERIES, D), 10);
	assert.ok(judged > 0.8 * N * Q, `${judged} pairs were judged by codes`);
	assert.ok(compared < 0.1 * judged, `${compared} of ${judged} were compared`);
});

describe("rows that are elsewhere", () => {
	test("are brought once for all queries, and give what rows in memory give", async () => {
		for (const kind of ["ivf", "ivfpq", "ivfrabitq"] as const) {
			const { memory, disk } = await twins(cells({ kind, dimensions: 40, nlist: 10 }), mixture(N, 40, 7).rows);
			for (const index of [memory, disk]) index.remove(range(0, N).filter((label) => label % 7 === 0));
			const queries = queriesOf(mixture(Q, 40, 8).rows, 40);
			const reader = readerOf(disk) as IvfReader;
			const asked: number[] = [];
			const read = (first: number, n: number, into: Uint8Array) => {
				for (let label = first; label < first + n; label++) {
					asked.push(label);
					if (label % 7 === 0) continue;
					const row = paddedRowsOf(memory, Uint32Array.of(label));
					into.set(row, (label - first) * row.length);
				}
			};
			for (const looked of reader.scanRowsMany(queries, 10, N, read)) assert.ok(looked > 0 && looked < N);
			assert.deepEqual(asked, [...range(0, N)]);
			assert.deepEqual(manyAnswers(reader, Q), scannedMany(readerOf(memory), queries, 10));
			asked.length = 0;
			const allow = new LabelSet(disk.arena, range(1_000, 1_050));
			for (const _ of reader.scanRowsMany(queries, 10, N, read, { eligibility: { allow } }));
			assert.ok(
				asked.length > 0 && asked.length <= 512,
				"only what may be answered is brought, with what lies about it",
			);
			const few = new LabelSet(memory.arena, range(1_000, 1_050));
			const expected = scannedMany(readerOf(memory), queries, 10, { eligibility: { allow: few } });
			assert.deepEqual(manyAnswers(reader, Q), expected);
			refusal("UNSUPPORTED", () => reader.scanMany(queries, 10).next());
			refusal("UNSUPPORTED", () => (readerOf(memory) as IvfReader).scanRowsMany(queries, 10, N, read).next());
			refusal("INVALID_OPTION", () => reader.scanRowsMany(queries, 10, -1, read).next());
		}
	});
});

describe("a reader", () => {
	const opened = [() => createHnsw(graph()), () => createIvf(cells())];
	const queries = queriesOf(QUERIES, D);

	for (const open of opened) {
		const { kind } = open();
		test(`of ${kind} refuses what it has no room for, and says what gives it room`, async () => {
			const index = open();
			await fill(index, ROWS.subarray(0, 600 * D));
			const bare = readerOf(index, {});
			assert.match(refusal("INVALID_OPTION", () => bare.scanMany(queries, 1).next()).message, /readerSpec\(\{ many/);
			refusal("INVALID_OPTION", () => bare.manyCount(0));
			const reader = readerOf(index, { many: { queries: 3, k: 4 } });
			assert.equal(scannedMany(reader, queries.slice(0, 3), 4)[2]?.length, 4);
			const tooMany = refusal("INVALID_OPTION", () => reader.scanMany(queries.slice(0, 4), 4).next());
			assert.equal(tooMany.details.field, "queries");
			refusal("INVALID_OPTION", () => reader.scanMany([], 4).next());
			for (const k of [5, 0, 1.5]) {
				assert.equal(
					refusal("INVALID_OPTION", () => reader.scanMany(queries.slice(0, 3), k).next()).details.field,
					"k",
				);
			}
			for (const many of [{ queries: 0 }, { queries: 1_025 }, { k: 0 }, { k: 10_001 }, { q: 1 } as object]) {
				refusal("INVALID_OPTION", () => index.readerSpec({ many }));
			}
		});

		test(`of ${kind} searches between the steps of a pass, which another pass or the abort word ends`, async () => {
			const index = open();
			await fill(index);
			const reader = readerOf(index);
			const allow = new LabelSet(index.arena, range(0, 90));
			const pass = reader.scanMany(queries, 10);
			const alone = scannedOneByOne(reader, queries, 10);
			assert.ok((pass.next().value as number) > 0);
			reader.search(queries[0] as Float32Array, 10);
			scannedOneByOne(reader, queries.slice(0, 2), 5, { eligibility: { allow } });
			while (!pass.next().done);
			assert.deepEqual(manyAnswers(reader, Q), alone);
			const ended = reader.scanMany(queries, 10);
			ended.next();
			scannedMany(reader, queries, 5);
			refusal("LOCKED", () => ended.next());
			const flag = new AbortFlag(index.arena);
			const stopped = reader.scanMany(queries, 5, { abort: flag.address });
			stopped.next();
			flag.raise();
			refusal("ABORTED", () => stopped.next());
			assert.deepEqual(scannedMany(reader, queries, 10), alone);
		});

		test(`of ${kind} has its room counted, and given back`, async () => {
			const index = open();
			await fill(index, ROWS.subarray(0, 500 * D));
			const [before, used] = [index.memory().total, index.arena.usedBytes];
			const release = (spec: unknown) => (index as HnswIndex).releaseReader(spec as never);
			const bare = index.readerSpec();
			const without = index.memory().total - before;
			release(bare);
			const spec = index.readerSpec({ many: { queries: 64, k: 100 } });
			const more = index.memory().total - before - without;
			assert.ok(more > 64 * (100 * 8 + 4 * D) && more < 2 ** 20, `${more} bytes`);
			assert.ok(index.arena.usedBytes - used >= more);
			release(spec);
			assert.ok(index.arena.usedBytes <= used + 64);
		});
	}
});
