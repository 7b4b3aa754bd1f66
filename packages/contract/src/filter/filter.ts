import type { Json, Metadata } from "../metadata.ts";

/** Operators that stand where a field's name could stand, and hold filters. */
export const LOGICAL_OPERATORS = ["$and", "$or", "$not"] as const;

/** Operators that stand under a field. */
export const FIELD_OPERATORS = [
	"$eq",
	"$ne",
	"$in",
	"$nin",
	"$gt",
	"$gte",
	"$lt",
	"$lte",
	"$exists",
	"$contains",
	"$not",
] as const;

export type LogicalOperator = (typeof LOGICAL_OPERATORS)[number];
export type FieldOperator = (typeof FIELD_OPERATORS)[number];

/**
 * What a record's metadata must look like, in the manner of MongoDB.
 *
 * - `{ type: "lesson", stars: { $gte: 3, $lt: 5 } }`: all of it must hold. `{}` matches every record.
 * - A value alone means `$eq`. An object must hold operators: to compare with a whole object write `{ author: { $eq: { name: "Ada" } } }`,
 *   to look into it write `{ "author.name": "Ada" }`.
 * - A path `a.b` steps through objects only, never into arrays, and sees own properties only. Keys that are empty, hold a dot or
 *   start with `$` cannot be addressed.
 * - Only values of one JSON type are ever equal or ordered: `1` is not `"1"`, and `$gt: 3` is false on `"5"`.
 * - `$gt $gte $lt $lte` take a number or a string. Strings are ordered by their UTF-8 bytes.
 * - `$eq` on arrays and objects compares deeply; the order of keys does not matter, that of elements does. It does not look for an
 *   element: that is `$contains`. `$eq: null` matches null and not a missing field.
 * - `$contains` is true of an array with an element that equals the value, and of a string that has the value as a substring.
 * - Everything but `$exists: false`, `$ne`, `$nin` and `$not` is false on a missing field. Those three are the exact negations of `$eq`,
 *   `$in` and what `$not` holds, so they are true there. A field whose value is `undefined` is missing.
 *
 * Bounds: `filterDepth`, `inValues`, `filterValues`.
 */
export type Filter<M extends Metadata = Metadata> = string extends keyof M ? UntypedFilter : TypedFilter<M>;

/** A filter on metadata of which only is known that it is JSON. Unknown operators are found when the filter is parsed. */
export interface UntypedFilter {
	readonly [path: string]: Condition<Json> | UntypedFilter | readonly UntypedFilter[] | undefined;
	readonly $and?: readonly UntypedFilter[];
	readonly $or?: readonly UntypedFilter[];
	readonly $not?: UntypedFilter;
}

/** A filter whose paths, operators and values fit `M`. */
export type TypedFilter<M> = { readonly [P in FieldPath<M>]?: Condition<ValueAt<M, P>> } & {
	readonly $and?: readonly TypedFilter<M>[];
	readonly $or?: readonly TypedFilter<M>[];
	readonly $not?: TypedFilter<M>;
};

/** What can stand under a field whose values are `V`. */
export type Condition<V> =
	| Exclude<V, Readonly<Record<string, unknown>>>
	| Extract<V, readonly unknown[]>
	| Operators<V>;

/** Operators under a field whose values are `V`. Several of them must all hold. */
export interface Operators<V> {
	readonly $eq?: V;
	readonly $ne?: V;
	readonly $in?: readonly V[];
	readonly $nin?: readonly V[];
	readonly $gt?: Ordered<V>;
	readonly $gte?: Ordered<V>;
	readonly $lt?: Ordered<V>;
	readonly $lte?: Ordered<V>;
	readonly $exists?: boolean;
	readonly $contains?: Part<V>;
	readonly $not?: Operators<V>;
}

type Ordered<V> = V extends number ? number : V extends string ? string : never;
type Part<V> = V extends string ? string : V extends readonly (infer Element)[] ? Element : never;

type Addressable<Key> = Key extends "" | `$${string}` | `${string}.${string}` ? never : Key;

/** Paths of `M`, five levels deep: deeper ones (and types that contain themselves) have to be written as an untyped filter. */
export type FieldPath<M, Levels extends readonly unknown[] = [1, 1, 1, 1, 1]> = Levels extends readonly [
	unknown,
	...infer Rest,
]
	? { [K in Addressable<keyof M & string>]: K | PathBelow<K, M[K], Rest> }[Addressable<keyof M & string>]
	: never;

type PathBelow<K extends string, V, Levels extends readonly unknown[]> = V extends readonly unknown[]
	? never
	: V extends object
		? `${K}.${FieldPath<V, Levels>}`
		: never;

/** The values that path `P` of `M` can have, where it is there. */
export type ValueAt<M, P> = M extends object
	? P extends keyof M
		? Exclude<M[P], undefined>
		: P extends `${infer Key}.${infer Rest}`
			? Key extends keyof M
				? ValueAt<M[Key], Rest>
				: never
			: never
	: never;
