import type { Feature } from "../capabilities.ts";
import {
	CELL_FILLS,
	type MaintenanceReport,
	type ProgressOptions,
	type RebuildOptions,
} from "../collection-reports.ts";
import { type CellKind, NLIST_RULES } from "../index-spec.ts";
import { checkApproximateAnswer, checkExactAnswer, checkStatement } from "./answers.ts";
import { rank } from "./oracle.ts";
import { anyVector, type Filled, fill } from "./sample-records.ts";
import { type Cases, defaultSpace, type Setting } from "./setting.ts";

/** Searches, writes and searches again: the collection is in order. */
async function checkWorks(setting: Setting, { collection, model, space, random }: Filled, note: string): Promise<void> {
	const search = async () => {
		const vector = anyVector(random, space);
		const filter = random.pick([{}, { kind: "skill" }]);
		const expected = { ranked: rank(model.list(filter), vector, space), k: 20, space, note };
		checkExactAnswer(setting, await collection.search({ vector, k: 20, filter, exact: true }), expected);
		checkApproximateAnswer(setting, await collection.search({ vector, k: 20, filter }), expected);
	};
	await search();
	const ids = model.list().map(({ id }) => id);
	const gone = ids.slice(0, 3);
	await collection.delete(gone);
	model.delete(gone);
	const batch = [ids[5] as string, `${note} new`].map((id) => ({ id, vector: anyVector(random, space) }));
	await collection.upsert(batch);
	model.upsert(batch);
	await search();
	setting.assert.equal(await collection.count(), model.list().length, `${note}: count`);
}

/** Runs `call` with a progress callback, which sees a `done` that grows to its total, and with one that throws. */
async function withProgress<T>({ assert }: Setting, call: (options: ProgressOptions) => Promise<T>): Promise<T> {
	const seen: [number, number][] = [];
	const report = await call({ onProgress: (done, total) => seen.push([done, total]) });
	const last = seen.at(-1);
	assert.ok(last !== undefined && last[0] === last[1], `onProgress is called with done = total at the end: ${last}`);
	const grows = seen.every(([done, total], i) => total === last?.[1] && done > (seen[i - 1]?.[0] ?? -1));
	assert.ok(grows, `done grows, and total is one: ${seen.join("; ")}`);
	const fail = () => {
		throw new Error("a callback that throws must not break the call");
	};
	await call({ onProgress: fail });
	return report;
}

function checkReport({ assert }: Setting, report: MaintenanceReport, vectors: number): void {
	assert.ok(report.vectors <= vectors, `${report.vectors} vectors in the main index of ${vectors}`);
	for (const number of [report.vectors, report.removed, report.durationMs, report.changeNumber]) assert.ok(number >= 0);
	if (report.bytes === null) return;
	for (const bytes of [report.bytes.before, report.bytes.after]) assert.ok(Number.isInteger(bytes) && bytes >= 0);
}

const each =
	(feature: Feature, run: (setting: Setting, filled: Filled) => Promise<void>) => async (setting: Setting) => {
		// That it is UNSUPPORTED otherwise is looked at for all the verbs at once.
		if (!setting.has(feature)) return;
		const filled = await fill(setting, 110, 400, defaultSpace(setting));
		await run(setting, filled);
		await checkWorks(setting, filled, feature);
	};

/** Of each kind with cells what `rebuild` takes, and what it refuses. */
const REBUILDS: readonly (readonly [kind: CellKind, given: RebuildOptions, wrong: readonly RebuildOptions[]])[] = [
	["ivf", { nprobe: 3 }, [{ efConstruction: 40 }, { M: 2 }, { bits: 4 }, { rerank: 100 }, { nlist: 0 }, { nprobe: 6 }]],
	["ivfpq", { M: 2, bits: 8 }, [{ efConstruction: 40 }, { epsilon: 1 }, { M: 3 }, { bits: 0 }, { rerank: 16_001 }]],
	["ivfrabitq", { bits: 4, epsilon: 3 }, [{ M: 2 }, { residual: true }, { profile: "memory" }, { bits: 9 }]],
];

export const maintenanceCases: Cases = {
	"optimize takes the tail in and gives up what is deleted": each(
		"optimize",
		async (setting, { collection, model }) => {
			const gone = model
				.list()
				.map(({ id }) => id)
				.filter((_, i) => i % 4 === 0);
			await collection.delete(gone);
			model.delete(gone);
			const report = await withProgress(setting, (options) => collection.optimize(options));
			checkReport(setting, report, 300);
			setting.assert.equal(report.vectors, 300, "all the vectors are in the main index");
			const { main, tail, tombstones } = (await collection.stats()).index;
			setting.assert.deepEqual([main, tail, tombstones], [300, 0, 0]);
		},
	),

	"optimize of an empty collection does nothing": async (setting) => {
		if (!setting.has("optimize")) return;
		const collection = await setting.create();
		setting.assert.equal((await collection.optimize()).vectors, 0);
	},

	"rebuild builds the same kind anew": each("rebuild", async (setting, { collection }) => {
		const { kind } = (await collection.stats()).effective.index;
		const report = await withProgress(setting, (options) => collection.rebuild(options));
		checkReport(setting, report, 400);
		setting.assert.equal(report.index, kind);
		await setting.refused("INVALID_OPTION", () => collection.rebuild({ M: 1 }));
		await setting.refused("INVALID_OPTION", () => collection.rebuild({ efConstruction: 4_001 }));
	}),

	"rebuild keeps a flat index flat, and refuses it parameters of a graph or of cells": async (setting) => {
		if (!setting.has("rebuild") || !setting.capabilities.indexes.includes("flat")) return;
		const collection = await setting.create({ dimensions: 4, index: { kind: "flat" } });
		await collection.upsert([{ id: "a", vector: [1, 2, 3, 4] }]);
		for (const field of ["M", "efConstruction", "nlist", "nprobe", "bits", "epsilon"]) {
			const { details } = await setting.refused("INVALID_OPTION", () => collection.rebuild({ [field]: 64 }), field);
			setting.assert.equal(details.field, field);
		}
		setting.assert.equal((await collection.rebuild()).index, "flat");
	},

	"rebuild of cells takes their parameters, keeps what is not named, and refuses those of other kinds": async (
		setting,
	) => {
		const { assert, capabilities } = setting;
		if (!setting.has("rebuild")) return;
		for (const [kind, given, wrong] of REBUILDS) {
			if (!capabilities.indexes.includes(kind)) continue;
			const filled = await fill(setting, 113, 400, defaultSpace(setting), { kind, nlist: 5 });
			const report = await withProgress(setting, (options) => filled.collection.rebuild({ ...given, ...options }));
			checkReport(setting, report, 400);
			const { index } = (await filled.collection.stats()).effective;
			assert.deepEqual([report.index, index.kind], [kind, kind]);
			for (const [name, value] of Object.entries({ nlist: 5, ...given })) {
				assert.equal(index.parameters[name], value, `${kind}: ${name}`);
			}
			for (const options of wrong) {
				const note = `${kind} ${JSON.stringify(options)}`;
				const { details } = await setting.refused("INVALID_OPTION", () => filled.collection.rebuild(options), note);
				assert.equal(details.field, Object.keys(options)[0], `${note}: details.field`);
			}
			await checkWorks(setting, filled, `rebuilt ${kind}`);
		}
	},

	"what an empty collection is converted to is what it has when vectors come": async (setting) => {
		const { assert, capabilities } = setting;
		if (!setting.has("convert")) return;
		for (const kind of capabilities.indexes) {
			const collection = await setting.create();
			const report = await withProgress(setting, (options) => collection.convert({ kind }, options));
			checkReport(setting, report, 0);
			assert.equal(report.index, kind);
			await collection.upsert([{ id: "a", vector: [1, 2, 3, 4] }]);
			assert.equal((await collection.stats()).effective.index.kind, kind);
		}
	},

	"convert changes the kind of index to each of the manifest, and back": each("convert", async (setting, filled) => {
		const { indexes } = setting.capabilities;
		for (const kind of [...indexes, ...[...indexes].reverse()]) {
			const report = await withProgress(setting, (options) => filled.collection.convert({ kind }, options));
			checkReport(setting, report, 1_000);
			setting.assert.equal(report.index, kind);
			setting.assert.equal((await filled.collection.stats()).effective.index.kind, kind);
			await checkWorks(setting, filled, kind);
		}
		await setting.refused("INVALID_OPTION", () => filled.collection.convert({ kind: "tree" } as never));
	}),

	"analyze tells how the index is built": each("analyze", async (setting, { collection }) => {
		const { assert, capabilities } = setting;
		const { index, graph, cells, issues } = await collection.analyze();
		assert.ok(capabilities.indexes.includes(index), `index ${index}`);
		assert.ok(Array.isArray(issues));
		if (graph !== undefined) {
			const { min, mean, max } = graph.degree;
			assert.ok(min <= mean && mean <= max, `degree ${min} ${mean} ${max}`);
			assert.ok(graph.reachable >= 0 && graph.reachable <= 1, `reachable ${graph.reachable}`);
			assert.ok(graph.meanPathLength >= 0 && graph.layers.length > 0);
		}
		if (cells === undefined) return;
		const { min, mean, max } = cells.size;
		assert.ok(min <= mean && mean <= max && cells.empty <= cells.count, `cells ${min} ${mean} ${max}`);
		assert.ok(cells.imbalance >= 1 && cells.distinctCentroids <= cells.count, `imbalance ${cells.imbalance}`);
		assert.ok(CELL_FILLS.includes(cells.fill), `fill ${cells.fill}`);
		assert.ok(cells.rule === "given" || NLIST_RULES.includes(cells.rule), `rule ${cells.rule}`);
		assert.ok(cells.trainedFor >= 0, `trained for ${cells.trainedFor}`);
	}),

	"certify gives statements that say what they rest on": each(
		"certify",
		async (setting, { collection, random, space }) => {
			for (let i = 0; i < 20; i++) await collection.search({ vector: anyVector(random, space) });
			const { statements, cells, durationMs } = await withProgress(setting, (options) =>
				collection.certify({ ...options, k: 10, target: 0.9 }),
			);
			setting.assert.deepEqual(
				cells.map(({ statement }) => statement),
				statements,
			);
			for (const { measured } of cells) {
				for (const { setting: asked, queries, mean, lowerBound } of measured) {
					await collection.search({ vector: anyVector(random, space), k: 10, ...asked });
					setting.assert.ok(queries > 0 && lowerBound <= mean && mean <= 1, `${lowerBound} ${mean} of ${queries}`);
				}
			}
			const given = Array.from({ length: 5 }, () => anyVector(random, space));
			const own = await collection.certify({ queries: given, filter: {}, k: 3, maxQueries: 100, maxMs: 60_000 });
			for (const statement of own.statements) checkStatement(setting.assert, statement);
			for (const statement of statements) {
				checkStatement(setting.assert, statement);
				setting.assert.ok(statement.target >= 0.9, `target ${statement.target}`);
			}
			setting.assert.ok(durationMs >= 0);
			const outside = [{ target: 0.4 }, { k: 0 }, { k: 4_001 }, { confidence: 1 }, { confidence: 0.4 }, { maxMs: 0 }];
			for (const wrong of [...outside, { maxQueries: 0 }, { maxQueries: 10_001 }, { filter: {} }, { queries: [] }]) {
				await setting.refused("INVALID_OPTION", () => collection.certify(wrong), JSON.stringify(wrong));
			}
			await setting.refused(
				"DIMENSION_MISMATCH",
				() => collection.certify({ queries: [[1]] }),
				"a query of another length",
			);
		},
	),

	"tune, warm and refresh leave the answers as they are": async (setting) => {
		const { assert } = setting;
		await each("tune", async (_, { collection }) => {
			const { changed, before, after, tooSlow } = await withProgress(setting, (options) => collection.tune(options));
			assert.ok(changed >= 0 && (before === null || before >= 0) && (after === null || after >= 0));
			assert.deepEqual(tooSlow, [], "no time was asked for");
			const { algorithm, epsilon, cells } = await collection.tune.stats();
			assert.deepEqual([algorithm, epsilon], ["epsilon-greedy", 0.1]);
			for (const { arms } of cells) {
				for (const { pulls, totalReward, averageReward } of arms) {
					assert.ok(Math.abs(averageReward * pulls - totalReward) <= 1e-9 * totalReward, "an average of its pulls");
				}
			}
			await collection.tune.reset();
			assert.equal((await collection.tune.stats()).totalPulls, 0);
		})(setting);
		await each("warm", async (_, { collection }) => {
			const { bytes, durationMs } = await withProgress(setting, (options) => collection.warm(options));
			assert.ok(bytes >= 0 && durationMs >= 0);
		})(setting);
		await each("refresh", async (_, { collection }) => {
			const { changeNumber, changed } = await collection.refresh();
			assert.equal(typeof changed, "boolean");
			await collection.upsert([{ id: "to be gone", vector: [1, 2, 3, 4] }]);
			const deleted = await collection.delete("to be gone");
			assert.ok(deleted.changeNumber > changeNumber, "a write moves the change number on");
			assert.ok((await collection.refresh()).changeNumber >= deleted.changeNumber, "refresh shows what was written");
		})(setting);
	},
};
