import assert from "node:assert/strict";
import { test } from "node:test";
import { compareIds, type FilterNode, type Metadata, parseFilter } from "@nigh/contract";
import fc from "fast-check";
import { anyFilter, anyMetadata, matching } from "./filters.test-support.ts";
import { PAGE_ROWS } from "./page.ts";
import { KEY, openRecords, replaceRows, TABLES, type TestRow } from "./records.test-support.ts";

const NOW = 100;
const { db, reader } = openRecords([]);

interface Case {
	readonly rows: readonly (TestRow & { metadata: Metadata | undefined })[];
	readonly node: FilterNode;
	readonly limit: number;
}

const anyId = fc.string({ unit: "grapheme-composite", minLength: 1, maxLength: 4 }).filter((id) => !id.includes("\0"));

const anyCase: fc.Arbitrary<Case> = fc
	.uniqueArray(fc.tuple(anyId, anyMetadata, fc.constantFrom(undefined, NOW - 1, NOW, NOW + 1)), {
		selector: ([id]) => id,
		maxLength: 12,
	})
	.chain((list) => {
		const rows = list.map(([id, metadata, expiresAt]) => ({
			id,
			metadata,
			...(expiresAt !== undefined && { expiresAt }),
		}));
		const node = anyFilter(rows.map((row) => row.metadata));
		return fc.record({ rows: fc.constant(rows), node, limit: fc.integer({ min: 1, max: 5 }) });
	});

/** Labels of the unexpired matches. */
function expected({ rows, node }: Pick<Case, "rows" | "node">): number[] {
	const matches = matching(
		node,
		rows.map((row) => row.metadata),
	);
	return matches.filter((label) => (rows[label]?.expiresAt ?? Number.POSITIVE_INFINITY) > NOW);
}

/** Ids of all pages. */
function walk(node: FilterNode | undefined, limit: number): string[] {
	const ids: string[] = [];
	let after: string | undefined;
	do {
		const page = reader.page(KEY, { after, limit, node, include: {}, now: NOW });
		assert.ok(page.records.length <= limit);
		ids.push(...page.records.map((record) => record.id));
		after = page.next;
	} while (after !== undefined);
	return ids;
}

const EVERYTHING: FilterNode = { op: "and", operands: [] };

test("matches, count and pages agree with the predicate over the unexpired records", () => {
	fc.assert(
		fc.property(anyCase, ({ rows, node, limit }) => {
			replaceRows(db, rows);
			for (const filter of [node, EVERYTHING]) {
				const labels = expected({ rows, node: filter });
				const ids = labels.map((label) => rows[label]?.id as string).sort(compareIds);
				assert.deepEqual(Array.from(reader.matches(KEY, filter, NOW)), labels);
				assert.equal(reader.count(KEY, filter, NOW), labels.length);
				assert.deepEqual(walk(filter, limit), ids);
			}
			assert.equal(reader.count(KEY, undefined, NOW), expected({ rows, node: EVERYTHING }).length);
			assert.deepEqual(walk(undefined, limit), walk(EVERYTHING, limit));
		}),
		{ numRuns: 300 },
	);
});

/** Ids in the order of the rows. */
const many = Array.from({ length: 2 * PAGE_ROWS + 10 }, (_, at) => ({
	id: `id-${String(at).padStart(6, "0")}`,
	metadata: { at, pair: { at, of: "two keys" } },
}));

test("one page looks at a bounded number of rows, whether SQL or the predicate decides, and an index does not change that", () => {
	replaceRows(db, many);
	db.exec(`CREATE INDEX field ON ${TABLES.records}(json_extract(metadata, '$."at"'))`);
	const last = many.length - 1;
	for (const filter of [{ at: last }, { pair: { $eq: { of: "two keys", at: last } } }]) {
		const options = { limit: 10, node: parseFilter(filter), include: {}, now: NOW };
		const first = reader.page(KEY, options);
		assert.deepEqual(first, { records: [], next: many[PAGE_ROWS - 1]?.id });
		const second = reader.page(KEY, { ...options, after: first.next });
		assert.deepEqual(second, { records: [], next: many[2 * PAGE_ROWS - 1]?.id });
		const third = reader.page(KEY, { ...options, after: second.next });
		assert.deepEqual(
			third.records.map((record) => record.label),
			[last],
		);
		assert.equal(third.next, undefined);
	}
	db.exec("DROP INDEX field");
});

test("a page goes on behind an id that is not there, and gives what was asked for", () => {
	replaceRows(db, [{ id: "a" }, { id: "c", text: "see", vector: Uint8Array.of(1) }, { id: "b" }]);
	const include = { text: true, vector: true };
	const page = reader.page(KEY, { after: "bb", limit: 5, include, now: NOW });
	assert.deepEqual(
		page.records.map(({ id, text, vector }) => ({ id, text, vector })),
		[{ id: "c", text: "see", vector: Uint8Array.of(1) }],
	);
	assert.deepEqual(reader.page(KEY, { after: "c", limit: 5, include, now: NOW }), { records: [], next: undefined });
});

test("labels are found beyond what one text of JSON takes", () => {
	replaceRows(db, [{ id: "a" }, { id: "b" }]);
	const high = 2 ** 32 - 2;
	db.exec(
		`UPDATE ${TABLES.records} SET label = ${high} WHERE id = 'b'; UPDATE collections SET next_label = ${high + 1}`,
	);
	assert.deepEqual(reader.matches(KEY, EVERYTHING, NOW), Uint32Array.of(0, high));
});
