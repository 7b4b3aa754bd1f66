import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
	EXPIRES,
	keepRows,
	METADATA,
	NULL_EXPIRES,
	NULL_METADATA,
	NULL_TEXT,
	packRows,
	rowAt,
	TEXT,
	unpackAll,
	unpackRows,
	VECTOR,
	vectorBytesOf,
} from "./packed-rows.ts";

const text = fc.string({ unit: "grapheme" }).map((string) => string.replaceAll("\u0000", ""));
const given = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(fc.option(arbitrary, { nil: null }), { nil: undefined });
const row = (bytes: number) =>
	fc.record({
		id: text,
		metadata: given(fc.jsonValue().map((value) => JSON.stringify(value))),
		text: given(text),
		expiresAt: given(fc.integer({ min: -8.64e15, max: 8.64e15 })),
		vector: fc.option(fc.uint8Array({ minLength: bytes, maxLength: bytes }), { nil: undefined }),
	});
const NOTHING = { metadata: undefined, text: undefined, expiresAt: undefined, vector: undefined };
const batch = fc.integer({ min: 1, max: 9 }).chain((bytes) => fc.array(row(bytes), { maxLength: 20 }));

describe("packed rows", () => {
	test("give back every field, absent, null or given, also after structured cloning", () => {
		fc.assert(
			fc.property(batch, (rows) => {
				const packed = structuredClone(packRows(rows));
				assert.equal(packed.count, rows.length);
				assert.deepEqual(unpackRows(packed), {
					ids: rows.map(({ id }) => id),
					metadata: rows.map(({ metadata }) => metadata),
					texts: rows.map(({ text }) => text),
					expiresAt: rows.map(({ expiresAt }) => expiresAt),
					vectors: rows.map(({ vector }) => vector),
				});
			}),
		);
	});

	test("tell in the flags and the times what a row has", () => {
		const { flags, expiresAt } = packRows([
			{ id: "a", metadata: "{}", text: "", expiresAt: 5, vector: Float32Array.of(1) },
			{ id: "b", metadata: null, text: null, expiresAt: null, vector: undefined },
			{ id: "c", ...NOTHING },
		]);
		assert.deepEqual([...flags], [METADATA | TEXT | VECTOR | EXPIRES, NULL_METADATA | NULL_TEXT | NULL_EXPIRES, 0]);
		assert.deepEqual([...expiresAt], [5, Number.NaN, Number.NaN]);
	});

	test("take the bytes of floats, also of a part of a larger buffer", () => {
		const floats = Float32Array.of(9, 1, 2, 9);
		const packed = packRows([
			{ id: "a", ...NOTHING, vector: floats.subarray(1, 3) },
			{ id: "b", ...NOTHING, vector: Float32Array.of(3, 4) },
		]);
		assert.deepEqual(new Float32Array(packed.vectors.buffer), Float32Array.of(1, 2, 3, 4));
		assert.equal(vectorBytesOf(packed), 8);
	});

	test("follow each other where there are several parts", () => {
		fc.assert(
			fc.property(batch, fc.nat(20), (rows, cut) => {
				const parts = [rows.slice(0, cut), rows.slice(cut)].map(packRows);
				assert.deepEqual(unpackAll(parts), unpackRows(packRows(rows)));
			}),
		);
	});

	test("are kept in part, each with all that it has", () => {
		fc.assert(
			fc.property(batch, fc.integer({ min: 1, max: 5 }), (rows, step) => {
				const all = unpackRows(packRows(rows));
				const kept = keepRows(all, (row) => row % step === 0);
				const expected = rows.filter((_, row) => row % step === 0).map((row) => ({ ...row }));
				assert.deepEqual(
					kept.ids.map((_, row) => rowAt(kept, row)),
					expected,
				);
			}),
		);
	});
});
