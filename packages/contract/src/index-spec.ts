/** Kinds of index. `auto` in a spec lets the back end choose one by size, and change it. */
export const INDEX_KINDS = ["flat", "hnsw", "ivf", "ivfpq", "ivfrabitq"] as const;

export type IndexKind = (typeof INDEX_KINDS)[number];

/** Kinds that look into some of many cells around k-means centroids: the inverted-file family. Not for bits, which have no means. */
export const CELL_KINDS = ["ivf", "ivfpq", "ivfrabitq"] as const satisfies readonly IndexKind[];

export type CellKind = (typeof CELL_KINDS)[number];

/**
 * Rules by which the number of cells is chosen. `adaptive`, the default, makes one for 39 vectors, at least 10, and at most twice the square
 * root of the most vectors there may be (256 or more). The others are those of earlier systems, for who wants an index as it was.
 */
export const NLIST_RULES = [
	"adaptive",
	"nanoindex",
	"memevolve-headline",
	"memevolve-env",
	"memevolve-method",
	"memevolve-create",
	"memevolve-retrain",
	"chromatica",
	"chromatica-note",
	"chromatica-script",
] as const;

export type NlistRule = (typeof NLIST_RULES)[number];

/** How vectors are turned before they are coded. */
export const ROTATIONS = ["auto", "none", "opq"] as const;

export type Rotation = (typeof ROTATIONS)[number];

/** Named settings of a product quantiser. */
export const PQ_PROFILES = ["memory", "accuracy", "speed"] as const;

export type PqProfile = (typeof PQ_PROFILES)[number];

/** Where the vectors of an index of cells are. */
export const STORAGES = ["memory", "disk"] as const;

export type VectorStorage = (typeof STORAGES)[number];

/** What every index of cells has. */
export interface CellsSpec {
	/**
	 * Cells: 1 to 1,000,000, or the name of a rule (default `"adaptive"`). More: smaller cells, so that a probe costs less and finds less, and
	 * a longer training. Memory hardly depends on it.
	 */
	readonly nlist?: number | NlistRule;
	/**
	 * Cells that a search looks into which does not say, 1 to nlist. More: better recall, slower, about in proportion; no memory. Default: the
	 * square root of nlist.
	 */
	readonly nprobe?: number;
	/**
	 * Where the exact vectors are that the last step of a search compares. `"memory"` (default): beside the codes. `"disk"`: in files of their own,
	 * from which a search reads those of its candidates by position, many at a time; in memory there are centroids, codes and labels alone, which
	 * is 4 x dimensions bytes a vector less. Distances are exact as ever, and recall is that of the same index in memory. What it costs: a read
	 * for each candidate, from the system's cache of files or, where that does not have it, from the disk (`warm` reads all of them once);
	 * `exact` searches, and those with a filter of few matches, read every vector that they compare. Worth it where vectors do not fit into memory,
	 * or are to leave it to others. It needs codes, and so the metrics `l2`, `cosine` and `ip`.
	 */
	readonly storage?: VectorStorage;
}

/** An index of cells that hold codes, whose candidates are compared by their vectors. */
export interface CodedCellsSpec extends CellsSpec {
	/**
	 * Candidates that a search compares by their vectors which does not say: 0 to 16,000. More: what coarse codes misjudge is put right, at
	 * about the cost of so many distances. 0: none, and distances are estimates. Default: by k and how fine the codes are.
	 */
	readonly rerank?: number;
}

/** How a collection finds neighbours, written out. */
export type IndexSettings =
	| { readonly kind: "auto" }
	/** Compares everything: exact, time in proportion to the number of vectors. */
	| { readonly kind: "flat" }
	/** A graph (Malkov & Yashunin, arXiv 1603.09320). */
	| {
			readonly kind: "hnsw";
			/** Links of a node, 2 to 200, default 16. More: better recall at the same ef, more memory, slower build. */
			readonly M?: number;
			/** Beam width of the build, max(4, 2M) to 4,000. More: a better graph, a slower build. Default: grows with the size. */
			readonly efConstruction?: number;
	  }
	/** Vectors in cells around k-means centroids (Sivic & Zisserman, ICCV 2003). */
	| ({ readonly kind: "ivf" } & CellsSpec)
	/**
	 * Product codes in cells (Jegou, Douze & Schmid, TPAMI 2011): M sub-quantisers of a few bits each. The least memory, and the quickest scans.
	 * For `l2`, `cosine` and `ip`.
	 */
	| ({
			readonly kind: "ivfpq";
			/**
			 * Sub-quantisers, 1 to 512, a divisor of the dimensions. More: finer codes, so better recall before the re-ranking; more memory (M x
			 * bits / 8 bytes a vector) and slower scans. Default: one for two of the axes that are kept.
			 */
			readonly M?: number;
			/**
			 * Bits of a sub-quantiser's code: 4 to 8, default 4, whose tables are looked up in registers. More: finer codes, more memory, slower
			 * scans and training. Up to 16 are understood and refused with the reason.
			 */
			readonly bits?: number;
			/**
			 * `"opq"`: codes see vectors along their principal axes, of which the last may be left out (Ge et al., TPAMI 2014): finer codes in the
			 * same memory, a longer training, a little time for each query. `"none"`: as they are. `"auto"` (default): `"opq"` from 32 dimensions on,
			 * unless M is given.
			 */
			readonly rotation?: Rotation;
			/** Codes are of what a cell's centroid leaves over: finer in the same memory, and a table for each cell that is probed. Default: true. */
			readonly residual?: boolean;
			/**
			 * M, bits, nlist and nprobe by a name: `"memory"` (8, 8, 100, 10), `"accuracy"` (16, 8, 200, 20), `"speed"` (4, 6, 50, 5). What is given
			 * beside it wins.
			 */
			readonly profile?: PqProfile;
	  } & CodedCellsSpec)
	/** RaBitQ codes in cells (Gao & Long, SIGMOD 2024): an error bound says which candidates need comparing. For `l2`, `cosine` and `ip`. */
	| ({
			readonly kind: "ivfrabitq";
			/** Bits a dimension, 1 to 8, default 1. More: fewer candidates to compare, more memory (bits x dimensions / 8 bytes a vector), slower scans. */
			readonly bits?: number;
			/** Half-width of the error bound in standard deviations, 0.1 to 10, default 1.9. Wider: misses less, compares more; no memory. */
			readonly epsilon?: number;
	  } & CodedCellsSpec);

/** How a collection finds neighbours. `"auto"` is short for `{ kind: "auto" }`. */
export type IndexSpec = "auto" | IndexSettings;
