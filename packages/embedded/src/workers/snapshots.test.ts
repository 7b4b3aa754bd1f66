import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { before, describe, type TestContext, test } from "node:test";
import { isNighError } from "@nigh/contract";
import { type HnswIndex, serial } from "@nigh/index";
import { testFolder } from "../folder/folder.test-support.ts";
import { type Small, smallGeneration } from "../memory/generations.test-support.ts";
import { snapshotPath } from "../snapshot/folder.ts";
import { openSnapshot, readInfo } from "../snapshot/read.ts";
import { specOf } from "../spec.ts";
import { diedSince } from "./built.ts";
import { type Forged, forge, state, words } from "./forged-snapshot.test-support.ts";
import { IndexedCollection } from "./indexed-collection.ts";
import { nextGeneration, type Owned } from "./next-generation.ts";
import { NOWHERE, rowOf } from "./rows.test-support.ts";
import { keepNewest, recoverSnapshot, saveSnapshot } from "./snapshots.ts";
import { surroundings } from "./surroundings.test-support.ts";

const N = 200;
const CHANGE = 9;
const DATA = { databaseId: "the database", readOnly: false, records: "no such file" };
const FORMAT = { metric: "l2", dimensions: 4, weights: null } as const;
const SPEC = await specOf({ dimensions: 4, metric: "l2" }, undefined);
const NEVER = Number.POSITIVE_INFINITY;

/** Records with gaps between their labels; some expire, some have died; the last ten are in the tail. */
async function filled({ expiring = true } = {}): Promise<{ small: Small; owned: Owned }> {
	const small = smallGeneration({ graph: true, capacity: 2 * N });
	for (let i = 0; i < N; i++) {
		const expires = expiring && i % 50 === 7 ? 1_000 + i : NEVER;
		small.add(Float32Array.of(i, i % 7, i % 3, 1), { label: 3 * i, id: `é${i}`, expires });
	}
	await small.fold(N - 10);
	for (const slot of [0, 5, N - 1]) small.generation.kill(slot, 8);
	small.generation.publish(CHANGE);
	const { generation, area } = small;
	const main = small.main as HnswIndex;
	return {
		small,
		owned: {
			arena: main.arena,
			generation,
			main,
			wanted: { kind: "hnsw" },
			rows: undefined,
			areas: { caller: area, worker: area },
		},
	};
}

function collectionOf(owned: Owned): IndexedCollection {
	return new IndexedCollection(1, "notes", SPEC, owned, surroundings({ keepsSnapshots: true }));
}

async function save(snapshots: string, owned: Owned): Promise<string> {
	const collection = collectionOf(owned);
	assert.equal((await saveSnapshot({ snapshots, ...DATA }, collection)).change, CHANGE);
	return snapshotPath(snapshots, 1, CHANGE);
}

const recover = (snapshots: string, { reclaimedThrough = 0, number = 1 } = {}) =>
	recoverSnapshot(
		{ snapshots, ...DATA },
		{ key: 1, change: CHANGE, records: N, reclaimedThrough },
		FORMAT,
		SPEC,
		number,
	);

function idsAndVectors(owned: Owned, end: number) {
	const { generation } = owned;
	return Array.from({ length: end }, (_, slot) => [
		generation.labels[slot],
		generation.idOf(slot),
		generation.expires[slot],
		generation.died[slot] === NEVER,
		[...rowOf(owned, slot)],
	]);
}

test("what is recovered is the main index that was saved, with its slots", async (t) => {
	const folder = testFolder(t);
	const { owned } = await filled();
	await save(folder, owned);
	const recovered = await recover(folder);
	const again = recovered.owned as Owned;
	assert.deepEqual([recovered.problems, recovered.damaged], [[], []]);
	assert.deepEqual([recovered.change, recovered.fromLabel], [CHANGE, 3 * (N - 11) + 1]);
	assert.deepEqual(idsAndVectors(again, N - 10), idsAndVectors(owned, N - 10));
	const { generation, main } = again;
	assert.deepEqual([generation.slotEnd, generation.mainEnd, generation.ringFree], [N - 10, N - 10, N - 10]);
	assert.deepEqual([generation.dead, generation.deadInMain, generation.change], [2, 2, CHANGE]);
	const query = Float32Array.of(33, 1, 1, 1);
	assert.deepEqual(main?.search(query, 10), owned.main?.search(query, 10));
});

test("a snapshot from before tombstones were given up is not read, and one from that change is", async (t) => {
	const folder = testFolder(t);
	await save(folder, (await filled()).owned);
	const { owned, ...rest } = await recover(folder, { reclaimedThrough: CHANGE + 1 });
	assert.deepEqual([owned, rest], [undefined, { change: 0, fromLabel: 0, problems: [], damaged: [] }]);
	const recovered = await recover(folder, { reclaimedThrough: CHANGE, number: 5 });
	assert.deepEqual([recovered.change, recovered.owned?.generation.handle.number], [CHANGE, 5]);
});

test("what an index was when it was built is saved with it", async (t) => {
	const folder = testFolder(t);
	const { owned } = await filled();
	const collection = collectionOf(owned);
	collection.built = { records: 900, given: 40 };
	await saveSnapshot({ snapshots: folder, ...DATA }, collection);
	const { built, owned: again } = await recover(folder);
	assert.ok(built !== undefined && again !== undefined);
	assert.deepEqual(
		[built.records, diedSince(built, again.generation)],
		[900, 43],
		"two that are dead in the file, and one in the tail",
	);
});

test("the first moment at which a record expires is known, so that no search has to look for it", async (t) => {
	const folder = testFolder(t);
	const { owned } = await filled();
	await save(folder, owned);
	assert.equal((await recover(folder)).owned?.generation.nextExpiry, 1_007);
	const plain = testFolder(t);
	const path = await save(plain, (await filled({ expiring: false })).owned);
	assert.equal((await recover(plain)).owned?.generation.nextExpiry, NEVER);
	const snapshot = openSnapshot(path);
	assert.ok(!snapshot.info.sections.some(({ name }) => name === "expires"));
	snapshot.close();
});

test("the writer may change what expires while it is saved", async (t) => {
	const folder = testFolder(t);
	const { owned } = await filled();
	const saving = save(folder, owned);
	owned.generation.expires.fill(5);
	await saving;
	const recovered = await recover(folder);
	assert.deepEqual(recovered.problems, []);
	assert.equal(recovered.owned?.generation.expires[7], 1_007);
});

describe("keepNewest", () => {
	async function twoSnapshots(t: TestContext) {
		const folder = testFolder(t);
		const { owned } = await filled();
		const older = await save(folder, owned);
		const collection = collectionOf(owned);
		owned.generation.publish(CHANGE + 1);
		await saveSnapshot({ snapshots: folder, ...DATA }, collection);
		assert.equal(collection.oldestSnapshot, CHANGE);
		return { folder, collection, older, newer: snapshotPath(folder, 1, CHANGE + 1) };
	}

	test("leaves the newest alone, and nothing has to be kept for the older one any more", async (t) => {
		const { folder, collection, older, newer } = await twoSnapshots(t);
		await keepNewest({ snapshots: folder, ...DATA }, collection);
		assert.deepEqual([existsSync(older), existsSync(newer), collection.oldestSnapshot], [false, true, CHANGE + 1]);
		await keepNewest({ snapshots: folder, ...DATA }, collection);
		assert.ok(existsSync(newer));
	});

	test("removes nothing where the newest does not hold", async (t) => {
		const { folder, collection, older, newer } = await twoSnapshots(t);
		const bytes = readFileSync(newer);
		const { offset } = readInfo(newer).sections.find(({ name }) => name === "ids") as { offset: number };
		bytes.writeUint8((bytes[offset] as number) ^ 1, offset);
		writeFileSync(newer, bytes);
		await assert.rejects(keepNewest({ snapshots: folder, ...DATA }, collection), (error) =>
			isNighError(error, "CORRUPT_SNAPSHOT"),
		);
		assert.deepEqual([existsSync(older), existsSync(newer), collection.oldestSnapshot], [true, true, CHANGE]);
	});
});

test("the next generation has the same graph without what has died", async () => {
	const { owned } = await filled();
	for (const arrange of [false, true]) {
		const { owned: next, oldSlots } = await nextGeneration(owned, owned.generation.size.rowBytes, {
			place: NOWHERE,
			wanted: { kind: "hnsw" },
			fresh: false,
			arrange,
			parallel: serial,
			between: async () => {},
			onProgress() {},
		});
		assert.equal(oldSlots.length, N - 3);
		const before = idsAndVectors(owned, N);
		assert.deepEqual(
			idsAndVectors(next, N - 3),
			[...oldSlots].map((slot) => before[slot]),
		);
		assert.equal(next.main?.size, N - 3);
		assert.equal(next.generation.nextExpiry, 1_007);
	}
});

describe("a snapshot under right checksums that is none of this collection is reported and passed over", () => {
	let whole: { owned: Owned; stride: number; label: number };
	before(async () => {
		const { owned } = await filled();
		const { sections, state: saved } = (owned.main as HnswIndex).parts();
		const blocks = sections.find(({ name }) => name === "blocks");
		const stride = (blocks?.bytes.length as number) / (saved.slots as number) / 4;
		// Codes of 4 dimensions take 16 bytes, then come the norm, the label, the count of links and the links.
		whole = { owned, stride, label: 16 / 4 + 1 };
	});
	const lies: Record<string, (forged: Forged) => void> = {
		"a link beyond the graph": (forged) => {
			words(forged, "index.blocks")[7 * whole.stride + whole.label + 2] = N - 10;
		},
		"a label twice": (forged) => {
			const blocks = words(forged, "index.blocks");
			blocks[7 * whole.stride + whole.label] = blocks[8 * whole.stride + whole.label] as number;
		},
		"a label that is no slot": (forged) => {
			words(forged, "index.blocks")[7 * whole.stride + whole.label] = N - 10;
		},
		"more nodes than there are": (forged) => Object.assign(state(forged), { slots: N + 1 }),
		"labels of other slots": (forged) => Object.assign(state(forged), { nextLabel: N }),
		"other dimensions": (forged) => Object.assign(state(forged), { dimensions: 5 }),
		"another metric": (forged) => Object.assign(state(forged), { metric: "cosine" }),
		"another kind of index": ({ meta }) => Object.assign(meta.index, { kind: "ivf" }),
		"a section of the index missing": ({ sections }) => sections.delete("index.upper"),
		"the slots' labels missing": ({ sections }) => sections.delete("labels"),
		"labels out of order": (forged) => words(forged, "labels").reverse(),
		"ids that start before the one before": (forged) => {
			words(forged, "idStarts")[9] = 0;
		},
		"ids that end elsewhere": (forged) => {
			const starts = words(forged, "idStarts");
			starts[starts.length - 1] = (starts.at(-1) as number) + 1;
		},
	};
	const check = async (t: TestContext, lie: (forged: Forged) => void) => {
		const folder = testFolder(t);
		const path = await save(folder, whole.owned);
		await forge(path, lie);
		return { path, recovered: await recover(folder) };
	};

	for (const [name, lie] of Object.entries(lies)) {
		test(name, async (t) => {
			const { path, recovered } = await check(t, lie);
			assert.equal(recovered.owned, undefined);
			assert.deepEqual(recovered.damaged, [path]);
			assert.deepEqual(
				recovered.problems.map(({ code }) => code),
				["snapshot-damaged"],
			);
		});
	}

	test("and one that is written again as it was is taken", async (t) => {
		const { recovered } = await check(t, () => {});
		assert.deepEqual(recovered.problems, []);
		assert.equal(recovered.owned?.main?.size, N - 10);
	});
});
