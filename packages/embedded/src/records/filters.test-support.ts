import { type FilterNode, type Json, type Metadata, predicateOf } from "@nigh/contract";
import fc from "fast-check";

/** Keys that SQL or JSON paths could take for something else, and few of them, so that filters meet the fields they speak of. */
const key = fc.constantFrom(
	"a",
	"b",
	"a.b",
	"$",
	"[0]",
	"0",
	`"`,
	"'",
	"\\",
	'a"b',
	"\\u0061",
	"é",
	"\u0001",
	"",
	"__proto__",
);

const number = fc.oneof(
	fc.constantFrom(0, 1, -1, 2, 0.1, 0.30000000000000004, 3, 3.0000000000000004, 1e-7, 5e-324, Number.MAX_VALUE, 1e21),
	fc.constantFrom(2 ** 53 - 1, 2 ** 53, 2 ** 53 + 2, 2 ** 60, 2 ** 60 + 256, -(2 ** 62), 2 ** 63, -(2 ** 63), 2 ** 64),
	fc.double({ noNaN: true, noDefaultInfinity: true }),
);

const string = fc.constantFrom(
	...[
		"",
		"0",
		"1",
		"true",
		"null",
		"a",
		"ab",
		"A",
		"[1]",
		"{}",
		'["a"]',
		'"',
		"'",
		"\\",
		"%",
		"\u0001",
		"\n",
		"é",
		"e\u0301",
	],
	...["\ud7ff", "\uffff", "\u{10000}", "\u2028"],
);

const scalar: fc.Arbitrary<Json> = fc.oneof(fc.constantFrom(null, true, false), number, string);

const { json } = fc.letrec<{ json: Json }>((tie) => ({
	json: fc.oneof(
		{ depthSize: "small", withCrossShrink: true },
		{ weight: 3, arbitrary: scalar },
		// Text of which is among the strings.
		{ weight: 1, arbitrary: fc.constantFrom<Json[]>([1], {}, ["a"], ["[1]"]) },
		{ weight: 1, arbitrary: fc.array(tie("json"), { maxLength: 3 }) },
		{ weight: 1, arbitrary: objectOf(tie("json"), 3) },
	),
}));

/** An object with `__proto__` as an own property where it is among the keys, as `JSON.parse` makes it. */
function objectOf(value: fc.Arbitrary<Json>, maxLength: number): fc.Arbitrary<{ [key: string]: Json }> {
	const entries = fc.uniqueArray(fc.tuple(key, value), { selector: ([name]) => name, maxLength });
	return entries.map((list) => Object.fromEntries(list));
}

/** Metadata of one record, `undefined` for one without. */
export const anyMetadata: fc.Arbitrary<Metadata | undefined> = fc.oneof(
	{ weight: 9, arbitrary: objectOf(json, 5) },
	{ weight: 1, arbitrary: fc.constant(undefined) },
);

/** A path and the value that is there in one of the records, or another: so that filters match often enough. */
function aim(records: readonly (Metadata | undefined)[]): fc.Arbitrary<{ path: string[]; value: Json }> {
	const places = records.flatMap((metadata) => placesIn(metadata ?? {}, []));
	const random = fc.record({ path: fc.array(key, { minLength: 1, maxLength: 2 }), value: json });
	if (places.length === 0) return random;
	const known = fc.constantFrom(...places);
	const beside = fc.tuple(known, json).map(([{ path }, value]) => ({ path, value }));
	return fc.oneof({ weight: 4, arbitrary: known }, { weight: 2, arbitrary: beside }, { weight: 1, arbitrary: random });
}

function placesIn(object: Metadata, path: readonly string[]): { path: string[]; value: Json }[] {
	return Object.entries(object).flatMap(([name, value]) => {
		const inner = typeof value === "object" && value !== null && !Array.isArray(value);
		const here = { path: [...path, name], value: value as Json };
		return inner ? [here, ...placesIn(value as Metadata, here.path)] : [here];
	});
}

/** A filter over such records, as the parser makes it. */
export function anyFilter(records: readonly (Metadata | undefined)[]): fc.Arbitrary<FilterNode> {
	const aimed = aim(records);
	const field = fc.oneof(
		aimed.map(({ path, value }): FilterNode => ({ op: "eq", path, value })),
		fc
			.tuple(aimed, fc.array(json, { maxLength: 4 }), fc.boolean())
			.map(([{ path, value }, more, also]): FilterNode => ({ op: "in", path, values: also ? [value, ...more] : more })),
		fc
			.tuple(aimed, fc.oneof(number, string), fc.constantFrom("gt", "gte", "lt", "lte"))
			.map(([{ path, value }, other, op]): FilterNode => {
				const ordered = typeof value === "number" || typeof value === "string" ? value : other;
				return { op, path, value: ordered };
			}),
		aimed.map(({ path }): FilterNode => ({ op: "exists", path })),
		fc.tuple(aimed, fc.boolean()).map(([{ path, value }, part]): FilterNode => {
			const element = Array.isArray(value) ? (value[0] ?? null) : value;
			return { op: "contains", path, value: part ? element : value };
		}),
	);
	const { node } = fc.letrec<{ node: FilterNode }>((tie) => ({
		node: fc.oneof(
			{ depthSize: "small" },
			{ weight: 4, arbitrary: field },
			{ weight: 1, arbitrary: tie("node").map((operand): FilterNode => ({ op: "not", operand })) },
			{
				weight: 2,
				arbitrary: fc
					.tuple(fc.constantFrom("and", "or"), fc.array(tie("node"), { minLength: 1, maxLength: 3 }))
					.map(([op, operands]): FilterNode => ({ op, operands })),
			},
		),
	}));
	return node;
}

/** Places of the records that match. */
export function matching(node: FilterNode, records: readonly (Metadata | undefined)[]): number[] {
	const accepts = predicateOf(node);
	return [...records.keys()].filter((at) => accepts(records[at]));
}
