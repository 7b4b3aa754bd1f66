/**
 * Promises that the types make. `tsc` is their judge: it fails where a line under `@ts-expect-error` is accepted, and where an `Equal`
 * is not `true`. Nothing here is ever called.
 */
import type {
	Collection,
	Database,
	Distance,
	FieldPath,
	Filter,
	Hit,
	Json,
	Metadata,
	RecallStatement,
	Score,
	SearchRequest,
	StoredRecord,
	ValueAt,
} from "./index.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Fails to compile unless `T` is `true`. */
export type Assert<T extends true> = T;

type Note = {
	kind: "lesson" | "skill";
	stars?: number;
	tags: readonly string[];
	author: { name: string; born: number | null };
	draft: boolean;
	"not.addressable": string;
	$reserved: string;
};

type Open = { id: string; extra: Metadata };

type Tree = { name: string; child?: Tree };

export type Paths = [
	Assert<Equal<FieldPath<Note>, "kind" | "stars" | "tags" | "author" | "author.name" | "author.born" | "draft">>,
	Assert<Equal<ValueAt<Note, "author.born">, number | null>>,
	Assert<Equal<ValueAt<Note, "stars">, number>>,
	Assert<Equal<ValueAt<Note, "author.missing">, never>>,
	Assert<Equal<FieldPath<Open>, "id" | "extra" | `extra.${string}`>>,
	Assert<Equal<ValueAt<Open, "extra.any">, Json>>,
	Assert<Equal<"child.child.child.child.name" extends FieldPath<Tree> ? true : false, true>>,
	Assert<Equal<"child.child.child.child.child.name" extends FieldPath<Tree> ? true : false, false>>,
];

export type Hits = [
	Assert<Equal<Hit<Note>["distance"], Distance>>,
	Assert<Equal<Hit<Note>["score"], Score>>,
	Assert<Equal<Hit<Note>["metadata"], Note | undefined>>,
	Assert<
		Equal<
			keyof RecallStatement,
			"target" | "state" | "estimate" | "basis" | "confidence" | "queries" | "cell" | "changeNumber" | "certifiedAt"
		>
	>,
];

export type Verbs = [
	Assert<
		Equal<
			keyof Database,
			| (
					| "collection"
					| "collections"
					| "drop"
					| "backup"
					| "restore"
					| "verify"
					| "repair"
					| "health"
					| "share"
					| "close"
			  )
			| "capabilities"
		>
	>,
	Assert<
		Equal<
			keyof Collection,
			| ("upsert" | "update" | "get" | "delete" | "count" | "scan" | "search" | "searchMany" | "prune" | "optimize")
			| ("rebuild" | "convert" | "certify" | "tune" | "warm" | "refresh" | "health" | "stats" | "analyze" | "close")
			| "name"
		>
	>,
];

export function distanceAndScore(distance: Distance, score: Score): unknown[] {
	// @ts-expect-error A distance is not a score.
	const wrongScore: Score = distance;
	// @ts-expect-error A score is not a distance.
	const wrongDistance: Distance = score;
	// @ts-expect-error A bare number is no distance.
	const bare: Distance = 0.5;
	const number: number = distance;
	return [wrongScore, wrongDistance, bare, number];
}

export const validFilters: Filter<Note>[] = [
	{},
	{ kind: "lesson", stars: { $gte: 3, $lt: 5 } },
	{ kind: { $in: ["lesson", "skill"] }, tags: { $contains: "a" } },
	{ tags: ["a", "b"] },
	{ "author.name": { $gt: "A", $contains: "x" }, "author.born": null },
	{ author: { $eq: { name: "Ada", born: 1815 } } },
	{ draft: true, $or: [{ stars: 1 }, { $not: { stars: { $exists: false } } }] },
	{ stars: { $not: { $in: [1, 2] } } },
];

export const invalidFilters: Filter<Note>[] = [
	// @ts-expect-error An unknown field.
	{ kid: "lesson" },
	// @ts-expect-error An unknown path.
	{ "author.age": 3 },
	// @ts-expect-error A key that cannot be addressed.
	{ "not.addressable": "x" },
	// @ts-expect-error An unknown operator.
	{ stars: { $gtt: 3 } },
	// @ts-expect-error An unknown logical operator.
	{ $nor: [{ stars: 3 }] },
	// @ts-expect-error A value of another type.
	{ stars: "3" },
	// @ts-expect-error A value that the field cannot have.
	{ kind: { $eq: "lessons" } },
	// @ts-expect-error Booleans have no order.
	{ draft: { $gt: false } },
	// @ts-expect-error A number contains nothing.
	{ stars: { $contains: 3 } },
	// @ts-expect-error An element of another type.
	{ tags: { $contains: 3 } },
	// @ts-expect-error An object without operators.
	{ author: { name: "Ada", born: 1815 } },
	// @ts-expect-error $in takes an array.
	{ stars: { $in: 3 } },
	// @ts-expect-error The filters inside are checked too.
	{ $or: [{ stars: "3" }] },
];

export const untypedFilters: Filter[] = [
	{},
	{ type: "lesson", "a.b": { $gte: 3 }, tags: ["a"], gone: null },
	{ type: "lesson", $or: [{ a: 1 }, { b: { $in: [1, "x"] } }], $not: { c: { $exists: true } } },
	{ a: { $eq: { any: ["object", { of: "JSON" }] } } },
	// @ts-expect-error A Date is not JSON.
	{ a: new Date(0) },
	// @ts-expect-error A bigint is not JSON.
	{ a: 1n },
];

export async function verbs(db: Database): Promise<void> {
	const notes = await db.collection<Note>("notes", { dimensions: 3, metric: "cosine", recall: 0.95 });
	const one: StoredRecord<Note> | undefined = await notes.get("a");
	const many: (StoredRecord<Note> | undefined)[] = await notes.get(["a", "b"]);
	const { hits, recall, plan } = await notes.search({ vector: [1, 2, 3], k: 10, filter: { kind: "lesson" } });
	await notes.searchMany([{ embed: "words", text: "words" }]);
	await notes.delete({ filter: { stars: 1 } });
	await notes.update([{ id: "a", text: null, metadata: null }]);
	for await (const record of notes.scan({ after: "a" })) record.metadata?.author.name.trim();
	// @ts-expect-error An unknown option.
	await notes.search({ vector: [1, 2, 3], topK: 10 });
	// @ts-expect-error An unknown metric.
	await db.collection("a", { dimensions: 3, metric: "euclidean" });
	// @ts-expect-error An option of another index.
	await notes.convert({ kind: "hnsw", nlist: 3 });
	// @ts-expect-error A Date is not JSON.
	await db.collection<{ at: Date }>("a");
	// @ts-expect-error An id is a string.
	await notes.upsert([{ id: 7, vector: [1, 2, 3] }]);
	// @ts-expect-error Metadata of another shape.
	await notes.upsert([{ id: "a", vector: [1, 2, 3], metadata: { kind: "lesson" } }]);
	const anything: Collection = notes as unknown as Collection<Metadata>;
	await anything.upsert([
		{ id: "a", vector: new Float32Array(3), metadata: { any: { thing: [1, null] } }, text: "..." },
	]);
	console.log(one, many, hits, recall, plan);
}

export function readonlyOptions(request: SearchRequest, hit: Hit, statement: RecallStatement): void {
	// @ts-expect-error Options are readonly.
	request.k = 5;
	// @ts-expect-error Hits are readonly.
	hit.id = "b";
	// @ts-expect-error So is the evidence.
	statement.state = "certified";
}
