import { checkBound, checkOptions, type Embedder, type EmbedderIdentity, type EmbedOptions } from "@nigh/contract";
import { throwIfAborted } from "./abort.ts";
import { checkText, checkTexts } from "./check-texts.ts";
import { ALGORITHM, hashFeatures } from "./hash-features.ts";
import { LruCache } from "./lru-cache.ts";
import { MAX_CHARACTERS, normaliseText } from "./normalise-text.ts";
import { HASHED_NGRAMS } from "./parameters.ts";

export interface HashedNgramsOptions {
	/** Length of the vectors, 16 to 4,096; default 384. */
	readonly dimensions?: number;
	/** Vectors kept for texts that come again, 0 to 65,536; default 1,024. Changes no vector. */
	readonly cacheSize?: number;
}

/** {@link Embedder} without a model, which can therefore also answer at once. */
export interface HashedNgramsEmbedder extends Embedder {
	/** The vector `embed` gives for this text. Throws `INVALID_RECORD` for what is not a string. */
	embedOne(text: string): Float32Array;
}

/** Characters after which `embed` lets other work have a turn: some milliseconds. */
const TURN_CHARACTERS = 32_768;

/**
 * An embedder without a model, network or state: texts that share words and parts of words get near vectors. It knows
 * no synonyms. Good for names, paths, tags, short notes, tests and a first try; not a substitute for a language model.
 *
 * - Vectors have length 1 (within 1e-5), so cosine, ip and l2 order hits alike.
 * - Letter case, spacing and punctuation other than `. - _ /` make no difference, nor does anything after the first 512
 *   characters (code points) of the normalised text.
 * - A text without any letter, accent, digit or `. - _ /` has no feature: its vector is all zeros, which is at cosine
 *   distance 1 from everything. It is not refused, so that one blank line does not fail a batch.
 * - The same text gives the same object while it is cached: do not write to a vector, copy it (`vector.slice()`).
 *
 * Throws `INVALID_OPTION` for an option outside its bounds; `embed` throws `INVALID_RECORD` (with the row) for what is
 * not a string, and `ABORTED`.
 */
export function hashedNgrams(options: HashedNgramsOptions = {}): HashedNgramsEmbedder {
	checkOptions(options, Object.keys(HASHED_NGRAMS), "hashedNgrams");
	const { dimensions = HASHED_NGRAMS.dimensions.default, cacheSize = HASHED_NGRAMS.cacheSize.default } = options;
	checkBound("dimensions", dimensions, HASHED_NGRAMS.dimensions);
	checkBound("cacheSize", cacheSize, HASHED_NGRAMS.cacheSize);
	const identity: EmbedderIdentity = Object.freeze({ name: "hashed-ngrams", model: ALGORITHM, dimensions });
	const cache = new LruCache<Float32Array>(cacheSize);

	function vectorOf(text: string): Float32Array {
		const normalised = normaliseText(text);
		const cached = cache.get(normalised);
		if (cached !== undefined) return cached;
		const vector = hashFeatures(normalised, dimensions);
		cache.set(ownCopy(normalised), vector);
		return vector;
	}

	return {
		async identity() {
			return identity;
		},
		embedOne(text) {
			return vectorOf(checkText("text", text));
		},
		async embed(texts, { signal }: EmbedOptions = {}) {
			const checked = checkTexts(texts);
			throwIfAborted(signal);
			const vectors: Float32Array[] = [];
			let characters = 0;
			for (const text of checked) {
				vectors.push(vectorOf(text));
				characters += Math.min(text.length, MAX_CHARACTERS);
				if (characters < TURN_CHARACTERS) continue;
				characters = 0;
				await turnOfOthers();
				throwIfAborted(signal);
			}
			return vectors;
		},
	};
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Engines keep a slice as a pointer into the whole: a cached one would hold the file it was cut from in memory. */
function ownCopy(text: string): string {
	return decoder.decode(encoder.encode(text));
}

function turnOfOthers(): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, 0));
}
