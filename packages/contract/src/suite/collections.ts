import { BOUNDS } from "../bounds.ts";
import type { CollectionSpec } from "../collection-spec.ts";
import { NighError } from "../errors.ts";
import type { Cases } from "./setting.ts";
import { createToyEmbedder } from "./toy-embedder.ts";

const VECTOR = [1, 2, 3, 4];

export const collectionsCases: Cases = {
	"a collection is created once, and listed by name in order until it is dropped": async (setting) => {
		const { assert, database, metric } = setting;
		const names = ["b", "a-1", "a_1", "a1", "a", "z9"];
		for (const name of names) assert.equal((await database.collection(name, { dimensions: 4, metric })).name, name);
		assert.deepEqual(await database.collections(), [...names].sort());
		assert.equal(await database.drop("a1"), true);
		assert.equal(await database.drop("a1"), false, "a second time");
		assert.equal(await database.drop("never-there"), false);
		assert.deepEqual(await database.collections(), names.filter((name) => name !== "a1").sort());
	},

	"without a spec a collection must be there": async (setting) => {
		const { assert, database } = setting;
		await setting.refused("NOT_FOUND", () => database.collection("not-there"));
		assert.deepEqual(await database.collections(), []);
		const { name } = await setting.create();
		assert.equal((await database.collection(name)).name, name);
	},

	"a collection that is opened twice is one": async (setting) => {
		const { assert, database } = setting;
		const first = await setting.create();
		const second = await database.collection(first.name);
		await first.upsert([{ id: "a", vector: VECTOR }]);
		assert.equal(await second.count(), 1);
		assert.equal((await second.search({ vector: VECTOR })).hits.length, 1);
		await second.delete("a");
		assert.equal(await first.count(), 0);
	},

	"a dropped collection is gone with its records, also for who has it open": async (setting) => {
		const { assert, database, metric } = setting;
		const old = await setting.create();
		const other = await setting.create();
		for (const collection of [old, other])
			await collection.upsert([{ id: "a", vector: VECTOR, metadata: { a: 1 }, text: "a" }]);
		await database.drop(old.name);
		// Whether the handle is closed or its collection not found is up to the back end; that it answers with old records is not.
		await setting.refused(["CLOSED", "NOT_FOUND"], () => old.search({ vector: VECTOR }));
		await setting.refused(["CLOSED", "NOT_FOUND"], () => old.upsert([{ id: "b", vector: VECTOR }]));
		await setting.refused(["CLOSED", "NOT_FOUND"], () => old.count());
		assert.equal(await other.count(), 1);
		const again = await database.collection(old.name, { dimensions: 3, metric });
		assert.equal(await again.count(), 0);
		assert.equal(await again.get("a"), undefined);
		await again.upsert([{ id: "b", vector: [1, 2, 3] }]);
		assert.deepEqual(
			(await again.search({ vector: [1, 2, 3] })).hits.map(({ id }) => id),
			["b"],
		);
	},

	"what the spec leaves out is as by default, and as stored when it is opened again": async (setting) => {
		const { assert, database, capabilities } = setting;
		const metric = capabilities.metrics.includes("cosine") ? undefined : setting.metric;
		const collection = await setting.create({ dimensions: 4, ...(metric !== undefined && { metric }) });
		const { effective } = await collection.stats();
		assert.equal(effective.dimensions, 4);
		assert.equal(effective.type, "float");
		assert.equal(effective.metric, metric ?? "cosine");
		assert.equal(effective.weights, null);
		assert.equal(effective.recall, BOUNDS.recall.default);
		assert.ok(capabilities.indexes.includes(effective.index.kind), `index ${effective.index.kind}`);
		assert.equal(effective.embedder, null);
		assert.equal(effective.logQueries, true);
		assert.deepEqual(effective.tuner, { algorithm: "epsilon-greedy", epsilon: 0.1, decay: 1, live: false });
		assert.equal(effective.latencyMs, null);
		assert.deepEqual(effective.filterable, []);
		assert.equal(effective.memory, null);
		assert.equal(effective.maxRecords, BOUNDS.maxRecords.default);
		assert.equal(effective.warnAt, BOUNDS.warnAt.default);
		assert.equal(effective.pruneAt, BOUNDS.pruneAt.default);
		assert.equal(effective.prunePolicy, "expired");
		assert.equal(effective.maxAgeMs, null);
		for (const [name, value] of Object.entries(effective.database)) {
			assert.ok(["number", "string", "boolean"].includes(typeof value), `database.${name}`);
		}
		const again = await database.collection(collection.name, {});
		assert.deepEqual((await again.stats()).effective, effective);
	},

	"what may change is changed by opening with another value, and can be read back": async (setting) => {
		const { assert, database, metric } = setting;
		const spec: CollectionSpec = { dimensions: 4, metric, recall: 0.9, filterable: ["a"], maxRecords: 10, warnAt: 0.7 };
		const { name } = await setting.create(spec);
		const changes = {
			recall: 0.8,
			logQueries: false,
			tuner: { algorithm: "ucb1", epsilon: 0.2, decay: 0.99, live: true },
			latencyMs: 2.5,
			filterable: ["a", "b.c"],
			maxRecords: 20,
			warnAt: 0.6,
			pruneAt: 0.95,
			prunePolicy: "oldest",
			maxAgeMs: 5_000,
		} as const;
		const changed = await database.collection(name, { ...spec, ...changes });
		const told = Object.entries((await changed.stats()).effective).filter(([field]) => field in changes);
		assert.deepEqual(Object.fromEntries(told), changes);
		const { effective } = await (await database.collection(name)).stats();
		assert.deepEqual([effective.recall, effective.maxRecords], [0.8, 20], "as stored");
		const none = { latencyMs: null, maxAgeMs: null, memoryLimit: null };
		const without = (await (await database.collection(name, none)).stats()).effective;
		assert.deepEqual(without, { ...effective, ...none }, "null takes it away");
	},

	"another spec than the stored one is SPEC_CONFLICT with the field, and changes nothing": async (setting) => {
		const { assert, database, capabilities, metric } = setting;
		const [kind, otherKind] = capabilities.indexes;
		const { name } = await setting.create({ dimensions: 4, metric, ...(kind !== undefined && { index: { kind } }) });
		const { effective } = await (await database.collection(name)).stats();
		const otherMetric = capabilities.metrics.find((each) => each !== metric && each !== "hamming");
		const conflicts: Record<string, CollectionSpec> = {
			dimensions: { dimensions: 5 },
			...(otherMetric !== undefined && { metric: { metric: otherMetric } }),
			...(setting.has("bits") && { type: { type: "bit", metric: "hamming", dimensions: 8 } }),
			...(setting.has("weights") && { weights: { weights: [1, 2, 3, 4] } }),
			...(otherKind !== undefined && { index: { index: { kind: otherKind } } }),
			embedder: { embedder: createToyEmbedder("one", 4) },
		};
		for (const [field, spec] of Object.entries(conflicts)) {
			const error = await setting.refused("SPEC_CONFLICT", () => database.collection(name, spec), field);
			const named = String(error.details.field);
			// Another type of vectors is another metric and other dimensions as well.
			const isNamed =
				field === "type" ? ["type", "metric", "dimensions"].includes(named) : named.split(".")[0] === field;
			assert.ok(isNamed, `details.field is ${named}, not ${field}`);
		}
		assert.deepEqual((await (await database.collection(name)).stats()).effective, effective);
	},

	"without dimensions the first vector tells them; a batch of several lengths tells nothing": async (setting) => {
		const { assert, metric } = setting;
		const collection = await setting.create({ metric });
		assert.equal((await collection.stats()).effective.dimensions, null);
		assert.deepEqual((await collection.search({ vector: [1, 2] })).hits, []);
		const mixed = [VECTOR, [1, 2, 3]].map((vector, i) => ({ id: `${i}`, vector }));
		await setting.refused("DIMENSION_MISMATCH", () => collection.upsert(mixed));
		assert.equal((await collection.stats()).effective.dimensions, null);
		await collection.upsert([{ id: "a", vector: [1, 2, 3] }]);
		assert.equal((await collection.stats()).effective.dimensions, 3);
		await setting.refused("DIMENSION_MISMATCH", () => collection.upsert([{ id: "b", vector: VECTOR }]));
		await setting.refused("DIMENSION_MISMATCH", () => collection.search({ vector: VECTOR }));
		assert.equal(await collection.count(), 1);
		await collection.delete("a");
		await setting.refused(
			"DIMENSION_MISMATCH",
			() => collection.upsert([{ id: "b", vector: VECTOR }]),
			"when it is empty again",
		);
	},

	"an embedder tells the dimensions, and its identity is kept": async (setting) => {
		const { assert, database, metric } = setting;
		const embedder = createToyEmbedder("one");
		const identity = await embedder.identity();
		const collection = await setting.create({ embedder, metric });
		const { name } = collection;
		const { effective } = await collection.stats();
		assert.deepEqual([effective.dimensions, effective.embedder], [embedder.dimensions, identity]);
		await setting.refused("DIMENSION_MISMATCH", () => collection.upsert([{ id: "a", vector: VECTOR }]));
		assert.equal(await collection.count(), 0);
		for (const other of [createToyEmbedder("two"), createToyEmbedder("one", 4)]) {
			const error = await setting.refused("SPEC_CONFLICT", () => database.collection(name, { embedder: other }));
			assert.equal(String(error.details.field).split(".")[0], "embedder", "details.field");
		}
		const same = await database.collection(name, { embedder: createToyEmbedder("one") });
		await same.upsert([{ id: "a", text: "words" }]);
		const without = await database.collection(name);
		assert.deepEqual((await without.stats()).effective.embedder, identity);
		assert.equal((await without.search({ vector: embedder.vectorOf("words") })).hits.length, 1);
		const contradicting = { embedder: createToyEmbedder("one"), dimensions: 5, metric };
		await setting.refused(["SPEC_CONFLICT", "INVALID_OPTION", "DIMENSION_MISMATCH"], () =>
			setting.create(contradicting),
		);
	},

	"an embedder that fails fails the call, and nothing is written": async (setting) => {
		const { assert, metric } = setting;
		const embedder = createToyEmbedder();
		const failing = {
			identity: embedder.identity,
			embed: async (): Promise<Float32Array[]> => {
				throw new NighError("UNAVAILABLE", "The model cannot be reached.");
			},
		};
		const collection = await setting.create({ embedder: failing, metric });
		const batch = [
			{ id: "a", vector: embedder.vectorOf("a") },
			{ id: "b", text: "b" },
		];
		await setting.refused("UNAVAILABLE", () => collection.upsert(batch));
		await setting.refused("UNAVAILABLE", () => collection.search({ embed: "b" }));
		assert.equal(await collection.count(), 0);
	},
};
