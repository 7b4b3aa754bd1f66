import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isNighError } from "@nigh/contract";
import fc from "fast-check";
import { ascii, CASES, type FormatCase, npyDict, npyFile } from "./cases.test-support.ts";
import { VECTOR_FORMATS, type VectorFormat } from "./format.ts";
import { readVectors } from "./read-vectors.ts";
import { chunked, type Outcome, outcomeOf } from "./sources.test-support.ts";

const RUNS = { numRuns: 150 };

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });
const batchBytes = fc.integer({ min: 1, max: 200 });

/** What was read and what was refused, in a form that can be compared; anything but `INVALID_FILE` fails the test. */
function summary({ rows, records, error }: Outcome): unknown {
	if (error === undefined) return { rows, records };
	if (!isNighError(error, "INVALID_FILE")) throw error;
	return { rows, records, message: error.message, details: error.details };
}

/**
 * The promise of every reader about any bytes: rows and then the end or INVALID_FILE, no more rows than the bytes have room for, a
 * fault inside the file, and the same answer for every chunking and batch size.
 */
async function assertSound(
	format: VectorFormat,
	bytes: Uint8Array,
	leastRowBytes: number,
	chunks: number[],
	batch: number,
) {
	const whole = await outcomeOf(readVectors(format, [bytes], { batchBytes: batch }));
	const expected = summary(whole);
	assert.ok(whole.rows.length * leastRowBytes <= bytes.length, `${whole.rows.length} rows in ${bytes.length} bytes`);
	if (isNighError(whole.error)) {
		const { row, byteOffset } = whole.error.details as { row: number; byteOffset: number };
		assert.ok(Number.isInteger(row) && row >= 0);
		assert.ok(Number.isInteger(byteOffset) && byteOffset >= 0 && byteOffset <= bytes.length);
	}
	assert.deepEqual(summary(await outcomeOf(readVectors(format, chunked(bytes, chunks)))), expected);
}

describe("any bytes give rows or INVALID_FILE, the same for every chunking", () => {
	const leastRowBytes = { fvecs: 8, bvecs: 5, ivecs: 8, npy: 1, jsonl: 14 };
	for (const format of VECTOR_FORMATS) {
		test(`${format}: random bytes`, async () => {
			const property = fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), sizes, batchBytes, (bytes, chunks, batch) =>
				assertSound(format, bytes, leastRowBytes[format], chunks, batch),
			);
			await fc.assert(property, RUNS);
		});
	}

	test("npy: random headers", async () => {
		const word = fc.constantFrom(
			..."{ } ( ) , : ' \" [ ] 'descr' 'fortran_order' 'shape' True False 1 3 -1 007 99999999999999999999 3L '<f4' '>f4' '|u1'".split(
				" ",
			),
			" ",
			"\n",
			"\\",
		);
		const dict = fc.oneof(
			fc.array(word, { maxLength: 30 }).map((words) => words.join("")),
			fc
				.tuple(fc.constantFrom("<f2", "<f4", "<f8", "|u1", "|i1"), fc.boolean(), fc.array(fc.nat(20), { maxLength: 3 }))
				.map((parts) => npyDict(...parts)),
		);
		const file = fc.tuple(dict, fc.uint8Array({ maxLength: 200 }), fc.constantFrom(1 as const, 2 as const, 3 as const));
		const property = fc.asyncProperty(file, sizes, batchBytes, (parts, chunks, batch) =>
			assertSound("npy", npyFile(...parts), 1, chunks, batch),
		);
		await fc.assert(property, RUNS);
	});

	test("jsonl: random lines", async () => {
		const vector = fc.array(fc.oneof(fc.double(), fc.integer({ max: 9 })), { maxLength: 3 });
		const field = fc.oneof(fc.jsonValue(), vector);
		const line = fc.oneof(
			fc.json(),
			fc.string({ unit: "binary" }),
			vector.map((numbers) => JSON.stringify({ vector: numbers })),
			fc
				.record({ vector: field, id: fc.jsonValue(), text: fc.jsonValue() }, { requiredKeys: [] })
				.map((row) => JSON.stringify(row)),
		);
		const file = fc.array(line, { maxLength: 6 }).map((lines) => new TextEncoder().encode(lines.join("\n")));
		const property = fc.asyncProperty(file, sizes, batchBytes, (bytes, chunks, batch) =>
			assertSound("jsonl", bytes, 14, chunks, batch),
		);
		await fc.assert(property, RUNS);
	});
});

describe("a valid file that was changed gives rows or INVALID_FILE, the same for every chunking", () => {
	for (const each of CASES) {
		test(each.name, async () => {
			const property = fc.asyncProperty(mutated(each), sizes, batchBytes, (bytes, chunks, batch) =>
				// A changed dimension or dtype can make rows smaller, down to one number of one byte.
				assertSound(each.format, bytes, each.format === "npy" ? 1 : Math.min(each.leastRowBytes, 14), chunks, batch),
			);
			await fc.assert(property, RUNS);
		});
	}

	test("the changes above are not all harmless and not all fatal", async () => {
		const files = fc.sample(mutated(CASES[0] as FormatCase), { numRuns: 200, seed: 1 });
		const outcomes = await Promise.all(files.map((bytes) => outcomeOf(readVectors("fvecs", [bytes]))));
		const refused = outcomes.filter((outcome) => outcome.error !== undefined).length;
		assert.ok(refused > 20 && refused < 180, `${refused} of 200 refused`);
	});
});

/** A file of a case with a byte changed, inserted or taken out in up to three places, or cut off, or with bytes behind it. */
function mutated(each: FormatCase): fc.Arbitrary<Uint8Array> {
	const table = fc.integer({ min: 1, max: 4 }).chain((dimensions) => {
		const row = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: dimensions, maxLength: dimensions });
		return fc.array(row, { maxLength: 5 }).map((rows) => each.encode(rows, dimensions));
	});
	const byte = fc.oneof(fc.nat(255), fc.constantFrom(...ascii("\n\r {}[](),:'\"0129<>|.-eTF\0\xff")));
	const edit = fc.record({
		kind: fc.constantFrom("change", "insert", "remove", "cut", "append"),
		at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
		byte,
	});
	return fc.tuple(table, fc.array(edit, { minLength: 1, maxLength: 3 })).map(([bytes, edits]) => {
		const list = Array.from(bytes);
		for (const { kind, at, byte: value } of edits) {
			const place = Math.floor(at * list.length);
			if (kind === "change" && list.length > 0) list[place] = value;
			else if (kind === "insert") list.splice(place, 0, value);
			else if (kind === "remove") list.splice(place, 1);
			else if (kind === "cut") list.length = place;
			else if (kind === "append") list.push(value);
		}
		return Uint8Array.from(list);
	});
}
