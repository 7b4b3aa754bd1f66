import type { Collection } from "../collection.ts";
import type { SearchResult } from "../search.ts";
import { checkEvidence, checkScore } from "./answers.ts";
import { rank, type Space } from "./oracle.ts";
import { type Cases, defaultSpace, type Setting } from "./setting.ts";
import { createToyEmbedder } from "./toy-embedder.ts";

const FILLER = "some plain sentence about nothing that anybody would ever look for in a small collection";

/** Of the records, "zebra" is most in `often`, which is also short, and less in `once`. No other record has it. */
const RECORDS = [
	{ id: "near", vector: [10, 0, 1, 0], text: FILLER, metadata: { kind: "x" } },
	{ id: "nearer", vector: [10, 1, 0, 0], text: `${FILLER} zebrafish`, metadata: { kind: "y" } },
	{ id: "once", vector: [5, 5, 0, 0], text: `${FILLER}, ${FILLER}, ${FILLER}, and one zebra`, metadata: { kind: "x" } },
	{ id: "far", vector: [0, 10, 3, 0], metadata: { kind: "y" } },
	{ id: "often", vector: [-10, 0, 0, 1], text: "Zebra zebra zebra", metadata: { kind: "y" } },
	{ id: "middle", vector: [7, -4, 2, 1], text: FILLER },
] as const;
const QUERY = [10, 0.5, 0, 0];
const TEXT_RANKS: Readonly<Record<string, number>> = { often: 1, once: 2 };

async function filled(setting: Setting): Promise<Collection> {
	const collection = await setting.create();
	await collection.upsert(RECORDS.map((record) => ({ ...record, vector: [...record.vector] })));
	return collection;
}

interface Fusion {
	readonly k: number;
	readonly vector: number;
	readonly text: number;
}

/** The fused order, computed from the formula: the sum over the legs of weight / (k + rank). */
function fuse(
	space: Space,
	textRanks: Readonly<Record<string, number>>,
	{ k, vector, text }: Fusion,
	among = RECORDS.map(({ id }) => id as string),
) {
	const records = RECORDS.filter(({ id }) => among.includes(id)).map(({ id, vector: at }) => ({
		id,
		vector: Float32Array.from(at),
	}));
	const fused = rank(records, QUERY, space).map(({ id, distance, tolerance }, i) => {
		const textRank = textRanks[id];
		return {
			id,
			distance,
			tolerance,
			fusedScore: vector / (k + i + 1) + (textRank === undefined ? 0 : text / (k + textRank)),
		};
	});
	// The sort is stable: equal scores stay in the order of the distances.
	return fused.sort((a, b) => b.fusedScore - a.fusedScore);
}

function checkFused(
	{ assert }: Setting,
	result: SearchResult,
	expected: ReturnType<typeof fuse>,
	space: Space,
	note: string,
): void {
	checkEvidence(assert, result);
	assert.deepEqual(
		result.hits.map(({ id }) => id),
		expected.map(({ id }) => id),
		note,
	);
	for (const [i, hit] of result.hits.entries()) {
		const { id, fusedScore, distance, tolerance } = expected[i] as (typeof expected)[number];
		const where = `${note}: ${id}`;
		assert.ok(
			Math.abs((hit.fusedScore ?? Number.NaN) - fusedScore) <= 1e-9,
			`${where} has fusedScore ${hit.fusedScore}, not ${fusedScore}`,
		);
		assert.ok(Math.abs(hit.distance - distance) <= tolerance, `${where} is at ${distance}, not ${hit.distance}`);
		checkScore(assert, hit, space, where);
	}
}

const PLAIN: Fusion = { k: 60, vector: 1, text: 1 };

export const searchHybridCases: Cases = {
	"text is UNSUPPORTED where there is no full-text index": async (setting) => {
		if (setting.has("hybrid")) return;
		const collection = await filled(setting);
		await setting.refused("UNSUPPORTED", () => collection.search({ vector: QUERY, text: "zebra" }));
		await setting.refused("UNSUPPORTED", () => collection.searchMany([{ vector: QUERY, text: "zebra" }]));
	},

	"the two legs are fused by reciprocal rank, with k 60 or the one that is given": async (setting) => {
		if (!setting.has("hybrid")) return;
		const space = defaultSpace(setting);
		const collection = await filled(setting);
		const request = { vector: QUERY, text: "zebra", k: 10, exact: true };
		checkFused(setting, await collection.search(request), fuse(space, TEXT_RANKS, PLAIN), space, "k 60");
		for (const rrfK of [1, 5, 10_000]) {
			const result = await collection.search({ ...request, fusion: { rrfK } });
			checkFused(setting, result, fuse(space, TEXT_RANKS, { ...PLAIN, k: rrfK }), space, `k ${rrfK}`);
		}
		const [many] = await collection.searchMany([request]);
		checkFused(setting, many as SearchResult, fuse(space, TEXT_RANKS, PLAIN), space, "searchMany");
	},

	"weights count one leg more than the other where there is the feature": async (setting) => {
		if (!setting.has("hybrid")) return;
		const space = defaultSpace(setting);
		const collection = await filled(setting);
		const request = { vector: QUERY, text: "zebra", k: 10, exact: true };
		for (const weights of [{ vector: 2, text: 0.5 }, { text: 30 }, { vector: 0 }, { vector: 0.25, text: 1_000 }]) {
			const search = () => collection.search({ ...request, fusion: { weights } });
			if (!setting.has("fusionWeights")) {
				await setting.refused("UNSUPPORTED", search);
				continue;
			}
			const expected = fuse(space, TEXT_RANKS, { ...PLAIN, ...weights });
			checkFused(setting, await search(), expected, space, JSON.stringify(weights));
		}
	},

	"words without a match, or no words at all, leave the order of the vectors": async (setting) => {
		if (!setting.has("hybrid")) return;
		const space = defaultSpace(setting);
		const collection = await filled(setting);
		for (const text of ["giraffe", "*", '"', "()", "  ", "-", "'"]) {
			const result = await collection.search({ vector: QUERY, text, k: 10, exact: true });
			checkFused(setting, result, fuse(space, {}, PLAIN), space, JSON.stringify(text));
		}
	},

	"text is words, never a query language": async (setting) => {
		if (!setting.has("hybrid")) return;
		const { assert } = setting;
		const space = defaultSpace(setting);
		const collection = await filled(setting);
		const search = (text: string) => collection.search({ vector: QUERY, text, k: 10, exact: true });
		for (const text of [
			"zebra",
			"ZEBRA",
			'"zebra"',
			'"zebra',
			"-zebra",
			"+zebra",
			"^zebra",
			"zebra)",
			"(zebra",
			"zebra:",
			"!zebra",
			"'zebra'",
			"zebra;",
			"zebra*",
			"{zebra}",
		]) {
			checkFused(setting, await search(text), fuse(space, TEXT_RANKS, PLAIN), space, text);
		}
		checkFused(setting, await search("zeb*"), fuse(space, {}, PLAIN), space, "zeb* is no prefix");
		for (const text of [
			"zebra OR",
			"AND",
			"NOT zebra",
			"NEAR(zebra, 2)",
			"text:zebra",
			"a & | ! <-> b",
			"zebra:*",
			"'; DROP TABLE x; --",
			"\\",
			"%",
			"zebra\u{1f600}",
			"x".repeat(10_000),
		]) {
			const { hits } = await search(text);
			assert.equal(hits.length, RECORDS.length, `hits for ${JSON.stringify(text.slice(0, 30))}`);
		}
	},

	"a filter, maxDistance and k hold for both legs": async (setting) => {
		if (!setting.has("hybrid")) return;
		const { assert } = setting;
		const space = defaultSpace(setting);
		const collection = await filled(setting);
		const request = { vector: QUERY, text: "zebra", exact: true };
		const filtered = await collection.search({ ...request, filter: { kind: "x" } });
		checkFused(setting, filtered, fuse(space, { once: 1 }, PLAIN, ["near", "once"]), space, "filter");
		const order = rank(
			RECORDS.map(({ id, vector }) => ({ id, vector: Float32Array.from(vector) })),
			QUERY,
			space,
		);
		const [near, far] = [order[2], order[3]];
		const maxDistance = ((near?.distance ?? 0) + (far?.distance ?? 0)) / 2;
		const kept = order.slice(0, 3).map(({ id }) => id);
		const found = (await collection.search({ ...request, maxDistance })).hits.map(({ id }) => id);
		assert.deepEqual(found.sort(), kept.sort(), "maxDistance");
		for (const k of [1, 2, 4]) {
			const { hits } = await collection.search({ ...request, k });
			assert.equal(hits.length, k, `k ${k}`);
			const scores = hits.map(({ fusedScore }) => fusedScore ?? Number.NaN);
			assert.ok(
				scores.every((score, i) => i === 0 || score <= (scores[i - 1] as number)),
				`fusedScore falls: ${scores}`,
			);
		}
	},

	"a text that is changed, taken away, deleted or expired is found no more": async (setting) => {
		if (!setting.has("hybrid")) return;
		const { assert, clock } = setting;
		const collection = await setting.create();
		const vector = [1, 2, 3, 4];
		const ids = ["changed", "taken", "deleted", "expired", "replaced", "stays"];
		await collection.upsert(
			ids.map((id) => ({ id, vector, text: "okapi", ...(id === "expired" && { expiresAt: clock.now + 5 }) })),
		);
		await collection.update([
			{ id: "changed", text: "tapir" },
			{ id: "taken", text: null },
		]);
		await collection.upsert([{ id: "replaced", vector, text: "tapir" }]);
		await collection.delete("deleted");
		clock.now += 5;
		const withText = async (text: string) => {
			const { hits } = await collection.search({ vector, text, k: 10, exact: true, fusion: { rrfK: 1 } });
			// One leg adds 1/2 at most; equal vectors share no rank, so at most one hit has that much without the text.
			const bare = await collection.search({ vector, text: "nothing", k: 10, exact: true, fusion: { rrfK: 1 } });
			const alone = new Map(bare.hits.map(({ id, fusedScore }) => [id, fusedScore ?? 0]));
			return hits
				.filter(({ id, fusedScore }) => (fusedScore ?? 0) > (alone.get(id) ?? 0) + 1e-9)
				.map(({ id }) => id)
				.sort();
		};
		assert.deepEqual(await withText("okapi"), ["stays"]);
		assert.deepEqual(await withText("tapir"), ["changed", "replaced"]);
	},

	"text goes with embed and with id as well": async (setting) => {
		if (!setting.has("hybrid")) return;
		const { assert, metric } = setting;
		const collection = await setting.create({ embedder: createToyEmbedder(), metric });
		await collection.upsert(["red apples", "green pears", "blue plums"].map((text, i) => ({ id: `${i}`, text })));
		for (const question of [{ embed: "red apples" }, { id: "0" }]) {
			const { hits } = await collection.search({ ...question, text: "pears" });
			assert.equal(hits.length, 3);
			assert.ok(hits.every(({ fusedScore }) => fusedScore !== undefined));
		}
		const { hits } = await collection.search({ embed: "red apples" });
		assert.ok(
			hits.every((hit) => !("fusedScore" in hit)),
			"without text there is no fusedScore",
		);
	},
};
