import { BOUNDS } from "../bounds.ts";
import type { Collection } from "../collection.ts";
import { isNighError } from "../errors.ts";
import { CELL_KINDS, INDEX_KINDS } from "../index-spec.ts";
import { collect, plain } from "./model.ts";
import { type Cases, floatMetrics, type Setting } from "./setting.ts";
import { collectionVerbs, databaseVerbs } from "./verbs.ts";

async function filled(setting: Setting): Promise<Collection> {
	const collection = await setting.create();
	const metadata = { a: 1 };
	await collection.upsert(["a", "b"].map((id, i) => ({ id, vector: [1, 2, 3, i], metadata, text: "words" })));
	return collection;
}

/** Calls every verb with the options and expects the code; afterwards everything is as it was. */
async function refusedByAll(setting: Setting, options: object, code: "INVALID_OPTION" | "ABORTED"): Promise<void> {
	const { assert, database } = setting;
	const collection = await filled(setting);
	const state = async () => (await collect(collection.scan({ include: { vector: true, text: true } }))).map(plain);
	const before = await state();
	const check = async (
		name: string,
		feature: Parameters<Setting["has"]>[0] | undefined,
		call: () => Promise<unknown>,
	) => {
		if (feature !== undefined && !setting.has(feature)) return;
		const { details } = await setting.refused(code, call, name);
		if (code === "INVALID_OPTION")
			assert.ok(
				String(details.field).endsWith(Object.keys(options)[0] as string),
				`${name}: details.field is ${details.field}`,
			);
		assert.deepEqual(await state(), before, `after ${name}`);
		assert.equal(await collection.count(), before.length, `after ${name}`);
	};
	for (const { name, feature, takesOptions, call } of collectionVerbs(setting)) {
		if (takesOptions) await check(name, feature, () => call(collection, options));
	}
	for (const { name, feature, takesOptions, call } of databaseVerbs(setting, collection.name)) {
		if (takesOptions) await check(`database.${name}`, feature, () => call(database, options));
	}
	assert.deepEqual(await database.collections(), [collection.name]);
}

export const everyVerbCases: Cases = {
	"an option that nobody knows is refused by every verb": async (setting) => {
		await refusedByAll(setting, { frobnicate: true }, "INVALID_OPTION");
	},

	"a signal that is aborted already ends every verb with ABORTED": async (setting) => {
		await refusedByAll(setting, { signal: AbortSignal.abort() }, "ABORTED");
	},

	"a signal that is not aborted changes nothing": async (setting) => {
		const collection = await filled(setting);
		const { signal } = new AbortController();
		for (const { name, feature, takesOptions, call } of collectionVerbs(setting)) {
			if (!takesOptions || (feature !== undefined && !setting.has(feature))) continue;
			if (name === "delete by filter") continue;
			await call(collection, { signal });
		}
		setting.assert.equal(await collection.count(), 1, "after prune left one");
	},

	"a write that is aborted on its way is there as a whole or not at all": async (setting) => {
		const { assert } = setting;
		const collection = await setting.create();
		const batch = Array.from({ length: 500 }, (_, i) => ({ id: `${i}`, vector: [1, 2, 3, i] }));
		const controller = new AbortController();
		const write = collection.upsert(batch, { signal: controller.signal });
		controller.abort();
		const isAborted = await write.then(
			() => false,
			(error) => isNighError(error, "ABORTED") || assert.fail(`ABORTED was expected: ${error}`),
		);
		const count = await collection.count();
		assert.ok(count === 500 || (isAborted && count === 0), `${count} of 500 records, aborted: ${isAborted}`);
	},

	"a closed collection answers CLOSED to every verb, and closing it twice does nothing": async (setting) => {
		const { database, assert } = setting;
		const collection = await filled(setting);
		await collection.close();
		await collection.close();
		for (const { name, feature, call } of collectionVerbs(setting)) {
			if (feature !== undefined && !setting.has(feature)) continue;
			await setting.refused("CLOSED", () => call(collection, {}), name);
		}
		const again = await database.collection(collection.name);
		assert.equal(await again.count(), 2, "opened again it has what it had");
	},

	"a closed database answers CLOSED to every verb, and so do its collections": async (setting) => {
		const { database } = setting;
		const collection = await filled(setting);
		await database.close();
		await database.close();
		for (const { name, feature, call } of collectionVerbs(setting)) {
			if (feature !== undefined && !setting.has(feature)) continue;
			await setting.refused("CLOSED", () => call(collection, {}), name);
		}
		for (const { name, feature, call } of databaseVerbs(setting, collection.name)) {
			if (feature !== undefined && !setting.has(feature)) continue;
			await setting.refused("CLOSED", () => call(database, {}), `database.${name}`);
		}
	},

	"a verb that the manifest does not list is UNSUPPORTED": async (setting) => {
		const { assert, database } = setting;
		const collection = await filled(setting);
		for (const { name, feature, call } of collectionVerbs(setting)) {
			if (feature === undefined || setting.has(feature)) continue;
			const { details } = await setting.refused("UNSUPPORTED", () => call(collection, {}), name);
			assert.equal(details.feature, feature, `${name}: details.feature`);
		}
		for (const { name, feature, call } of databaseVerbs(setting, collection.name)) {
			if (feature === undefined || setting.has(feature)) continue;
			await setting.refused("UNSUPPORTED", () => call(database, {}), `database.${name}`);
		}
		assert.equal(await collection.count(), 2);
	},

	"the manifest is within the bounds of the contract, and beyond its limits all is UNSUPPORTED": async (setting) => {
		const { assert, capabilities } = setting;
		const { dimensions, bits, k } = capabilities.limits;
		assert.ok(capabilities.backend.length > 0 && capabilities.indexes.length > 0, "backend and indexes");
		assert.ok(dimensions >= 1 && dimensions <= BOUNDS.dimensions.max, `limits.dimensions ${dimensions}`);
		assert.ok(bits >= 0 && bits <= BOUNDS.bits.max && bits > 0 === setting.has("bits"), `limits.bits ${bits}`);
		assert.ok(k >= 10 && k <= BOUNDS.k.max, `limits.k ${k}`);
		const [metric = setting.metric] = floatMetrics(capabilities);
		if (dimensions < BOUNDS.dimensions.max) {
			await setting.refused("UNSUPPORTED", () => setting.create({ dimensions: dimensions + 1, metric }));
		}
		if (k < BOUNDS.k.max) {
			const collection = await setting.create();
			await setting.refused("UNSUPPORTED", () => collection.search({ vector: [1, 2, 3, 4], k: k + 1 }));
		}
		for (const kind of INDEX_KINDS) {
			const create = () => setting.create({ dimensions: 4, metric, index: { kind } });
			if (!capabilities.indexes.includes(kind)) {
				const { details } = await setting.refused("UNSUPPORTED", create, kind);
				assert.equal(details.field, "index.kind", `${kind}: details.field`);
			} else assert.equal((await (await create()).stats()).effective.index.kind, kind);
		}
	},

	"cells are for metrics that have means, and codes for products of floats: other metrics are UNSUPPORTED": async (
		setting,
	) => {
		const { assert, capabilities } = setting;
		const { indexes, metrics } = capabilities;
		const spaces = [
			{ kinds: CELL_KINDS, space: { type: "bit", metric: "hamming", dimensions: 32 } },
			{ kinds: ["ivfpq", "ivfrabitq"], space: { metric: "l1", dimensions: 4 } },
		] as const;
		for (const { kinds, space } of spaces) {
			if (!metrics.includes(space.metric)) continue;
			for (const kind of kinds) {
				if (!indexes.includes(kind)) continue;
				const note = `${kind} under ${space.metric}`;
				const create = () => setting.create({ ...space, index: { kind } });
				const { details } = await setting.refused("UNSUPPORTED", create, note);
				assert.deepEqual([details.field, details.value, details.metric], ["index.kind", kind, space.metric], note);
				if (!setting.has("convert")) continue;
				const collection = await setting.create(space);
				await setting.refused("UNSUPPORTED", () => collection.convert({ kind }), `convert, ${note}`);
			}
		}
	},

	'the word "auto" is short for an index of kind auto': async (setting) => {
		const { database, metric } = setting;
		const collection = await setting.create({ dimensions: 4, metric, index: "auto" });
		await database.collection(collection.name, { index: { kind: "auto" } });
		await database.collection(collection.name, { index: "auto" });
	},
};
