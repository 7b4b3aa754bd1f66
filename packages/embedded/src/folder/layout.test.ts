import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { flushedBy } from "./flushed.test-support.ts";
import { testFolder } from "./folder.test-support.ts";
import { pathsIn, prepareFolder } from "./layout.ts";

test("makes the folder and those above it, and takes one that is there as it is", (t) => {
	const parent = testFolder(t);
	const folder = join(parent, "a", "b");
	const paths = prepareFolder(folder, { create: true });
	assert.deepEqual(paths, pathsIn(folder));
	assert.deepEqual(readdirSync(folder), ["snapshots"]);
	writeFileSync(join(folder, "notes.txt"), "mine");
	assert.deepEqual(prepareFolder(folder, { create: false }), paths);
	assert.deepEqual(readdirSync(folder).sort(), ["notes.txt", "snapshots"]);
});

test("reading makes nothing", (t) => {
	const folder = testFolder(t);
	prepareFolder(folder, { create: true, readOnly: true });
	assert.deepEqual(readdirSync(folder), []);
});

test("a folder that is missing is NOT_FOUND, with what to do", (t) => {
	const folder = join(testFolder(t), "nowhere");
	assert.throws(() => prepareFolder(folder, { create: false }), { code: "NOT_FOUND", message: /create: true/ });
	assert.throws(() => prepareFolder(folder, { create: true, readOnly: true }), {
		code: "NOT_FOUND",
		message: /readOnly/,
	});
});

test("a file in the place of the folder, of one above it, or of one in it is INVALID_OPTION", (t) => {
	const folder = testFolder(t);
	const file = join(folder, "file");
	writeFileSync(file, "");
	const refused = (path: string) => ({ code: "INVALID_OPTION", details: { field: "path", value: path } });
	assert.throws(() => prepareFolder(file, { create: true }), refused(file));
	assert.throws(() => prepareFolder(file, { create: false }), refused(file));
	assert.throws(() => prepareFolder(join(file, "data"), { create: true }), refused(join(file, "data")));
	writeFileSync(join(folder, "snapshots"), "");
	assert.throws(() => prepareFolder(folder, { create: true }), { code: "INVALID_OPTION" });
});

test("a folder that may not be written in is READ_ONLY, and can still be read", (t) => {
	const folder = join(testFolder(t), "data");
	mkdirSync(folder, { mode: 0o555 });
	asOrdinaryUser(folder, () => {
		assert.throws(() => prepareFolder(folder, { create: true }), { code: "READ_ONLY", message: /change them/ });
		assert.throws(() => prepareFolder(join(folder, "deeper"), { create: true }), { code: "READ_ONLY" });
		assert.equal(prepareFolder(folder, { create: false, readOnly: true }).folder, folder);
	});
	chmodSync(folder, 0o755);
});

/** The superuser may write everywhere, so it steps down for the moment. */
function asOrdinaryUser(folder: string, act: () => void): void {
	if (process.geteuid?.() !== 0) {
		act();
		return;
	}
	chmodSync(join(folder, ".."), 0o755);
	process.seteuid?.(65_534);
	try {
		act();
	} finally {
		process.seteuid?.(0);
	}
}

test("the names of the folders that are made are flushed, so that no power cut takes them", (t) => {
	const parent = testFolder(t);
	const folder = join(parent, "a", "b", "c");
	const flushed = flushedBy(() => prepareFolder(folder, { create: true }));
	// Windows has no such call.
	const names = process.platform === "win32" ? [] : [join(parent, "a", "b"), join(parent, "a"), parent];
	assert.deepEqual(flushed, names);
	assert.deepEqual(
		flushedBy(() => prepareFolder(folder, { create: true })),
		[],
	);
});
