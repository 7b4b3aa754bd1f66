import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { dropCollection } from "./catalogue.ts";
import { openReader, openWriter } from "./connection.ts";
import { fill } from "./filled.test-support.ts";
import { RecordReader } from "./reader.ts";

function withFolder(use: (path: string) => void): void {
	const folder = mkdtempSync(join(tmpdir(), "nigh-"));
	try {
		use(join(folder, "records.sqlite"));
	} finally {
		rmSync(folder, { recursive: true });
	}
}

test("reads at once see one state while another connection commits, and the next read sees the new one", () => {
	withFolder((path) => {
		const writer = openWriter(path, "off");
		const key = fill(writer, "notes", 20);
		const connection = openReader(path);
		const reader = new RecordReader(connection);
		const commit = (): void => writer.exec("UPDATE collections SET change = change + 1");
		const before = reader.state(key).change;
		reader.atOnce(() => {
			assert.equal(reader.state(key).change, before);
			commit();
			assert.equal(reader.since(key, { change: 0, nextLabel: 0 }).state.change, before);
		});
		assert.equal(reader.state(key).change, before + 1);
		connection.close();
		writer.close();
	});
});

test("the writing connection reads inside its open transaction, and leaves it open", () => {
	withFolder((path) => {
		const writer = openWriter(path, "off");
		const key = fill(writer, "notes", 20);
		const reader = new RecordReader(writer);
		writer.exec("BEGIN; UPDATE collections SET change = 77");
		assert.equal(reader.state(key).change, 77);
		assert.throws(() => reader.atOnce(() => assert.fail("stopped")), /stopped/);
		assert.equal(writer.isTransaction, true);
		writer.exec("ROLLBACK");
		assert.notEqual(reader.state(key).change, 77);
		writer.close();
	});
});

test("no read stays open behind a call, not even one that fails", () => {
	withFolder((path) => {
		const writer = openWriter(path, "off");
		const key = fill(writer, "notes", 20);
		const connection = openReader(path);
		const reader = new RecordReader(connection);
		assert.equal(
			reader.page(key, { limit: 3, include: {}, now: 0, node: { op: "and", operands: [] } }).records.length,
			3,
		);
		assert.throws(() => reader.atOnce(() => assert.fail("stopped")), /stopped/);
		assert.equal(reader.words(key, "words", 1, 0).length, 1);
		// A checkpoint that empties the WAL is refused (busy is 1) while another connection reads.
		assert.equal(writer.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get()?.busy, 0);
		connection.close();
		writer.close();
	});
});

test("more filters than statements are kept are answered", () => {
	withFolder((path) => {
		const writer = openWriter(path, "off");
		const key = fill(writer, "notes", 20);
		const reader = new RecordReader(writer);
		for (let i = 0; i < 600; i++) assert.equal(reader.count(key, { op: "exists", path: [`field ${i}`] }, 0), 0);
		assert.equal(reader.count(key, { op: "exists", path: ["type"] }, 0), 20);
		writer.close();
	});
});

test("a collection that another connection has dropped is NOT_FOUND to every read", () => {
	withFolder((path) => {
		const writer = openWriter(path, "off");
		const key = fill(writer, "notes", 20);
		const connection = openReader(path);
		const reader = new RecordReader(connection);
		const reads: readonly (() => unknown)[] = [
			() => reader.state(key),
			() => reader.byIds(key, ["a"], {}, 0),
			() => reader.byLabels(key, [0], {}),
			() => reader.page(key, { limit: 3, include: {}, now: 0 }),
			() => reader.count(key, undefined, 0),
			() => reader.matches(key, { op: "exists", path: ["type"] }, 0),
			() => reader.since(key, { change: 0, nextLabel: 0 }),
			() => reader.vectors(key, 0, 20, 20),
			() => reader.words(key, "words", 1, 0),
		];
		// Once before, so that the statements are there when the tables are not.
		for (const read of reads) read();
		dropCollection(writer, key);
		for (const read of reads) assert.throws(read, { code: "NOT_FOUND" });
		connection.close();
		writer.close();
	});
});
