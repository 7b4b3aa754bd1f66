// Damage on disk: a snapshot costs time and never an answer; records are never given up in silence, and what can be read is saved.
import assert from "node:assert/strict";
import { channel } from "node:diagnostics_channel";
import {
	cpSync,
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	truncateSync,
	watch,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, type TestContext, test } from "node:test";
import type { Collection, Database } from "@nigh/contract";
import { type OpenOptions, openFolder, repairFolder } from "@nigh/embedded";
import { damagePages, pagesOf } from "../src/records/damage.test-support.ts";
import { readInfo } from "../src/snapshot/read.ts";
import {
	checkAnswers,
	checkRecords,
	DIMENSIONS,
	type Model,
	makePlace,
	type Place,
	points,
	put,
	testPlace,
	until,
	vectorOf,
} from "./points.test-support.ts";

const SPEC = { dimensions: DIMENSIONS, metric: "l2" } as const;
const HNSW = { ...SPEC, index: { kind: "hnsw", M: 8, efConstruction: 40 } } as const;
const RECORDS = 3_000;

/**
 * Fills the collection `a` and closes its database: two snapshots, between them deletes whose tombstones nobody but the older one needs, and
 * changes after both.
 */
async function fill(open: () => Promise<Database>): Promise<Model> {
	const model: Model = new Map();
	const openFilled = async () => {
		const database = await open();
		return { database, collection: await database.collection("a", HNSW) };
	};
	let { database, collection } = await openFilled();
	const remove = async (from: number, to: number) => {
		await collection.delete(points(from, to).map(({ id }) => id));
		for (const { id } of points(from, to)) model.delete(id);
	};
	const write = async (from: number, to: number, version = 0) => {
		await collection.upsert(points(from, to, version));
		put(model, points(from, to, version));
	};
	await write(0, RECORDS);
	await collection.optimize();
	await remove(0, 150);
	// So much that closing saves it.
	await write(200, 1_300, 1);
	await database.close();
	({ database, collection } = await openFilled());
	await remove(1_340, 1_380);
	await write(1_400, 1_420, 2);
	await write(RECORDS, RECORDS + 30);
	await database.close();
	return model;
}

function snapshotsIn(folder: string, key = 1): string[] {
	const names = readdirSync(join(folder, "snapshots")).filter((name) => name.startsWith(`${key}-`));
	const change = (name: string) => Number(/-(\d+)\./.exec(name)?.[1]);
	return names.sort((a, b) => change(b) - change(a)).map((name) => join(folder, "snapshots", name));
}

function flip(path: string, at: number): void {
	const bytes = readFileSync(path);
	bytes.writeUint8((bytes.at(at) as number) ^ 0x10, at < 0 ? bytes.length + at : at);
	writeFileSync(path, bytes);
}

interface Recovery {
	readonly collection: string;
	readonly from: "snapshot" | "records";
	readonly damaged: number;
}

/** What opening the collection told about its snapshots. */
async function recovered(open: () => Promise<Collection>): Promise<{ collection: Collection; recovery: Recovery }> {
	const told: Recovery[] = [];
	const listen = (message: unknown) => void told.push(message as Recovery);
	channel("nigh:recover").subscribe(listen);
	try {
		const collection = await open();
		await until(async () => told.length > 0, "a message about the recovery");
		return { collection, recovery: told[0] as Recovery };
	} finally {
		channel("nigh:recover").unsubscribe(listen);
	}
}

async function checkClean(database: Database): Promise<void> {
	const { ok, problems } = await database.verify();
	assert.deepEqual([ok, problems], [true, []]);
}

describe("damaged snapshots", () => {
	let place: Place;
	let model: Model;
	let template = "";

	before(async () => {
		place = makePlace();
		template = join(place.folder, "template");
		model = await fill(() => place.open("template"));
		const database = await place.open("template");
		const other = await database.collection("b", HNSW);
		await other.upsert(points(0, 1_200));
		await other.optimize();
		await database.close();
		assert.equal(snapshotsIn(template).length, 2);
		assert.equal(snapshotsIn(template, 2).length, 1);
	});
	after(() => place.remove());

	/** A copy with damage done to it. */
	async function opened(damage: (paths: string[], folder: string) => void, options: OpenOptions = {}) {
		rmSync(join(place.folder, "copy"), { recursive: true, force: true });
		cpSync(template, join(place.folder, "copy"), { recursive: true });
		damage(snapshotsIn(join(place.folder, "copy")), join(place.folder, "copy"));
		const database = await place.open("copy", options);
		return { database, ...(await recovered(() => database.collection("a"))) };
	}

	/** Whatever has happened to the index: the records are all there, and exact answers are exact. */
	async function checkRight(collection: Collection): Promise<void> {
		await checkAnswers(collection, model);
		await checkAnswers(collection, model, { exact: true });
		await checkRecords(collection, model);
	}

	/** Waits until there is a sound snapshot again, and health tells nothing but that many records have been replaced since the build. */
	async function checkMended(database: Database, collection: Collection): Promise<void> {
		await until(async () => {
			const { index, ages } = await collection.stats();
			const { reasons } = await collection.health();
			const isMended = reasons.every(({ code }) => code === "index-churned");
			return index.kind === "hnsw" && ages.snapshot !== null && isMended;
		}, "an index that has been built and saved");
		await checkRight(collection);
		await checkClean(database);
		await database.close();
		const again = await place.open("copy");
		const { collection: reopened, recovery } = await recovered(() => again.collection("a"));
		assert.deepEqual([recovery.from, recovery.damaged], ["snapshot", 0]);
		await checkRight(reopened);
		await again.close();
	}

	/** The largest of those whose names begin so: an index has several. */
	const section = (name: string) => (path: string) => {
		const [found] = readInfo(path)
			.sections.filter((each) => each.name.startsWith(name))
			.sort((a, b) => b.bytes - a.bytes);
		assert.ok(found, name);
		return found;
	};
	const middleOf = (name: string) => (path: string) => {
		const { offset, bytes } = section(name)(path);
		return offset + (bytes >> 1);
	};
	const flips: Record<string, (path: string) => number> = {
		"the magic": () => 0,
		"the version": () => 8,
		"the header": () => 200,
		"the labels": middleOf("labels"),
		"the dead": middleOf("dead"),
		"the starts of the ids": middleOf("idStarts"),
		"the ids": middleOf("ids"),
		"the index": middleOf("index"),
		"the table of checksums": () => -36,
		"the trailer": () => -20,
	};
	const damages: Record<string, (path: string, folder: string) => void> = {
		...Object.fromEntries(
			Object.entries(flips).map(([what, at]) => [`a bit in ${what}`, (path: string) => flip(path, at(path))]),
		),
		"cut off at the start": (path) => truncateSync(path, 0),
		"cut off behind the header": (path) => truncateSync(path, section("labels")(path).offset),
		"cut off before the index": (path) => truncateSync(path, section("index")(path).offset),
		"cut off before the trailer": (path) => truncateSync(path, readInfo(path).fileBytes - 32),
		"a zeroed tail": (path) => {
			const bytes = readFileSync(path);
			writeFileSync(path, bytes.fill(0, bytes.length >> 1));
		},
		"that of another collection": (path, folder) =>
			writeFileSync(path, readFileSync(snapshotsIn(folder, 2)[0] as string)),
	};

	for (const [what, damage] of Object.entries(damages)) {
		test(`${what}: told, answered from the records, and built anew`, async () => {
			const { database, collection, recovery } = await opened((paths, folder) => {
				for (const path of paths) damage(path, folder);
			});
			assert.deepEqual([recovery.from, recovery.damaged], ["records", 2]);
			await checkRight(collection);
			// The whole way for one of them: they have all become the same case by now.
			if (what === "a bit in the index") await checkMended(database, collection);
			else await database.close();
		});
	}

	test("health tells it, until another snapshot has taken their place", async () => {
		// Who only reads writes none: it can be asked at leisure.
		const { database, collection } = await opened(
			(paths) => {
				for (const path of paths) flip(path, -20);
			},
			{ readOnly: true },
		);
		const { status, reasons } = await collection.health();
		assert.equal(status, "degraded");
		assert.ok(reasons.some(({ code }) => code === "snapshot-damaged"));
		await checkRight(collection);
		await database.close();
		const writer = await place.open("copy");
		await checkMended(writer, await writer.collection("a"));
	});

	test("the older snapshot is read where the newest is damaged, and what was deleted since stays deleted", async () => {
		const { database, collection, recovery } = await opened(([newest]) => flip(newest as string, -20));
		assert.deepEqual([recovery.from, recovery.damaged], ["snapshot", 1]);
		await checkRight(collection);
		await checkMended(database, collection);
	});

	test("a snapshot that knows more than the records is not believed, then or later", async () => {
		const { database, collection, recovery } = await opened((paths, folder) => {
			const older = paths[1] as string;
			renameSync(older, join(folder, "snapshots", "1-900.nigh-snapshot"));
		});
		assert.deepEqual([recovery.from, recovery.damaged], ["snapshot", 0]);
		assert.ok((await collection.health()).reasons.some(({ code }) => code === "records-behind"));
		await checkRight(collection);
		assert.equal(existsSync(join(place.folder, "copy", "snapshots", "1-900.nigh-snapshot")), false);
		await database.close();
	});

	test("what only looks like a snapshot does no harm", async () => {
		const { database, collection, recovery } = await opened((_paths, folder) => {
			mkdirSync(join(folder, "snapshots", "1-9.nigh-snapshot"));
			writeFileSync(join(folder, "snapshots", "notes.txt"), "mine");
			writeFileSync(join(folder, "snapshots", "1-8.nigh-snapshot.tmp-0123456789ab"), "half");
		});
		assert.deepEqual([recovery.from, recovery.damaged], ["snapshot", 0]);
		await checkRight(collection);
		await database.close();
		const left = readdirSync(join(place.folder, "copy", "snapshots"));
		assert.deepEqual([left.includes("notes.txt"), left.some((name) => name.includes(".tmp-"))], [true, false]);
	});

	test("damage behind an open database's back is found by verify, and mended by repair", async () => {
		const { database, collection } = await opened(() => {});
		const files = () => snapshotsIn(join(place.folder, "copy"));
		for (const path of files()) flip(path, middleOf("index")(path));
		const { ok, problems } = await database.verify();
		assert.equal(ok, false);
		assert.deepEqual(
			problems.map(({ collection: name, code }) => [name, code]),
			[
				["a", "CORRUPT_SNAPSHOT"],
				["a", "CORRUPT_SNAPSHOT"],
			],
		);
		assert.deepEqual(await database.repair(), { repaired: problems, remaining: [] });
		await checkClean(database);
		await checkRight(collection);
		assert.equal(files().length, 1);
		assert.deepEqual(await database.repair(), { repaired: [], remaining: [] });
		// Of a collection that is not open, too.
		for (const path of snapshotsIn(join(place.folder, "copy"), 2)) flip(path, 8);
		const report = await database.repair();
		assert.deepEqual([report.repaired.map(({ collection: name }) => name), report.remaining], [["b"], []]);
		assert.equal(await (await database.collection("b")).count(), 1_200);
		await database.close();
	});

	test("repairFolder takes damaged snapshots away from a closed database", async () => {
		const { database } = await opened(() => {});
		await database.close();
		for (const path of snapshotsIn(join(place.folder, "copy"))) flip(path, 8);
		const { repaired, remaining, salvage, damaged } = await repairFolder(join(place.folder, "copy"));
		assert.deepEqual([repaired.length, remaining, salvage, damaged], [2, [], null, null]);
		assert.deepEqual(snapshotsIn(join(place.folder, "copy")), []);
	});
});

/** A closed database of one collection, `a`, with the key 1. */
async function closed(t: TestContext, records = 400) {
	const { folder, open } = testPlace(t);
	const database = await open("data");
	const collection = await database.collection("a", SPEC);
	const model: Model = new Map();
	await collection.upsert(points(0, records));
	put(model, points(0, records));
	await database.close();
	const data = join(folder, "data");
	return { data, records: join(data, "records.sqlite"), model, reopen: () => open("data") };
}

function spoil(path: string, sql: string): void {
	const db = new DatabaseSync(path, { defensive: false });
	db.exec(sql);
	db.close();
}

test("an index in memory that has come apart from the records is found by verify, and built again by repair", async (t) => {
	const { model, reopen, records } = await closed(t);
	const database = await reopen();
	const collection = await database.collection("a");
	// Past the database: one is gone, and one has another label.
	spoil(
		records,
		"DELETE FROM records_1 WHERE label = 7; DELETE FROM vectors_1 WHERE label = 7; DELETE FROM words_1 WHERE rowid = 7",
	);
	spoil(records, "UPDATE collections SET records = 399, next_label = 401 WHERE key = 1");
	for (const table of ["records_1", "vectors_1"]) spoil(records, `UPDATE ${table} SET label = 400 WHERE label = 9`);
	spoil(
		records,
		"DELETE FROM words_1 WHERE rowid = 9; INSERT INTO words_1 (rowid, text) VALUES (400, 'point number 9')",
	);
	model.delete("p7");
	const { problems } = await database.verify();
	assert.deepEqual(
		problems.map(({ collection: name, code }) => [name, code]),
		[
			["a", "CORRUPT_SNAPSHOT"],
			["a", "CORRUPT_SNAPSHOT"],
		],
	);
	assert.match(problems[0]?.message ?? "", /not in its index: 1, the first with the label 400/);
	assert.match(problems[1]?.message ?? "", /have no record: 2, the first with the label 7/);
	assert.deepEqual(await database.repair(), { repaired: problems, remaining: [] });
	await checkRecords(collection, model);
	await checkAnswers(collection, model, { exact: true });
	await collection.upsert(points(7, 8));
	put(model, points(7, 8));
	await checkAnswers(collection, model, { exact: true });
});

test("vectors in memory that are not those of the records are found by verify", async (t) => {
	const { reopen, records, model } = await closed(t);
	const database = await reopen();
	const collection = await database.collection("a");
	const vector = Buffer.from(vectorOf(5_000).buffer).toString("hex");
	spoil(records, `UPDATE vectors_1 SET vector = x'${vector}' WHERE label = 11`);
	model.set("p11", vectorOf(5_000));
	const { problems } = await database.verify();
	assert.deepEqual(
		problems.map(({ collection: name, code }) => [name, code]),
		[["a", "CORRUPT_SNAPSHOT"]],
	);
	assert.match(problems[0]?.message ?? "", /1 of 2\d\d records .* are not found, such as "p11"/);
	assert.deepEqual((await database.repair()).remaining, []);
	await checkAnswers(collection, model, { exact: true });
});

test("records that can be mended are mended by repair, and what is lost remains", async (t) => {
	const { reopen, records } = await closed(t);
	spoil(records, "DELETE FROM words_1 WHERE rowid = 4; UPDATE collections SET records = 7 WHERE key = 1");
	spoil(records, "UPDATE records_1 SET metadata = '{' WHERE label = 8");
	const database = await reopen();
	const collection = await database.collection("a");
	const { repaired, remaining } = await database.repair();
	assert.deepEqual(
		repaired.map(({ code }) => code),
		["CORRUPT_RECORDS", "CORRUPT_RECORDS"],
	);
	assert.match(remaining[0]?.message ?? "", /metadata that are not JSON: 1, the first with the label 8/);
	assert.equal(remaining.length, 1);
	assert.equal(await collection.count(), 400);
	await assert.rejects(collection.get("p8"), { code: "CORRUPT_RECORDS", message: /repairFolder/ });
	assert.equal((await collection.get("p9"))?.text, "point number 9");
});

test("records that have gone are never taken for a new database", async (t) => {
	const { data, records, reopen } = await closed(t);
	const bytes = readFileSync(records);
	const refused = { code: "CORRUPT_RECORDS", message: /backup/ };
	for (const damage of [
		() => truncateSync(records, 0),
		() => rmSync(records),
		() => writeFileSync(records, Buffer.alloc(bytes.length)),
		() => writeFileSync(records, bytes.subarray(0, 100)),
		() => writeFileSync(records, "not a database, and never was one".repeat(100)),
	]) {
		damage();
		for (const options of [{}, { readOnly: true }, { create: false }]) {
			await assert.rejects(openFolder(data, options), refused);
		}
		await assert.rejects(repairFolder(data), { code: "CORRUPT_RECORDS" });
	}
	writeFileSync(records, bytes);
	assert.equal(await (await (await reopen()).collection("a")).count(), 400);
});

test("pages that cannot be read are told on opening or on first use, and repairFolder saves the rest", async (t) => {
	const { data, records, model, reopen } = await closed(t, 3_000);
	const damagedPages = pagesOf(records, "vectors_1", "leaf").slice(3, 6);
	damagePages(records, damagedPages, 5);
	// Behind the first page, in which SQLite counts.
	const content = (path: string) => readFileSync(path).subarray(8_192);
	const bytes = content(records);
	const database = await reopen();
	await assert.rejects(database.collection("a"), { code: "CORRUPT_RECORDS", message: /repairFolder/ });
	const { problems } = await database.verify();
	assert.ok(problems.length > 0 && problems.every(({ code }) => code === "CORRUPT_RECORDS"));
	const { remaining: left } = await database.repair();
	assert.ok(left.length > 0, "repair has no other file to write to");
	await assert.rejects(repairFolder(data), { code: "LOCKED" });
	await database.close();
	assert.deepEqual(content(records), bytes, "nothing was written to it");
	const { repaired, remaining, salvage, damaged } = await repairFolder(data);
	assert.ok(repaired.length > 0);
	const [saved] = salvage?.collections ?? [];
	assert.ok(saved !== undefined && saved.lost > 0 && saved.kept + saved.lost === 3_000);
	assert.deepEqual(
		remaining.map(({ collection, code }) => [collection, code]),
		[["a", "CORRUPT_RECORDS"]],
	);
	assert.match(remaining[0]?.message ?? "", new RegExp(`^${saved.lost} records .* ${saved.kept} are saved`));
	assert.match(damaged ?? "", /records\.damaged-[\dTZ-]+\.sqlite$/);
	assert.deepEqual(content(damaged as string), bytes);
	const again = await reopen();
	const collection = await again.collection("a");
	assert.equal(await collection.count(), saved.kept);
	for await (const { id, vector } of collection.scan({ include: { vector: true } })) {
		assert.deepEqual(vector, model.get(id));
	}
	await checkClean(again);
	await again.close();
	assert.deepEqual(await repairFolder(data), { repaired: [], remaining: [], salvage: null, damaged: null });
});

test("what an earlier repair left is in nobody's way, whatever its process was called", async (t) => {
	const { data, records, reopen } = await closed(t);
	damagePages(records, pagesOf(records, "words_1_data", "leaf").slice(-1), 5);
	const left = [1, process.pid].flatMap((pid) =>
		["", "-wal", "-shm"].map((end) => `records.saving-${pid}.sqlite${end}`),
	);
	for (const name of left) writeFileSync(join(data, name), "half");
	const { remaining } = await repairFolder(data);
	assert.deepEqual(remaining, []);
	assert.deepEqual(
		readdirSync(data).filter((name) => name.startsWith("records.saving-")),
		[],
	);
	assert.equal(await (await (await reopen()).collection("a")).count(), 400);
});

test("a repair that was aborted leaves nothing, and the next one does it", async (t) => {
	const { data, records, reopen } = await closed(t);
	damagePages(records, pagesOf(records, "words_1_data", "leaf").slice(-1), 5);
	const controller = new AbortController();
	const watcher = watch(data, (_, name) => {
		if (name?.startsWith("records.saving-")) controller.abort("enough");
	});
	t.after(() => watcher.close());
	await assert.rejects(repairFolder(data, { signal: controller.signal }), { code: "ABORTED" });
	watcher.close();
	const savings = () => readdirSync(data).filter((name) => name.startsWith("records.saving-"));
	assert.deepEqual(savings(), []);
	assert.deepEqual((await repairFolder(data)).remaining, []);
	assert.deepEqual(savings(), []);
	assert.equal(await (await (await reopen()).collection("a")).count(), 400);
});

test("damage to an index of SQLite costs nothing: repairFolder saves every record", async (t) => {
	const { data, records, model, reopen } = await closed(t);
	for (const name of ["sqlite_autoindex_records_1_1", "words_1_data"]) {
		damagePages(records, pagesOf(records, name, "leaf").slice(-1), 5);
		const { remaining, salvage } = await repairFolder(data);
		assert.deepEqual(remaining, []);
		assert.equal(salvage?.collections[0]?.kept, 400);
		const database = await reopen();
		const collection = await database.collection("a");
		await checkRecords(collection, model);
		const { hits } = await collection.search({ vector: vectorOf(77), text: "77", k: 1, include: { text: true } });
		assert.equal(hits[0]?.text, "point number 77");
		await checkClean(database);
		await database.close();
	}
});

test("a swap that was interrupted is finished on opening, and no WAL gets beside records it does not belong to", async (t) => {
	const { data, records, reopen } = await closed(t);
	const saved = join(data, "records.salvaged.sqlite");
	cpSync(records, saved);
	spoil(saved, "UPDATE collections SET spec = json_set(spec, '$.recall', 0.9)");
	// As it is between two renames: the WAL has gone, the damaged file has not, or has.
	for (const isGone of [false, true]) {
		if (isGone) cpSync(records, saved);
		writeFileSync(`${records}-wal`, "belongs to the damaged file");
		const bytes = readFileSync(records);
		if (isGone) rmSync(records);
		const database = await reopen();
		assert.equal(await (await database.collection("a")).count(), 400);
		await database.close();
		const kept = readdirSync(data).filter((name) => name.startsWith("records.damaged-") && name.endsWith(".sqlite"));
		if (!isGone) assert.deepEqual(readFileSync(join(data, kept[0] as string)), bytes);
		assert.equal(existsSync(saved), false);
	}
});
