import type { Collection } from "../collection.ts";
import { CELL_KINDS, type CellKind, type IndexSpec } from "../index-spec.ts";
import { checkApproximateAnswer, checkExactAnswer } from "./answers.ts";
import { collect, plain } from "./model.ts";
import { rank } from "./oracle.ts";
import { anyRecords, anyVector, type Filled, fill } from "./sample-records.ts";
import { type Cases, defaultSpace, floatMetrics, type Setting } from "./setting.ts";

const NLIST = 5;
/** More than there are vectors. */
const ALL = 2_000;

/** Cells that a search may look into all of. */
function cellsOnDisk(kind: CellKind): IndexSpec {
	return { kind, nlist: NLIST, storage: "disk" };
}

/** The kinds of index that may have their vectors on disk. */
function kindsOf({ capabilities }: Setting): readonly CellKind[] {
	return CELL_KINDS.filter((kind) => capabilities.indexes.includes(kind));
}

/** Exact answers to exact searches and to those that look at everything, and plausible ones to all others. */
async function checkAnswers(setting: Setting, { collection, model, space, random }: Filled, note: string) {
	const { kind } = (await collection.stats()).effective.index;
	const everything = { nprobe: NLIST, ...(kind !== "ivf" && { rerank: ALL }) };
	for (const filter of [{}, { kind: "skill" }]) {
		const vector = anyVector(random, space);
		const expected = { ranked: rank(model.list(filter), vector, space), k: 10, space, note };
		const search = (options: object) => collection.search({ vector, filter, ...options });
		checkExactAnswer(setting, await search({ exact: true }), expected);
		if (setting.has("searchWidth")) checkExactAnswer(setting, await search(everything), expected);
		checkApproximateAnswer(setting, await search({}), expected);
	}
}

async function change({ collection, model, space, random }: Filled): Promise<void> {
	const ids = model.list().map(({ id }) => id);
	const gone = ids.filter((_, i) => i % 7 === 0);
	await collection.delete(gone);
	model.delete(gone);
	const again = ids.filter((_, i) => i % 7 === 1).map((id) => ({ id, vector: anyVector(random, space) }));
	for (const batch of [again, anyRecords(random, 40, space)]) {
		await collection.upsert(batch);
		model.upsert(batch);
	}
}

async function storageOf(collection: Collection): Promise<unknown> {
	return (await collection.stats()).effective.index.parameters.storage ?? "memory";
}

async function everythingOf(collection: Collection): Promise<unknown[]> {
	return (await collect(collection.scan({ include: { vector: true, text: true } }))).map(plain);
}

export const storageCases: Cases = {
	"where a back end keeps no vectors on disk, or plans no memory, that is UNSUPPORTED": async (setting) => {
		const { assert, metric } = setting;
		if (!setting.has("diskStorage")) {
			for (const kind of CELL_KINDS) {
				await setting.refused("UNSUPPORTED", () => setting.create({ dimensions: 4, metric, index: cellsOnDisk(kind) }));
			}
		}
		if (!setting.has("memoryPlan")) {
			await setting.refused("UNSUPPORTED", () => setting.create({ dimensions: 4, metric, memory: { maxMB: 64 } }));
		}
		assert.deepEqual(await setting.database.collections(), []);
	},

	"an index whose vectors are on disk answers as one in memory, while it is written to and when it is opened again":
		async (setting) => {
			const { assert, opened } = setting;
			if (!setting.has("diskStorage")) return;
			const all: Filled[] = [];
			for (const [i, kind] of kindsOf(setting).entries()) {
				const filled = await fill(setting, 130 + i, 300, defaultSpace(setting), cellsOnDisk(kind));
				all.push(filled);
				const { collection } = filled;
				assert.equal(await storageOf(collection), "disk", kind);
				await checkAnswers(setting, filled, `${kind}, new`);
				if (setting.has("optimize")) await collection.optimize();
				await checkAnswers(setting, filled, `${kind}, taken in`);
				await change(filled);
				await checkAnswers(setting, filled, `${kind}, changed`);
				if (setting.has("optimize")) await collection.optimize();
				await checkAnswers(setting, filled, `${kind}, taken in again`);
				assert.deepEqual(await everythingOf(collection), filled.model.list().map(plain), `${kind}: records`);
			}
			const reopened = await opened.reopen?.();
			if (reopened === undefined) return;
			for (const { collection: before, ...rest } of all) {
				const collection = await reopened.collection(before.name);
				assert.equal(await storageOf(collection), "disk", "opened again");
				await checkAnswers(setting, { ...rest, collection }, "opened again");
			}
		},

	"every metric that has codes can have its vectors on disk; l1 has none": async (setting) => {
		if (!setting.has("diskStorage")) return;
		const { capabilities } = setting;
		for (const metric of floatMetrics(capabilities)) {
			for (const kind of kindsOf(setting)) {
				const space = { metric, dimensions: 5 };
				if (metric === "l1") {
					const codes = ["UNSUPPORTED", "INVALID_OPTION"] as const;
					await setting.refused(codes, () => setting.create({ ...space, index: cellsOnDisk(kind) }), kind);
					continue;
				}
				const filled = await fill(setting, 140, 120, space, cellsOnDisk(kind));
				if (setting.has("optimize")) await filled.collection.optimize();
				await checkAnswers(setting, filled, `${kind}, ${metric}`);
			}
		}
	},

	"convert and rebuild move the vectors to disk and back, and the records stay": async (setting) => {
		const { assert } = setting;
		if (!setting.has("diskStorage") || !setting.has("convert")) return;
		const filled = await fill(setting, 150, 300, defaultSpace(setting));
		const { collection } = filled;
		for (const kind of kindsOf(setting)) {
			for (const storage of ["disk", "memory"] as const) {
				const note = `${kind}, ${storage}`;
				await collection.convert({ kind, nlist: NLIST, storage });
				assert.equal(await storageOf(collection), storage, note);
				await checkAnswers(setting, filled, note);
				assert.deepEqual(await everythingOf(collection), filled.model.list().map(plain), note);
			}
			if (!setting.has("rebuild")) continue;
			for (const storage of ["disk", "memory"] as const) {
				await collection.rebuild({ storage });
				assert.equal(await storageOf(collection), storage, `${kind} rebuilt, ${storage}`);
				await checkAnswers(setting, filled, `${kind} rebuilt, ${storage}`);
			}
			const { details } = await setting.refused("INVALID_OPTION", () =>
				collection.rebuild({ storage: "tape" as never }),
			);
			assert.equal(details.field, "storage");
		}
	},

	"warm tells what it has read": async (setting) => {
		const { assert } = setting;
		const [kind] = kindsOf(setting);
		if (!setting.has("diskStorage") || !setting.has("warm") || kind === undefined) return;
		const { collection } = await fill(setting, 160, 200, defaultSpace(setting), cellsOnDisk(kind));
		if (setting.has("optimize")) await collection.optimize();
		const { bytes, bytesRead = 0 } = await collection.warm();
		for (const count of [bytes, bytesRead]) assert.ok(Number.isInteger(count) && count >= 0, `${count} bytes`);
	},

	"a cap on memory can be read back, and changed by opening with another": async (setting) => {
		const { assert, database, metric } = setting;
		if (!setting.has("memoryPlan")) return;
		const { name } = await setting.create({ dimensions: 4, metric, memory: { maxMB: 64 } });
		const capOf = async (collection: Collection) => (await collection.stats()).effective.memory;
		assert.deepEqual(await capOf(await database.collection(name)), { maxMB: 64 });
		assert.deepEqual(await capOf(await database.collection(name, { memory: { maxMB: 32.5 } })), { maxMB: 32.5 });
		assert.deepEqual(await capOf(await database.collection(name)), { maxMB: 32.5 }, "as stored");
	},

	"under a cap on memory answers are what they are without one, whatever index is chosen": async (setting) => {
		if (!setting.has("memoryPlan")) return;
		const space = defaultSpace(setting);
		const collection = await setting.create({ ...space, memory: { maxMB: 16 } });
		const filled = await fill(setting, 170, 300, space);
		await collection.upsert(
			filled.model.list().map(({ id, vector, metadata }) => ({ id, vector, ...(metadata && { metadata }) })),
		);
		if (setting.has("optimize")) await collection.optimize();
		const { model, random } = filled;
		for (let i = 0; i < 5; i++) {
			const vector = anyVector(random, space);
			const expected = { ranked: rank(model.list(), vector, space), k: 10, space, note: `${i}` };
			checkExactAnswer(setting, await collection.search({ vector, exact: true }), expected);
			checkApproximateAnswer(setting, await collection.search({ vector }), expected);
		}
		const { plan } = await collection.stats();
		if (plan === undefined) return;
		const { assert } = setting;
		assert.ok(plan.bytes <= plan.maxBytes && plan.maxBytes === 16 * 2 ** 20, `${plan.bytes} of ${plan.maxBytes} bytes`);
		assert.ok(plan.reason.length > 10 && plan.considered.length > 0, `reason ${plan.reason}`);
	},

	"what no index can hold within the cap is MEMORY_LIMIT with the numbers: so many fit, and one more does not": async (
		setting,
	) => {
		if (!setting.has("memoryPlan")) return;
		const { capabilities } = setting;
		const asked = ["auto", ...capabilities.indexes.map((kind) => ({ kind }))] as const satisfies readonly IndexSpec[];
		for (const index of asked) await checkCap(setting, index);
	},
};

const CAP_MB = 4;
const BATCH = 64;

/** Writes until it is refused, and then as many as are said to fit. */
async function checkCap(setting: Setting, index: IndexSpec): Promise<void> {
	const { assert, metric, capabilities } = setting;
	const note = `index ${JSON.stringify(index)}`;
	const limit = CAP_MB * 2 ** 20;
	const dimensions = Math.min(capabilities.limits.dimensions, 2_048);
	const collection = await setting.create({ dimensions, metric, index, memory: { maxMB: CAP_MB } });
	const batch = (from: number, to: number) =>
		Array.from({ length: to - from }, (_, i) => ({
			id: `${from + i}`,
			vector: Float32Array.from({ length: dimensions }, (_, j) => ((from + i) * (j + 1)) % 7),
		}));
	const most = BATCH * Math.ceil(limit / BATCH);
	for (let count = 0; count < most; count += BATCH) {
		let error: unknown;
		await collection.upsert(batch(count, count + BATCH)).catch((caught) => {
			error = caught;
		});
		if (error === undefined) continue;
		const again = () => collection.upsert(batch(count, count + BATCH));
		const { details, message } = await setting.refused("MEMORY_LIMIT", again, note);
		const mostVectors = Number(details.mostVectors);
		assert.deepEqual([details.count, details.limit], [count, limit], `${note}: details.count and details.limit`);
		assert.ok(
			mostVectors >= count && mostVectors < count + BATCH,
			`${note}: ${mostVectors} fit, and there are ${count}`,
		);
		assert.ok(message.includes(String(mostVectors)), `${note}: the message tells how many fit: ${message}`);
		assert.ok(Number(details.bytes) > limit, `${note}: ${details.bytes} bytes are not more than ${limit}`);
		assert.equal(await collection.count(), count, `${note}: nothing of the batch was written`);
		await collection.upsert(batch(count, mostVectors));
		await setting.refused("MEMORY_LIMIT", () => collection.upsert(batch(mostVectors, mostVectors + 1)), note);
		await collection.upsert(batch(0, 1));
		assert.equal(await collection.count(), mostVectors, note);
		return;
	}
	assert.fail(`${note}: ${most} vectors were taken with ${CAP_MB} MB`);
}
