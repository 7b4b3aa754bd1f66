/** Numbers that the assembly, the twin and the indexes must agree on. */

/** What `metric` arguments mean. A key orders like the distance: l2 squared; ip minus the dot product; cosine 1 - dot of unit rows; l1; hamming. */
export const METRIC_CODES = { l2: 0, ip: 1, cosine: 2, l1: 3, hamming: 4, custom: 5 } as const;

/** What a code row's key is: the squared distance to a query in the same units, or minus the dot product with a signed query. */
export const CODE_FORMS = { l2: 0, dot: 1 } as const;

/** What a node block starts with. `custom` is known to the twin alone. */
export const PAYLOADS = { float: 0, codesL2: 1, codesDot: 2, bits: 3, custom: 4 } as const;

/** "No node" in the graph's entry point. */
export const NO_NODE = 0xffffffff;

/** The level of a place that holds no node. */
export const FREE_LEVEL = 255;

/** Nodes that a beam expands together: a scratch's ids and keys need room for all their neighbours. */
export const EXPANDED_TOGETHER = 4;

/** Byte offsets in the graph struct. */
export const GRAPH = {
	payload: 0,
	metric: 4,
	payloadBytes: 8,
	blocks: 12,
	blockStride: 16,
	vectors: 20,
	vectorStride: 24,
	vectorBytes: 28,
	degree: 32,
	degree0: 36,
	upper: 40,
	upperOf: 44,
	levels: 48,
	entry: 52,
	topLevel: 56,
	labels: 60,
	bytes: 64,
} as const;

/** Byte offsets behind a node block's payload. */
export const BLOCK_TAIL = { norm: 0, label: 4, count: 8, links: 12 } as const;

/** Byte offsets in the scratch struct. */
export const SCRATCH = {
	marks: 0,
	mark: 4,
	markCount: 8,
	pool: 12,
	ids: 16,
	keys: 20,
	query: 24,
	queryCode: 28,
	queryNorm: 32,
	heap: 36,
	candidates: 40,
	selected: 44,
	abort: 48,
	answer: 52,
	keysComputed: 56,
	nodesExpanded: 60,
	bytes: 64,
} as const;

/** Byte offsets in the query struct of the exact-by-bounds scan. */
export const BOUND_QUERY = {
	high: 0,
	low: 4,
	form: 8,
	k: 12,
	constant: 16,
	factor: 24,
	slack: 32,
	perResidual: 40,
	rounding: 48,
	pool: 56,
	poolSize: 60,
	keptRows: 64,
	keptBounds: 68,
	kept: 72,
	everything: 80,
	bytes: 112,
} as const;

/** Byte offsets in the query struct of the RaBitQ scan: up to `epsilon` the caller's, the rest written by the kernels. */
export const RABITQ_QUERY = {
	dimensions: 0,
	bits: 4,
	metric: 8,
	row: 12,
	rowBytes: 16,
	rotated: 20,
	tables: 24,
	fine: 28,
	epsilon: 32,
	step: 36,
	total: 40,
	left: 44,
	fineStep: 48,
	fineTotal: 52,
	fineLeft: 56,
	length: 60,
	base: 64,
	own: 68,
	perSpread: 72,
	perScale: 76,
	slack: 80,
	refined: 84,
	sums: 96,
	bytes: 352,
} as const;

/** A block of RaBitQ codes: rows in it, bytes of one factor of them all, factors with 1 bit and with more. */
export const RABITQ_BLOCK = { rows: 32, factorBytes: 128, factors: 3, fineFactors: 6 } as const;

/** Byte offsets in what the RaBitQ scan appends for a row. */
export const RABITQ_CANDIDATE = { lower: 0, estimate: 4, place: 8, bytes: 12 } as const;

/** Byte offsets in the struct of the nearest of many queries. */
export const MANY = {
	queries: 0,
	queryStride: 4,
	queryCodes: 8,
	count: 12,
	rowCodes: 16,
	k: 20,
	pools: 24,
	sizes: 28,
	limits: 32,
	metric: 36,
	rowBytes: 40,
	scale: 48,
	offset: 56,
	most: 64,
	bytes: 80,
} as const;

/** Bytes of the codes of `n` rows of `bytes` bytes, in panels of eight; drawn in assembly/many.ts. */
export function manyCodesBytes(bytes: number, n: number): number {
	return Math.ceil(n / 8) * (96 + 2 * bytes);
}

/** Byte offsets in the eligibility struct. */
export const ELIGIBILITY = { allow: 0, allowed: 4, born: 8, died: 12, reader: 16, dated: 24, bytes: 32 } as const;

/** Byte offsets in the cells struct of an inverted file. */
export const CELLS = { table: 0, blocks: 4, blockStride: 8, labels: 12, bytes: 16 } as const;

/** Byte offsets in an entry of the cell table. */
export const CELL = { first: 0, last: 4, rows: 8, removed: 12, bytes: 16 } as const;

/** "No block" in a chain, and the place of a row that has been removed or was never written. */
export const NO_BLOCK = 0xffffffff;
export const NO_PLACE = 0xffffffff;

/** Rows of a block. */
export const CELL_ROWS = 32;

/** Byte offsets in a block; the codes follow the terms, or stand in their stead where rows have none. */
export const CELL_BLOCK = { next: 0, rows: 4, cell: 8, places: 16, payload: 144 } as const;

/** Bytes of the terms of a block: one f32 a row. */
export const TERM_BYTES = 4 * CELL_ROWS;

/** Bytes that a sub-quantiser of four bits takes in a block. */
export const FAST_SUB_BYTES = CELL_ROWS / 2;

/** Byte offsets in an entry of the probed cells. */
export const CELL_PROBE = { cell: 0, bias: 4, bytes: 8 } as const;

/** Byte offsets in the struct of a search over cells. */
export const CELL_SEARCH = {
	probes: 0,
	count: 4,
	next: 8,
	budget: 12,
	scanned: 16,
	pool: 20,
	size: 24,
	room: 28,
	abort: 32,
	listing: 36,
	sums: 64,
	bytes: 128,
} as const;

/** A panel of transposed centroids: their constants, then element by element; drawn in assembly/kmeans/panel.ts. */
export const PANEL = { centroids: 8, constants: 0, elements: 32 } as const;

/** Bytes of a panel whose rows have `bytes` bytes. */
export function panelBytes(bytes: number): number {
	return PANEL.elements + PANEL.centroids * bytes;
}

/** A panel of the codes of centroids; drawn, with what stands before all of them, in assembly/kmeans/filter.ts. */
export const CODE_PANEL = {
	squares: 0,
	units: 32,
	lengths: 64,
	errors: 96,
	roundings: 128,
	codes: 160,
	zero: 64,
} as const;

/** Bytes of the codes of `k` centroids whose rows have `bytes` bytes. */
export function centroidCodesBytes(bytes: number, k: number): number {
	return bytes + Math.ceil(k / PANEL.centroids) * (CODE_PANEL.codes + 2 * bytes);
}

/** Bytes that a lane of `assignRange` needs for itself: least keys and rows of 64 points, and with codes bounds of all keys of 16 of them. */
export function assignScratch(bytes: number, k: number, hasCodes: boolean): number {
	const block = 64 * (32 + 4);
	const vectors = 2 * Math.ceil(k / PANEL.centroids);
	const bytesOf = hasCodes ? block + 16 * (16 + 16 + 16 * vectors + bytes / 4) + 4 * vectors + 16 : block;
	return Math.ceil(bytesOf / 64) * 64;
}

/** Bytes that a lane of `meanRange` needs for itself: the spread's lanes, and a float64 a dimension. */
export function meanScratch(bytes: number): number {
	return 32 + 2 * bytes;
}

/** Rows and structs start at multiples of this. */
export const ROW_ALIGNMENT = 16;

/** Rounds up to a multiple of {@link ROW_ALIGNMENT}. */
export function rowBytes(bytes: number): number {
	return Math.ceil(bytes / ROW_ALIGNMENT) * ROW_ALIGNMENT;
}
