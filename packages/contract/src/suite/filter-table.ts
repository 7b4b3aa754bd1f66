// Filters and what they match, written by hand: the oracle of the filters in every verb.

/** Metadata by id. `none` has no metadata at all. */
export const FILTER_METADATA = {
	ada: { kind: "lesson", stars: 5, tags: ["x", "y"], author: { name: "Ada", born: 1815 }, done: true },
	bob: { kind: "lesson", stars: 3, tags: [], author: { name: "Bob", born: null } },
	cleo: { kind: "skill", stars: 4.5, tags: ["y"], done: false },
	dora: { kind: "skill", stars: "5", tags: "xyz", author: "Ada" },
	emil: { kind: null, stars: -1, "author.name": "Ada" },
	fritz: { kind: "\u{1f600}", stars: 1e300, nested: [{ x: 1 }, { x: 2 }] },
	none: undefined,
} as const;

export type FilterId = keyof typeof FILTER_METADATA;

/** Each filter with the ids that it matches, in their order. */
export const FILTER_TABLE: readonly (readonly [filter: object, ids: readonly FilterId[]])[] = [
	[{}, ["ada", "bob", "cleo", "dora", "emil", "fritz", "none"]],
	[{ kind: "lesson" }, ["ada", "bob"]],
	[{ kind: { $eq: "lesson" }, stars: 5 }, ["ada"]],
	[{ stars: "5" }, ["dora"]],
	[{ kind: { $ne: "lesson" } }, ["cleo", "dora", "emil", "fritz", "none"]],
	[{ kind: null }, ["emil"]],
	[{ kind: { $in: ["skill", null] } }, ["cleo", "dora", "emil"]],
	[{ kind: { $in: [] } }, []],
	[{ kind: { $nin: ["lesson", "skill"] } }, ["emil", "fritz", "none"]],
	[{ stars: { $gt: 4 } }, ["ada", "cleo", "fritz"]],
	[{ stars: { $gte: 3, $lt: 5 } }, ["bob", "cleo"]],
	[{ stars: { $lte: -1 } }, ["emil"]],
	[{ stars: { $gt: "4" } }, ["dora"]],
	[{ kind: { $gt: "skill" } }, ["fritz"]],
	[{ done: true }, ["ada"]],
	[{ done: { $ne: true } }, ["bob", "cleo", "dora", "emil", "fritz", "none"]],
	[{ done: 1 }, []],
	[{ done: { $exists: true } }, ["ada", "cleo"]],
	[{ kind: { $exists: false } }, ["none"]],
	[{ tags: { $contains: "x" } }, ["ada", "dora"]],
	[{ tags: ["x", "y"] }, ["ada"]],
	[{ tags: ["y", "x"] }, []],
	[{ tags: [] }, ["bob"]],
	[{ "author.name": "Ada" }, ["ada"]],
	[{ "author.born": null }, ["bob"]],
	[{ "author.born": { $lt: 1900 } }, ["ada"]],
	[{ author: { $eq: { born: 1815, name: "Ada" } } }, ["ada"]],
	[{ author: { $exists: true }, "author.name": { $exists: false } }, ["dora"]],
	[{ nested: { $contains: { x: 2 } } }, ["fritz"]],
	[{ "nested.x": 1 }, []],
	[{ "nested.0.x": 1 }, []],
	[{ $or: [{ kind: "skill" }, { stars: 5 }] }, ["ada", "cleo", "dora"]],
	[{ $and: [{ kind: "skill" }, { stars: { $gt: 0 } }] }, ["cleo"]],
	[{ $not: { kind: "lesson", stars: 5 } }, ["bob", "cleo", "dora", "emil", "fritz", "none"]],
	[{ stars: { $not: { $gt: 3 } } }, ["bob", "dora", "emil", "none"]],
	[
		{ $or: [{ $not: { kind: { $exists: true } } }, { $and: [{ stars: { $lt: 4 } }, { "author.name": "Bob" }] }] },
		["bob", "none"],
	],
	[{ "kind' OR '1'='1": 1 }, []],
	[{ kind: "lesson' OR '1'='1" }, []],
	[{ constructor: { $exists: true } }, []],
	[{ __proto__x: { $exists: false }, kind: "skill", stars: { $gt: 4 } }, ["cleo"]],
];

/** The records of {@link FILTER_METADATA} with vectors of 4 floats. */
export function filterRecords() {
	return Object.entries(FILTER_METADATA).map(([id, metadata], i) => ({
		id,
		vector: [i + 1, 7 - i, (i * 3) % 5, 1],
		...(metadata !== undefined && { metadata }),
	}));
}
