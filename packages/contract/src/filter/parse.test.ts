import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BOUNDS } from "../bounds.ts";
import { isNighError, type NighError } from "../errors.ts";
import { anyFilter } from "./filter.test-support.ts";
import { FIELD_OPERATORS } from "./filter.ts";
import { parseFilter } from "./parse.ts";

function refusal(filter: unknown): NighError {
	try {
		parseFilter(filter);
	} catch (error) {
		if (isNighError(error, "INVALID_FILTER")) return error;
		throw error;
	}
	return assert.fail(`${JSON.stringify(filter)} was not refused`);
}

function refuses(filter: unknown, field: string, message: RegExp): void {
	const error = refusal(filter);
	assert.equal(error.details.field, field);
	assert.ok(error.message.startsWith(`${field} `), error.message);
	assert.match(error.message, message);
}

function nested(levels: number, wrap: (inner: object) => object): object {
	let filter: object = { a: 1 };
	for (let level = 1; level < levels; level++) filter = wrap(filter);
	return filter;
}

function isFrozen(value: unknown): boolean {
	return (
		typeof value !== "object" || value === null || (Object.isFrozen(value) && Object.values(value).every(isFrozen))
	);
}

test("every operator becomes its node, and negations become not", () => {
	const path = ["a", "b"];
	const cases: [object, object][] = [
		[{ "a.b": 1 }, { op: "eq", path, value: 1 }],
		[{ "a.b": [1] }, { op: "eq", path, value: [1] }],
		[{ "a.b": { $eq: { c: null } } }, { op: "eq", path, value: { c: null } }],
		[{ "a.b": { $ne: 1 } }, { op: "not", operand: { op: "eq", path, value: 1 } }],
		[{ "a.b": { $in: [1, "x"] } }, { op: "in", path, values: [1, "x"] }],
		[{ "a.b": { $nin: [] } }, { op: "not", operand: { op: "in", path, values: [] } }],
		[{ "a.b": { $gt: 1 } }, { op: "gt", path, value: 1 }],
		[{ "a.b": { $gte: "x" } }, { op: "gte", path, value: "x" }],
		[{ "a.b": { $lt: 1 } }, { op: "lt", path, value: 1 }],
		[{ "a.b": { $lte: 1 } }, { op: "lte", path, value: 1 }],
		[{ "a.b": { $exists: true } }, { op: "exists", path }],
		[{ "a.b": { $exists: false } }, { op: "not", operand: { op: "exists", path } }],
		[{ "a.b": { $contains: "x" } }, { op: "contains", path, value: "x" }],
		[{ "a.b": { $not: { $gt: 1 } } }, { op: "not", operand: { op: "gt", path, value: 1 } }],
	];
	for (const [filter, node] of cases) assert.deepEqual(parseFilter(filter), node);
	const covered = new Set(cases.flatMap(([filter]) => JSON.stringify(filter).match(/\$\w+/g) ?? []));
	assert.deepEqual(
		FIELD_OPERATORS.filter((operator) => !covered.has(operator)),
		[],
	);
});

test("fields, operators and lists become and and or, in their order", () => {
	const a = { op: "eq", path: ["a"], value: 1 };
	const b = { op: "eq", path: ["b"], value: 2 };
	assert.deepEqual(parseFilter({}), { op: "and", operands: [] });
	assert.deepEqual(parseFilter({ a: 1, b: 2 }), { op: "and", operands: [a, b] });
	assert.deepEqual(parseFilter({ $or: [{ a: 1 }, { b: 2 }] }), { op: "or", operands: [a, b] });
	assert.deepEqual(parseFilter({ $and: [{ a: 1 }] }), { op: "and", operands: [a] });
	assert.deepEqual(parseFilter({ $not: { a: 1 } }), { op: "not", operand: a });
	assert.deepEqual(parseFilter({ a: { $gt: 1, $lt: 2 } }), {
		op: "and",
		operands: [
			{ op: "gt", path: ["a"], value: 1 },
			{ op: "lt", path: ["a"], value: 2 },
		],
	});
});

test("the tree is frozen and does not follow later changes of the filter", () => {
	const filter = { a: { $in: [{ x: 1 }] }, b: ["y"] };
	const node = parseFilter(filter);
	const before = structuredClone(node);
	filter.a.$in[0] = { x: 2 };
	filter.b.push("z");
	assert.deepEqual(node, before);
	fc.assert(fc.property(anyFilter, (any) => assert.ok(isFrozen(parseFilter(any)))));
});

test("a key named __proto__ stays an ordinary key", () => {
	const node = parseFilter(JSON.parse('{ "a": { "$eq": { "__proto__": 1 } } }'));
	assert.equal(JSON.stringify(node), '{"op":"eq","path":["a"],"value":{"__proto__":1}}');
	assert.deepEqual(parseFilter(JSON.parse('{ "__proto__": 1 }')), { op: "eq", path: ["__proto__"], value: 1 });
});

test("an unknown operator is refused with the nearest one of those that may stand there", () => {
	refuses({ age: { $gtt: 5 } }, "filter.age.$gtt", /Did you mean \$gt\? Here stand \$eq, /);
	refuses({ $nor: [] }, "filter.$nor", /Did you mean \$or\? Here stand \$and, \$or, \$not\./);
	refuses({ $xyzzy: [] }, "filter.$xyzzy", /is not an operator\. Here stand/);
	assert.equal(refusal({ age: { $gtt: 5 } }).details.nearest, "$gt");
	assert.equal("nearest" in refusal({ $xyzzy: [] }).details, false);
});

test("an operator in the wrong place is told where it belongs", () => {
	refuses({ $gt: 5 }, "filter.$gt", /Put it under one: \{ field: \{ \$gt/);
	refuses({ a: { $or: [{ $gt: 1 }] } }, "filter.a.$or", /cannot stand under a field/);
	refuses({ "a.$gt": 5 }, 'filter["a.$gt"]', /An operator stands under its field/);
	refuses({ a: { $gt: 1, b: 2 } }, "filter.a", /mixes operators \("\$gt"\) with other keys \("b"\)/);
});

test("an object without operators is refused, with the two things it may have meant", () => {
	refuses(
		{ author: { name: "Ada" } },
		"filter.author",
		/write "author\.name": \.\.\., .* write \{ \$eq: \{ \.\.\. \} \}/,
	);
	refuses({ author: {} }, "filter.author", /is an empty object/);
	refuses({ a: { $not: {} } }, "filter.a.$not", /at least one operator/);
});

test("operands of a wrong type are refused with the path to them", () => {
	for (const operator of ["$gt", "$gte", "$lt", "$lte"]) {
		for (const operand of [true, null, [1], { a: 1 }]) {
			refuses({ a: { [operator]: operand } }, `filter.a.${operator}`, /takes a number or a string/);
		}
	}
	for (const operator of ["$in", "$nin"]) {
		for (const operand of [1, "x", null, { 0: 1 }]) {
			refuses({ a: { [operator]: operand } }, `filter.a.${operator}`, /takes an array of values/);
		}
	}
	for (const operand of [1, "true", null]) refuses({ a: { $exists: operand } }, "filter.a.$exists", /true or false/);
	for (const operand of [5, "x", null, [{ $gt: 1 }]])
		refuses({ a: { $not: operand } }, "filter.a.$not", /takes operators/);
	for (const operator of ["$and", "$or"]) {
		refuses({ [operator]: { a: 1 } }, `filter.${operator}`, /takes an array of filters/);
		refuses({ [operator]: [] }, `filter.${operator}`, /at least one filter/);
		refuses({ [operator]: [{ a: 1 }, 5] }, `filter.${operator}[1]`, /must be an object/);
	}
	refuses({ $not: [{ a: 1 }] }, "filter.$not", /must be an object/);
	for (const filter of [null, undefined, [], "a", 1, () => 1, new Date(0), new Map()]) {
		refuses(filter, "filter", /must be an object/);
	}
});

test("paths with empty keys are refused", () => {
	for (const path of ["", ".", "a.", ".a", "a..b"])
		refuses({ [path]: 1 }, `filter[${JSON.stringify(path)}]`, /empty key/);
});

test("what is not JSON is refused with its path", () => {
	refuses({ a: undefined }, "filter.a", /is undefined\. Leave the field out/);
	refuses({ a: { $eq: undefined } }, "filter.a.$eq", /is undefined/);
	refuses({ a: { $in: [1, undefined] } }, "filter.a.$in[1]", /is undefined/);
	refuses({ a: { $eq: { b: undefined } } }, "filter.a.$eq.b", /is undefined/);
	refuses({ a: new Date(0) }, "filter.a", /is a Date.*getTime/);
	refuses({ a: { $gt: new Date(0) } }, "filter.a.$gt", /is a Date/);
	refuses({ a: { $gt: Number.NaN } }, "filter.a.$gt", /NaN/);
	refuses({ a: { $lt: Number.POSITIVE_INFINITY } }, "filter.a.$lt", /Infinity/);
	refuses({ a: 5n }, "filter.a", /bigint/);
	refuses({ a: { $in: [() => 1] } }, "filter.a.$in[0]", /a function/);
	refuses({ a: Symbol("s") }, "filter.a", /a symbol/);
	refuses({ a: /x/ }, "filter.a", /a RegExp/);
	refuses({ a: "\ud800" }, "filter.a", /well-formed/);
	refuses({ a: "x\u0000" }, "filter.a", /U\+0000/);
	assert.match(refusal({ "\ud800": 1 }).message, /well-formed/);
	// biome-ignore lint/suspicious/noSparseArray: a hole in an array is one of the things that are not JSON.
	refuses({ $or: [, { a: 1 }] }, "filter.$or[0]", /must be an object .*, not undefined/);
});

test("depth counts $and, $or and $not, and may reach the bound but not exceed it", () => {
	const { max } = BOUNDS.filterDepth;
	const wraps: ((inner: object) => object)[] = [
		(inner) => ({ $and: [inner] }),
		(inner) => ({ $or: [{ b: 1 }, inner] }),
		(inner) => ({ $not: inner }),
	];
	for (const wrap of wraps) {
		parseFilter(nested(max, wrap));
		const error = refusal(nested(max + 1, wrap));
		assert.match(error.message, /nested deeper than 32 levels/);
		assert.deepEqual(error.details.bound, BOUNDS.filterDepth);
	}
	const operators = (levels: number) => ({
		a: nested(levels, (inner) => ({ $not: "a" in inner ? { $eq: 1 } : inner })),
	});
	parseFilter(operators(max));
	assert.match(refusal(operators(max + 1)).message, /nested deeper than 32 levels/);
});

test("filters 100,000 deep are refused instead of overflowing the stack", () => {
	for (const wrap of [(inner: object) => ({ $and: [inner] }), (inner: object) => ({ $not: inner })]) {
		refusal(nested(100_000, wrap));
	}
	refusal({ a: nested(100_000, (inner) => ({ $not: inner })) });
	refusal({ a: { $eq: nested(100_000, (inner) => ({ a: inner })) } });
	refusal({ a: nested(100_000, (inner) => [inner]) });
});

test("cyclic filters are refused as such", () => {
	const not: Record<string, unknown> = {};
	not.$not = not;
	refuses(not, "filter.$not", /contains itself/);
	const and: Record<string, unknown> = { a: 1 };
	and.$and = [{ b: 2 }, and];
	refuses(and, "filter.$and[1]", /contains itself/);
	const operators: Record<string, unknown> = {};
	operators.$not = operators;
	refuses({ a: operators }, "filter.a.$not", /contains itself/);
	const list: unknown[] = [1];
	list.push(list);
	refuses({ a: { $eq: list } }, "filter.a.$eq[1]", /contains itself/);
});

test("a filter may use one object twice", () => {
	const part = { a: 1 };
	assert.equal(
		JSON.stringify(parseFilter({ $or: [part, part] })),
		JSON.stringify(parseFilter({ $or: [{ a: 1 }, { a: 1 }] })),
	);
});

test("a small object that unfolds into a huge filter is refused", () => {
	let filter: object = { a: 1 };
	for (let level = 1; level < BOUNDS.filterDepth.max; level++) filter = { $or: [filter, filter] };
	assert.match(refusal(filter).message, /one part too many/);
	let value: object = {};
	for (let level = 1; level < 60; level++) value = [value, value];
	assert.match(refusal({ a: { $eq: value } }).message, /one value too many/);
});

test("$in takes 10,000 values and not one more", () => {
	const values = Array.from({ length: 10_001 }, (_, i) => i);
	for (const operator of ["$in", "$nin"]) {
		parseFilter({ a: { [operator]: values.slice(1) } });
		const error = refusal({ a: { [operator]: values } });
		assert.equal(error.message, `filter.a.${operator} has 10001 values; at most 10000 are allowed.`);
		assert.deepEqual(error.details, { field: `filter.a.${operator}`, value: 10_001, bound: BOUNDS.inValues });
	}
});

test("the bound on parts holds for the filter as a whole", () => {
	const full = { $in: Array(10_000).fill(0) };
	const fields = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, full]));
	parseFilter(fields(9));
	assert.match(refusal(fields(10)).message, /is one value too many: at most 100000 are allowed/);
});

test("a value of a filter may be as deep as metadata can be", () => {
	const list = (levels: number): unknown => (levels === 1 ? [] : [list(levels - 1)]);
	const { max } = BOUNDS.metadataDepth;
	parseFilter({ a: { $in: [list(max)] } });
	assert.match(refusal({ a: { $in: [list(max + 1)] } }).message, /nested deeper/);
});

test("whatever JSON is parsed, the only failure is INVALID_FILTER", () => {
	const key = fc.oneof(
		fc.constantFrom(...FIELD_OPERATORS, "$and", "$or", "$nor", "a", "a.b", ".", "__proto__"),
		fc.string(),
	);
	const { value } = fc.letrec<{ value: unknown }>((tie) => ({
		value: fc.oneof(
			{ depthSize: "medium" },
			fc.constantFrom<unknown[]>(null, true, 0, 1.5, "", "a", "\ud800"),
			fc.array(tie("value"), { maxLength: 3 }),
			fc.array(fc.tuple(key, tie("value")), { maxLength: 3 }).map((entries): object => Object.fromEntries(entries)),
		),
	}));
	let parsed = 0;
	let refused = 0;
	fc.assert(
		fc.property(fc.oneof(value, fc.anything()), (filter) => {
			try {
				parseFilter(filter);
				parsed++;
			} catch (error) {
				assert.ok(isNighError(error, "INVALID_FILTER"), String(error));
				structuredClone(error.details);
				refused++;
			}
		}),
		{ numRuns: 5_000 },
	);
	assert.ok(parsed > 50 && refused > 50, `${parsed} parsed, ${refused} refused`);
});
