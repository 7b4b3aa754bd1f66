// A snapshot of cells is read back as it was, or passed over.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { CELL_KINDS, type CellKind, type Metric } from "@nigh/contract";
import { type IvfIndex, serial } from "@nigh/index";
import { rowBytes } from "@nigh/kernels";
import { testFolder } from "../folder/folder.test-support.ts";
import type { VectorFormat } from "../memory/generation.ts";
import { RowMaker, vectorBytes } from "../memory/rows.ts";
import { Searcher } from "../memory/searcher.ts";
import { SlotWriter } from "../memory/slot-writer.ts";
import { snapshotPath } from "../snapshot/folder.ts";
import { readInfo } from "../snapshot/read.ts";
import { specOf } from "../spec.ts";
import { type Forged, forge, state, words } from "./forged-snapshot.test-support.ts";
import { IndexedCollection } from "./indexed-collection.ts";
import { emptyGeneration, insert, nextGeneration, type Owned, vectorsOf } from "./next-generation.ts";
import { NOWHERE, rowOf } from "./rows.test-support.ts";
import { recoverSnapshot, saveSnapshot } from "./snapshots.ts";
import { surroundings } from "./surroundings.test-support.ts";

const N = 400;
const TAIL = 10;
const CHANGE = 9;
const DIMENSIONS = 32;
const NEVER = Number.POSITIVE_INFINITY;
const DATA = { databaseId: "the database", readOnly: false, records: "no such file" };
const SURROUNDINGS = { place: NOWHERE, parallel: serial, between: async () => {}, onProgress() {} };
/** Each metric with one kind; weights with one, too. */
const FORMATS: Readonly<Record<CellKind, VectorFormat>> = {
	ivf: { metric: "l2", dimensions: DIMENSIONS, weights: Array.from({ length: DIMENSIONS }, (_, i) => 1 + (i % 3)) },
	ivfpq: { metric: "cosine", dimensions: DIMENSIONS, weights: null },
	ivfrabitq: { metric: "ip", dimensions: DIMENSIONS, weights: null },
};

function vectorOf(i: number): Float32Array {
	return Float32Array.from({ length: DIMENSIONS }, (_, d) => Math.fround(Math.sin(i * (d + 1)) + (i % 5)));
}

/** Records with gaps between their labels; some expire, some have died; the last ones are in the tail. */
async function filled(kind: CellKind): Promise<Owned> {
	const format = FORMATS[kind];
	const bytes = rowBytes(vectorBytes(format));
	const flat = emptyGeneration(1, format, bytes, N, null);
	const rows = new RowMaker(format);
	const add = ({ generation }: Owned, from: number, to: number) => {
		const slots = new SlotWriter(generation);
		for (let i = from; i < to; i++) {
			const expires = i % 50 === 7 ? 1_000 + i : NEVER;
			slots.append({ label: 3 * i, id: `é${i}`, born: 1, expires, row: rows.row(vectorOf(i)) });
		}
	};
	add(flat, 0, N / 2);
	const wanted = { kind, nlist: 7 } as const;
	const options = { ...SURROUNDINGS, wanted, fresh: true, arrange: true, room: { slots: N, idBytes: 20 * N } };
	const { owned } = await nextGeneration(flat, bytes, options);
	const { generation, main } = owned;
	assert.ok(main !== undefined);
	add(owned, N / 2, N);
	// Blocks of cells that have grown since they were laid out.
	const slots = Uint32Array.from({ length: N / 2 - TAIL }, (_, i) => N / 2 + i);
	await insert(main, slots, (some) => vectorsOf(owned, some), SURROUNDINGS);
	generation.mainEnd = N - TAIL;
	generation.ringFree = N - TAIL;
	for (const slot of [0, 5, 301]) generation.kill(slot, 8);
	generation.publish(CHANGE);
	return owned;
}

const specFor = ({ metric, weights }: VectorFormat, kind: CellKind) =>
	specOf(
		{ dimensions: DIMENSIONS, metric: metric as Metric, ...(weights !== null && { weights }), index: { kind } },
		undefined,
	);

async function save(snapshots: string, kind: CellKind, owned: Owned): Promise<string> {
	const collection = new IndexedCollection(
		1,
		"notes",
		await specFor(FORMATS[kind], kind),
		owned,
		surroundings({ keepsSnapshots: true }),
	);
	const { change } = await saveSnapshot({ snapshots, ...DATA }, collection);
	return snapshotPath(snapshots, 1, change);
}

async function recover(snapshots: string, kind: CellKind, change = CHANGE) {
	const collection = { key: 1, change, records: N, reclaimedThrough: 0 };
	return recoverSnapshot({ snapshots, ...DATA }, collection, FORMATS[kind], await specFor(FORMATS[kind], kind));
}

function slotsOf(owned: Owned) {
	const { generation } = owned;
	return Array.from({ length: N - TAIL }, (_, slot) => [
		generation.labels[slot],
		generation.idOf(slot),
		generation.expires[slot],
		generation.died[slot] === NEVER,
		[...rowOf(owned, slot)],
	]);
}

/** What the main index answers, in every way it can be asked; the tail is of another generation. */
function answersOf(kind: CellKind, { main, generation, areas }: Owned) {
	const cells = main as IvfIndex;
	const widths = [
		{},
		{ nprobe: 2 },
		{ nprobe: 7, budget: 50 },
		...(kind === "ivf" ? [] : [{ rerank: 0 }, { rerank: 40 }]),
	];
	const queries = [0.5, 17, 260, 999].map(vectorOf);
	const searcher = new Searcher(generation.handle, areas.caller);
	return queries.map((vector) => [
		widths.map((width) => cells.explain(vector, 10, width)),
		cells.search(vector, N, { exact: true }),
		[2, 7].map((nprobe) => {
			searcher.search({ vector, k: 5, nprobe, change: generation.change, exact: false });
			return searcher.way;
		}),
	]);
}

for (const kind of CELL_KINDS) {
	test(`${kind}: what is recovered is what was saved, and answers the same, bit for bit`, async (t) => {
		const folder = testFolder(t);
		const owned = await filled(kind);
		const path = await save(folder, kind, owned);
		assert.equal(readInfo(path).index.kind, kind);
		const { owned: again, problems, damaged, change, fromLabel } = await recover(folder, kind);
		assert.ok(again !== undefined);
		assert.deepEqual([problems, damaged, change, fromLabel], [[], [], CHANGE, 3 * (N - TAIL - 1) + 1]);
		assert.deepEqual([again.main?.kind, again.main?.size], [kind, N - TAIL]);
		assert.deepEqual(slotsOf(again), slotsOf(owned));
		assert.deepEqual(answersOf(kind, again), answersOf(kind, owned));
		assert.deepEqual(again.main?.effective(), owned.main?.effective());
		const { generation } = again;
		assert.deepEqual([generation.slotEnd, generation.dead, generation.deadInMain], [N - TAIL, 3, 3]);
		// Rows that come later are coded and placed as they would have been.
		const more = Uint32Array.of(N - TAIL);
		const row = rowOf(owned, N - TAIL) as Float32Array;
		for (const { main } of [owned, again]) await main?.insertMany(row, { labels: more, stored: true });
		assert.deepEqual(answersOf(kind, again), answersOf(kind, owned));
		assert.deepEqual((again.main as IvfIndex).analyze(), (owned.main as IvfIndex).analyze());
	});

	test(`${kind}: saved again and again it stays the same file`, async (t) => {
		const [first, second] = [testFolder(t), testFolder(t)];
		await save(first, kind, await filled(kind));
		const { owned } = await recover(first, kind);
		await save(second, kind, owned as Owned);
		const sums = (folder: string) =>
			readInfo(snapshotPath(folder, 1, CHANGE)).sections.map(({ name, bytes }) => ({ name, bytes }));
		assert.deepEqual(sums(second), sums(first));
		const { owned: again } = await recover(second, kind);
		assert.deepEqual(answersOf(kind, again as Owned), answersOf(kind, owned as Owned));
	});

	test(`${kind}: a byte that was changed in any section is noticed, and the snapshot before it is read`, async (t) => {
		const folder = testFolder(t);
		const owned = await filled(kind);
		await save(folder, kind, owned);
		owned.generation.publish(CHANGE + 1);
		const path = await save(folder, kind, owned);
		const whole = readFileSync(path);
		const { sections } = readInfo(path);
		assert.ok(sections.filter(({ name }) => name.startsWith("index.")).length >= 5);
		for (const { name, offset, bytes } of sections) {
			if (bytes === 0) continue;
			const damagedFile = Buffer.from(whole);
			const at = offset + Math.floor(bytes / 2);
			damagedFile.writeUint8((damagedFile[at] as number) ^ 4, at);
			writeFileSync(path, damagedFile);
			const recovered = await recover(folder, kind, CHANGE + 1);
			assert.deepEqual([recovered.change, recovered.damaged], [CHANGE, [path]], name);
			assert.deepEqual(
				recovered.problems.map(({ code }) => code),
				["snapshot-damaged"],
			);
		}
		writeFileSync(path, whole.subarray(0, whole.length - 100));
		assert.deepEqual((await recover(folder, kind, CHANGE + 1)).damaged, [path]);
		writeFileSync(path, whole);
		const { change, damaged } = await recover(folder, kind, CHANGE + 1);
		assert.deepEqual([change, damaged], [CHANGE + 1, []]);
	});

	const other = kind === "ivf" ? "ivfpq" : "ivf";
	const lies: Readonly<Record<string, (forged: Forged) => void>> = {
		"another kind of cells": ({ meta }) => void Object.assign(meta.index, { kind: other }),
		"another kind of cells throughout": (forged) => {
			Object.assign(forged.meta.index, { kind: other });
			Object.assign(state(forged), { kind: other });
		},
		"a graph": ({ meta }) => void Object.assign(meta.index, { kind: "hnsw" }),
		"more cells": (forged) => void Object.assign(state(forged), { cells: 8 }),
		"more rows": (forged) => void Object.assign(state(forged), { size: N, slots: N }),
		"labels of other slots": (forged) => void Object.assign(state(forged), { nextLabel: N }),
		"other dimensions": (forged) => void Object.assign(state(forged), { dimensions: 16 }),
		"another metric": (forged) => void Object.assign(state(forged), { metric: "l1" }),
		"no centroids": ({ sections }) => void sections.delete("index.centroids"),
		"no vectors": ({ sections }) => void sections.delete("index.vectors"),
		"a label twice": (forged) => {
			const labels = words(forged, "index.labels");
			labels[7] = labels[8] as number;
		},
		"a label that is no slot": (forged) => {
			words(forged, "index.labels")[7] = N - TAIL;
		},
		"blocks that lead elsewhere": (forged) => {
			words(forged, "index.cells").fill(0xfffffff0);
		},
	};
	for (const [name, lie] of Object.entries(lies)) {
		test(`${kind}: under right checksums, ${name}: it is reported and passed over`, async (t: TestContext) => {
			const folder = testFolder(t);
			const path = await save(folder, kind, await filled(kind));
			await forge(path, () => {});
			assert.equal((await recover(folder, kind)).owned?.main?.kind, kind, "as it was");
			await forge(path, lie);
			const { owned, damaged, problems } = await recover(folder, kind);
			assert.ok(owned === undefined, "it was taken");
			assert.deepEqual(damaged, [path]);
			assert.deepEqual(
				problems.map(({ code }) => code),
				["snapshot-damaged"],
			);
		});
	}
}
