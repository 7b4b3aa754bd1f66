/** What a number may be. Both ends are allowed. */
export interface Bound {
	readonly min: number;
	readonly max: number;
	/** Fractions are refused. */
	readonly integer?: boolean;
	/** Only multiples of this number are allowed. */
	readonly multipleOf?: number;
	/** Used when the option is left out; without one, leaving it out means something of its own. */
	readonly default?: number;
	readonly unit?: "bits" | "bytes" | "MB" | "ms" | "records";
}

/**
 * Every bound and default of the contract. These are the widest any back end offers; one that offers less (pgvector stores 16,000
 * floats and indexes 64,000 bits) says so in `Capabilities.limits` and refuses the rest with `UNSUPPORTED`.
 */
export const BOUNDS = {
	/** Components of a float vector. */
	dimensions: { min: 1, max: 16_384, integer: true },
	/** Dimensions of a `type: "bit"` collection: whole bytes, as many of them as a float vector may have components. */
	bits: { min: 8, max: 131_072, integer: true, multipleOf: 8, unit: "bits" },
	/** Euclidean norm of a float vector. Two such vectors are at most 2^63 apart, whose square float32 still holds. */
	vectorNorm: { min: 0, max: 2 ** 62 },
	/** Factor of one dimension in `weights`. */
	weight: { min: 0, max: 1_000_000 },

	/** Hits of one search; above `exactAbove` they are found by an exact scan. */
	k: { min: 1, max: 10_000, integer: true, default: 10, exactAbove: 4_000 },
	/** Time one call may take. Left out: no limit. */
	timeoutMs: { min: 1, max: 86_400_000, integer: true, unit: "ms" },
	/** Least score of a hit. Any finite number, since a dot product has no bound of its own. Left out: every score. */
	minScore: { min: -Number.MAX_VALUE, max: Number.MAX_VALUE },
	/** Largest distance of a hit. A dot product makes negative ones. Left out: every distance. */
	maxDistance: { min: -Number.MAX_VALUE, max: Number.MAX_VALUE },
	/** Requests of one `searchMany`. */
	queriesPerCall: { min: 0, max: 10_000, integer: true },
	/** Records of one `upsert` or `update`, ids of one `get` or `delete`. */
	recordsPerCall: { min: 0, max: 100_000, integer: true, unit: "records" },
	/** Records of one `scan`. Left out: all. */
	scanLimit: { min: 1, max: 4_294_967_295, integer: true, unit: "records" },

	/** Mean recall that searches have to keep; 1 is an exact search. */
	recall: { min: 0.5, max: 1, default: 0.95 },
	/** 1 - delta of a certificate. */
	confidence: { min: 0.5, max: 0.9999, default: 0.95 },
	/** Queries that a certification compares with exact answers, for each band; as many may be given to it. */
	certifyQueries: { min: 1, max: 10_000, integer: true, default: 5_000 },
	/** Share of the searches that try another setting. */
	epsilonGreedy: { min: 0, max: 1, default: 0.1 },
	/** Factor by which that share falls with every search. */
	epsilonDecay: { min: 0.9, max: 1, default: 1 },
	/** Mean time of a search that is wanted. Left out: none. */
	latency: { min: 0.001, max: 86_400_000, unit: "ms" },
	/** k of reciprocal rank fusion: a leg adds weight / (k + rank) to a hit's fused score. */
	rrfK: { min: 1, max: 10_000, integer: true, default: 60 },
	/** Weight of one leg in reciprocal rank fusion. */
	legWeight: { min: 0, max: 1_000, default: 1 },

	/** Links of a node of an HNSW graph on the upper layers; layer 0 has twice as many. */
	M: { min: 2, max: 200, integer: true, default: 16 },
	/** Beam width of an HNSW build; at least 2M as well. Left out: grows with the number of vectors. */
	efConstruction: { min: 4, max: 4_000, integer: true },
	/** Beam width of an HNSW search; at least k as well. Left out: the recall decides. */
	ef: { min: 1, max: 10_000, integer: true },
	/** Cells of an index of cells. Left out: one for 39 vectors. */
	nlist: { min: 1, max: 1_000_000, integer: true },
	/** Cells that a search looks into; at most nlist as well. Left out: the recall decides. */
	nprobe: { min: 1, max: 1_000_000, integer: true },
	/** Rows of cells that a search may scan; the cell in which they run out is finished. Left out: no limit. */
	budget: { min: 1, max: 0x7fffffff, integer: true },
	/** Candidates of codes that are compared by their vectors; at least k as well, or 0: none, distances are estimates. Left out: by k and the codes. */
	rerank: { min: 0, max: 16_000, integer: true },
	/** Sub-quantisers of a product quantiser; a divisor of the dimensions as well. 516 sums of 127 are what 16 bits hold. Left out: by the dimensions. */
	pqM: { min: 1, max: 512, integer: true },
	/** Bits of a sub-quantiser's code that are understood; a back end may have fewer, and says so. */
	pqBits: { min: 1, max: 16, integer: true, default: 4 },
	/** Bits a dimension of a RaBitQ code. */
	rabitqBits: { min: 1, max: 8, integer: true, default: 1 },
	/** Half-width of RaBitQ's error bound, in standard deviations of what it bounds. */
	epsilon: { min: 0.1, max: 10, default: 1.9 },

	/** An id in UTF-8. */
	idBytes: { min: 1, max: 512, integer: true, unit: "bytes" },
	/** A collection's name: `checkCollectionName` tells what it is made of. */
	nameLength: { min: 1, max: 48, integer: true },
	/** A label: the dense integer a back end gives to each vector written. 4,294,967,295 is kept for "none". */
	label: { min: 0, max: 4_294_967_294, integer: true },
	/** Records of a collection, as many as there are labels. */
	maxRecords: { min: 1, max: 4_294_967_295, integer: true, default: 4_294_967_295, unit: "records" },
	/** Share of a limit. */
	warnAt: { min: 0, max: 1, default: 0.8 },
	pruneAt: { min: 0, max: 1, default: 0.9 },
	/** Paths of `filterable`. */
	filterablePaths: { min: 0, max: 32, integer: true },
	/** Memory of a collection. Left out: what the machine gives. */
	memoryLimit: { min: 1_048_576, max: Number.MAX_SAFE_INTEGER, integer: true, unit: "bytes" },
	/** Memory that the index of a collection is planned for, in megabytes of 2^20 bytes. Left out: nothing is planned. */
	maxMB: { min: 0.01, max: 2 ** 32, unit: "MB" },
	/** A moment, in milliseconds since 1970 (the range of a JavaScript date). */
	time: { min: -8_640_000_000_000_000, max: 8_640_000_000_000_000, integer: true, unit: "ms" },
	/** Backups that are kept. */
	backups: { min: 1, max: 1_000, integer: true },
	/** Age that `prune` looks at. */
	ageMs: { min: 0, max: 8_640_000_000_000_000, integer: true, unit: "ms" },

	/** Filters inside filters: the outermost is 1, every `$and`, `$or` and `$not` around a part adds 1. */
	filterDepth: { min: 1, max: 32, integer: true },
	/** Values of one `$in` or `$nin`. */
	inValues: { min: 0, max: 10_000, integer: true },
	/** Fields, operators and values of one filter in all. */
	filterValues: { min: 0, max: 100_000, integer: true },
	/** Arrays and objects inside each other in metadata, or in the value a filter compares with; the outermost is 1. */
	metadataDepth: { min: 1, max: 100, integer: true },
	/** Values of one record's metadata in all. */
	metadataValues: { min: 0, max: 100_000, integer: true },
	/** UTF-16 units of one record's metadata as JSON. */
	metadataLength: { min: 0, max: 67_108_864, integer: true },
	/** UTF-16 units of one record's text. */
	textLength: { min: 0, max: 67_108_864, integer: true },
} as const satisfies Readonly<Record<string, Bound & { readonly exactAbove?: number }>>;

/** The name of an entry of {@link BOUNDS}. */
export type BoundName = keyof typeof BOUNDS;
