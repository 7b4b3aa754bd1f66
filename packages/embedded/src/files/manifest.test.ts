import assert from "node:assert/strict";
import { test } from "node:test";
import { isBackupName, type Manifest, manifestText, parseManifest } from "./manifest.ts";

const MANIFEST: Manifest = {
	kind: "nigh-backup",
	version: 1,
	createdAt: "2026-11-21T07:41:00.005Z",
	databaseId: "db-1",
	collections: [{ name: "notes", records: 3 }],
	files: [
		{ name: "records.sqlite", bytes: 12, sha256: "ab" },
		{ name: "snapshots/1-2.nigh-snapshot", bytes: 3, sha256: "cd" },
	],
};

test("a manifest comes back as it was written", () => {
	assert.deepEqual(parseManifest(manifestText(MANIFEST), "backup.json"), MANIFEST);
});

test("a newer version is refused as such, whatever else it says", () => {
	const text = JSON.stringify({ kind: "nigh-backup", version: 2, contents: "other" });
	assert.throws(() => parseManifest(text, "backup.json"), {
		code: "NEWER_VERSION",
		details: { path: "backup.json", value: 2, bound: 1 },
		message: /update nigh/,
	});
});

test("any change to the text that changes what it says is damage", () => {
	const text = manifestText(MANIFEST);
	const changes = [
		["notes", "nodes"],
		['"records": 3', '"records": 4'],
		["2026", "2025"],
		['"bytes": 12', '"bytes": 13'],
		["ab", "ac"],
		['"version": 1', '"version": 0'],
		['"version": 1', '"version": "9"'],
		["nigh-backup", "other"],
		["{", "["],
	] as const;
	for (const [from, to] of changes) {
		assert.throws(
			() => parseManifest(text.replace(from, to), "backup.json"),
			{ code: "CORRUPT_RECORDS" },
			`${from} -> ${to}`,
		);
	}
	for (const other of ["", "null", "3", text.slice(0, -3)]) {
		assert.throws(() => parseManifest(other, "backup.json"), { code: "CORRUPT_RECORDS" });
	}
});

test("names that lead elsewhere, and files that are no list, are refused though the checksum is right", () => {
	const records = MANIFEST.files[0];
	const lists: unknown[] = [
		[],
		undefined,
		"records.sqlite",
		[null],
		[MANIFEST.files[1], records],
		[records, { name: "../x", bytes: 1, sha256: "" }],
		[records, { name: "snapshots/../../x", bytes: 1, sha256: "" }],
		[records, { name: "/etc/x", bytes: 1, sha256: "" }],
	];
	for (const files of lists) {
		const text = manifestText({ ...MANIFEST, files } as Manifest);
		assert.throws(() => parseManifest(text, "backup.json"), { code: "CORRUPT_RECORDS" }, JSON.stringify(files));
	}
});

test("only the records, and snapshots without a way out, are names of a backup", () => {
	for (const name of ["records.sqlite", "snapshots/1-2.nigh-snapshot"]) assert.ok(isBackupName(name));
	const others = [
		"",
		"x",
		"snapshots",
		"snapshots/",
		"snapshots/..",
		"snapshots/a/b",
		"snapshots\\..\\x",
		"./records.sqlite",
	];
	for (const name of others) assert.equal(isBackupName(name), false, name);
});
