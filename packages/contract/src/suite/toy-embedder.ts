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

/** Multiplications one after the other: more than 1 ms of them on any machine, told without a clock. */
const WORK = 5_000_000;

/** A toy that is busy for a few ms at every call, so that a search with `timeoutMs: 1` is out of its time when it has its vector. */
export function createBusyEmbedder(): ToyEmbedder {
	const toy = createToyEmbedder("busy");
	// Kept, so that no compiler takes the work away.
	let product = 1;
	return {
		...toy,
		embed: (texts, options) => {
			for (let i = 0; i < WORK; i++) product = Math.imul(product ^ i, 0x01000193);
			return toy.embed(texts, options);
		},
	};
}

/** FNV-1a over UTF-16 units. */
function hashOf(text: string): number {
	let hash = 0x811c9dc5;
	for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
	return hash >>> 0;
}
