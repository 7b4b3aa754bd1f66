import assert from "node:assert/strict";
import { test } from "node:test";
import { isNighError } from "@nigh/contract";
import { ByteReader, readFrom } from "./byte-reader.ts";
import { int32s } from "./cases.test-support.ts";
import { outcomeOf } from "./sources.test-support.ts";
import { readIvecs } from "./texmex/read.ts";

/** A source of endless good rows that closes as it is told. */
function closingWith(close: () => Promise<void>): AsyncIterable<Uint8Array> {
	return {
		[Symbol.asyncIterator]: () => ({
			next: async () => ({ done: false, value: int32s(1, 5) }),
			return: async () => {
				await close();
				return { done: true, value: undefined };
			},
		}),
	};
}

test("offset, available and what is read or skipped agree over chunk boundaries and at the end", async () => {
	const reader = new ByteReader([Uint8Array.of(1, 2, 3), new Uint8Array(0), Uint8Array.of(4, 5)], undefined);
	const target = new Uint8Array(6);
	assert.deepEqual([reader.offset, reader.available], [0, 0]);
	assert.equal(await reader.readInto(target, 1, 2), 2);
	assert.deepEqual([reader.offset, reader.available], [2, 1]);
	assert.equal(await reader.skip(2), 2);
	assert.deepEqual([reader.offset, reader.available], [4, 1]);
	assert.equal(await reader.readInto(target, 3, 3), 1);
	assert.deepEqual(Array.from(target), [0, 1, 2, 5, 0, 0]);
	assert.deepEqual([reader.offset, await reader.more(), await reader.skip(1)], [5, false, 0]);
});

test("closing early waits until the source has closed", async () => {
	let closed = false;
	const source = closingWith(async () => {
		for (let turn = 0; turn < 20; turn++) await undefined;
		closed = true;
	});
	for await (const _ of readIvecs(source, { batchBytes: 4 })) break;
	assert.equal(closed, true);
});

test("a source that fails to close is heard of on closing early, but never hides what went wrong before", async () => {
	const failure = new Error("cannot close");
	const batches = readIvecs(
		closingWith(() => Promise.reject(failure)),
		{ batchBytes: 4 },
	);
	await batches.next();
	await assert.rejects(batches.return(), (error) => error === failure);

	const before = new Error("went wrong before");
	const failing = readFrom(
		closingWith(() => Promise.reject(failure)),
		undefined,
		// biome-ignore lint/correctness/useYield: it fails before it has anything to give
		async function* (reader) {
			await reader.more();
			throw before;
		},
	);
	await assert.rejects(failing.next(), (error) => error === before);
});

test("a source that fails in its own words because of the signal gives ABORTED all the same", async () => {
	const controller = new AbortController();
	async function* listening() {
		yield int32s(1, 5);
		controller.abort("enough");
		throw new Error("the stream was destroyed");
	}
	const { rows, error } = await outcomeOf(readIvecs(listening(), { signal: controller.signal, batchBytes: 4 }));
	assert.deepEqual(rows, [[5]]);
	assert.ok(isNighError(error, "ABORTED"));
	assert.deepEqual([error.cause, error.details.byteOffset], ["enough", 8]);
});
