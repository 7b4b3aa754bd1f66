import assert from "node:assert/strict";
import { test } from "node:test";
import { type FilterNode, type Metadata, parseFilter } from "@nigh/contract";
import fc from "fast-check";
import { fieldSql } from "./field-sql.ts";
import { anyFilter, anyMetadata, matching } from "./filters.test-support.ts";
import { narrow } from "./narrow.ts";
import { openRecords, replaceRows, TABLES } from "./records.test-support.ts";

const { db } = openRecords([]);

function store(records: readonly (Metadata | undefined)[]): void {
	replaceRows(
		db,
		records.map((metadata, at) => ({ id: `id-${at}`, metadata })),
	);
}

/** Labels of the rows that the SQL of the narrowing accepts. */
function narrowed(node: FilterNode): { labels: number[]; exact: boolean } | undefined {
	const narrowing = narrow(node);
	if (narrowing === undefined) return undefined;
	const { sql, parameters, exact } = narrowing;
	const rows = db.prepare(`SELECT label FROM ${TABLES.records} WHERE ${sql} ORDER BY label`).all(...parameters);
	return { labels: rows.map((row) => row.label as number), exact };
}

/** Asserts what `narrow` promises, on the records stored, and tells whether the narrowing was exact. */
function check(node: FilterNode, records: readonly (Metadata | undefined)[]): boolean | undefined {
	const expected = matching(node, records);
	const found = narrowed(node);
	if (found === undefined) return undefined;
	if (found.exact) assert.deepEqual(found.labels, expected);
	else
		assert.deepEqual(
			expected.filter((label) => !found.labels.includes(label)),
			[],
		);
	return found.exact;
}

test("SQL loses no match, and where it is exact finds the matches alone, whatever the metadata and the filter", () => {
	let exact = 0;
	let inexact = 0;
	const cases = fc
		.array(anyMetadata, { minLength: 1, maxLength: 12 })
		.chain((records) => fc.tuple(fc.constant(records), fc.array(anyFilter(records), { minLength: 8, maxLength: 8 })));
	fc.assert(
		fc.property(cases, ([records, filters]) => {
			store(records);
			for (const filter of filters) {
				const kind = check(filter, records);
				if (matching(filter, records).length === 0) continue;
				if (kind === true) exact++;
				if (kind === false) inexact++;
			}
		}),
		{ numRuns: 500 },
	);
	assert.ok(exact > 500 && inexact > 50, `${exact} exact and ${inexact} inexact narrowings had matches: too few`);
});

test("numbers right beside each other are told apart as JavaScript tells them apart", () => {
	fc.assert(
		fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
			const bits = new BigInt64Array(Float64Array.of(number).buffer)[0] as bigint;
			const neighbours = [-2n, -1n, 0n, 1n, 2n].map(
				(step) => new Float64Array(BigInt64Array.of(bits + step).buffer)[0],
			);
			const records = neighbours.filter(Number.isFinite).map((a) => ({ a }) as Metadata);
			store(records);
			for (const op of ["gt", "gte", "lt", "lte", "eq"] as const) check({ op, path: ["a"], value: number }, records);
			check({ op: "in", path: ["a"], values: [number, 7] }, records);
		}),
		{ numRuns: 300 },
	);
});

test("what SQL can answer alone is exact", () => {
	const exact: unknown[] = [
		{},
		{ a: 1, b: "x", c: true, d: null },
		{ a: { $in: [1, "x", null, false, [1, 2], { b: 1 }] } },
		{ a: { $gt: 1, $lte: 2.5 }, b: { $gte: "m", $lt: "n" } },
		{ a: { $exists: false }, b: { $ne: 3 }, c: { $nin: [1, 2] } },
		{ a: { $contains: "x" } },
		{ $or: [{ a: 1 }, { $not: { b: 2 } }] },
	];
	for (const filter of exact) assert.equal(narrow(parseFilter(filter))?.exact, true, JSON.stringify(filter));
});

test("what SQL cannot answer alone is left to the predicate, and its negation is not narrowed", () => {
	const inexact: unknown[] = [
		// Keys may stand in any order.
		{ a: { $eq: { b: 1, c: 2 } } },
		{ a: { $contains: { b: 1, c: 2 } } },
		// SQLite has 1152921504606847000, the shortest decimal form, as a whole number of its own.
		{ a: 2 ** 60 },
		{ a: { $gt: 1e300 } },
	];
	for (const filter of inexact) {
		assert.equal(narrow(parseFilter(filter))?.exact, false, JSON.stringify(filter));
		assert.equal(narrow(parseFilter({ $not: filter })), undefined);
		assert.equal(narrow(parseFilter({ $or: [{ b: 1 }, { $not: filter }] })), undefined);
		assert.equal(narrow(parseFilter({ b: 1, $not: filter }))?.exact, false);
	}
});

test("filters as large as they may be are narrowed within SQLite's limits", () => {
	const records: Metadata[] = [{ a: "v7" }, { a: "v10000" }, { a: 7 }, { b: 1 }, {}];
	store(records);
	const values = Array.from({ length: 10_000 }, (_, at) => `v${at}`);
	assert.equal(check(parseFilter({ a: { $in: values } }), records), true);
	assert.equal(check(parseFilter({ a: { $nin: values } }), records), true);
	const many = Array.from({ length: 20_000 }, (_, at) => ({ a: `v${at}` }));
	assert.equal(check(parseFilter({ $or: many }), records), undefined);
	assert.equal(check(parseFilter({ $and: [{ a: { $exists: true } }, ...many] }), records), false);
	let deep: object = { a: { $ne: "v7" } };
	for (let level = 0; level < 15; level++) deep = { $not: { $or: [deep, { b: 1 }, { b: 2 }] } };
	assert.equal(check(parseFilter(deep), records), true);
});

test("an index of the field is used for equality, lists and ranges", () => {
	db.exec(`CREATE INDEX field ON ${TABLES.records}(${fieldSql(["it's", 'a "b"'])})`);
	const path = [`it's.a "b"`];
	const plan = (condition: unknown): string => {
		const { sql, parameters } = narrow(parseFilter({ [path[0] as string]: condition })) as NonNullable<
			ReturnType<typeof narrow>
		>;
		const steps = db.prepare(`EXPLAIN QUERY PLAN SELECT label FROM ${TABLES.records} WHERE ${sql}`).all(...parameters);
		return steps.map((step) => step.detail).join("; ");
	};
	// A covering index: the rows are not even read.
	assert.match(plan("x"), /SEARCH \S+ USING COVERING INDEX field \(<expr>=\?\)/);
	assert.match(plan(5), /SEARCH \S+ USING COVERING INDEX field \(<expr>=\?\)/);
	assert.match(plan({ $in: ["x", "y"] }), /SEARCH \S+ USING COVERING INDEX field \(<expr>=\?\)/);
	for (const condition of [
		1,
		true,
		[1, 2],
		2 ** 60,
		{ $in: ["x", 1, true] },
		{ $gt: "x" },
		{ $lte: "x" },
		{ $lt: 5 },
	]) {
		assert.match(plan(condition), /SEARCH \S+ USING (COVERING )?INDEX field/, JSON.stringify(condition));
	}
	for (const condition of [{ $gt: 5 }, { $gte: 5, $lt: 9 }, { $gte: "x", $lt: "y" }]) {
		assert.match(
			plan(condition),
			/USING (COVERING )?INDEX field \(<expr>>\? AND <expr><\?\)/,
			JSON.stringify(condition),
		);
	}
	db.exec("DROP INDEX field");
});
