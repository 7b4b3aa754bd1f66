import type { Filter } from "@nigh/contract";
import fc from "fast-check";

/** A record or a patch of the model test: everything small, so that ids, vectors and distances often come twice. */
export interface Row {
	readonly id: number;
	readonly vector: readonly number[];
	readonly group: number | null;
	readonly text: string | null;
	/** ms from now. */
	readonly expiresIn: number | null;
}

/** One step of a plan. Every step can be taken in every state, so that a plan can be shortened at any place. */
export type Step =
	| { readonly verb: "upsert"; readonly rows: readonly Row[] }
	| { readonly verb: "bulk"; readonly first: number; readonly count: number }
	| { readonly verb: "update"; readonly rows: readonly Row[]; readonly fields: readonly Field[] }
	| { readonly verb: "delete"; readonly ids: readonly number[] }
	| { readonly verb: "delete matches"; readonly filter: Filter }
	| {
			readonly verb: "prune";
			readonly maxAgeMs: number | null;
			readonly maxRecords: number | null;
			readonly filter: Filter;
	  }
	| { readonly verb: "wait"; readonly ms: number }
	| { readonly verb: "convert"; readonly kind: "flat" | "hnsw" | "auto" }
	| { readonly verb: "search"; readonly vector: readonly number[]; readonly k: number; readonly filter: Filter | null }
	| {
			readonly verb: "search words";
			readonly vector: readonly number[];
			readonly word: string;
			readonly filter: Filter | null;
	  }
	| {
			readonly verb: "read";
			readonly ids: readonly number[];
			readonly after: number;
			readonly limit: number;
			readonly filter: Filter;
	  }
	| { readonly verb: "optimize" | "rebuild" }
	| { readonly verb: "reopen" | "restart" | "drop" | "back up" };

export type Field = "vector" | "metadata" | "text" | "expiresAt";

/** What a collection of one plan is. */
export interface Kind {
	readonly metric: "l2" | "cosine";
	readonly index: "flat" | "hnsw" | "auto";
	/** Above it, upserts are refused or the longest not updated go; `null`: no limit. */
	readonly maxRecords: number | null;
	readonly prunePolicy: "expired" | "oldest";
	/** Whether the field that is filtered by has an index. */
	readonly isIndexed: boolean;
}

export const DIMENSIONS = 3;
/** Ids of single writes; those of bulk writes begin here. */
const IDS = 24;
const BULK = 3_000;

/** `null` but once in so many times. */
function seldom<T>(times: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> {
	return fc.oneof({ weight: times - 1, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });
}

const id = fc.integer({ min: 0, max: IDS });
const vector = fc.array(fc.integer({ min: -2, max: 2 }), { minLength: DIMENSIONS, maxLength: DIMENSIONS });
const group = fc.integer({ min: 0, max: 3 });

const row: fc.Arbitrary<Row> = fc.record({
	id,
	vector,
	group: fc.option(group),
	text: fc.option(fc.constantFrom("red", "green red", "blue")),
	expiresIn: seldom(5, fc.integer({ min: 1, max: 400 })),
});
const rows = fc.array(row, { minLength: 1, maxLength: 8 });
const ids = fc.array(id, { minLength: 1, maxLength: 6 });
const filter: fc.Arbitrary<Filter> = fc.oneof(
	group.map((value) => ({ group: value })),
	group.map((value) => ({ group: { $gte: value } })),
	group.map((value) => ({ group: { $ne: value } })),
	fc.constant({ group: { $exists: false } }),
	fc.constant({}),
);
const fields = fc.subarray<Field>(["vector", "metadata", "text", "expiresAt"], { minLength: 1 });

const step: fc.Arbitrary<Step> = fc.oneof(
	{ weight: 22, arbitrary: fc.record({ verb: fc.constant("upsert" as const), rows }) },
	{
		weight: 2,
		arbitrary: fc.record({
			verb: fc.constant("bulk" as const),
			first: fc.integer({ min: IDS + 1, max: BULK }),
			count: fc.integer({ min: 50, max: 1_200 }),
		}),
	},
	{ weight: 10, arbitrary: fc.record({ verb: fc.constant("update" as const), rows, fields }) },
	{ weight: 8, arbitrary: fc.record({ verb: fc.constant("delete" as const), ids }) },
	{ weight: 3, arbitrary: fc.record({ verb: fc.constant("delete matches" as const), filter }) },
	{
		weight: 3,
		arbitrary: fc.record({
			verb: fc.constant("prune" as const),
			maxAgeMs: fc.option(fc.integer({ min: 0, max: 900 })),
			maxRecords: fc.option(fc.integer({ min: 0, max: 30 })),
			filter,
		}),
	},
	{ weight: 8, arbitrary: fc.record({ verb: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 300 }) }) },
	{
		weight: 26,
		arbitrary: fc.record({
			verb: fc.constant("search" as const),
			vector,
			k: fc.integer({ min: 1, max: 12 }),
			filter: fc.option(filter, { freq: 2 }),
		}),
	},
	{
		weight: 8,
		arbitrary: fc.record({
			verb: fc.constant("read" as const),
			ids,
			after: id,
			limit: fc.integer({ min: 1, max: 12 }),
			filter,
		}),
	},
	{
		weight: 4,
		arbitrary: fc.record({
			verb: fc.constant("search words" as const),
			vector,
			word: fc.constantFrom("red", "green", "blue"),
			filter: fc.option(filter, { freq: 2 }),
		}),
	},
	{ weight: 3, arbitrary: fc.constant({ verb: "optimize" as const }) },
	{ weight: 1, arbitrary: fc.constant({ verb: "rebuild" as const }) },
	{
		weight: 1,
		arbitrary: fc.record({ verb: fc.constant("convert" as const), kind: fc.constantFrom("flat", "hnsw", "auto") }),
	},
	{ weight: 4, arbitrary: fc.constant({ verb: "reopen" as const }) },
	{ weight: 1, arbitrary: fc.constant({ verb: "drop" as const }) },
) as fc.Arbitrary<Step>;

/** Kinds of collection and what is done to them: any number of steps up to `length`, all as likely. */
export function plans(length: number): fc.Arbitrary<{ readonly kind: Kind; readonly steps: readonly Step[] }> {
	const kind: fc.Arbitrary<Kind> = fc.record({
		metric: fc.constantFrom("l2", "cosine"),
		index: fc.constantFrom("flat", "hnsw", "hnsw", "auto"),
		maxRecords: fc.option(fc.integer({ min: 5, max: 40 }), { freq: 2 }),
		prunePolicy: fc.constantFrom("expired", "oldest"),
		isIndexed: fc.boolean(),
	});
	// Left to itself, fast-check makes short lists more often.
	const many = fc.noBias(fc.array(step, { maxLength: length, size: "max" }));
	const steps = fc
		.tuple(many, seldom(8, fc.nat()), seldom(8, fc.nat()))
		// These start threads, which takes as long as a hundred other steps: at most once in a plan.
		.map(([list, ...at]) => insert(insert(list, at[0], "restart"), at[1], "back up"));
	return fc.record({ kind, steps });
}

function insert(list: readonly Step[], at: number | null, verb: "restart" | "back up"): readonly Step[] {
	return at === null ? list : list.toSpliced(at % (list.length + 1), 0, { verb });
}
