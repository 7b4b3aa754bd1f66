import assert from "node:assert/strict";
import { test } from "node:test";
import { NighError, type RecordInput, type WriteResult } from "@nigh/contract";
import type { RowBatch } from "./row-batches.ts";
import { RefusedRow, writeBatches } from "./write-batches.ts";

/** A collection that answers when it is told to, and refuses the id "bad". */
function collectionThat(answers: "at once" | "when three wait") {
	const written: string[] = [];
	const waiting: (() => void)[] = [];
	let most = 0;
	let under = 0;
	return {
		written,
		most: () => most,
		async upsert(records: readonly RecordInput[]): Promise<WriteResult> {
			most = Math.max(most, ++under);
			const row = records.findIndex(({ id }) => id === "bad");
			if (answers === "when three wait" && records.length > 1) {
				const turn = new Promise<void>((resolve) => waiting.push(resolve));
				// The last come first.
				if (waiting.length === 3) for (const go of waiting.splice(0).reverse()) go();
				await turn;
			}
			under--;
			if (row >= 0) throw new NighError("INVALID_RECORD", `The id of row ${row} is bad.`, { row });
			for (const { id } of records) written.push(id);
			return { succeeded: records.length, failed: 0, errors: [], changeNumber: written.length };
		},
	};
}

async function* batchesOf(...ids: readonly (readonly string[])[]): AsyncGenerator<RowBatch, void> {
	let row = 0;
	for (const each of ids) {
		const records = each.map((id) => ({ id, vector: [1] }));
		yield { row, records, dimensions: 1, bytesRead: row + each.length, idsAreRows: false };
		row += each.length;
	}
}

test("three writes are under way at a time, and are told of in the order of the rows", async () => {
	const collection = collectionThat("when three wait");
	const told: (readonly [number, string])[] = [];
	const batches = batchesOf(["a", "b"], ["c", "d"], ["e", "f"]);
	await writeBatches(collection, batches, ({ rows, lastId }) => told.push([rows, lastId]));
	assert.equal(collection.most(), 3);
	assert.deepEqual(told, [
		[2, "b"],
		[4, "d"],
		[6, "f"],
	]);
});

test("a batch with an id that is under way waits for it, and others do not", async () => {
	const events: string[] = [];
	const collection = {
		async upsert(records: readonly RecordInput[]): Promise<WriteResult> {
			const ids = records.map(({ id }) => id).join("");
			events.push(`${ids} begins`);
			await new Promise((resolve) => setImmediate(resolve));
			events.push(`${ids} ends`);
			return { succeeded: records.length, failed: 0, errors: [], changeNumber: 1 };
		},
	};
	await writeBatches(collection, batchesOf(["a"], ["b"], ["c", "a"]), () => undefined);
	assert.deepEqual(events, ["a begins", "b begins", "a ends", "b ends", "ca begins", "ca ends"]);
});

test("of a batch with a bad row what stands before it is written, and the row is told as it counts in the file", async () => {
	const collection = collectionThat("at once");
	const told: number[] = [];
	const writing = writeBatches(collection, batchesOf(["a", "b"], ["c", "bad", "d"]), ({ rows }) => told.push(rows));
	await assert.rejects(writing, (error) => error instanceof RefusedRow && error.row === 3);
	assert.deepEqual(
		[collection.written, told],
		[
			["a", "b", "c"],
			[2, 3],
		],
	);
});

test("what was read before a fault of the file is written and told of", async () => {
	const collection = collectionThat("at once");
	const told: number[] = [];
	async function* faulty() {
		yield* batchesOf(["a"], ["b"]);
		throw new NighError("INVALID_FILE", "cut off");
	}
	await assert.rejects(
		writeBatches(collection, faulty(), ({ rows }) => told.push(rows)),
		{ code: "INVALID_FILE" },
	);
	assert.deepEqual(
		[collection.written, told],
		[
			["a", "b"],
			[1, 2],
		],
	);
});
