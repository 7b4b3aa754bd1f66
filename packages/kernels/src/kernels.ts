/**
 * What the compiled kernels and the scalar twin both offer. All arguments are numbers; addresses are byte offsets into the arena's
 * memory, rows start at multiples of 16, byte lengths of rows are multiples of 16 and rows are zero behind their last dimension.
 * The layouts of the structs are drawn in assembly/graph/state.ts, assembly/cells/state.ts, assembly/bounds.ts
 * and assembly/eligibility.ts.
 */
export interface Kernels {
	/** The exact key of two rows (see {@link METRIC_CODES}). */
	distance(metric: number, a: number, b: number, bytes: number): number;
	/** One query against `n` rows named by number (u32 at `ids`); writes f32 keys to `out`. */
	distanceMany(
		metric: number,
		query: number,
		base: number,
		stride: number,
		bytes: number,
		ids: number,
		n: number,
		out: number,
	): void;
	/** One query against `n` consecutive rows. */
	distanceBlock(
		metric: number,
		query: number,
		base: number,
		stride: number,
		bytes: number,
		n: number,
		out: number,
	): void;
	/** `m` queries against `n` consecutive rows; the keys of query j are at `out + j * outStride`. */
	distanceTiles(
		metric: number,
		queries: number,
		queryStride: number,
		m: number,
		base: number,
		stride: number,
		bytes: number,
		n: number,
		out: number,
		outStride: number,
	): void;

	/** The integer dot product of signed query codes with codes of 0..127. */
	codeDot(query: number, row: number, bytes: number): number;
	/** The squared Euclidean distance of two code rows that carry their norms, in units of the code. */
	codeL2(a: number, b: number, bytes: number): number;
	/** One coded query against `n` code rows named by number. */
	codeKeysMany(
		form: number,
		query: number,
		queryNorm: number,
		base: number,
		stride: number,
		bytes: number,
		ids: number,
		n: number,
		out: number,
	): void;
	/** One coded query against `n` consecutive code rows. */
	codeKeysBlock(
		form: number,
		query: number,
		queryNorm: number,
		base: number,
		stride: number,
		bytes: number,
		n: number,
		out: number,
	): void;
	/** `m` coded queries, their norms behind them, against `n` consecutive code rows; the keys of query j are at `out + j * outStride`. */
	codeKeysTiles(
		form: number,
		queries: number,
		queryStride: number,
		m: number,
		base: number,
		stride: number,
		bytes: number,
		n: number,
		out: number,
		outStride: number,
	): void;

	/** The sum of squares of a float row, in float64; not finite where an element is not. */
	sumOfSquares(row: number, bytes: number): number;
	/** Multiplies a row by one factor a dimension. */
	scaleRow(row: number, factors: number, bytes: number): void;
	/** Brings a row to length 1; returns the length it had. A zero row stays as it is. */
	normalizeRow(row: number, bytes: number): number;

	/** Codes one row: floor((x - origin) * inverse + 0.5) held to 0..127; writes the norm behind the codes and returns it. */
	encodeRow(row: number, origin: number, inverse: number, rowBytes: number, code: number, codeBytes: number): number;
	/** Codes a query for the dot form, in units of its own largest element; returns the unit. */
	encodeSigned(row: number, rowBytes: number, code: number, codeBytes: number): number;
	/** Codes a query in two planes; writes what is left over and the coded query's squared length (both f64) to `left`. */
	encodePlanes(
		row: number,
		origin: number,
		unit: number,
		rowBytes: number,
		high: number,
		low: number,
		codeBytes: number,
		left: number,
	): void;
	/**
	 * Writes the random rotation of `row - origin` (of `row` where `origin` is 0), `bytes` bytes each, as `dimensions` floats to `out`; a
	 * multiple of 8. `factors` has as many floats for each of the `passes`: signs and scaling, see assembly/rotate.ts.
	 */
	rotateRow(
		row: number,
		origin: number,
		bytes: number,
		factors: number,
		passes: number,
		dimensions: number,
		out: number,
	): void;
	/**
	 * Writes the RaBitQ code of 1 to 8 bits a dimension and the factors of one row into slot 0 to 31 of a block (drawn in
	 * assembly/rabitq/payload.ts). `residual` is the rotation of row - centroid, `centroid` that of the centroid; both have `dimensions`
	 * floats, a multiple of 64.
	 */
	rabitqEncode(
		metric: number,
		residual: number,
		centroid: number,
		dimensions: number,
		bits: number,
		payload: number,
		slot: number,
	): void;
	/** Makes the tables of a RaBitQ query ({@link RABITQ_QUERY}), once for all cells. */
	rabitqPrepare(query: number): void;
	/** Goes to the cell with this centroid, a row that is not rotated: what the keys of its rows start from, and how wide their bounds are. */
	rabitqProbe(query: number, centroid: number): void;
	/**
	 * Scans `n` rows of a cell in blocks of 32 that follow each other every `stride` bytes; `places` (u32 a row, 0xffffffff for none) has 32
	 * for each block, the last one included. Appends {f32 lower bound, f32 estimate, u32 place} for each row whose lower bound is at most
	 * `threshold`; `out` has room for all. Returns how many.
	 */
	rabitqScan(
		query: number,
		payload: number,
		stride: number,
		places: number,
		n: number,
		threshold: number,
		out: number,
	): number;

	/** The length of what a code leaves out of a row, rounded up. */
	residual(row: number, origin: number, unit: number, rowBytes: number, code: number): number;
	/** Exact-by-bounds scan of `n` consecutive code rows. */
	boundScan(
		query: number,
		base: number,
		stride: number,
		bytes: number,
		first: number,
		n: number,
		labels: number,
		eligibility: number,
	): void;
	/** The same for `n` code rows named by number, whose norms and residuals lie apart. */
	boundMany(
		query: number,
		base: number,
		stride: number,
		bytes: number,
		errors: number,
		rows: number,
		n: number,
		labels: number,
		eligibility: number,
	): void;
	/** Labels of a bitmap's words and their places, from the word that `cursor` holds on; returns how many. */
	listMatches(
		bitmap: number,
		cursor: number,
		words: number,
		places: number,
		first: number,
		count: number,
		room: number,
		labels: number,
		nodes: number,
	): number;
	/** Places of at most `most` eligible labels, spread over a bitmap's words; returns how many. */
	sampleMatches(
		bitmap: number,
		words: number,
		places: number,
		first: number,
		count: number,
		eligibility: number,
		most: number,
		nodes: number,
	): number;
	/**
	 * Of `n` labels, moves those that may be answered together to `kept`, which may be `labels`, and writes their numbers to `rows`; returns
	 * how many there are. 0xffffffff is passed over.
	 */
	listEligible(labels: number, n: number, eligibility: number, rows: number, kept: number): number;
	/** Codes `n` rows into panels of eight ({@link manyCodesBytes}); `squares` is what their squared lengths are multiplied with. */
	encodeMany(
		rows: number,
		stride: number,
		n: number,
		bytes: number,
		origin: number,
		inverse: number,
		squares: number,
		panels: number,
	): void;
	/**
	 * Adds to the pools of many queries ({@link MANY}) what `n` coded rows have nearer, by exact keys; row i has the label `labels[i]`.
	 * Returns how many pairs had to be compared.
	 */
	nearestMany(many: number, base: number, stride: number, n: number, labels: number): number;
	/** Keeps the k nearest of `n` pairs in a sorted pool; returns the pool's new size. */
	topk(keys: number, ids: number, n: number, k: number, pool: number, size: number, eligibility: number): number;

	/**
	 * A whole search; returns the number of answers, or -1 when aborted. It ends before the beam is exhausted when `patience` expansions in a
	 * row (0: however many) have put nothing into the best `depth` of the pool; see assembly/graph/beam.ts.
	 */
	searchGraph(
		graph: number,
		scratch: number,
		k: number,
		ef: number,
		depth: number,
		patience: number,
		eligibility: number,
	): number;
	/** A whole search for what a bitmap lets through, which may begin at `count` nodes of it (u32 at `seeds`); see assembly/graph/matching.ts. */
	searchMatching(
		graph: number,
		scratch: number,
		k: number,
		least: number,
		full: number,
		ef: number,
		widest: number,
		depth: number,
		eligibility: number,
		seeds: number,
		count: number,
	): number;
	/** Many searches, shared out among lanes; see assembly/graph/search.ts. The scratch's query, code and answer are others afterwards. */
	searchRange(
		graph: number,
		scratch: number,
		k: number,
		ef: number,
		depth: number,
		patience: number,
		eligibility: number,
		rows: number,
		rowStride: number,
		codes: number,
		codeStride: number,
		answers: number,
		found: number,
		count: number,
		cursor: number,
	): void;
	/** Finds and writes the links of new nodes; see {@link Kernels.linkRange} for the links back. */
	insertRange(graph: number, scratch: number, ef: number, nodes: number, end: number, cursor: number): void;
	/** Adds links from targets to sources. */
	linkRange(
		graph: number,
		scratch: number,
		layer: number,
		targets: number,
		offsets: number,
		sources: number,
		end: number,
		cursor: number,
	): void;
	/** Replaces links to removed nodes. */
	repairRange(
		graph: number,
		scratch: number,
		removed: number,
		mended: number,
		room: number,
		end: number,
		cursor: number,
	): void;
	/** Breadth-first search over layer 0; returns how many nodes are reached by now. */
	bfs(graph: number, scratch: number, source: number, depths: number, queue: number, reached: number): number;
	/** Puts rows into a new order in place. */
	permuteRows(base: number, stride: number, order: number, n: number, spare: number, done: number): void;
	/** Renames the nodes in all links. */
	remapLinks(graph: number, scratch: number, newNode: number, end: number): void;

	/**
	 * Scans the probed cells of a search by four-bit codes of `subs` sub-quantisers; `tables` has 16 bytes of 0..127 for each, the largest of all together 65,535 at most. A
	 * row's key is floor((term + (bias - offset)) * inverse), held to 0..65,535, plus the sum of its table entries, held to 65,535;
	 * `termBytes` is 128, or 0 where rows have no terms. Candidates are ascending by key, equal keys by place. Returns 0, or -1 when aborted.
	 */
	fastScan(
		cells: number,
		search: number,
		tables: number,
		subs: number,
		termBytes: number,
		inverse: number,
		offset: number,
		eligibility: number,
	): number;
	/** Writes a code (a byte of 0..15 a sub-quantiser) into a block's codes, of which `codes` is the address, as row `row` of 32. */
	putFastCodes(code: number, subs: number, codes: number, row: number): void;
	/**
	 * Places and labels of the rows in the probed cells of a search, in calls of at most `room` (32 or more), which go on where the last one
	 * ended; returns how many, 0 at the end, -1 when aborted.
	 */
	listCells(cells: number, search: number, places: number, labels: number, room: number): number;
	/**
	 * Codes a row of subs * width floats by the nearest of each part's `entries` (16, 32, ... 256), a byte each; of equally near ones by the
	 * first. Entry e of sub-quantiser m has its float j at number (m * width + j) * entries + e of `books`. Returns the squared error.
	 */
	productEncode(row: number, books: number, subs: number, width: number, entries: number, code: number): number;
	/** Writes the subs * width floats that a code stands for. */
	productDecode(code: number, books: number, subs: number, width: number, entries: number, row: number): void;
	/**
	 * Writes `factor` times the dot product of each part of a query with each of its entries (f32, entries of a part together) to `tables`, and
	 * three f64 to `left`: the sum of the least value of every part, the largest spread of a part, and the sum of the spreads.
	 */
	productTables(
		query: number,
		books: number,
		subs: number,
		width: number,
		entries: number,
		factor: number,
		tables: number,
		left: number,
	): void;
	/** Tables of 16 entries as bytes: floor((x - least of its part) * inverse + 0.5), held to 0..127. */
	quantizeTables(tables: number, subs: number, inverse: number, bytes: number): void;
	/**
	 * Scans the probed cells of a search by codes of a byte a sub-quantiser, `subs` bytes a row behind the terms. A row's key is bias + term +
	 * (the sum of the table entries of even parts + that of odd parts), in float32. `termBytes` is 128, or 0 where rows have no terms.
	 * Returns 0, or -1 when aborted.
	 */
	productScan(
		cells: number,
		search: number,
		tables: number,
		subs: number,
		entries: number,
		termBytes: number,
		eligibility: number,
	): number;
	/**
	 * Scans the probed cells of a search by RaBitQ codes, for a query that has been prepared; `centroids` are rows
	 * `centroidStride` bytes apart. With `vectors` (rows by place), rows that their bounds do not exclude are compared exactly at once, and the pool is the answer:
	 * {exact key, label}. With 0 the pool has {estimate, place}. `out` is room for 640 bytes. Returns how many rows were compared exactly, or -1
	 * when aborted.
	 */
	rabitqCells(
		cells: number,
		search: number,
		struct: number,
		centroids: number,
		centroidStride: number,
		metric: number,
		query: number,
		vectors: number,
		vectorStride: number,
		bytes: number,
		out: number,
		eligibility: number,
	): number;
	/**
	 * The nearest of `k` centroids in panels for points[0..end): point i is row ids[i], or row i where `ids` is 0. Writes a label (u32) and a
	 * key (f32) a point; see assembly/kmeans/assign.ts. `codes` of the same centroids, or 0, save work. `scratch` is `assignScratch` bytes for
	 * each lane.
	 */
	assignRange(
		rows: number,
		stride: number,
		bytes: number,
		ids: number,
		panels: number,
		codes: number,
		k: number,
		scratch: number,
		labels: number,
		keys: number,
		end: number,
		cursor: number,
	): void;
	/** The means of cells[0..end) and their spreads (f64); `scratch` is 32 + 2 `bytes` for each lane. See assembly/kmeans/mean.ts. */
	meanRange(
		rows: number,
		stride: number,
		bytes: number,
		members: number,
		offsets: number,
		centroids: number,
		centroidStride: number,
		means: number,
		spreads: number,
		scratch: number,
		end: number,
		cursor: number,
	): void;

	/** XXH32 with seed 0; compare as `>>> 0`. */
	checksum(at: number, length: number): number;
}

export type KernelName = keyof Kernels;
