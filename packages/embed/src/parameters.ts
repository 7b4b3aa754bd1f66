import { BOUNDS, type Bound } from "@nigh/contract";

/** Lengths and sizes of `hashedNgrams`. */
export const HASHED_NGRAMS = {
	/** Length of the vectors. Fewer make unrelated texts look alike, more cost memory and search time in proportion. */
	dimensions: { default: 384, min: 16, max: 4_096, integer: true },
	/** Vectors kept for texts that come again; 0 keeps none. One costs about 4 bytes x dimensions and its text. */
	cacheSize: { default: 1_024, min: 0, max: 65_536, integer: true },
} as const satisfies Record<string, Bound>;

/** Sizes, times and counts of `openAICompatible`. */
export const OPENAI_COMPATIBLE = {
	/** Length of the vectors. Left out: what the first answer has. */
	dimensions: BOUNDS.dimensions,
	/** Texts in one request. */
	batchSize: { default: 64, min: 1, max: 2_048, integer: true },
	/** For one request, its answer included. */
	timeoutMs: { default: 30_000, min: 1, max: 600_000, integer: true, unit: "ms" },
	/** Repetitions after the first attempt. */
	retries: { default: 4, min: 0, max: 10, integer: true },
} as const satisfies Record<string, Bound>;

/** Milliseconds before the first repetition, without jitter; it doubles with each further one up to `maxMs`. */
export const BACK_OFF = { firstMs: 500, maxMs: 30_000 } as const;

/** The longest `Retry-After`, in milliseconds, that is waited for. A server that asks for more is given up at once. */
export const MAX_RETRY_AFTER_MS = 120_000;
