import assert from "node:assert/strict";
import { test } from "node:test";
import type { CollectionCore } from "../core.ts";
import { RowMaker } from "../memory/rows.ts";
import type { WordHit } from "../records/find-words.ts";
import type { ReadRecord } from "../records/row.ts";
import { fuse, type Ranked } from "./fuse.ts";
import type { SearchState } from "./search-state.ts";

const EVEN_WEIGHTS = { rrfK: 60, weights: { vector: 1, text: 1 } };
const QUERY = Float32Array.of(0, 0);

function coreOf(): CollectionCore {
	const spec = { metric: "l2" as const, dimensions: 2, weights: null };
	const rows = new RowMaker(spec);
	return { key: 1, spec, rowsFor: () => rows } as unknown as CollectionCore;
}

/** The vectors by label; those that are missing have been written over. */
function stateOf(vectors: ReadonlyMap<number, Float32Array>): Pick<SearchState, "records"> {
	return {
		records: async (labels) =>
			labels.map((label) => {
				const vector = vectors.get(label);
				return vector && ({ label, vector: new Uint8Array(vector.buffer) } as ReadRecord);
			}),
	};
}

function near(...ids: string[]): Ranked[] {
	return ids.map((id, i) => ({ label: id.charCodeAt(0), id, distance: i + 1 }));
}

function words(...ids: string[]): WordHit[] {
	return ids.map((id) => ({ label: id.charCodeAt(0), id }) as WordHit);
}

const FAR = new Map([..."abcdefg"].map((id) => [id.charCodeAt(0), Float32Array.of(3, 4)]));

test("the fused score is the sum of weight / (rrfK + rank) over the legs that found a record", async () => {
	const fused = (await fuse(coreOf(), QUERY, near("a", "b"), words("b", "c"), EVEN_WEIGHTS, stateOf(FAR))) ?? [];
	assert.deepEqual(
		fused.map(({ id, fusedScore }) => [id, fusedScore]),
		[
			["b", 1 / 62 + 1 / 61],
			["a", 1 / 61],
			["c", 1 / 62],
		],
	);
});

test("a record that only the text found has the distance that it has", async () => {
	const fused = (await fuse(coreOf(), QUERY, near("a"), words("c"), EVEN_WEIGHTS, stateOf(FAR))) ?? [];
	assert.equal(fused.find(({ id }) => id === "c")?.distance, 5);
	assert.equal(fused.find(({ id }) => id === "a")?.distance, 1);
});

test("weights and rrfK move what a leg is worth; a leg of weight 0 adds nothing", async () => {
	const options = { rrfK: 1, weights: { vector: 0, text: 2 } };
	const fused = (await fuse(coreOf(), QUERY, near("a", "b"), words("b", "c"), options, stateOf(FAR))) ?? [];
	assert.deepEqual(
		fused.map(({ id, fusedScore }) => [id, fusedScore]),
		[
			["b", 1],
			["c", 2 / 3],
			["a", 0],
		],
	);
});

test("equal scores are ordered by distance, then by the bytes of the id", async () => {
	const tied: Ranked[] = [{ label: 97, id: "a", distance: 9 }];
	const fused = await fuse(coreOf(), QUERY, tied, words("z"), EVEN_WEIGHTS, stateOf(FAR));
	assert.equal(fused, undefined, "z has been written over since");
	const both = (await fuse(coreOf(), QUERY, tied, words("b"), EVEN_WEIGHTS, stateOf(FAR))) ?? [];
	assert.deepEqual(
		both.map(({ id }) => id),
		["b", "a"],
	);
	const same =
		(await fuse(coreOf(), QUERY, [{ label: 97, id: "a", distance: 5 }], words("b"), EVEN_WEIGHTS, stateOf(FAR))) ?? [];
	assert.deepEqual(
		same.map(({ id }) => id),
		["a", "b"],
	);
});

test("where no text matches, the order is that of the vectors", async () => {
	const fused = (await fuse(coreOf(), QUERY, near("b", "a", "c"), [], EVEN_WEIGHTS, stateOf(FAR))) ?? [];
	assert.deepEqual(
		fused.map(({ id }) => id),
		["b", "a", "c"],
	);
});
