import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { packTar, type TarEntry } from "modern-tar";
import { testFolder } from "../folder/folder.test-support.ts";
import { packArchive, readFirstFile, unpackArchive } from "./archive.ts";
import { Progress } from "./progress.ts";

const progress = new Progress({}, "The test");

async function archiveOf(path: string, entries: readonly TarEntry[]): Promise<void> {
	writeFileSync(path, gzipSync(await packTar(entries)));
}

function fileOf(name: string, body: string): TarEntry {
	return { header: { name, size: body.length, type: "file" }, body };
}

test("what is packed comes out, in its order", async (t) => {
	const folder = testFolder(t);
	const [from, to, path] = [join(folder, "from"), join(folder, "to"), join(folder, "x.tar.gz")];
	const snapshot = `snapshots/${"1".repeat(120)}-2.nigh-snapshot`;
	mkdirSync(join(from, "snapshots"), { recursive: true });
	const names = ["backup.json", "records.sqlite", snapshot];
	for (const name of names) writeFileSync(join(from, name), name.repeat(1_000));
	await packArchive(from, names, path, progress);
	await unpackArchive(path, to, progress);
	for (const name of names) assert.deepEqual(readFileSync(join(to, name)), readFileSync(join(from, name)));
	assert.equal(await readFirstFile(path, "backup.json"), "backup.json".repeat(1_000));
	assert.equal(await readFirstFile(path, "records.sqlite"), undefined, "not the first");
	await assert.rejects(packArchive(from, names, join(folder, "no", "x.tar.gz"), progress), { code: "NOT_FOUND" });
});

test("nothing is unpacked outside of the folder, and nothing that no backup has", async (t) => {
	const folder = testFolder(t);
	const path = join(folder, "x.tar.gz");
	const link = (type: "symlink" | "link", name: string, linkname: string): TarEntry => ({
		header: { name, size: 0, type, linkname },
	});
	await archiveOf(path, [
		fileOf("../outside", "a"),
		fileOf("snapshots/../../outside", "b"),
		fileOf("/outside", "c"),
		fileOf(join(folder, "outside"), "d"),
		fileOf("snapshots/.hidden", "e"),
		fileOf("other.sqlite", "f"),
		link("symlink", "snapshots", ".."),
		link("symlink", "records.sqlite", join(folder, "outside")),
		link("link", "backup.json", "../outside"),
		fileOf("snapshots/outside", "g"),
		fileOf("records.sqlite", "h"),
	]);
	const to = join(folder, "to");
	await unpackArchive(path, to, progress);
	assert.deepEqual(readdirSync(folder).sort(), ["to", "x.tar.gz"]);
	assert.deepEqual(readdirSync(to, { recursive: true }).sort(), [
		"records.sqlite",
		"snapshots",
		join("snapshots", "outside"),
	]);
	assert.equal(readFileSync(join(to, "records.sqlite"), "utf8"), "h");
});
