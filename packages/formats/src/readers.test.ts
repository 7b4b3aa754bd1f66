import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { describe, test } from "node:test";
import { isNighError } from "@nigh/contract";
import type { ByteSource } from "./byte-reader.ts";
import { CASES, type FormatCase } from "./cases.test-support.ts";
import type { ReadOptions } from "./options.ts";
import { readAll } from "./read-all.ts";
import { readVectors } from "./read-vectors.ts";
import { chunked, invalidFileOf, outcomeOf, WatchedSource } from "./sources.test-support.ts";

const DIMENSIONS = 3;
const ROWS = [
	[0, 1, 2],
	[3, 100, 5],
	[6, 7, 64],
	[9, 10, 11],
	[99, 0, 33],
];

// The options of one format are not assignable to those of all; these have only what every format takes.
const read = (each: FormatCase, source: ByteSource, options: ReadOptions = {}) =>
	readVectors(each.format, source, options);

for (const each of CASES) {
	const bytes = each.encode(ROWS, DIMENSIONS);

	describe(each.name, () => {
		test("gives the rows back in order, in the type of the format", async () => {
			const outcome = await outcomeOf(read(each, [bytes]));
			assert.equal(outcome.error, undefined);
			assert.deepEqual(outcome.rows, ROWS);
			for (const { values } of outcome.batches)
				assert.equal(Object.prototype.toString.call(values), `[object ${each.tag}]`);
		});

		test("a batch holds no more bytes of values than batchBytes, but one row at least", async () => {
			for (let batchBytes = 1; batchBytes <= 5 * DIMENSIONS * 4 + 1; batchBytes++) {
				const outcome = await outcomeOf(read(each, [bytes], { batchBytes }));
				assert.deepEqual(outcome.rows, ROWS);
				for (const { count, values } of outcome.batches) assert.ok(count === 1 || values.byteLength <= batchBytes);
			}
		});

		test("a chunk boundary changes nothing, wherever it lies", async () => {
			for (let at = 1; at < bytes.length; at++) {
				for (const batchBytes of [24, 1_000]) {
					const outcome = await outcomeOf(read(each, chunked(bytes, [at, bytes.length]), { batchBytes }));
					assert.deepEqual([outcome.rows, outcome.error], [ROWS, undefined], `boundary at ${at}`);
				}
				const outcome = await outcomeOf(read(each, chunked(bytes, [at])));
				assert.deepEqual([outcome.rows, outcome.error], [ROWS, undefined], `chunks of ${at}`);
			}
		});

		test("empty chunks change nothing", async () => {
			const chunks = chunked(bytes, [5]).flatMap((chunk) => [new Uint8Array(0), chunk, new Uint8Array(0)]);
			assert.deepEqual((await outcomeOf(read(each, chunks))).rows, ROWS);
		});

		test("a file cut off at any byte gives the rows before, then an error of that place, whatever the batches", async () => {
			for (let length = 0; length <= bytes.length; length++) {
				const model = each.prefix(ROWS, DIMENSIONS, length);
				for (const batchBytes of [1, 25, 1_000]) {
					const outcome = await outcomeOf(read(each, chunked(bytes.slice(0, length), [7]), { batchBytes }));
					assert.deepEqual(outcome.rows, ROWS.slice(0, model.rows), `cut off at ${length}`);
					if (model.fault === undefined) {
						assert.equal(outcome.error, undefined, `cut off at ${length}`);
						continue;
					}
					const { details, message } = invalidFileOf(outcome);
					assert.deepEqual({ row: details.row, byteOffset: details.byteOffset }, model.fault, `cut off at ${length}`);
					assert.match(
						message,
						new RegExp(`row ${model.fault.row}, byte ${model.fault.byteOffset}: .*expected .+\\. .+`),
					);
				}
			}
		});

		test("a file without rows gives no batch", async () => {
			const outcome = await outcomeOf(read(each, [each.encode([], DIMENSIONS)]));
			assert.deepEqual([outcome.rows, outcome.error], [[], undefined]);
		});

		test("limit gives so many rows, or all", async () => {
			for (let limit = 1; limit <= ROWS.length + 1; limit++) {
				for (const batchBytes of [1, 25, 1_000]) {
					const outcome = await outcomeOf(read(each, chunked(bytes, [4]), { limit, batchBytes }));
					assert.deepEqual([outcome.rows, outcome.error], [ROWS.slice(0, limit), undefined]);
				}
			}
		});

		test("behind the rows of limit nothing is read, and the source is closed", async () => {
			if (!each.streams) return assertFortranStopsEarly(each, bytes);
			for (let limit = 1; limit < ROWS.length; limit++) {
				const source = new WatchedSource(chunked(bytes, [1]));
				await outcomeOf(read(each, source, { limit }));
				assert.equal(source.closed, 1);
				const model = each.prefix(ROWS, DIMENSIONS, source.given);
				assert.equal(model.rows, limit, `${source.given} bytes were read for ${limit} rows`);
				const following = each.prefix(ROWS, DIMENSIONS, source.given - 3);
				assert.equal(following.rows, limit - 1, "no more than the end of a line was read behind the last row");
			}
		});

		test("the source is asked for no more than a batch and one chunk", async () => {
			if (!each.streams) return assertFortranStopsEarly(each, bytes);
			const source = new WatchedSource(chunked(bytes, [2]));
			let rows = 0;
			for await (const { count } of read(each, source, { batchBytes: 1 })) {
				rows += count;
				const model = each.prefix(ROWS, DIMENSIONS, source.given);
				assert.ok(model.rows <= rows, `${source.given} bytes were read for ${rows} rows`);
			}
			assert.equal(rows, ROWS.length);
		});

		test("a chunk may be overwritten once the next is asked for", async () => {
			const scratch = new Uint8Array(16);
			function* reusing() {
				for (const chunk of chunked(bytes, [5, 11, 16, 3])) {
					scratch.fill(0xaa);
					scratch.set(chunk);
					yield scratch.subarray(0, chunk.length);
				}
				scratch.fill(0xaa);
			}
			assert.deepEqual((await outcomeOf(read(each, reusing()))).rows, ROWS);
		});

		test("closing early closes the source, once", async () => {
			const source = new WatchedSource(chunked(bytes, [1]));
			for await (const _ of read(each, source, { batchBytes: 1 })) break;
			assert.equal(source.closed, each.streams ? 1 : 0, "a source that has ended needs no closing");
			assert.equal(source.ended, !each.streams);
		});

		test("a source that ended is not closed", async () => {
			const source = new WatchedSource(chunked(bytes, [9]));
			await outcomeOf(read(each, source));
			assert.deepEqual([source.ended, source.closed], [true, 0]);
		});

		test("an error of the source is passed on as it is, and the source is not closed", async () => {
			const failure = new Error("the disk is gone");
			let closed = 0;
			const source: AsyncIterable<Uint8Array> = {
				[Symbol.asyncIterator]: () => ({
					next: () => Promise.reject(failure),
					return: async () => {
						closed += 1;
						return { done: true, value: undefined };
					},
				}),
			};
			assert.equal((await outcomeOf(read(each, source))).error, failure);
			assert.equal(closed, 0);
		});

		test("a raised signal ends the reading with ABORTED before anything is read", async () => {
			const source = new WatchedSource([bytes]);
			const { error } = await outcomeOf(read(each, source, { signal: AbortSignal.abort("enough") }));
			assert.ok(isNighError(error, "ABORTED"));
			assert.equal(error.cause, "enough");
			assert.deepEqual([source.given, source.closed], [0, 1]);
		});

		test("a signal ends the reading with ABORTED while the source does not answer", async () => {
			const controller = new AbortController();
			async function* stuck() {
				yield bytes.slice(0, bytes.length - 1);
				controller.abort();
				await new Promise(() => undefined);
			}
			const { error } = await outcomeOf(read(each, stuck(), { signal: controller.signal, batchBytes: 1 }));
			assert.ok(isNighError(error, "ABORTED"));
		});

		test("a signal ends the reading between two batches of one chunk", async () => {
			const controller = new AbortController();
			const batches = read(each, [bytes], { signal: controller.signal, batchBytes: 1 });
			assert.equal((await batches.next()).done, false);
			controller.abort();
			await assert.rejects(batches.next(), (error) => isNighError(error, "ABORTED"));
		});

		test("a web stream and a Node stream are sources", async () => {
			const web = new ReadableStream<Uint8Array>({
				start(controller) {
					for (const chunk of chunked(bytes, [10])) controller.enqueue(chunk);
					controller.close();
				},
			});
			assert.deepEqual((await outcomeOf(read(each, web))).rows, ROWS);
			assert.deepEqual((await outcomeOf(read(each, Readable.from(chunked(bytes, [10]))))).rows, ROWS);
		});

		test("closing early destroys a Node stream", async () => {
			const stream = Readable.from(chunked(bytes, [1]));
			for await (const _ of read(each, stream, { limit: 1 })) break;
			assert.equal(stream.destroyed, true);
		});

		test("chunks that are no bytes are INVALID_OPTION, and the source is closed", async () => {
			const source = new WatchedSource(["text" as unknown as Uint8Array]);
			const { error } = await outcomeOf(read(each, source));
			assert.ok(isNighError(error, "INVALID_OPTION"));
			assert.match(error.message, /without an encoding/);
			assert.equal(source.closed, 1);
		});

		test("what is no stream is INVALID_OPTION at once", () => {
			for (const source of [bytes, "text", 3, null, undefined, {}]) {
				const wrong = source as unknown as ByteSource;
				assert.throws(
					() => read(each, wrong),
					(error) => isNighError(error, "INVALID_OPTION"),
				);
			}
		});

		test("options outside their bounds, or of no format, are INVALID_OPTION at once", () => {
			const wrong = [{ limit: 0 }, { limit: 1.5 }, { batchBytes: 0 }, { batchBytes: 2 ** 28 + 1 }, { limits: 3 }];
			for (const options of wrong) {
				assert.throws(
					() => read(each, [bytes], options),
					(error) => {
						return isNighError(error, "INVALID_OPTION") && error.details.field === Object.keys(options)[0];
					},
				);
			}
		});

		test("readAll joins what the batches hold", async () => {
			for (const batchBytes of [1, 1_000]) {
				const table = await readAll(each.format, chunked(bytes, [6]), { batchBytes });
				assert.deepEqual([table.count, table.dimensions, Array.from(table.values)], [5, 3, ROWS.flat()]);
				assert.equal(Object.prototype.toString.call(table.values), `[object ${each.tag}]`);
			}
			const two = await readAll(each.format, [bytes], { limit: 2 });
			assert.deepEqual([two.count, Array.from(two.values)], [2, ROWS.slice(0, 2).flat()]);
			const none = await readAll(each.format, [each.encode([], DIMENSIONS)]);
			assert.deepEqual([none.count, none.dimensions, none.values.length], [0, 0, 0]);
		});
	});
}

/** In Fortran order the last column is read up to the last row of limit, and no byte further. */
async function assertFortranStopsEarly(each: FormatCase, bytes: Uint8Array): Promise<void> {
	for (let limit = 1; limit < ROWS.length; limit++) {
		const source = new WatchedSource(chunked(bytes, [1]));
		await outcomeOf(read(each, source, { limit }));
		assert.equal(source.given, bytes.length - (ROWS.length - limit) * each.leastRowBytes);
		assert.equal(source.closed, 1);
	}
}
