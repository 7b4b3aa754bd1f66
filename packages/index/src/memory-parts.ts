/** Bytes that an index of some number of vectors takes, part by part, before there is one. */
export interface MemoryParts {
	/** Bytes of code alone for each vector; 0 where there are none. */
	readonly codeBytesPerVector: number;
	/** Codes with what their keys need beside them. */
	readonly codes: number;
	/** Numbers by which vectors are known: labels, places, the way back. */
	readonly ids: number;
	/** Centroids of cells in all their forms, and what turns a vector before it is compared with them. */
	readonly centroids: number;
	readonly codebooks: number;
	/** Links of a graph. */
	readonly links: number;
	/** What stays empty in the last blocks of cells. */
	readonly slack: number;
	/** The exact vectors, where they are in memory. */
	readonly vectors: number;
	/** The exact vectors, padded, where the owner of the index keeps them elsewhere. */
	readonly onDisk: number;
	/** The settings that tell one index of the kind from another, with every default filled in. */
	readonly settings: Readonly<Record<string, number | string | boolean>>;
}

/** The table from labels to places lies outside the arena. */
export const TABLE_BYTES = 4;
