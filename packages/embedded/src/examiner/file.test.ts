import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { testFolder } from "../folder/folder.test-support.ts";
import { cellFor, tableFor } from "../recall/served.test-support.ts";
import { readState, readTable, recallPath, removeForeignRecall, writeRecallFile } from "./file.ts";

const TABLE = tableFor([cellFor(), cellFor({ k: 100, state: "refused", rung: null, rungs: [] })], { key: 7 });
const STATE = { vectorBytes: 8, strata: [{ k: 10, note: "what was measured" }] };
// What JSON takes for a space must not pass for the end of the state.
const VECTORS = [Buffer.from("        "), Buffer.from([0x20, 0x0a, 0x0d, 0x09, 1, 2, 3, 4])];
const FILE = { databaseId: "d", table: TABLE, state: STATE, vectors: VECTORS };

test("what was written is read", (t) => {
	const path = recallPath(testFolder(t), 7);
	writeRecallFile(path, FILE);
	assert.deepEqual(readTable(path, "d", 7), TABLE);
	const { state, vectors } = readState(path, "d", 7) ?? {};
	assert.deepEqual(state, STATE);
	assert.deepEqual(vectors, Buffer.concat(VECTORS));
});

test("what is of another database or collection, or not there, is nothing", (t) => {
	const folder = testFolder(t);
	const path = recallPath(folder, 7);
	for (const read of [readTable, readState]) {
		assert.equal(read(path, "d", 7), undefined);
		assert.equal(read(folder, "d", 7), undefined);
	}
	writeRecallFile(path, FILE);
	for (const read of [readTable, readState]) {
		assert.equal(read(path, "e", 7), undefined);
		assert.equal(read(path, "d", 8), undefined);
	}
});

test("a file of another version is nothing", (t) => {
	const path = recallPath(testFolder(t), 7);
	for (const format of [1, 3, undefined]) {
		writeRecallFile(path, { ...FILE, ...({ format } as object) });
		assert.deepEqual(readTable(path, "d", 7), TABLE, "the version is not the caller's to say");
	}
	const bytes = readFileSync(path);
	writeFileSync(path, Buffer.concat([Buffer.from("NIGHRCL2"), bytes.subarray(8)]));
	assert.equal(readTable(path, "d", 7), undefined);
});

test("where any one byte is another, what is read is what was written or nothing", (t) => {
	const path = recallPath(testFolder(t), 7);
	writeRecallFile(path, FILE);
	const sound = readFileSync(path);
	const lengths = new Set<number>();
	for (let at = 0; at < sound.length; at++) {
		for (const mask of [0x01, 0x80]) {
			const bytes = Buffer.from(sound);
			bytes[at] = (bytes[at] as number) ^ mask;
			writeFileSync(path, bytes);
			const table = readTable(path, "d", 7);
			if (table !== undefined) assert.deepEqual(table, TABLE, `${at}`);
			const state = readState(path, "d", 7);
			if (state === undefined) continue;
			assert.deepEqual(state.state, STATE, `${at}`);
			lengths.add(state.vectors.length);
			// The bytes of the state are not among what is summed: who reads vectors sees by their length that it is wrong.
			if (state.vectors.length === 16) assert.deepEqual(state.vectors, Buffer.concat(VECTORS));
		}
	}
});

test("however it is cut off or goes on, nothing is thrown, and the table is what was written or nothing", (t) => {
	const path = recallPath(testFolder(t), 7);
	writeRecallFile(path, FILE);
	const sound = readFileSync(path);
	for (let length = 0; length < sound.length; length++) {
		writeFileSync(path, sound.subarray(0, length));
		const table = readTable(path, "d", 7);
		if (table !== undefined) assert.deepEqual(table, TABLE);
		assert.equal(readState(path, "d", 7), undefined);
	}
	writeFileSync(path, Buffer.concat([sound, Buffer.alloc(9)]));
	assert.equal(readState(path, "d", 7), undefined);
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, isMarked) => {
			writeFileSync(path, isMarked ? Buffer.concat([Buffer.from("NIGHRCL1"), bytes]) : bytes);
			assert.equal(readTable(path, "d", 7), undefined);
			assert.equal(readState(path, "d", 7), undefined);
		}),
	);
});

test("what cannot be written leaves what was there, and nothing beside it", (t) => {
	const folder = testFolder(t);
	const path = recallPath(folder, 7);
	writeRecallFile(path, FILE);
	const circular: Record<string, unknown> = {};
	circular.self = circular;
	assert.throws(() => writeRecallFile(path, { ...FILE, state: circular }));
	assert.throws(() => writeRecallFile(join(folder, "nowhere", "7.nigh-recall"), FILE));
	assert.deepEqual(readdirSync(folder), ["7.nigh-recall"]);
	assert.deepEqual(readTable(path, "d", 7), TABLE);
});

test("files of collections that are gone are removed, and what writers left; nothing else", (t) => {
	const folder = testFolder(t);
	for (const key of [1, 7, 12]) writeRecallFile(recallPath(folder, key), FILE);
	const others = ["01.nigh-recall", "7-4.nigh-snapshot", "notes", "8.nigh-recall.tmp-xyz"];
	for (const name of [...others, "7.nigh-recall.tmp-0123456789ab"]) writeFileSync(join(folder, name), "");
	removeForeignRecall(folder, new Set([7]));
	assert.deepEqual(readdirSync(folder).sort(), [...others, "7.nigh-recall"].sort());
	rmSync(folder, { recursive: true });
	removeForeignRecall(folder, new Set([7]));
});
