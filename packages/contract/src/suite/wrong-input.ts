import { BOUNDS } from "../bounds.ts";
import type { Collection } from "../collection.ts";
import type { ErrorCode } from "../errors.ts";
import { collect, plain } from "./model.ts";
import type { Cases, Setting } from "./setting.ts";
import * as wrong from "./wrong-values.ts";

const VECTOR = [1, 2, 3, 4];

/** A verb that is called with one wrong value in the midst of good ones. `row`: what `details.row` must be. */
interface Place {
	readonly verb: string;
	readonly row?: number;
	// The verbs do not take such values: that is the point.
	readonly call: (collection: Collection, value: never) => Promise<unknown>;
}

/** Calls every verb with every value; each must be refused with its code, and leave the collection as it was. */
async function refusesAll(
	setting: Setting,
	values: readonly wrong.Wrong[],
	places: readonly Place[],
	spec: { type?: "bit" } = {},
): Promise<void> {
	const { collection, check } = await guarded(setting, spec);
	for (const [what, code, value] of values) {
		for (const { verb, row, call } of places) {
			const note = `${verb}, ${what}`;
			const { details } = await setting.refused(code, () => call(collection, value as never), note);
			if (row !== undefined) setting.assert.equal(details.row, row, `${note}: details.row`);
			await check(note);
		}
	}
}

/** A collection with some records, and a check that they are still what they were. */
async function guarded(setting: Setting, { type }: { type?: "bit" } = {}) {
	const { assert } = setting;
	const collection = await setting.create(type && { type, dimensions: 32 });
	const records = ["a", "b", "c"].map((id, i) => {
		const vector = type === "bit" ? Uint8Array.of(1, 2, 3, i) : [1, 2, 3, i];
		return { id, vector, metadata: { a: i }, text: `words ${i}` };
	});
	await collection.upsert(records);
	const state = async () => (await collect(collection.scan({ include: { vector: true, text: true } }))).map(plain);
	const before = await state();
	const check = async (note: string) => {
		assert.equal(await collection.count(), before.length, `${note}: count afterwards`);
		assert.deepEqual(await state(), before, `${note}: records afterwards`);
	};
	return { collection, check };
}

function refusesRecords(field: string): readonly Place[] {
	const good = (id: string) => ({ id, vector: VECTOR });
	return [
		{
			verb: "upsert",
			row: 1,
			call: (c, value) => c.upsert([good("new"), { ...good("b"), [field]: value }, good("c")]),
		},
		{
			verb: "update",
			row: 1,
			call: (c, value) =>
				c.update([
					{ id: "a", metadata: { new: 1 } },
					{ id: "b", [field]: value },
				]),
		},
	];
}

/** Calls of search and searchMany with each of the requests. */
async function refusesRequests(
	setting: Setting,
	requests: readonly (readonly [field: string, request: object])[],
	code: ErrorCode,
) {
	const { collection, check } = await guarded(setting);
	for (const [field, request] of requests) {
		const note = JSON.stringify(request, (_, value) => (typeof value === "number" ? String(value) : value));
		const one = await setting.refused(code, () => collection.search(request), `search ${note}`);
		const many = () => collection.searchMany([{ vector: VECTOR }, request]);
		const other = await setting.refused(code, many, `searchMany ${note}`);
		setting.assert.equal(other.details.row, 1, `searchMany ${note}: details.row`);
		if (field !== "") {
			for (const { details } of [one, other]) {
				setting.assert.ok(String(details.field).endsWith(field), `${note}: details.field is ${details.field}`);
			}
		}
		await check(note);
	}
}

export const wrongInputCases: Cases = {
	"vectors: in upsert, update, search and searchMany": async (setting) => {
		const searches: Place[] = [
			{ verb: "search", call: (c, vector) => c.search({ vector }) },
			{ verb: "searchMany", row: 1, call: (c, vector) => c.searchMany([{ vector: VECTOR }, { vector }]) },
		];
		await refusesAll(setting, wrong.WRONG_VECTORS, [...refusesRecords("vector"), ...searches]);
	},

	"bits: in upsert and search": async (setting) => {
		if (!setting.has("bits")) return;
		const places: Place[] = [
			{ verb: "upsert", row: 0, call: (c, vector) => c.upsert([{ id: "a", vector }]) },
			{ verb: "update", row: 0, call: (c, vector) => c.update([{ id: "a", vector }]) },
			{ verb: "search", call: (c, vector) => c.search({ vector }) },
		];
		await refusesAll(setting, wrong.WRONG_BITS, places, { type: "bit" });
	},

	"ids: in every verb that takes them": async (setting) => {
		const vector = VECTOR;
		await refusesAll(setting, wrong.WRONG_IDS, [
			{
				verb: "upsert",
				row: 1,
				call: (c, id) =>
					c.upsert([
						{ id: "new", vector },
						{ id, vector },
					]),
			},
			{
				verb: "update",
				row: 1,
				call: (c, id) =>
					c.update([
						{ id: "a", metadata: {} },
						{ id, metadata: {} },
					]),
			},
			{ verb: "get several", call: (c, id) => c.get(["a", id]) },
			{ verb: "delete several", call: (c, id) => c.delete(["a", id]) },
			{ verb: "search", call: (c, id) => c.search({ id }) },
			{ verb: "searchMany", row: 1, call: (c, id) => c.searchMany([{ vector }, { id }]) },
			{ verb: "scan", call: (c, after) => collect(c.scan({ after })) },
		]);
		const strings = wrong.WRONG_IDS.filter(([, , value]) => typeof value === "string");
		await refusesAll(setting, strings, [
			{ verb: "get", call: (c, id) => c.get(id as string) },
			{ verb: "delete", call: (c, id) => c.delete(id as string) },
		]);
	},

	"metadata, texts and expiries: in upsert and update": async (setting) => {
		await refusesAll(setting, wrong.WRONG_METADATA, refusesRecords("metadata"));
		await refusesAll(setting, wrong.WRONG_TEXTS, refusesRecords("text"));
		await refusesAll(setting, wrong.WRONG_TIMES, refusesRecords("expiresAt"));
	},

	"filters: in every verb that takes them": async (setting) => {
		const vector = VECTOR;
		await refusesAll(setting, wrong.WRONG_FILTERS, [
			{ verb: "count", call: (c, filter) => c.count({ filter }) },
			{ verb: "scan", call: (c, filter) => collect(c.scan({ filter })) },
			{ verb: "search", call: (c, filter) => c.search({ vector, filter }) },
			{ verb: "searchMany", row: 1, call: (c, filter) => c.searchMany([{ vector }, { vector, filter }]) },
			{ verb: "delete", call: (c, filter) => c.delete({ filter }) },
			{ verb: "prune", call: (c, filter) => c.prune({ maxRecords: 1, filter }) },
		]);
	},

	"a delete without a filter deletes nothing": async (setting) => {
		const { collection, check } = await guarded(setting);
		for (const target of [{}, { filter: undefined }, { filtr: {} }, null, undefined, 7, true]) {
			const note = JSON.stringify(target) ?? "undefined";
			const call = () => collection.delete(target as never);
			await setting.refused(["INVALID_FILTER", "INVALID_OPTION", "INVALID_RECORD"], call, `delete(${note})`);
			await check(note);
		}
	},

	"records: none, none at all, or without what they need": async (setting) => {
		const good = { id: "new", vector: VECTOR };
		const bad: readonly wrong.Wrong[] = [
			["null", "INVALID_RECORD", null],
			["a string", "INVALID_RECORD", "a"],
			["without an id", "INVALID_RECORD", { vector: VECTOR }],
		];
		await refusesAll(setting, bad, [
			{ verb: "upsert", row: 1, call: (c, record) => c.upsert([good, record]) },
			{ verb: "update", row: 1, call: (c, record) => c.update([{ id: "a", metadata: {} }, record]) },
		]);
		const bare: readonly wrong.Wrong[] = [["without a vector", "INVALID_RECORD", { id: "b", text: "words" }]];
		await refusesAll(setting, bare, [{ verb: "upsert", row: 1, call: (c, record) => c.upsert([good, record]) }]);
	},

	"search options: outside their bounds, of a wrong type, or unknown": async (setting) => {
		const requests = wrong.WRONG_SEARCH_OPTIONS.map(
			([field, options]) => [field, { vector: VECTOR, ...options }] as const,
		);
		await refusesRequests(setting, requests, "INVALID_OPTION");
		if (!setting.has("hybrid")) return;
		const hybrid = wrong.WRONG_FUSION.map(([field, options]) => [field, { vector: VECTOR, ...options }] as const);
		await refusesRequests(setting, hybrid, "INVALID_OPTION");
	},

	"searches: none or several of vector, embed and id": async (setting) => {
		const question = { vector: VECTOR, embed: "words", id: "a" };
		const { vector, embed, id } = question;
		const requests = [{}, { k: 3 }, { vector, embed }, { vector, id }, { embed, id }, question].map(
			(each) => ["", each] as const,
		);
		await refusesRequests(setting, requests, "INVALID_OPTION");
	},

	"options of the other verbs: outside their bounds or of a wrong type": async (setting) => {
		const { assert } = setting;
		const { collection, check } = await guarded(setting);
		const calls: readonly (readonly [field: string, call: () => Promise<unknown>])[] = [
			...[0, -1, 1.5, 2 ** 33, "3"].map(
				(limit) => ["limit", () => collect(collection.scan({ limit: limit as number }))] as const,
			),
			["maxAgeMs", () => collection.prune({ maxAgeMs: -1 })],
			["maxAgeMs", () => collection.prune({ maxAgeMs: Number.NaN })],
			["maxRecords", () => collection.prune({ maxRecords: 1.5 })],
			["maxRecords", () => collection.prune({ maxRecords: -1 })],
			["dryRun", () => collection.prune({ maxRecords: 1, dryRun: "no" as never })],
			["partial", () => collection.upsert([], { partial: 1 as never })],
			["texts", () => collection.get("a", { include: { texts: true } as never })],
			["vectors", () => collect(collection.scan({ include: { vectors: true } as never }))],
			["signal", () => collection.count({ signal: {} as never })],
		];
		for (const [field, call] of calls) {
			const { details } = await setting.refused("INVALID_OPTION", call, field);
			assert.ok(String(details.field).endsWith(field), `details.field is ${details.field}, not ${field}`);
			await check(field);
		}
		for (const notAList of [null, undefined, {}, "a", 7]) {
			const codes = ["INVALID_RECORD", "INVALID_OPTION"] as const;
			for (const verb of ["upsert", "update", "searchMany"] as const) {
				const note = `${verb}(${JSON.stringify(notAList)})`;
				await setting.refused(codes, () => collection[verb](notAList as never), note);
				await check(note);
			}
		}
	},

	"too many at once": async (setting) => {
		const { collection, check } = await guarded(setting);
		const many = Array(BOUNDS.recordsPerCall.max + 1);
		const record = { id: "a", vector: VECTOR };
		await setting.refused("INVALID_OPTION", () => collection.upsert(many.fill(record)), "upsert");
		await setting.refused("INVALID_OPTION", () => collection.update(many.fill(record)), "update");
		await setting.refused("INVALID_OPTION", () => collection.get(many.fill("a")), "get");
		await setting.refused("INVALID_OPTION", () => collection.delete(many.fill("a")), "delete");
		const requests = Array(BOUNDS.queriesPerCall.max + 1).fill({ vector: VECTOR });
		await setting.refused("INVALID_OPTION", () => collection.searchMany(requests), "searchMany");
		await check("afterwards");
	},

	"specs and names: no collection is made": async (setting) => {
		const { assert, database, metric } = setting;
		for (const [field, spec] of wrong.WRONG_SPECS) {
			const note = JSON.stringify(spec);
			const { details } = await setting.refused(
				"INVALID_OPTION",
				() => setting.create({ dimensions: 4, metric, ...spec }),
				note,
			);
			assert.equal(String(details.field).split(/[.[]/)[0], field, `${note}: details.field`);
		}
		// A back end that lacks the feature refuses these for that.
		const codes = ["INVALID_OPTION", "UNSUPPORTED"] as const;
		const contradictory: readonly object[] = [
			{ metric: "hamming", dimensions: 8 },
			{ type: "bit", metric, dimensions: 8 },
			{ type: "bit", dimensions: 12 },
			{ type: "bit", dimensions: 8, weights: Array(8).fill(1) },
			{ metric, dimensions: 4, weights: [1, 2, 3] },
			{ metric, dimensions: 2, weights: [0, 0] },
			{ metric, dimensions: 2, weights: [1, -1] },
			{ metric, dimensions: 4, index: { kind: "hnsw", M: 1 } },
			...WRONG_CELLS.map((index) => ({ metric, dimensions: 4, index })),
			{ metric, dimensions: 4, index: { kind: "flat", M: 16 } },
		];
		for (const spec of contradictory) {
			await setting.refused(codes, () => setting.create(spec), JSON.stringify(spec));
		}
		for (const memory of wrong.WRONG_MEMORY) {
			const note = `memory ${JSON.stringify(memory)}`;
			const create = () => setting.create({ dimensions: 4, metric, memory: memory as never });
			const { code, details } = await setting.refused(codes, create, note);
			if (code === "UNSUPPORTED") assert.ok(!setting.has("memoryPlan"), `${note}: ${code}`);
			else assert.equal(String(details.field).split(".")[0], "memory", `${note}: details.field`);
		}
		for (const name of wrong.WRONG_NAMES) {
			const note = `name ${JSON.stringify(name)}`;
			await setting.refused(
				"INVALID_OPTION",
				() => database.collection(name as string, { dimensions: 4, metric }),
				note,
			);
			await setting.refused("INVALID_OPTION", () => database.drop(name as string), `drop, ${note}`);
		}
		assert.deepEqual(await database.collections(), []);
	},
};

/** Indexes of cells, for collections of 4 floats. */
const WRONG_CELLS: readonly object[] = [
	{ kind: "ivf", nlist: 0 },
	{ kind: "ivf", nlist: 1_000_001 },
	{ kind: "ivf", nlist: "adaptiv" },
	{ kind: "ivf", nlist: null },
	{ kind: "ivf", nlist: 4, nprobe: 5 },
	{ kind: "ivf", nprobe: 1.5 },
	{ kind: "ivf", cells: "pq" },
	{ kind: "ivf", rerank: 100 },
	{ kind: "ivf", bits: 4 },
	{ kind: "ivf", storage: "tape" },
	{ kind: "ivf", storage: null },
	{ kind: "ivfpq", storage: true },
	{ kind: "hnsw", storage: "disk" },
	{ kind: "flat", storage: "disk" },
	{ kind: "ivfpq", M: 3 },
	{ kind: "ivfpq", M: 8 },
	{ kind: "ivfpq", bits: 0 },
	{ kind: "ivfpq", bits: 17 },
	{ kind: "ivfpq", rotation: "random" },
	{ kind: "ivfpq", residual: 1 },
	{ kind: "ivfpq", profile: "tiny" },
	{ kind: "ivfpq", rerank: -1 },
	{ kind: "ivfpq", epsilon: 1 },
	{ kind: "ivfrabitq", bits: 9 },
	{ kind: "ivfrabitq", epsilon: 0 },
	{ kind: "ivfrabitq", M: 2 },
	{ kind: "ivfrabitq", rerank: 16_001 },
	{ kind: "auto", nlist: 10 },
];
