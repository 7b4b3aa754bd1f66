// The exact neighbours once more, in double precision and in plain loops: what recall is judged by shares no line with what is judged.

type Metric = "l2" | "cosine" | "ip";

/** Queries that are compared with a row while it is at hand. */
const TOGETHER = 4;

/** Keys of queries to all rows, smaller for nearer ones; exact scans in float64. */
export class BruteForce {
	readonly n: number;
	readonly #rows: Float64Array;
	readonly #dimensions: number;
	readonly #metric: Metric;
	/** What a product with a row is divided by: its length under cosine. */
	readonly #lengths: Float64Array;

	constructor(rows: Float32Array, dimensions: number, metric: Metric) {
		this.#rows = Float64Array.from(rows);
		this.#dimensions = dimensions;
		this.#metric = metric;
		this.n = rows.length / dimensions;
		this.#lengths = new Float64Array(this.n).fill(1);
		if (metric !== "cosine") return;
		for (let i = 0; i < this.n; i++) {
			let square = 0;
			for (let j = i * dimensions; j < (i + 1) * dimensions; j++) square += (this.#rows[j] as number) ** 2;
			this.#lengths[i] = Math.sqrt(square) || 1;
		}
	}

	/** Calls `take` with each query of a block of rows and its keys, which are only valid during the call. */
	eachQuery(queries: Float32Array, take: (query: number, keys: Float64Array) => void): void {
		const count = queries.length / this.#dimensions;
		const keys = Array.from({ length: TOGETHER }, () => new Float64Array(this.n));
		for (let first = 0; first < count; first += TOGETHER) {
			const some = Math.min(TOGETHER, count - first);
			this.#scan(queries, first, some, keys);
			for (let i = 0; i < some; i++) take(first + i, keys[i] as Float64Array);
		}
	}

	#scan(queries: Float32Array, first: number, some: number, keys: readonly Float64Array[]): void {
		const dimensions = this.#dimensions;
		const asked = Float64Array.from({ length: TOGETHER * dimensions }, (_, j) =>
			j < some * dimensions ? (queries[first * dimensions + j] as number) : 0,
		);
		const [a, b, c, d] = keys as [Float64Array, Float64Array, Float64Array, Float64Array];
		if (this.#metric === "l2") squares(this.#rows, asked, dimensions, a, b, c, d);
		else products(this.#rows, asked, this.#lengths, dimensions, a, b, c, d);
	}
}

/** Squared differences of four queries to all rows. Each sum runs along the dimensions in order, so that equal rows have equal keys. */
function squares(
	rows: Float64Array,
	asked: Float64Array,
	dimensions: number,
	a: Float64Array,
	b: Float64Array,
	c: Float64Array,
	d: Float64Array,
): void {
	for (let i = 0, at = 0; i < a.length; i++, at += dimensions) {
		let [first, second, third, fourth] = [0, 0, 0, 0];
		for (let j = 0; j < dimensions; j++) {
			const value = rows[at + j] as number;
			const p = value - (asked[j] as number);
			const q = value - (asked[dimensions + j] as number);
			const r = value - (asked[2 * dimensions + j] as number);
			const s = value - (asked[3 * dimensions + j] as number);
			first += p * p;
			second += q * q;
			third += r * r;
			fourth += s * s;
		}
		a[i] = first;
		b[i] = second;
		c[i] = third;
		d[i] = fourth;
	}
}

/** Minus the products of four queries with all rows, over the lengths of the rows. A query's own length changes no order. */
function products(
	rows: Float64Array,
	asked: Float64Array,
	lengths: Float64Array,
	dimensions: number,
	a: Float64Array,
	b: Float64Array,
	c: Float64Array,
	d: Float64Array,
): void {
	for (let i = 0, at = 0; i < a.length; i++, at += dimensions) {
		let [first, second, third, fourth] = [0, 0, 0, 0];
		for (let j = 0; j < dimensions; j++) {
			const value = rows[at + j] as number;
			first += value * (asked[j] as number);
			second += value * (asked[dimensions + j] as number);
			third += value * (asked[2 * dimensions + j] as number);
			fourth += value * (asked[3 * dimensions + j] as number);
		}
		const length = lengths[i] as number;
		a[i] = -first / length;
		b[i] = -second / length;
		c[i] = -third / length;
		d[i] = -fourth / length;
	}
}

/**
 * The keys of the k-th nearest for each of some k (ascending): the `k`-th smallest of `keys`, or the largest where there are fewer.
 */
export function kthKeys(keys: Float64Array, ks: readonly number[]): number[] {
	const most = Math.min(keys.length, ks.at(-1) ?? 0);
	const best = new Float64Array(most).fill(Number.POSITIVE_INFINITY);
	for (let i = 0; i < keys.length; i++) {
		const key = keys[i] as number;
		if (!(key < (best[most - 1] as number))) continue;
		let at = most - 1;
		for (; at > 0 && (best[at - 1] as number) > key; at--) best[at] = best[at - 1] as number;
		best[at] = key;
	}
	return ks.map((k) => best[Math.min(k, most) - 1] as number);
}
