import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AbortFlag, Arena, LabelSet, rowBytes } from "@nigh/kernels";
import { mixture, range, rowOf } from "../hnsw/graphs.test-support.ts";
import { refusal } from "../refusal.test-support.ts";
import type { Neighbor } from "../vector-index.ts";
import type { IvfOptions } from "./create-file.ts";
import { paddedRowsOf, type Twins, twins, vectorsOf } from "./disk.test-support.ts";
import { createIvf, type IvfIndex } from "./ivf.ts";
import { type IvfReader, type IvfReaderSearchOptions, openIvfReader } from "./reader.ts";
import type { IvfReaderOptions } from "./reader-spec.ts";

const N = 2_000;
const D = 38;
const NLIST = 30;
const { rows: ROWS } = mixture(N, D, 7);
const { rows: QUERIES } = mixture(8, D, 8);

const KINDS: Readonly<Record<string, Pick<IvfOptions, "kind" | "bits">>> = {
	ivf: { kind: "ivf" },
	ivfpq: { kind: "ivfpq" },
	"ivfpq of 8 bits": { kind: "ivfpq", bits: 8 },
	ivfrabitq: { kind: "ivfrabitq" },
};

const shape = (name: string, options: Partial<IvfOptions> = {}): IvfOptions => ({
	...(KINDS[name] as IvfOptions),
	dimensions: D,
	metric: "l2",
	nlist: NLIST,
	shared: true,
	...options,
});

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

const query = (i: number): Float32Array => rowOf(QUERIES, i, D);

/** Brings the rows of labels, after another search has used what the reader works in. */
function ranked(reader: IvfReader, memory: IvfIndex, vector: Float32Array, k: number, labels: Uint32Array): Neighbor[] {
	reader.probe(query(7), 5);
	assert.equal(reader.rankRows(vector, k, labels, paddedRowsOf(memory, labels)), Math.min(k, labels.length));
	return answers(reader);
}

const pick = ({ nprobe, budget, rerank }: IvfReaderSearchOptions) => ({
	...(nprobe !== undefined && { nprobe }),
	...(budget !== undefined && { budget }),
	...(rerank !== undefined && { rerank }),
});

describe("a reader of an index on disk names and ranks what its owner does", () => {
	for (const name of Object.keys(KINDS)) {
		for (const metric of ["l2", "cosine", "ip"] as const) {
			test(`${name}, ${metric}`, async () => {
				const weights = metric === "l2" ? { weights: Array.from({ length: D }, (_, i) => (i % 4) / 2) } : {};
				const both = await twins(shape(name, { metric, ...weights }), ROWS);
				const { memory, disk } = both;
				for (const index of [memory, disk]) index.remove(range(0, N).filter((label) => label % 7 === 0));
				const reader = readerOf(disk);
				const besides = readerOf(memory);
				assert.equal(reader.spec.parameters.storage, "disk");
				const asked: IvfReaderSearchOptions[] = [{}, { nprobe: 1 }, { nprobe: 10, budget: 300 }];
				if (disk.kind !== "ivf") asked.push({ nprobe: 5, rerank: 0 }, { nprobe: 5, rerank: 100 });
				const chosen = range(0, N).filter((label) => label % 2 === 0);
				const allow = new LabelSet(disk.arena, chosen);
				for (let i = 0; i < 7; i++) {
					for (const k of [1, 10, 40]) {
						for (const search of asked) {
							const own = disk.probe(query(i), k, pick(search));
							assert.deepEqual(reader.probe(query(i), k, search), own);
							assert.deepEqual(reader.report, own.report);
							assert.equal(reader.count, 0);
							const found = ranked(reader, memory, query(i), k, own.labels);
							assert.deepEqual(found, disk.rank(query(i), k, own.labels, vectorsOf(memory, own.labels)));
							const isSame = disk.kind === "ivf" || (search.rerank ?? 0) > 0 || disk.kind === "ivfpq";
							if (isSame && search.rerank !== 0) {
								besides.search(query(i), k, search);
								assert.deepEqual(found, answers(besides));
							}
							const few = reader.probe(query(i), k, { ...search, eligibility: { allow }, wanted: 1 });
							assert.ok(few.labels.length > 0 && few.labels.every((label) => allow.has(label)));
						}
						const labels = reader.probeAllowed(query(i), k, { eligibility: { allow } }) ?? assert.fail();
						assert.equal(reader.report.ranked, labels.length);
						const exact = memory.search(query(i), k, {
							exact: true,
							allow: new LabelSet(memory.arena, chosen),
						});
						assert.deepEqual(ranked(reader, memory, query(i), k, labels), exact);
						const present = chosen.filter((label) => label % 7 !== 0);
						if (disk.kind === "ivf") assert.ok(labels.length < present.length / 2);
						else assert.deepEqual(labels, present);
					}
					if (disk.kind === "ivf") continue;
					reader.search(query(i), 10, { rerank: 0, nprobe: 5 });
					assert.deepEqual(answers(reader), memory.search(query(i), 10, { rerank: 0, nprobe: 5 }));
				}
			});
		}
	}

	test("on the scalar engine", async () => {
		const own = createIvf(shape("ivf"));
		await own.train(ROWS.subarray(0, 300 * D));
		await own.insertMany(ROWS.subarray(0, 300 * D));
		const arena = new Arena({ shared: true, engine: "scalar" });
		const index = createIvf({ kind: "ivf", dimensions: D, metric: "l2", nlist: NLIST, storage: "disk", arena });
		await index.train(ROWS.subarray(0, 300 * D));
		await index.insertMany(ROWS.subarray(0, 300 * D));
		const reader = readerOf(index);
		const { labels } = reader.probe(query(0), 5);
		assert.deepEqual(ranked(reader, own, query(0), 5, labels), own.search(query(0), 5));
	});
});

test("a reader of vectors in memory probes as well, and ranks no rows that are brought", async () => {
	const { memory, disk } = await twins(shape("ivf"), ROWS);
	const [reader, other] = [readerOf(memory), readerOf(disk)];
	const probed = reader.probe(query(0), 10);
	assert.deepEqual(probed, other.probe(query(0), 10));
	const { message } = refusal("UNSUPPORTED", () =>
		reader.rankRows(query(0), 10, probed.labels, paddedRowsOf(memory, probed.labels)),
	);
	assert.match(message, /itself/);
	refusal("UNSUPPORTED", () => reader.scanRows(query(0), 10, N, () => {}).next());
	const plain = readerOf((await twins(shape("ivf", { dimensions: 19, codes: "auto" }), ROWS)).memory);
	refusal("UNSUPPORTED", () => plain.probe(query(0).subarray(0, 19), 5));
	const allow = new LabelSet(memory.arena, [1, 2]);
	refusal("UNSUPPORTED", () => plain.probeAllowed(query(0).subarray(0, 19), 5, { eligibility: { allow } }));
	assert.ok(reader.probeAllowed(query(0), 5, { eligibility: { allow } })?.length === 2);
});

test("only what is alive at the reader's number is named", async () => {
	for (const name of Object.keys(KINDS)) {
		const { memory, disk } = await twins(shape(name), ROWS);
		const { arena } = disk;
		const [born, died] = [arena.alloc(8 * N), arena.alloc(8 * N)];
		arena.f64(born, N).set(range(0, N).map((label) => label % 10));
		arena.f64(died, N).fill(Number.POSITIVE_INFINITY);
		for (let label = 0; label < N; label += 3) arena.f64(died, N)[label] = 5;
		const isAlive = (label: number) => label % 10 <= 5 && label % 3 !== 0;
		const allow = new LabelSet(
			arena,
			range(0, N).filter((label) => label < 1_200),
		);
		const at = { born, died, dated: N, reader: 5 };
		const reader = readerOf(disk);
		for (let i = 0; i < 7; i++) {
			const { labels } = reader.probe(query(i), 10, { nprobe: NLIST, eligibility: at });
			assert.ok(labels.length >= 10 && labels.every(isAlive));
			const both = reader.probeAllowed(query(i), 10, { eligibility: { ...at, allow } }) ?? assert.fail();
			assert.ok(both.length >= 10 && both.every((label) => isAlive(label) && label < 1_200));
			const exact = memory.search(query(i), 10, {
				exact: true,
				allow: new LabelSet(memory.arena, range(0, 1_200).filter(isAlive)),
			});
			assert.deepEqual(ranked(reader, memory, query(i), 10, both), exact);
		}
	}
});

/** What `scanRows` reads of vectors that the other index keeps; 0 in place of those that it has removed. */
function readsFrom(memory: IvfIndex) {
	const read: [first: number, n: number][] = [];
	const stride = rowBytes(4 * memory.dimensions);
	return {
		read,
		rows: (first: number, n: number, into: Uint8Array) => {
			read.push([first, n]);
			assert.equal(into.length, n * stride);
			into.fill(0);
			for (let i = 0; i < n; i++) {
				const vector = memory.vector(first + i);
				if (vector !== undefined) into.set(new Uint8Array(Float32Array.from(vector).buffer), i * stride);
			}
		},
	};
}

test("a scan of rows that are elsewhere finds what the exact search of an index that has them finds, for every metric", async () => {
	for (const metric of ["l2", "cosine", "ip"] as const) {
		const { memory, disk } = await twins(shape("ivfrabitq", { metric }), ROWS);
		for (const index of [memory, disk]) index.remove(range(0, N).filter((label) => label % 7 === 0));
		const reader = readerOf(disk);
		const chosen = range(300, 1_000).filter((label) => label % 2 === 0);
		const allow = new LabelSet(disk.arena, chosen);
		const among = new LabelSet(memory.arena, chosen);
		for (let i = 0; i < 4; i++) {
			for (const k of [1, 10, 2_000]) {
				const kept = readsFrom(memory);
				const places = [...reader.scanRows(query(i), k, N, kept.rows)];
				assert.deepEqual(answers(reader), memory.search(query(i), k, { exact: true }));
				assert.equal(reader.report.ranked, N);
				assert.deepEqual(
					places,
					kept.read.slice(1).map(([first]) => first),
				);
				assert.equal(
					kept.read.reduce((sum, [, n]) => sum + n, 0),
					N,
				);
				const some = readsFrom(memory);
				assert.equal([...reader.scanRows(query(i), k, N, some.rows, { eligibility: { allow } })].length, 2);
				assert.deepEqual(answers(reader), memory.search(query(i), k, { exact: true, allow: among }));
				// Blocks of 256 rows, those without an allowed label left out.
				assert.deepEqual(
					some.read.map(([first]) => first),
					[256, 512, 768],
				);
				const half = readsFrom(memory);
				for (const _ of reader.scanRows(query(i), k, 500, half.rows));
				const below = new LabelSet(memory.arena, range(0, 500));
				assert.deepEqual(answers(reader), memory.search(query(i), k, { exact: true, allow: below }));
				below.dispose();
			}
		}
		const unread = () => assert.fail("nothing is to be read");
		const none = { eligibility: { allow: new LabelSet(disk.arena) } };
		for (const scan of [reader.scanRows(query(0), 5, 0, unread), reader.scanRows(query(0), 5, N, unread, none)]) {
			assert.deepEqual(scan.next(), { done: true, value: 0 });
			assert.equal(reader.count, 0);
		}
	}
});

test("a scan of rows has the answers of what it has read at every step, and another call ends it", async () => {
	const { memory, disk } = await twins(shape("ivf"), ROWS);
	const reader = readerOf(disk);
	const kept = readsFrom(memory);
	const steps = reader.scanRows(query(0), 10, N, kept.rows);
	for (const end of [256, 512]) {
		assert.deepEqual(steps.next(), { done: false, value: end });
		const by = new LabelSet(memory.arena, range(0, end));
		assert.deepEqual(answers(reader), memory.search(query(0), 10, { exact: true, allow: by }));
		by.dispose();
	}
	reader.probe(query(1), 5);
	refusal("LOCKED", () => steps.next());
	assert.equal(kept.read.length, 2);
	const failing = reader.scanRows(query(0), 5, N, () => {
		throw new Error("the disk is gone");
	});
	assert.throws(() => failing.next(), /the disk is gone/);
	assert.equal(reader.count, 0);
});

test("only what may be answered is ranked: a bitmap, and what is alive at the reader's number", async () => {
	const { memory, disk } = await twins(shape("ivfpq"), ROWS);
	const { arena } = disk;
	const reader = readerOf(disk);
	const all = Uint32Array.from(range(0, N));
	const rows = paddedRowsOf(memory, all);
	const [born, died] = [arena.alloc(8 * N), arena.alloc(8 * N)];
	arena.f64(born, N).set(range(0, N).map((label) => label % 10));
	arena.f64(died, N).fill(Number.POSITIVE_INFINITY);
	for (let label = 0; label < N; label += 3) arena.f64(died, N)[label] = 5;
	const chosen = range(100, 900);
	const eligibility = { born, died, dated: N, reader: 5, allow: new LabelSet(arena, chosen) };
	const alive = chosen.filter((label) => label % 10 <= 5 && label % 3 !== 0);
	const exact = memory.search(query(0), 20, { exact: true, allow: new LabelSet(memory.arena, alive) });
	assert.equal(reader.rankRows(query(0), 20, all, rows, { eligibility }), 20);
	assert.deepEqual(answers(reader), exact);
	for (const _ of reader.scanRows(query(0), 20, N, readsFrom(memory).rows, { eligibility }));
	assert.deepEqual(answers(reader), exact);
});

test("of more than 16,000 labels without bounds none is named", async () => {
	const n = 16_400;
	const { rows } = mixture(n, 4, 3);
	const index = createIvf({ kind: "ivfrabitq", dimensions: 4, metric: "l2", nlist: 20, storage: "disk", shared: true });
	await index.train(rows.subarray(0, 4_000));
	await index.insertMany(rows);
	const reader = readerOf(index);
	const of = (count: number) => {
		const allow = new LabelSet(index.arena, range(0, count));
		const labels = reader.probeAllowed(rowOf(rows, 0, 4), 5, { eligibility: { allow } });
		allow.dispose();
		return labels;
	};
	assert.equal(of(16_000)?.length, 16_000);
	assert.equal(of(16_001), undefined);
	assert.equal(reader.report.ranked, 0);
	assert.deepEqual(of(0), new Uint32Array(0));
});

test("a reader sees what is added meanwhile, and the owner takes nothing away", async () => {
	for (const name of Object.keys(KINDS)) {
		const both: Twins = { memory: createIvf(shape(name)), disk: createIvf(shape(name, { storage: "disk" })) };
		const { memory, disk } = both;
		for (const index of [memory, disk]) {
			await index.train(ROWS);
			index.reserve(600);
		}
		const reader = readerOf(disk);
		assert.deepEqual(reader.probe(query(0), 5).labels, new Uint32Array(0));
		for (let from = 0; from < 600; from += 150) {
			const batch = ROWS.subarray(from * D, (from + 150) * D);
			for (const index of [memory, disk]) {
				await index.insertMany(batch.subarray(0, 149 * D));
				index.insert(from + 149, batch.subarray(149 * D));
			}
			assert.equal(reader.slots, from + 150);
			const { labels } = reader.probe(query(1), 20);
			assert.deepEqual(labels, disk.probe(query(1), 20).labels);
			const all = reader.probe(query(1), 1_000, { nprobe: NLIST }).labels;
			assert.deepEqual([...all].sort(), [...range(0, from + 150)].sort());
			const found = ranked(reader, memory, query(1), 20, all);
			assert.deepEqual(found, memory.search(query(1), 20, { exact: true }));
		}
		assert.equal(disk.room, 0);
		for (const write of [() => disk.remove([1]), () => disk.compact(), () => disk.insert(900, rowOf(ROWS, 1, D))]) {
			refusal("LOCKED", write);
		}
		disk.releaseReader(reader.spec);
		disk.remove([1]);
		disk.dispose();
		assert.equal(disk.arena.usedBytes, 0);
	}
});

test("a reader of an index on disk refuses what needs the vectors, and says what to do", async () => {
	for (const name of Object.keys(KINDS)) {
		const { memory, disk } = await twins(shape(name), ROWS);
		const reader = readerOf(disk, { maxK: 20 });
		const allow = new LabelSet(disk.arena, [1, 2, 3]);
		const calls: readonly (readonly [() => unknown, RegExp])[] = [
			[() => reader.search(query(0), 5), /probe\(\).*rank\(\)/],
			[() => reader.scan(query(0), 5).next(), /scanRows\(\)/],
			[() => reader.rank(query(0), [1], 5), /rankRows/],
			[() => reader.rankAllowed(query(0), 5, { eligibility: { allow } }), /probeAllowed/],
			[() => reader.distances(query(0), [1]), /rankRows/],
		];
		for (const [call, message] of calls) assert.match(refusal("UNSUPPORTED", call).message, message);
		const labels = Uint32Array.of(1, 2);
		const rows = paddedRowsOf(memory, labels);
		assert.equal(rows.length, 2 * rowBytes(4 * D));
		for (const k of [0, 21, 1.5]) {
			refusal("INVALID_OPTION", () => reader.probe(query(0), k));
			refusal("INVALID_OPTION", () => reader.rankRows(query(0), k, labels, rows));
			refusal("INVALID_OPTION", () => reader.scanRows(query(0), k, N, () => {}).next());
			refusal("INVALID_OPTION", () => reader.probeAllowed(query(0), k, { eligibility: { allow } }));
		}
		for (const [field, value] of [
			["nprobe", NLIST + 1],
			["budget", 0],
			["wanted", 6],
		] as const) {
			assert.equal(refusal("INVALID_OPTION", () => reader.probe(query(0), 5, { [field]: value })).details.field, field);
		}
		const { details } = refusal("DIMENSION_MISMATCH", () => reader.rankRows(query(0), 5, labels, rows.subarray(4)));
		assert.deepEqual([details.expected, details.actual], [rows.length, rows.length - 4]);
		refusal("INVALID_OPTION", () => reader.probeAllowed(query(0), 5, {}));
		assert.equal(reader.rankRows(query(0), 5, new Uint32Array(0), new Uint8Array(0)), 0);
		// Rows need not lie as they must in an arena.
		const odd = new Uint8Array(rows.length + 1);
		odd.set(rows, 1);
		assert.equal(reader.rankRows(query(0), 5, labels, odd.subarray(1)), 2);
		const flag = new AbortFlag(disk.arena);
		flag.raise();
		refusal("ABORTED", () => reader.probe(query(0), 5, { abort: flag.address }));
		refusal("ABORTED", () => reader.scanRows(query(0), 5, N, () => {}, { abort: flag.address }).next());
		for (const end of [-1, 1.5, Number.NaN]) {
			refusal("INVALID_OPTION", () => reader.scanRows(query(0), 5, end, () => {}).next());
		}
		refusal("ABORTED", () => reader.probeAllowed(query(0), 5, { abort: flag.address, eligibility: { allow } }));
	}
});
