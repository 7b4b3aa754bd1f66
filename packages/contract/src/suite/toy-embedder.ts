import type { Embedder, EmbedderIdentity } from "../embedder.ts";
import { NighError } from "../errors.ts";

/** An embedder for tests: words fall into the dimensions by their letters. */
export interface ToyEmbedder extends Embedder {
	readonly dimensions: number;
	/** What `embed` gives for one text, at once. */
	vectorOf(text: string): Float32Array;
}

/** @param model Tells one toy from another; it also changes the vectors. */
export function createToyEmbedder(model = "one", dimensions = 8): ToyEmbedder {
	const identity: EmbedderIdentity = { name: "toy", model, dimensions };
	const vectorOf = (text: string) => {
		const vector = new Float32Array(dimensions);
		for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []) {
			const hash = hashOf(`${model} ${word}`);
			const bucket = hash % dimensions;
			vector[bucket] = (vector[bucket] as number) + 1 + (hash % 97) / 97;
		}
		return vector;
	};
	return {
		dimensions,
		vectorOf,
		identity: async () => identity,
		embed: async (texts, options) => {
			if (options?.signal?.aborted) throw new NighError("ABORTED", "The signal of embed() was aborted.");
			return texts.map(vectorOf);
		},
	};
}

/** FNV-1a over UTF-16 units. */
function hashOf(text: string): number {
	let hash = 0x811c9dc5;
	for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
	return hash >>> 0;
}
