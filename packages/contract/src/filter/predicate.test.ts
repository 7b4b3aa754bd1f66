import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Metadata } from "../metadata.ts";
import { anyFilter, anyJson, anyMetadata, anyPath, naiveMatch } from "./filter.test-support.ts";
import { parseFilter } from "./parse.ts";
import { equalJson, predicateOf } from "./predicate.ts";

function matches(filter: unknown, metadata: unknown): boolean {
	return predicateOf(parseFilter(filter))(metadata as Metadata | undefined);
}

/** Filters beside metadata that match and metadata that do not. */
function table(rows: [filter: unknown, yes: unknown[], no: unknown[]][]): void {
	for (const [filter, yes, no] of rows) {
		const text = JSON.stringify(filter);
		for (const metadata of yes) assert.equal(matches(filter, metadata), true, `${text} on ${JSON.stringify(metadata)}`);
		for (const metadata of no) assert.equal(matches(filter, metadata), false, `${text} on ${JSON.stringify(metadata)}`);
	}
}

test("the predicate agrees with a naive reading of the language, whatever the filter and the record", () => {
	let matched = 0;
	fc.assert(
		fc.property(anyFilter, anyMetadata, (filter, metadata) => {
			const expected = naiveMatch(filter, metadata);
			if (expected && Object.keys(filter).length > 0) matched++;
			assert.equal(matches(filter, metadata), expected);
		}),
		{ numRuns: 5_000 },
	);
	assert.ok(matched > 250, `only ${matched} of the filters matched: the generators miss each other`);
});

test("$ne, $nin and $not are the exact negations of $eq, $in and what they hold, on every record", () => {
	const negates = (path: string, negated: object, plain: object, metadata: object): void => {
		const expected = !matches({ [path]: plain }, metadata);
		assert.equal(matches({ [path]: negated }, metadata), expected);
		assert.equal(matches({ [path]: { $not: plain } }, metadata), expected);
		assert.equal(matches({ $not: { [path]: plain } }, metadata), expected);
	};
	fc.assert(
		fc.property(anyPath, anyJson, fc.array(anyJson), anyMetadata, (path, value, values, metadata) => {
			negates(path, { $ne: value }, { $eq: value }, metadata);
			negates(path, { $nin: values }, { $in: values }, metadata);
			negates(path, { $exists: false }, { $exists: true }, metadata);
		}),
		{ numRuns: 1_000 },
	);
});

test("equality is that of JSON with sorted keys, and symmetric", () => {
	fc.assert(
		fc.property(anyJson, anyJson, (a, b) => {
			const expected = naiveMatch({ x: { $eq: a } }, { x: b });
			assert.equal(equalJson(a as Metadata, b as Metadata), expected);
			assert.equal(equalJson(b as Metadata, a as Metadata), expected);
			assert.equal(equalJson(a as Metadata, structuredClone(a) as Metadata), true);
		}),
		{ numRuns: 1_000 },
	);
});

test("an empty filter matches every record, also one without metadata", () => {
	table([[{}, [{}, { a: 1 }, undefined], []]]);
});

test("a value alone means $eq, several fields and operators must all hold", () => {
	table([
		[{ a: 1 }, [{ a: 1 }, { a: 1, b: 2 }], [{ a: 2 }, {}, undefined]],
		[{ a: 1, b: 2 }, [{ a: 1, b: 2 }], [{ a: 1 }, { b: 2 }]],
		[{ a: { $gte: 1, $lt: 3 } }, [{ a: 1 }, { a: 2.9 }], [{ a: 3 }, { a: 0 }]],
	]);
});

test("comparisons hold between values of one JSON type only", () => {
	table([
		[{ a: 1 }, [{ a: 1 }], [{ a: "1" }, { a: true }, { a: [1] }, { a: null }]],
		[{ a: true }, [{ a: true }], [{ a: 1 }, { a: "true" }]],
		[{ a: { $gt: 0 } }, [{ a: 1 }], [{ a: "1" }, { a: true }, { a: null }, { a: [1] }, {}]],
		[{ a: { $lt: "b" } }, [{ a: "a" }, { a: "" }], [{ a: 0 }, { a: null }, { a: ["a"] }, {}]],
		[{ a: { $in: [1, "x", null] } }, [{ a: 1 }, { a: "x" }, { a: null }], [{ a: "1" }, {}, { a: [1] }]],
	]);
});

test("numbers that differ by the least, or by more than there is, keep their order", () => {
	table([
		[{ a: { $gt: 0 } }, [{ a: Number.MIN_VALUE }], [{ a: -0 }]],
		[{ a: { $lt: Number.MAX_VALUE } }, [{ a: -Number.MAX_VALUE }], [{ a: Number.MAX_VALUE }]],
		[{ a: { $gte: Number.MAX_VALUE, $lte: Number.MAX_VALUE } }, [{ a: Number.MAX_VALUE }], [{ a: -Number.MAX_VALUE }]],
		[{ a: { $in: [0] } }, [{ a: -0 }], []],
	]);
});

test("strings are ordered by their UTF-8 bytes", () => {
	table([[{ a: { $gt: "\uffff" } }, [{ a: "\u{1f600}" }], [{ a: "\uffff" }, { a: "z" }]]]);
});

test("null is a value, a missing field is none", () => {
	table([
		[{ a: null }, [{ a: null }], [{}, { a: 0 }, { a: undefined }]],
		[{ a: { $ne: null } }, [{}, { a: 0 }, { a: undefined }], [{ a: null }]],
		[{ a: { $exists: true } }, [{ a: null }, { a: false }], [{}, { a: undefined }]],
		[{ a: { $exists: false } }, [{}, { b: 1 }, undefined], [{ a: null }]],
		[{ a: { $nin: [1] } }, [{}, { a: 2 }], [{ a: 1 }]],
		[{ a: { $not: { $gt: 1 } } }, [{}, { a: 1 }, { a: "x" }], [{ a: 2 }]],
	]);
});

test("paths step through objects, not into arrays or strings", () => {
	table([
		[{ "a.b": 1 }, [{ a: { b: 1 } }], [{ "a.b": 1 }, { a: [{ b: 1 }] }, { a: 1 }, { a: null }]],
		[{ "a.0": 1 }, [{ a: { 0: 1 } }], [{ a: [1] }]],
		[{ "a.length": { $exists: true } }, [{ a: { length: 1 } }], [{ a: [1] }, { a: "x" }]],
	]);
});

test("inherited properties are not seen, own ones of the same names are", () => {
	for (const key of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
		const own = JSON.parse(`{ ${JSON.stringify(key)}: { "name": "x" } }`);
		table([
			[{ [key]: { $exists: true } }, [own], [{}, undefined]],
			[{ [`${key}.name`]: "x" }, [own], [{}, { name: "x" }]],
			[{ [key]: { $eq: { name: "x" } } }, [own], [{}]],
		]);
	}
	const tricky = JSON.parse('{ "a": { "__proto__": { "b": 1 } } }');
	table([[{ a: { $eq: tricky.a } }, [tricky], [{ a: {} }, { a: { b: 1 } }]]]);
});

test("$contains looks for an element of an array or a part of a string", () => {
	table([
		[
			{ a: { $contains: "x" } },
			[{ a: ["y", "x"] }, { a: "axb" }],
			[{ a: [["x"]] }, { a: { x: 1 } }, {}, { a: ["xx"] }],
		],
		[{ a: { $contains: 1 } }, [{ a: [1] }], [{ a: "1" }, { a: 1 }, { a: ["1"] }]],
		[{ a: { $contains: { b: 1, c: 2 } } }, [{ a: [{ c: 2, b: 1 }] }], [{ a: [{ b: 1 }] }]],
		[{ a: { $contains: null } }, [{ a: [null] }], [{ a: [] }, { a: null }]],
		[{ a: { $contains: "" } }, [{ a: "" }, { a: "x" }, { a: [""] }], [{ a: [] }]],
	]);
});

test("$eq on arrays and objects is deep; an array is not searched for an element", () => {
	table([
		[{ a: ["x", "y"] }, [{ a: ["x", "y"] }], [{ a: ["y", "x"] }, { a: ["x"] }, { a: "x" }]],
		[{ a: "x" }, [{ a: "x" }], [{ a: ["x"] }]],
		[
			{ a: { $eq: { b: 1, c: [2] } } },
			[{ a: { c: [2], b: 1 } }, { a: { c: [2], b: 1, d: undefined } }],
			[{ a: { b: 1 } }, { a: { b: 1, c: [2], d: 3 } }, { a: { b: 1, c: { 0: 2 } } }],
		],
		[{ a: { $in: [[1], { b: 1 }] } }, [{ a: [1] }, { a: { b: 1 } }], [{ a: 1 }, { a: [] }, { a: {} }]],
		[{ a: [] }, [{ a: [] }], [{ a: {} }, { a: null }]],
	]);
});

test("$and, $or and $not combine filters, beside fields and inside each other", () => {
	table([
		[{ $or: [{ a: 1 }, { b: 2 }] }, [{ a: 1 }, { b: 2 }], [{ a: 2 }, {}]],
		[{ c: 3, $or: [{ a: 1 }, { b: 2 }] }, [{ c: 3, b: 2 }], [{ b: 2 }, { c: 3 }]],
		[{ $and: [{ a: { $gt: 0 } }, { a: { $lt: 2 } }] }, [{ a: 1 }], [{ a: 2 }]],
		[{ $not: { $or: [{ a: 1 }, { $not: { b: 2 } }] } }, [{ b: 2 }], [{ a: 1, b: 2 }, {}]],
		[{ $not: {} }, [], [{}, undefined]],
		[{ a: { $in: [] } }, [], [{}, { a: 1 }]],
		[{ a: { $nin: [] } }, [{}, { a: 1 }], []],
	]);
});
