import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { buffersOf, unpackRecords } from "./packed-records.ts";
import { KEY, openRecords, replaceRows } from "./records.test-support.ts";

const bytes = fc.uint8Array({ minLength: 8, maxLength: 8 });
const row = fc.record(
	{
		metadata: fc.dictionary(fc.string({ maxLength: 3 }), fc.oneof(fc.string(), fc.integer(), fc.constant(null))),
		text: fc.string(),
		vector: bytes,
		expiresAt: fc.integer({ min: 1, max: 2 ** 40 }),
	},
	{ requiredKeys: [] },
);
const include = fc.record({ metadata: fc.boolean(), text: fc.boolean(), vector: fc.boolean() });

test("records that were packed, sent and unpacked are what they are when they are read here", () => {
	const { db, reader } = openRecords([]);
	fc.assert(
		fc.property(
			fc.array(row, { maxLength: 12 }),
			include,
			fc.array(fc.nat(14), { maxLength: 20 }),
			(rows, what, labels) => {
				replaceRows(
					db,
					rows.map((each, i) => ({ id: `r${i}`, ...each })),
				);
				const packed = reader.packedByLabels(KEY, labels, what);
				const sent = structuredClone(packed, { transfer: buffersOf(packed) });
				assert.deepEqual([...unpackRecords(sent, what)], reader.byLabels(KEY, labels, what));
			},
		),
	);
});

test("metadata that is not JSON is CORRUPT_RECORDS where it is unpacked", () => {
	const { db, reader } = openRecords([{ id: "a", metadata: {} }]);
	db.exec(`UPDATE records_${KEY} SET metadata = '{"a":'`);
	const packed = reader.packedByLabels(KEY, [0], {});
	assert.throws(() => [...unpackRecords(packed, {})], { code: "CORRUPT_RECORDS" });
});
