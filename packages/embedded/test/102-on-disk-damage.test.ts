// Row files and snapshots that are damaged: found, mended, and no record is lost.
import assert from "node:assert/strict";
import {
	closeSync,
	copyFileSync,
	existsSync,
	openSync,
	readFileSync,
	readSync,
	renameSync,
	rmSync,
	truncateSync,
	writeFileSync,
	writeSync,
} from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { repairFolder } from "@nigh/embedded";
import { newRowFile } from "../src/row-files/folder.ts";
import { FRONT_BYTES } from "../src/row-files/front.ts";
import { KINDS, OnDisk, range } from "./on-disk.test-support.ts";

const RECORDS = 1_500;
const ROW_BYTES = 128;

/** With two segments in its snapshot. */
async function filled(t: TestContext, seed: number, kind = KINDS[0] as (typeof KINDS)[number]): Promise<OnDisk> {
	const life = await OnDisk.filled(t, seed, kind, RECORDS);
	await life.notes.optimize();
	return life;
}

function flip(path: string, offset: number): void {
	const descriptor = openSync(path, "r+");
	const byte = new Uint8Array(1);
	readSync(descriptor, byte, 0, 1, offset);
	byte[0] = (byte[0] as number) ^ 0x10;
	writeSync(descriptor, byte, 0, 1, offset);
	closeSync(descriptor);
}

/** What can befall the one row file that the snapshot names. */
const DAMAGE: Readonly<Record<string, (life: OnDisk, path: string) => void>> = {
	"is missing": (_, path) => rmSync(path),
	"is empty": (_, path) => truncateSync(path, 0),
	"ends in its front": (_, path) => truncateSync(path, 100),
	"ends in the middle of a row": (_, path) => truncateSync(path, FRONT_BYTES + 700 * ROW_BYTES + 5),
	"misses one byte": (_, path) => truncateSync(path, FRONT_BYTES + RECORDS * ROW_BYTES - 1),
	"has a flipped bit in its front": (_, path) => flip(path, 17),
	"is something else": (_, path) => writeFileSync(path, Buffer.alloc(FRONT_BYTES + RECORDS * ROW_BYTES, "no rows ")),
	"is of another collection": (life, path) => {
		const other = join(life.snapshots, life.rowFiles().find((name) => !path.endsWith(name)) as string);
		copyFileSync(other, path);
	},
};

describe("a row file that", () => {
	for (const [what, damage] of Object.entries(DAMAGE)) {
		test(`${what}: the index is built from the records, and health tells`, async (t) => {
			const life = await filled(t, 41);
			if (what === "is of another collection") {
				const other = await life.database.collection("other", life.spec);
				await other.upsert(range(0, RECORDS).map((n) => ({ id: `o${n}`, vector: life.clusters.next() })));
				await other.optimize();
			}
			await life.database.close();
			const named = life.rowFiles().filter((name) => name.startsWith(`${life.key()}-`));
			const path = join(life.snapshots, life.named().find((name) => named.includes(name)) as string);
			damage(life, path);
			const recovered = await life.open();
			assert.deepEqual([recovered.from, recovered.damaged], ["records", 1]);
			assert.ok((await life.notes.health()).reasons.some(({ code }) => code === "snapshot-damaged"));
			await life.meanRecall({ exact: true }, 2);
			await life.settled();
			await life.checkRecords();
			assert.ok((await life.meanRecall()) >= 0.9);
			await life.notes.optimize();
			const { ok, problems } = await life.database.verify();
			assert.deepEqual([ok, problems], [true, []]);
			assert.equal((await life.reopen()).from, "snapshot");
			assert.equal(await life.meanRecall({ exact: true }, 3), 1);
		});
	}
});

describe("a flipped bit in a row", () => {
	const damaged = async (t: TestContext, seed: number) => {
		const life = await filled(t, seed);
		const [file] = life.named();
		const path = join(life.snapshots, file as string);
		flip(path, FRONT_BYTES + 777 * ROW_BYTES + 3);
		return { life, path };
	};
	const checkFinding = async (life: OnDisk) => {
		const { ok, problems } = await life.database.verify();
		assert.equal(ok, false);
		const [problem] = problems;
		assert.deepEqual([problem?.code, problem?.collection], ["CORRUPT_SNAPSHOT", "notes"]);
		assert.match(problem?.message ?? "", /nigh-rows/);
	};
	const checkMended = async (life: OnDisk) => {
		const { ok, problems } = await life.database.verify();
		assert.deepEqual([ok, problems], [true, []]);
		await life.checkRecords();
		await life.settled();
		assert.equal(await life.meanRecall({ exact: true }, 3), 1);
		// The one that was damaged among them: every distance is compared with the model's.
		await life.check({ vector: life.clusters.next(), k: RECORDS, exact: true });
		assert.ok((await life.meanRecall()) >= 0.9);
	};

	test("is found by verify, and mended by repair while the collection is open", async (t) => {
		const { life } = await damaged(t, 42);
		await checkFinding(life);
		const { repaired, remaining } = await life.database.repair();
		assert.deepEqual(remaining, []);
		assert.ok(repaired.length > 0);
		await checkMended(life);
	});

	test("is mended by itself when the index is laid out anew in the background, and writing goes on", async (t) => {
		const { life } = await damaged(t, 51);
		// So many more that the cells are trained anew.
		await life.write(range(3_000, 700), 1);
		await life.settled();
		await life.write(range(4_000, 100), 2);
		await checkMended(life);
		assert.equal((await life.reopen()).from, "snapshot");
		await life.checkRecords();
	});

	for (const verb of ["rebuild", "convert"] as const) {
		test(`is mended by ${verb}()`, async (t) => {
			const { life } = await damaged(t, 52);
			if (verb === "rebuild") await life.notes.rebuild();
			else await life.notes.convert({ kind: "ivfpq", storage: "disk" });
			assert.equal((await life.notes.stats()).index.kind, verb === "rebuild" ? "ivf" : "ivfpq");
			await checkMended(life);
		});
	}

	test("is mended by repair of a database that has not opened the collection", async (t) => {
		const { life } = await damaged(t, 43);
		await life.database.close();
		life.database = await life.place.open("data", { now: () => life.clock.now });
		await checkFinding(life);
		assert.deepEqual((await life.database.repair()).remaining, []);
		life.notes = await life.database.collection("notes");
		await checkMended(life);
	});

	test("is mended by repairing the folder of a database that nobody has open", async (t) => {
		const { life } = await damaged(t, 44);
		await life.database.close();
		const { repaired, remaining } = await repairFolder(life.folder);
		assert.deepEqual([repaired.length, remaining], [1, []]);
		assert.equal((await life.open()).from, "records");
		await checkMended(life);
	});
});

describe("a snapshot", () => {
	const spoil = async (t: TestContext, seed: number, damage: (path: string) => void) => {
		const life = await filled(t, seed, KINDS[seed % 3]);
		await life.database.close();
		const [snapshot] = life.snapshotFiles();
		damage(join(life.snapshots, snapshot as string));
		const { from, damaged } = await life.open();
		assert.deepEqual([from, damaged], ["records", 1]);
		assert.ok((await life.notes.health()).reasons.some(({ code }) => code === "snapshot-damaged"));
		await life.settled();
		await life.checkRecords();
		assert.ok((await life.meanRecall()) >= 0.9);
		assert.equal(await life.meanRecall({ exact: true }, 3), 1);
		await life.notes.optimize();
		assert.deepEqual(life.rowFiles().sort(), life.named().sort());
		assert.equal((await life.database.verify()).ok, true);
	};

	test("with a flipped bit in its header", (t) => spoil(t, 45, (path) => flip(path, 200)));

	test("that is no snapshot", (t) => spoil(t, 46, (path) => writeFileSync(path, "no snapshot")));

	test("that names rows of another length", (t) =>
		spoil(t, 47, (path) => {
			const bytes = readFileSync(path);
			const at = bytes.indexOf(`"rowBytes":${ROW_BYTES}`);
			assert.ok(at > 0);
			bytes.write(`"rowBytes":${ROW_BYTES - 16}`, at);
			writeFileSync(path, bytes);
		}));
});

test("where the newest snapshot's rows are gone, the one before it serves, and nothing is lost", async (t) => {
	const life = await filled(t, 48);
	const [old] = life.named();
	await life.reopen();
	await life.write(range(3_000, 1_200), 1);
	await life.settled();
	await life.database.close();
	assert.equal(life.snapshotFiles().length, 2);
	const [newer, ...more] = life.named().filter((name) => name !== old);
	assert.deepEqual(more, []);
	rmSync(join(life.snapshots, newer as string));
	const { from, damaged, changes } = await life.open();
	assert.deepEqual([from, damaged, changes], ["snapshot", 1, 1]);
	await life.checkRecords();
	await life.settled();
	await life.findsOwn([0, 1_499, 3_000, 4_199]);
	assert.ok((await life.meanRecall()) >= 0.9);
	assert.equal(await life.meanRecall({ exact: true }, 3), 1);
});

test("rows that go while they serve: searches tell, and building anew is possible all the same", async (t) => {
	const life = await filled(t, 49);
	for (const name of life.rowFiles()) {
		const path = join(life.snapshots, name);
		truncateSync(path, FRONT_BYTES);
		assert.ok(existsSync(path));
	}
	const vector = life.clusters.next();
	for (const more of [{}, { exact: true }, { filter: { place: { $lt: 50 } } }]) {
		await assert.rejects(life.notes.search({ vector, ...more }), { code: "CORRUPT_SNAPSHOT" });
	}
	assert.equal((await life.database.verify()).ok, false);
	const { remaining } = await life.database.repair();
	assert.deepEqual(remaining, []);
	await life.checkRecords();
	await life.settled();
	assert.equal(await life.meanRecall({ exact: true }, 3), 1);
	assert.ok((await life.meanRecall()) >= 0.9);
});

test("what is found beside the files of a collection goes: rows of none, and rows that nobody names", async (t) => {
	const life = await filled(t, 50);
	await life.database.close();
	const [named] = life.named();
	const own = join(life.snapshots, newRowFile(life.key()));
	const foreign = join(life.snapshots, newRowFile(77));
	for (const path of [own, foreign]) copyFileSync(join(life.snapshots, named as string), path);
	renameSync(foreign, foreign);
	await life.open();
	assert.deepEqual([existsSync(own), existsSync(foreign)], [false, false]);
	assert.ok(life.rowFiles().includes(named as string));
	assert.equal(await life.meanRecall({ exact: true }, 3), 1);
});
