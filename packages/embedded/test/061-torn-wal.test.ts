// The write-ahead log of the records as a power cut may leave it: cut short, its tail zeroed, a byte of it another. What is opened is what had
// been committed up to there, whole transactions in their order, whatever the snapshots know.
import assert from "node:assert/strict";
import { cpSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { RecordInput } from "@nigh/contract";
import { createRandom, type Random } from "@nigh/contract/suite";
import {
	checkAnswers,
	checkRecords,
	DIMENSIONS,
	type Model,
	makePlace,
	type Place,
	points,
	put,
} from "./points.test-support.ts";

const SPEC = { dimensions: DIMENSIONS, metric: "l2", index: { kind: "hnsw", M: 8, efConstruction: 40 } } as const;
/** Records of a batch, and the batches that are in the log alone. */
const BATCH = 40;
const BATCHES = 24;
/** Places of each kind of damage. */
const PLACES = 4;
const WAL_HEADER = 32;

type Damage = (wal: Buffer, at: number) => Buffer;

const DAMAGE: Readonly<Record<string, Damage>> = {
	"cut off": (wal, at) => wal.subarray(0, at),
	"zeroed from there on": (wal, at) => Buffer.from(wal).fill(0, at),
	"with other bytes from there on": (wal, at) => Buffer.from(wal).fill(0xa5, at),
	"with one flipped bit": (wal, at) => {
		const flipped = Buffer.from(wal);
		flipped[at] = (flipped[at] as number) ^ 0x10;
		return flipped;
	},
};

/** Batch `n`: new records, and half of those of the batch before once more. */
function writtenBy(n: number): RecordInput[] {
	return [...points(n * BATCH, (n + 1) * BATCH), ...points((n - 1) * BATCH, (n - 0.5) * BATCH, n)];
}

/** What is deleted after it: some of the batch before the one before. */
function deletedAfter(n: number): string[] {
	return points((n - 2) * BATCH, (n - 2) * BATCH + 4).map(({ id }) => id);
}

describe("a torn log", () => {
	const seed = Math.floor(Math.random() * 1_000_000);
	/** What the collection holds, and how long the log is, after each commit; the first are as before the log began. */
	const states: { readonly model: Model; readonly end: number }[] = [];
	let place: Place;
	let wal: Buffer;

	before(async () => {
		place = makePlace();
		const model: Model = new Map();
		const walPath = join(place.folder, "data", "records.sqlite-wal");
		const first = await place.open("data");
		put(model, writtenBy(2));
		await (await first.collection("a", SPEC)).upsert(writtenBy(2));
		await first.close();
		states.push({ model: new Map(model), end: WAL_HEADER });
		const database = await place.open("data");
		const collection = await database.collection("a");
		const note = () => states.push({ model: new Map(model), end: statSync(walPath).size });
		for (let n = 3; n < 3 + BATCHES; n++) {
			await collection.upsert(writtenBy(n));
			put(model, writtenBy(n));
			note();
			await collection.delete(deletedAfter(n));
			for (const id of deletedAfter(n)) model.delete(id);
			note();
		}
		// As it lies there while the database is in use: what a machine that stops leaves.
		cpSync(join(place.folder, "data"), join(place.folder, "left"), { recursive: true });
		// And a snapshot that reached the disk, of a later state than what is left of the records.
		await collection.optimize();
		await database.close();
		const snapshots = (name: string) => join(place.folder, name, "snapshots");
		cpSync(snapshots("data"), snapshots("left"), { recursive: true });
		wal = readFileSync(join(place.folder, "left", "records.sqlite-wal"));
	});
	after(() => place.remove());

	/** Opens what is left with that log, and compares it with the last state that the log can have had whole before `at`. */
	async function check(damaged: Buffer, at: number, note: string): Promise<void> {
		const folder = join(place.folder, "torn");
		cpSync(join(place.folder, "left"), folder, { recursive: true });
		for (const ending of ["-wal", "-shm"]) rmSync(join(folder, `records.sqlite${ending}`), { force: true });
		writeFileSync(join(folder, "records.sqlite-wal"), damaged);
		const database = await place.open("torn");
		const collection = await database.collection("a");
		const { model } = states.findLast(({ end }) => end <= at) ?? (states[0] as (typeof states)[number]);
		try {
			await checkRecords(collection, model);
			await checkAnswers(collection, model, { exact: true });
			await checkAnswers(collection, model);
			const { ok, problems } = await database.verify();
			assert.ok(ok, problems.map(({ message }) => message).join("; "));
			const later = points(1_000_000, 1_000_010);
			await collection.upsert(later);
			await collection.optimize();
			const all: Model = new Map(model);
			put(all, later);
			await checkRecords(collection, all);
			await checkAnswers(collection, all);
		} catch (error) {
			throw new Error(note, { cause: error });
		} finally {
			await database.close();
			rmSync(folder, { recursive: true });
		}
	}

	for (const [what, damage] of Object.entries(DAMAGE)) {
		test(`${what}: the commits before it are there, and no others`, async () => {
			const random: Random = createRandom(seed);
			assert.ok(
				states.every(({ end }, i) => i === 0 || end > (states[i - 1]?.end as number)),
				"every commit is in the log",
			);
			for (let i = 0; i < PLACES; i++) {
				const at = WAL_HEADER + random.below(wal.length - WAL_HEADER);
				const damaged = damage(wal, at);
				// Where zeros are zeroed nothing is damaged yet.
				const from = wal.findIndex((byte, j) => j >= at && byte !== damaged[j]);
				await check(damaged, from < 0 ? wal.length : from, `seed ${seed}, byte ${at} of ${wal.length}`);
			}
		});
	}
});
