import { Buffer } from "node:buffer";
import fc from "fast-check";

/** A second reading of the filter language, straight from its description, on the raw filter and without sharing any code. */
export function naiveMatch(filter: unknown, metadata: unknown): boolean {
	for (const [key, operand] of Object.entries(filter as object)) {
		if (!naivePart(key, operand, metadata)) return false;
	}
	return true;
}

function naivePart(key: string, operand: unknown, metadata: unknown): boolean {
	if (key === "$and") return (operand as unknown[]).filter((inner) => !naiveMatch(inner, metadata)).length === 0;
	if (key === "$or") return (operand as unknown[]).filter((inner) => naiveMatch(inner, metadata)).length > 0;
	if (key === "$not") return naiveMatch(operand, metadata) === false;
	const found = naiveField(metadata, key.split("."));
	return isBraces(operand) ? naiveOperators(found, operand) : canonical(found[0]) === canonical(operand);
}

/** An empty array stands for a missing field. */
type Found = [] | [unknown];

function naiveField(value: unknown, steps: string[]): Found {
	if (steps.length === 0) return [value];
	if (!isBraces(value)) return [];
	const entry = Object.entries(value).find(([key]) => key === steps[0]);
	return entry === undefined || entry[1] === undefined ? [] : naiveField(entry[1], steps.slice(1));
}

function naiveOperators(found: Found, operators: Record<string, unknown>): boolean {
	let holds = true;
	for (const [operator, operand] of Object.entries(operators)) holds &&= naiveOperator(found, operator, operand);
	return holds;
}

function naiveOperator(found: Found, operator: string, operand: unknown): boolean {
	const missing = found.length === 0;
	const value = found[0];
	if (operator === "$ne") return missing || canonical(value) !== canonical(operand);
	if (operator === "$nin") return missing || !(operand as unknown[]).map(canonical).includes(canonical(value));
	if (operator === "$not") return !naiveOperators(found, operand as Record<string, unknown>);
	if (operator === "$exists") return missing !== operand;
	if (missing) return false;
	if (operator === "$eq") return canonical(value) === canonical(operand);
	if (operator === "$in") return (operand as unknown[]).map(canonical).includes(canonical(value));
	if (operator === "$contains") return naiveContains(value, operand);
	const order = naiveOrder(value, operand);
	if (operator === "$gt") return order === 1;
	if (operator === "$gte") return order === 1 || order === 0;
	if (operator === "$lt") return order === -1;
	return order === -1 || order === 0;
}

function naiveContains(value: unknown, operand: unknown): boolean {
	if (Array.isArray(value)) return value.map(canonical).includes(canonical(operand));
	return typeof value === "string" && typeof operand === "string" && value.indexOf(operand) >= 0;
}

function naiveOrder(a: unknown, b: unknown): number | undefined {
	if (typeof a === "number" && typeof b === "number") return Math.sign(a - b);
	if (typeof a === "string" && typeof b === "string") return Buffer.compare(Buffer.from(a), Buffer.from(b));
	return undefined;
}

/** JSON text with sorted keys; `undefined` for a missing value, which equals no JSON text. */
function canonical(value: unknown): string | undefined {
	return JSON.stringify(value, (_, inner) =>
		isBraces(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
	);
}

function isBraces(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

// Few keys and few values, so that filters often meet the fields they speak of. __proto__ and the like must be ordinary keys.
const key = fc.constantFrom("a", "b", "constructor", "__proto__", "length", "0");
const scalar = fc.constantFrom<(null | boolean | number | string)[]>(
	null,
	true,
	false,
	0,
	-0,
	1,
	2.5,
	"",
	"0",
	"1",
	"a",
	"ab",
	"\uffff",
	"\u{10000}",
);

/** An object that has `__proto__` as an own property where it is among the keys, as `JSON.parse` makes it. */
function objectOf<T>(
	keys: fc.Arbitrary<string>,
	value: fc.Arbitrary<T>,
	options: { minKeys: number; maxKeys: number },
) {
	return fc
		.uniqueArray(fc.tuple(keys, value), {
			selector: ([name]) => name,
			minLength: options.minKeys,
			maxLength: options.maxKeys,
		})
		.map((entries): Record<string, T> => Object.fromEntries(entries));
}

const { json } = fc.letrec<{ json: unknown }>((tie) => ({
	json: fc.oneof(
		{ depthSize: "small", withCrossShrink: true },
		scalar,
		fc.array(tie("json"), { maxLength: 3 }),
		objectOf(key, tie("json"), { minKeys: 0, maxKeys: 3 }),
	),
}));

/** Any JSON value that filters may meet. */
export const anyJson: fc.Arbitrary<unknown> = json;

/** Metadata over the keys and values that {@link anyFilter} speaks of. */
export const anyMetadata: fc.Arbitrary<Record<string, unknown>> = objectOf(key, json, { minKeys: 0, maxKeys: 5 });

/** A path of one or two keys. */
export const anyPath: fc.Arbitrary<string> = fc.oneof(
	key,
	fc.tuple(key, key).map((steps) => steps.join(".")),
);

const ordered = scalar.filter((value) => typeof value === "number" || typeof value === "string");

const { operators, filter } = fc.letrec<{ operators: Record<string, unknown>; filter: Record<string, unknown> }>(
	(tie) => {
		const values = fc.array(json, { maxLength: 4 });
		const one = fc.oneof(
			{ depthSize: "small" },
			fc.tuple(fc.constantFrom("$eq", "$ne", "$contains"), json),
			fc.tuple(fc.constantFrom("$in", "$nin"), values),
			fc.tuple(fc.constantFrom("$gt", "$gte", "$lt", "$lte"), ordered),
			fc.tuple(fc.constant("$exists"), fc.boolean()),
			fc.tuple(fc.constant("$not"), tie("operators")),
		);
		const condition = fc.oneof(scalar, fc.array(json, { maxLength: 2 }), tie("operators"));
		const several = fc.array(tie("filter"), { minLength: 1, maxLength: 3 });
		const part = fc.oneof(
			{ depthSize: "small" },
			fc.tuple(anyPath, condition),
			fc.tuple(fc.constantFrom("$and", "$or"), several),
			fc.tuple(fc.constant("$not"), tie("filter")),
		);
		const unique = { selector: ([name]: [string, unknown]) => name, maxLength: 3 };
		return {
			operators: fc
				.uniqueArray(one as fc.Arbitrary<[string, unknown]>, { ...unique, minLength: 1 })
				.map((entries): Record<string, unknown> => Object.fromEntries(entries)),
			filter: fc
				.uniqueArray(part as fc.Arbitrary<[string, unknown]>, unique)
				.map((entries): Record<string, unknown> => Object.fromEntries(entries)),
		};
	},
);

/** Any set of operators for one field. */
export const anyOperators: fc.Arbitrary<Record<string, unknown>> = operators;

/** Any valid filter. */
export const anyFilter: fc.Arbitrary<Record<string, unknown>> = filter;
