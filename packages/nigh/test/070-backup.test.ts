// `nigh verify`, `repair`, `backup` and `restore`.
import assert from "node:assert/strict";
import { existsSync, openSync, readdirSync, readSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { isNighError } from "@nigh/contract";
import { backupCommand } from "../src/commands/backup.ts";
import { countCommand } from "../src/commands/count.ts";
import { healthCommand } from "../src/commands/health.ts";
import { repairCommand } from "../src/commands/repair.ts";
import { restoreCommand } from "../src/commands/restore.ts";
import { verifyCommand } from "../src/commands/verify.ts";
import { open } from "../src/open.ts";
import { makeTemporaryFolder } from "../src/temporary-folder.test-support.ts";
import { numbers, run, succeed } from "./run-command.test-support.ts";

const { folder, remove } = makeTemporaryFolder();
const database = join(folder, "db");
const data = ["--data", database];
const ROWS = 300;

before(async () => {
	const db = await open(database);
	const graph = await db.collection("graph", { metric: "l2", index: { kind: "hnsw" } });
	const vectors = numbers(ROWS * 8, 1);
	await graph.upsert(
		Array.from({ length: ROWS }, (_, row) => ({ id: `r${row}`, vector: vectors.subarray(row * 8, row * 8 + 8) })),
	);
	await graph.optimize();
	await db.close();
});
after(remove);

test("a backup is restored into another folder, once, and over what is there only if asked", async () => {
	const archive = join(folder, "backup.tar.gz");
	const backed = await succeed(backupCommand, [archive, ...data, "--json"]);
	const [{ path, collections, records, bytes }] = backed.objects;
	assert.deepEqual([path, collections, records], [archive, ["graph"], ROWS]);
	assert.ok(bytes > 0);
	const copy = ["--data", join(folder, "copy")];
	const restored = await succeed(restoreCommand, [archive, ...copy, "--json"]);
	assert.deepEqual(restored.objects, [{ collections: ["graph"], records: ROWS }]);
	assert.deepEqual((await succeed(countCommand, ["graph", ...copy])).lines, [String(ROWS)]);
	const again = await run(restoreCommand, [archive, ...copy]);
	assert.ok(isNighError(again.error, "SPEC_CONFLICT"));
	assert.match((again.error as Error).message, /has graph already, .* --overwrite/);
	const over = await succeed(restoreCommand, [archive, "--overwrite", ...copy]);
	assert.deepEqual(over.lines, ["300 records restored, of graph."]);
	assert.ok(isNighError((await run(backupCommand, [archive, ...data])).error, "INVALID_OPTION"), "it is there already");
});

test("backups are named by their time, and the newest are kept", async () => {
	const place = join(folder, "backups");
	for (let count = 0; count < 3; count++) await succeed(backupCommand, [place, "--keep", "2", "--gzip", ...data]);
	const names = readdirSync(place);
	assert.equal(names.length, 2);
	assert.ok(names.every((name) => name.endsWith(".tar.gz")));
});

test("a damaged index is found by verify with exit code 1 and mended by repair; the records are all there", async () => {
	assert.match(
		(await succeed(verifyCommand, data)).lines[0] ?? "",
		/^No problem found; [0-9.]+ [KM]iB have the checksums they were written with\.$/,
	);
	const snapshots = join(database, "snapshots");
	for (const name of readdirSync(snapshots)) damage(join(snapshots, name));
	const found = await run(verifyCommand, [...data, "--json"]);
	assert.equal((found.error as Error).name, "ProblemsFound");
	const [{ ok, problems }] = found.objects;
	assert.equal(ok, false);
	assert.deepEqual([problems[0].collection, problems[0].code], ["graph", "CORRUPT_SNAPSHOT"]);
	const told = await run(verifyCommand, data);
	assert.match(told.lines[0] ?? "", /^graph: CORRUPT_SNAPSHOT: /);
	const health = await run(healthCommand, [...data, "--json"]);
	assert.equal((health.error as Error).name, "ProblemsFound");
	assert.equal(health.objects[0].status, "degraded");
	const repaired = await succeed(repairCommand, [...data, "--json"]);
	assert.deepEqual([repaired.objects[0].repaired.length > 0, repaired.objects[0].remaining], [true, []]);
	assert.equal((await succeed(verifyCommand, [...data, "--json"])).objects[0].ok, true);
	assert.deepEqual((await succeed(countCommand, ["graph", ...data])).lines, [String(ROWS)]);
});

test("records that cannot be read at all send to repair, and repair to a backup", async () => {
	const place = join(folder, "unreadable");
	await (await open(place)).close();
	writeFileSync(join(place, "records.sqlite"), "no database".repeat(1_000));
	const health = await run(healthCommand, ["--data", place]);
	assert.ok(isNighError(health.error, "CORRUPT_RECORDS"));
	assert.match(health.error.message, /: nigh repair saves what can be read; otherwise restore a backup\.$/);
	const repaired = await run(repairCommand, ["--data", place]);
	assert.ok(isNighError(repaired.error, "CORRUPT_RECORDS"));
	assert.match(
		repaired.error.message,
		/^Nothing can be read of the records in .*: restore a backup into another folder/,
	);
});

/** Turns a byte in the middle of a file around. */
function damage(path: string): void {
	const file = openSync(path, "r+");
	const byte = new Uint8Array(1);
	readSync(file, byte, 0, 1, 2_000);
	byte[0] = (byte[0] as number) ^ 0xff;
	writeSync(file, byte, 0, 1, 2_000);
}

test("a backup that is not there, and wrong usage, are refused", async () => {
	const place = ["--data", join(folder, "new")];
	assert.ok(isNighError((await run(restoreCommand, [join(folder, "none"), ...place])).error, "NOT_FOUND"));
	assert.equal(existsSync(place[1] as string), false, "no database is made for it");
	for (const [command, args, message] of [
		[backupCommand, [], /DEST is missing/],
		[backupCommand, ["x", "--keep", "0"], /--keep is 0/],
		[restoreCommand, ["a", "b"], /"b" is one too many/],
		[verifyCommand, ["graph"], /verify takes nothing but options/],
	] as const) {
		const { error } = await run(command, [...args, ...data]);
		assert.equal((error as Error | undefined)?.name, "UsageError");
		assert.match((error as Error).message, message);
	}
	for (const command of [verifyCommand, backupCommand, repairCommand]) {
		const args = command === backupCommand ? [join(folder, "x")] : [];
		const { error } = await run(command, [...args, "--data", folder]);
		assert.ok(isNighError(error, "NOT_FOUND"), `${command.name}: ${error}`);
	}
	assert.equal(existsSync(join(folder, "snapshots")), false);
});
