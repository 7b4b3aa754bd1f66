import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { isNighError } from "@nigh/contract";
import { testFolder } from "../folder/folder.test-support.ts";
import { removeTemporary, snapshotPath } from "./folder.ts";
import type { SnapshotMeta } from "./header.ts";
import { readInfo } from "./read.ts";
import { damageOf, META, MIB, pattern, section } from "./snapshot.test-support.ts";
import { type SectionSource, writeSnapshot } from "./write.ts";

/** A folder with one good snapshot, and its bytes. */
async function withFormer(t: TestContext) {
	const folder = testFolder(t);
	const path = snapshotPath(folder, 7, 42);
	await writeSnapshot(path, META, [section("graph", pattern(5_000, 1))]);
	return { folder, path, former: readFileSync(path) };
}

/** Writing this over a good snapshot fails, leaves it as it was, and leaves nothing else. */
async function assertUndone(t: TestContext, sections: readonly SectionSource[], check: (error: unknown) => boolean) {
	const { folder, path, former } = await withFormer(t);
	await assert.rejects(writeSnapshot(path, META, sections), check);
	assert.deepEqual(readFileSync(path), former);
	assert.deepEqual(readdirSync(folder), ["7-42.nigh-snapshot"]);
}

function* failing(error: unknown): Generator<Uint8Array> {
	yield pattern(MIB + 5, 2);
	throw error;
}

test("what a section's chunks throw comes through, the former file stays and no temporary one", async (t) => {
	const failure = new Error("the index is gone");
	await assertUndone(
		t,
		[{ name: "graph", bytes: 3 * MIB, chunks: () => failing(failure) }],
		(error) => error === failure,
	);
});

test("a full disk in the middle of writing is DISK_FULL, and nothing has changed", async (t) => {
	const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC", syscall: "write" });
	await assertUndone(t, [{ name: "graph", bytes: 3 * MIB, chunks: failing(full) }], (error) =>
		isNighError(error, "DISK_FULL"),
	);
});

test("chunks of another length than was said are refused, and nothing has changed", async (t) => {
	for (const bytes of [4_999, 5_001]) {
		await assertUndone(t, [{ name: "graph", bytes, chunks: [pattern(5_000, 1)] }], (error) =>
			isNighError(error, "INVALID_OPTION"),
		);
	}
});

test("bytes given as chunks, a forgotten bracket, are refused", async (t) => {
	const chunks = pattern(10, 1) as unknown as Iterable<Uint8Array>;
	await assertUndone(
		t,
		[{ name: "graph", bytes: 10, chunks }],
		(error) => isNighError(error, "INVALID_OPTION") && error.message.includes("[bytes]"),
	);
});

test("a rename that fails takes the temporary file away", async (t) => {
	const folder = testFolder(t);
	const path = snapshotPath(folder, 7, 42);
	mkdirSync(join(path, "in the way"), { recursive: true });
	await assert.rejects(writeSnapshot(path, META, []));
	assert.deepEqual(readdirSync(folder), ["7-42.nigh-snapshot"]);
});

test("a folder that is not there is NOT_FOUND", async (t) => {
	const path = snapshotPath(join(testFolder(t), "nowhere"), 7, 42);
	await assert.rejects(writeSnapshot(path, META, []), (error) => isNighError(error, "NOT_FOUND"));
});

/** The user that owns nothing. */
const NOBODY = 65_534;

/** Keeps this process from writing to a folder. Returns what takes that back; `undefined` where it cannot be done. */
function forbidWriting(folder: string): (() => void) | undefined {
	if (process.platform === "win32") return undefined;
	chmodSync(folder, 0o555);
	if (process.geteuid?.() !== 0) return () => chmodSync(folder, 0o700);
	// Root may write anywhere, unless it is somebody else for a moment, or the disk itself is read-only.
	try {
		process.seteuid?.(NOBODY);
		return () => process.seteuid?.(0);
	} catch {
		if (spawnSync("mount", ["-t", "tmpfs", "-o", "ro,size=4096", "tmpfs", folder]).status !== 0) return undefined;
		return () => void spawnSync("umount", ["--lazy", folder]);
	}
}

test("a folder that may not be written to is READ_ONLY, and what was there stays", async (t) => {
	const { folder, path, former } = await withFormer(t);
	const allow = forbidWriting(folder);
	if (allow === undefined) return t.skip("this user may write anywhere");
	try {
		for (const change of [42, 43]) {
			await assert.rejects(writeSnapshot(snapshotPath(folder, 7, change), META, []), (error) =>
				isNighError(error, "READ_ONLY"),
			);
		}
	} finally {
		allow();
	}
	assert.deepEqual(readFileSync(path), former);
	assert.deepEqual(readdirSync(folder), ["7-42.nigh-snapshot"]);
});

test("a signal ends the writing with its reason, between two turns of the event loop, and nothing has changed", async (t) => {
	const { folder, path, former } = await withFormer(t);
	const controller = new AbortController();
	let turns = 0;
	const yieldNow = async () => {
		if (++turns === 2) controller.abort("closing");
	};
	const chunks = Array.from({ length: 40 }, () => new Uint8Array(MIB));
	const writing = writeSnapshot(path, META, [{ name: "graph", bytes: 40 * MIB, chunks }], {
		signal: controller.signal,
		yieldNow,
	});
	await assert.rejects(writing, (error) => isNighError(error, "ABORTED") && error.cause === "closing");
	assert.equal(turns, 2);
	assert.deepEqual(readFileSync(path), former);
	assert.deepEqual(readdirSync(folder), ["7-42.nigh-snapshot"]);
});

test("a signal that was raised before keeps anything from being made", async (t) => {
	const folder = testFolder(t);
	const writing = writeSnapshot(snapshotPath(folder, 7, 42), META, [], { signal: AbortSignal.abort() });
	await assert.rejects(writing, (error) => isNighError(error, "ABORTED"));
	assert.deepEqual(readdirSync(folder), []);
});

test("progress grows up to the total, which is told at the end and once; what the listener throws is ignored", async (t) => {
	const told: [number, number][] = [];
	const onProgress = (done: number, total: number) => {
		told.push([done, total]);
		throw new Error("a bad listener");
	};
	const path = snapshotPath(testFolder(t), 7, 42);
	await writeSnapshot(path, META, [section("a", new Uint8Array(2 * MIB)), section("b", new Uint8Array(9))], {
		onProgress,
	});
	const total = 2 * MIB + 9;
	assert.deepEqual(told.at(-1), [total, total]);
	assert.ok(told.every(([done, of], at) => of === total && done > (told[at - 1]?.[0] ?? 0)));
});

test("while it is written it has a temporary name, which is found when the writer was killed", async (t) => {
	const folder = testFolder(t);
	let names: string[] = [];
	function* chunks() {
		names = readdirSync(folder);
		yield new Uint8Array(1);
	}
	await writeSnapshot(snapshotPath(folder, 7, 42), META, [{ name: "graph", bytes: 1, chunks: chunks() }]);
	assert.equal(names.length, 1);
	writeFileSync(join(folder, names[0] as string), "half a snapshot");
	assert.deepEqual(removeTemporary(folder), [join(folder, names[0] as string)]);
	assert.deepEqual(readdirSync(folder), ["7-42.nigh-snapshot"]);
});

test("a path under which a crashed writer's file would not be found is refused", async (t) => {
	const writing = writeSnapshot(join(testFolder(t), "notes.snapshot"), META, []);
	await assert.rejects(writing, (error) => isNighError(error, "INVALID_OPTION"));
});

test("the same snapshot is the same bytes, however the chunks were cut", async (t) => {
	const folder = testFolder(t);
	const data = pattern(2 * MIB + 77, 3);
	const cut = (length: number) =>
		function* () {
			for (let at = 0; at < data.length; at += length) yield data.subarray(at, at + length);
		};
	const written = [];
	for (const [change, length] of [7, 1_000, MIB - 1, MIB, MIB + 1, data.length].entries()) {
		const path = snapshotPath(folder, 7, change);
		await writeSnapshot(path, META, [{ name: "graph", element: "u8", bytes: data.length, chunks: cut(length * 13) }]);
		written.push(readFileSync(path));
	}
	for (const bytes of written) assert.ok(bytes.equals(written[0] as Buffer));
});

test("a header that outgrows its first 4,096 bytes moves the sections", async (t) => {
	const path = snapshotPath(testFolder(t), 7, 42);
	const sections = [section("a", pattern(4_097, 1)), section("b", pattern(1, 2))];
	await writeSnapshot(path, META, sections);
	const room = 4_096 - 32 - readFileSync(path).readUInt32LE(12);
	const offsets = new Set<unknown>();
	// Fillers around what has room: whether the offsets in the header grow by a digit decides on which side it ends.
	for (let length = room - 30; length < room + 60; length++) {
		const meta: SnapshotMeta = { ...META, index: { kind: "hnsw", parameters: { filler: "x".repeat(length) } } };
		await writeSnapshot(path, meta, sections);
		assert.equal(await damageOf(path), undefined);
		const info = readInfo(path);
		assert.deepEqual(info.index, meta.index);
		offsets.add(info.sections[0]?.offset);
	}
	assert.deepEqual([...offsets], [4_096, 8_192]);
});

const REFUSED: Record<string, [meta: object, sections: readonly object[]]> = {
	"no database": [{ databaseId: "" }, []],
	"a key that is no whole number": [{ collection: { key: 1.5, name: "a" } }, []],
	"a collection without a name": [{ collection: { key: 1 } }, []],
	"a change number below zero": [{ change: -1 }, []],
	"a label of SQLite's own integers": [{ nextLabel: 5n }, []],
	"records not counted": [{ records: Number.NaN }, []],
	"no time": [{ createdAt: undefined }, []],
	"no engine": [{ engine: null }, []],
	"no index": [{ index: undefined }, []],
	"an index without parameters": [{ index: { kind: "hnsw" } }, []],
	"a parameter that JSON cannot say": [
		{ index: { kind: "hnsw", parameters: { unit: [Number.POSITIVE_INFINITY] } } },
		[],
	],
	"a parameter of SQLite's own integers": [{ index: { kind: "hnsw", parameters: { M: 16n } } }, []],
	"two sections of one name": [{}, [section("a", new Uint8Array(1)), section("a", new Uint8Array(1))]],
	"a section without a name": [{}, [section("", new Uint8Array(1))]],
	"an unknown element": [{}, [{ ...section("a", new Uint8Array(1)), element: "f16" }]],
	"an element by the name of a method": [{}, [{ ...section("a", new Uint8Array(1)), element: "toString" }]],
	"half an element": [{}, [{ ...section("a", new Uint8Array(6)), element: "f32" }]],
	"a length below zero": [{}, [{ name: "a", bytes: -1, chunks: [] }]],
	"too many sections": [{}, Array.from({ length: 1_025 }, (_, at) => section(`s${at}`, new Uint8Array(0)))],
};

for (const [what, [meta, sections]] of Object.entries(REFUSED)) {
	test(`what a header cannot say is refused before a file is made: ${what}`, async (t) => {
		const folder = testFolder(t);
		const writing = writeSnapshot(
			snapshotPath(folder, 7, 42),
			{ ...META, ...meta } as SnapshotMeta,
			sections as SectionSource[],
		);
		await assert.rejects(writing, (error) => isNighError(error, "INVALID_OPTION"));
		assert.deepEqual(readdirSync(folder), []);
	});
}
