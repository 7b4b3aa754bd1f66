import { exactNeighbors } from "../../sets/truth.ts";

/** The nearest `k` of every query among the rows shown so far, which come in pieces. */
export class Nearest {
	readonly #queries: Float32Array;
	readonly #dimensions: number;
	readonly #k: number;
	/** Of each query, nearest first. */
	readonly #found: { readonly row: number; readonly square: number }[][];

	constructor(queries: Float32Array, dimensions: number, k: number) {
		this.#queries = queries;
		this.#dimensions = dimensions;
		this.#k = k;
		this.#found = Array.from({ length: queries.length / dimensions }, () => []);
	}

	/** Compares every query with every row of `piece`, the first of which is row `first` of the set. */
	async add(piece: Float32Array, first: number): Promise<void> {
		const [dimensions, k] = [this.#dimensions, this.#k];
		const { ids } = await exactNeighbors({ base: piece, queries: this.#queries, dimensions, metric: "l2" }, k);
		this.#found.forEach((found, query) => {
			for (const at of ids.subarray(query * k, (query + 1) * k)) {
				found.push({ row: first + at, square: this.#square(query, piece, at) });
			}
			found.sort((a, b) => a.square - b.square || a.row - b.row).splice(k);
		});
	}

	/** Rows of the set for each query, nearest first. */
	rows(): number[][] {
		return this.#found.map((found) => found.map(({ row }) => row));
	}

	/** In double precision: pieces have to be compared with one another. */
	#square(query: number, piece: Float32Array, at: number): number {
		let sum = 0;
		for (let d = 0; d < this.#dimensions; d++) {
			const difference =
				(this.#queries[query * this.#dimensions + d] as number) - (piece[at * this.#dimensions + d] as number);
			sum += difference * difference;
		}
		return sum;
	}
}
