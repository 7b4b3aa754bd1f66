/**
 * What tells one embedder from another. A collection stores it: vectors of two embedders are not comparable, so reopening with
 * another identity is a `SPEC_CONFLICT`.
 */
export interface EmbedderIdentity {
	/** The kind of embedder, e.g. `"hashed-ngrams"` or `"openai-compatible"`. */
	readonly name: string;
	/** The model, or the version of the algorithm where there is no model. */
	readonly model: string;
	/** Length of every vector. */
	readonly dimensions: number;
}

export interface EmbedOptions {
	/** Ends the work early with `ABORTED`. */
	readonly signal?: AbortSignal;
}

/** Turns text into vectors. The same text gives the same vector for as long as the identity is the same. */
export interface Embedder {
	/** May have to ask a remote model once, since only its first answer tells the dimensions. */
	identity(options?: EmbedOptions): Promise<EmbedderIdentity>;
	/** One vector of `identity().dimensions` floats for each text, in the order of the texts. */
	embed(texts: readonly string[], options?: EmbedOptions): Promise<Float32Array[]>;
}
