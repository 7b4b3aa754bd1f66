import assert from "node:assert/strict";
import { test } from "node:test";
import type { CollectionCore } from "../core.ts";
import { RowMaker } from "../memory/rows.ts";
import type { WordHit } from "../records/find-words.ts";
import { fuse, type Ranked } from "./fuse.ts";

const EVEN_WEIGHTS = { rrfK: 60, weights: { vector: 1, text: 1 } };
const QUERY = Float32Array.of(0, 0);

/** A collection of vectors by label; those that are missing have been written over. */
function coreOf(vectors: ReadonlyMap<number, Float32Array>): CollectionCore {
	const spec = { metric: "l2" as const, dimensions: 2, weights: null };
	const rows = new RowMaker(spec);
	const byLabels = (_key: number, labels: readonly number[]) =>
		labels.map((label) => {
			const vector = vectors.get(label);
			return vector && { label, vector: new Uint8Array(vector.buffer) };
		});
	return { key: 1, spec, rowsFor: () => rows, database: { records: { byLabels } } } as unknown as CollectionCore;
}

function near(...ids: string[]): Ranked[] {
	return ids.map((id, i) => ({ label: id.charCodeAt(0), id, distance: i + 1 }));
}

function words(...ids: string[]): WordHit[] {
	return ids.map((id) => ({ label: id.charCodeAt(0), id }) as WordHit);
}

const FAR = new Map([..."abcdefg"].map((id) => [id.charCodeAt(0), Float32Array.of(3, 4)]));

test("the fused score is the sum of weight / (rrfK + rank) over the legs that found a record", () => {
	const fused = fuse(coreOf(FAR), QUERY, near("a", "b"), words("b", "c"), EVEN_WEIGHTS) ?? [];
	assert.deepEqual(
		fused.map(({ id, fusedScore }) => [id, fusedScore]),
		[
			["b", 1 / 62 + 1 / 61],
			["a", 1 / 61],
			["c", 1 / 62],
		],
	);
});

test("a record that only the text found has the distance that it has", () => {
	const fused = fuse(coreOf(FAR), QUERY, near("a"), words("c"), EVEN_WEIGHTS) ?? [];
	assert.equal(fused.find(({ id }) => id === "c")?.distance, 5);
	assert.equal(fused.find(({ id }) => id === "a")?.distance, 1);
});

test("weights and rrfK move what a leg is worth; a leg of weight 0 adds nothing", () => {
	const options = { rrfK: 1, weights: { vector: 0, text: 2 } };
	const fused = fuse(coreOf(FAR), QUERY, near("a", "b"), words("b", "c"), options) ?? [];
	assert.deepEqual(
		fused.map(({ id, fusedScore }) => [id, fusedScore]),
		[
			["b", 1],
			["c", 2 / 3],
			["a", 0],
		],
	);
});

test("equal scores are ordered by distance, then by the bytes of the id", () => {
	const tied: Ranked[] = [{ label: 97, id: "a", distance: 9 }];
	const fused = fuse(coreOf(FAR), QUERY, tied, words("z"), EVEN_WEIGHTS);
	assert.equal(fused, undefined, "z has been written over since");
	const both = fuse(coreOf(FAR), QUERY, tied, words("b"), EVEN_WEIGHTS) ?? [];
	assert.deepEqual(
		both.map(({ id }) => id),
		["b", "a"],
	);
	const same = fuse(coreOf(FAR), QUERY, [{ label: 97, id: "a", distance: 5 }], words("b"), EVEN_WEIGHTS) ?? [];
	assert.deepEqual(
		same.map(({ id }) => id),
		["a", "b"],
	);
});

test("where no text matches, the order is that of the vectors", () => {
	const fused = fuse(coreOf(FAR), QUERY, near("b", "a", "c"), [], EVEN_WEIGHTS) ?? [];
	assert.deepEqual(
		fused.map(({ id }) => id),
		["b", "a", "c"],
	);
});
