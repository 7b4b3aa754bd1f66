import { CELL_KINDS, type IndexKind, type IndexSpec } from "../index-spec.ts";
import type { SearchRequest } from "../search.ts";
import { checkApproximateAnswer, checkExactAnswer } from "./answers.ts";
import { rank } from "./oracle.ts";
import { createRandom } from "./random.ts";
import { anyVector } from "./sample-records.ts";
import { type Cases, defaultSpace, type Setting } from "./setting.ts";

type Width = Pick<SearchRequest, "ef" | "nprobe" | "rerank" | "budget">;

const WRONG_CELLS: readonly Width[] = [{ nprobe: 0 }, { nprobe: 1.5 }, { budget: 0 }, { ef: 64 }];
const WRONG_CODES: readonly Width[] = [...WRONG_CELLS, { rerank: 9 }, { rerank: 16_001 }];

/** Of each kind the widths that are taken, and those that are refused. */
const WIDTHS: readonly (readonly [kind: IndexKind, widths: readonly Width[], wrong: readonly Width[]])[] = [
	["hnsw", [{ ef: 64 }], [{ ef: 9 }, { nprobe: 4 }, { rerank: 40 }, { budget: 1_000 }]],
	["ivf", [{ nprobe: 4 }, { nprobe: 4, budget: 50 }], [...WRONG_CELLS, { rerank: 40 }]],
	["ivfpq", [{ nprobe: 4 }, { nprobe: 4, rerank: 40, budget: 50 }, { rerank: 0 }], WRONG_CODES],
	["ivfrabitq", [{ nprobe: 4 }, { nprobe: 4, rerank: 40, budget: 50 }, { rerank: 0 }], WRONG_CODES],
];

/** A collection of so few vectors that an index may, or may not, have been made of them. */
async function indexedAs(setting: Setting, index: IndexSpec) {
	const { metric } = setting;
	const collection = await setting.create({ dimensions: 4, metric, index });
	const random = createRandom(28);
	const space = defaultSpace(setting);
	const records = Array.from({ length: 300 }, (_, i) => ({ id: `${i}`, vector: anyVector(random, space) }));
	await collection.upsert(records);
	return { collection, records };
}

export const searchWidthCases: Cases = {
	"an explicit width is taken where there is the feature and the kind of index for it, and refused elsewhere": async (
		setting,
	) => {
		const { assert, capabilities } = setting;
		if (!setting.has("searchWidth")) {
			const collection = await setting.create();
			for (const width of [{ ef: 64 }, { nprobe: 4 }, { rerank: 40 }, { budget: 1_000 }]) {
				await setting.refused("UNSUPPORTED", () => collection.search({ vector: [1, 2, 3, 4], ...width }));
			}
			return;
		}
		for (const [kind, widths, wrong] of WIDTHS) {
			if (!capabilities.indexes.includes(kind)) continue;
			const { collection, records } = await indexedAs(setting, { kind });
			const space = defaultSpace(setting);
			const ranked = rank(records, [1, 2, 3, 4], space);
			for (const width of widths) {
				const note = `${kind} ${JSON.stringify(width)}`;
				const result = await collection.search({ vector: [1, 2, 3, 4], ...width });
				// Without candidates that are compared, distances are estimates.
				if (width.rerank === 0) assert.equal(result.hits.length, 10, note);
				else checkApproximateAnswer(setting, result, { ranked, k: 10, space, note });
				// Vectors that have not been taken into the index yet are all compared.
				assert.ok(["uncertified", "exact"].includes(result.recall.state), `${note}: ${result.recall.state}`);
			}
			for (const width of wrong) {
				const [field] = Object.keys(width);
				const note = `${kind} ${JSON.stringify(width)}`;
				const search = () => collection.search({ id: "1", k: 10, ...width });
				const { details } = await setting.refused("INVALID_OPTION", search, note);
				assert.equal(details.field, field, `${note}: details.field`);
			}
		}
	},

	"a search that looks into every cell, and compares every candidate, finds what an exact one finds": async (
		setting,
	) => {
		if (!setting.has("searchWidth")) return;
		for (const kind of CELL_KINDS) {
			if (!setting.capabilities.indexes.includes(kind)) continue;
			const { collection, records } = await indexedAs(setting, { kind, nlist: 5 });
			if (setting.has("optimize")) await collection.optimize();
			const space = defaultSpace(setting);
			const all = { nprobe: 5, ...(kind !== "ivf" && { rerank: records.length }) };
			const random = createRandom(29);
			for (let i = 0; i < 10; i++) {
				const vector = anyVector(random, space);
				const expected = { ranked: rank(records, vector, space), k: 10, space, note: kind };
				checkExactAnswer(setting, await collection.search({ vector, ...all }), expected);
			}
		}
	},
};
