import { METRICS } from "../metric.ts";
import { checkExactAnswer } from "./answers.ts";
import { collect, plain } from "./model.ts";
import { rank, type Space } from "./oracle.ts";
import { anyVector, createIn, fill } from "./sample-records.ts";
import { type Cases, floatMetrics, type Setting } from "./setting.ts";

/** Searches a filled collection for vectors of every kind, and compares with the exact answers. */
async function compareWithOracle(setting: Setting, seed: number, space: Space): Promise<void> {
	const { collection, model, random } = await fill(setting, seed, 130, space);
	for (let i = 0; i < 12; i++) {
		const stored = model.list()[i * 10]?.vector;
		const vector = i % 3 === 0 && stored !== undefined ? stored : anyVector(random, space);
		const ranked = rank(model.list(), vector, space);
		const k = [1, 10, 130][i % 3] as number;
		const note = `${space.metric}, seed ${seed}, search ${i}`;
		checkExactAnswer(setting, await collection.search({ vector, k, exact: true }), { ranked, k, space, note });
	}
}

export const searchMetricsCases: Cases = {
	"every metric of the manifest gives the exact neighbours, distances and scores": async (setting) => {
		for (const metric of floatMetrics(setting.capabilities)) {
			for (const dimensions of [1, 3, 17, 64])
				await compareWithOracle(setting, 30 + dimensions, { metric, dimensions });
		}
	},

	"bits are compared by how many differ": async (setting) => {
		const { assert } = setting;
		if (!setting.has("bits")) {
			await setting.refused("UNSUPPORTED", () => setting.create({ type: "bit", dimensions: 64 }));
			return;
		}
		assert.ok(setting.capabilities.metrics.includes("hamming"), "the feature `bits` comes with the metric");
		for (const dimensions of [8, 40, 256]) {
			await compareWithOracle(setting, 40 + dimensions, { metric: "hamming", dimensions });
		}
		const { collection, model } = await fill(setting, 41, 20, { metric: "hamming", dimensions: 24 });
		const scanned = await collect(collection.scan({ include: { vector: true } }));
		assert.deepEqual(scanned.map(plain), model.list().map(plain));
		const unnamed = await setting.create({ type: "bit", dimensions: 24 });
		assert.equal((await unnamed.stats()).effective.metric, "hamming");
	},

	"weights scale the metric": async (setting) => {
		const weights = [1, 0, 4, 0.25, 100];
		const metrics = floatMetrics(setting.capabilities);
		if (!setting.has("weights")) {
			const spec = { dimensions: 5, metric: setting.metric, weights };
			await setting.refused("UNSUPPORTED", () => setting.create(spec));
			return;
		}
		for (const metric of metrics) await compareWithOracle(setting, 50, { metric, dimensions: 5, weights });
		const collection = await setting.create({ dimensions: 5, metric: setting.metric, weights });
		setting.assert.deepEqual((await collection.stats()).effective.weights, weights);
		await collection.upsert([{ id: "a", vector: [1, 2, 3, 4, 5] }]);
		const record = await collection.get("a", { include: { vector: true } });
		setting.assert.deepEqual(plain(record)?.vector, [1, 2, 3, 4, 5], "the vector is given back as it was written");
	},

	"under cosine the zero vector is at distance 1 from everything, itself included": async (setting) => {
		const { assert } = setting;
		if (!setting.capabilities.metrics.includes("cosine")) {
			await setting.refused("UNSUPPORTED", () => setting.create({ dimensions: 3, metric: "cosine" }));
			return;
		}
		const space: Space = { metric: "cosine", dimensions: 3 };
		const collection = await createIn(setting, space);
		const vectors = { zero: [0, 0, 0], same: [2, 0, 0], across: [0, 1, 0], opposite: [-3, 0, 0] };
		await collection.upsert(Object.entries(vectors).map(([id, vector]) => ({ id, vector })));
		const answer = async (vector: number[]) =>
			(await collection.search({ vector })).hits.map(({ id, distance }) => [id, Math.round(distance * 1e4) / 1e4]);
		const fromOne = [
			["same", 0],
			["across", 1],
			["zero", 1],
			["opposite", 2],
		];
		const byId = (pairs: (string | number)[][]) => pairs.map(([id, distance]) => `${distance} ${id}`).sort();
		assert.deepEqual(byId(await answer([1, 0, 0])), byId(fromOne));
		const fromZero = Object.keys(vectors)
			.sort()
			.map((id) => [id, 1]);
		assert.deepEqual(await answer([0, 0, 0]), fromZero);
	},

	"long vectors, up to the bound of the norm, are compared without overflow": async (setting) => {
		for (const metric of floatMetrics(setting.capabilities)) {
			const space: Space = { metric, dimensions: 4 };
			const collection = await createIn(setting, space);
			const long = 2 ** 60;
			const records = [
				[long, 0, 0, 0],
				[0, long, 0, 0],
				[-long, long, 0, 0],
				[0, 0, long, long],
				[1, 1, 1, 1],
			].map((vector, i) => ({ id: `${i}`, vector: Float32Array.from(vector) }));
			await collection.upsert(records);
			for (const vector of [
				[long, long, 0, 0],
				[long, 0, 0, -long],
				[1, 0, 0, 0],
			]) {
				const ranked = rank(records, vector, space);
				checkExactAnswer(setting, await collection.search({ vector, exact: true }), {
					ranked,
					k: 10,
					space,
					note: metric,
				});
			}
		}
	},

	"a metric that the manifest does not list is UNSUPPORTED": async (setting) => {
		const { assert, capabilities } = setting;
		for (const metric of METRICS) {
			const isListed = capabilities.metrics.includes(metric);
			if (metric === "hamming") assert.equal(isListed, setting.has("bits"), "hamming is the metric of bits");
			else if (!isListed) await setting.refused("UNSUPPORTED", () => setting.create({ dimensions: 8, metric }), metric);
		}
	},
};
