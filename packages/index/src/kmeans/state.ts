import { type Arena, METRIC_CODES, meanScratch } from "@nigh/kernels";
import { type Parallel, serial } from "../parallel.ts";
import { runAssign } from "./assign.ts";
import type { Borrowed } from "./borrowed.ts";
import { CentroidPanels } from "./panels.ts";
import type { KMeansParameters } from "./parameters.ts";
import type { PointRows } from "./points.ts";

/** Some of the training rows: places `from` to `from + count` of the row numbers. */
export interface Places {
	readonly from: number;
	readonly count: number;
}

/**
 * What a training works on: the centroids, the numbers of the training rows with the cell of each, and the rows of each cell. Views are
 * taken anew whenever they are asked for: memory may grow while lanes run.
 */
export class TrainingState {
	readonly arena: Arena;
	readonly points: PointRows;
	readonly parameters: KMeansParameters;
	readonly parallel: Parallel;
	/** Training rows. */
	readonly n: number;
	/** Bytes of a centroid; they follow one another. */
	readonly bytes: number;
	readonly panels: CentroidPanels;
	/** Addresses of k rows each; they change places. */
	centroids: number;
	next: number;
	readonly #ids: number;
	readonly #labels: number;
	readonly #keys: number;
	readonly #members: number;
	readonly #offsets: number;
	readonly #spreads: number;
	readonly #scratch: number;
	readonly #scratchBytes: number;
	readonly #cursor: number;

	constructor(
		arena: Arena,
		borrowed: Borrowed,
		points: PointRows,
		parameters: KMeansParameters,
		{ rows, parallel = serial }: { readonly rows: Uint32Array; readonly parallel?: Parallel | undefined },
	) {
		const { k } = parameters;
		const { bytes, dimensions } = points;
		this.arena = arena;
		this.points = points;
		this.parameters = parameters;
		this.parallel = parallel;
		this.n = rows.length;
		this.bytes = bytes;
		this.#ids = borrowed.take(4 * this.n);
		this.#labels = borrowed.take(4 * this.n);
		this.#keys = borrowed.take(4 * this.n);
		this.#members = borrowed.take(4 * this.n);
		this.#offsets = borrowed.take(4 * (k + 1));
		this.#spreads = borrowed.take(8 * k);
		this.centroids = borrowed.take(k * bytes);
		this.next = borrowed.take(k * bytes);
		this.panels = new CentroidPanels(arena, { k, dimensions, bytes });
		borrowed.adopt(this.panels.address);
		borrowed.adopt(this.panels.codes);
		this.#scratchBytes = Math.ceil(Math.max(this.panels.scratchBytes, meanScratch(bytes)) / 64) * 64;
		this.#scratch = borrowed.take(parallel.lanes * this.#scratchBytes);
		this.#cursor = borrowed.take(4);
		this.rows.set(rows);
	}

	/** The numbers of the training rows. */
	get rows(): Uint32Array {
		return this.arena.u32(this.#ids, this.n);
	}

	/** The cell of each training row, as it was last assigned. */
	get labels(): Uint32Array {
		return this.arena.u32(this.#labels, this.n);
	}

	get labelsAddress(): number {
		return this.#labels;
	}

	/** Where the rows of each cell begin among those grouped last; one more than there are cells. */
	get offsets(): Uint32Array {
		return this.arena.u32(this.#offsets, this.parameters.k + 1);
	}

	/** The squared distances of the rows of each cell from its centroid, added up. */
	get spreads(): Float64Array {
		return this.arena.f64(this.#spreads, this.parameters.k);
	}

	/** The elements of a centroid at `base`. */
	row(base: number, cell: number): Float32Array {
		return this.arena.f32(base + cell * this.bytes, this.points.dimensions);
	}

	/** Copies a row of the points, by its number. */
	copyRow(number: number, to: number): void {
		const { address, stride } = this.points;
		this.arena.u8(to, this.bytes).set(this.arena.u8(address + number * stride, this.bytes));
	}

	/** Assigns training rows to the centroids as they are. */
	async assign({ from, count }: Places): Promise<void> {
		this.panels.pack(this.centroids, this.bytes);
		const { address, stride } = this.points;
		const answers = { labels: this.#labels + 4 * from, keys: this.#keys + 4 * from };
		const lanes = { parallel: this.parallel, scratch: this.#scratch, cursor: this.#cursor };
		await runAssign(this.arena, this.panels, { address, stride, ids: this.#ids + 4 * from, n: count }, answers, lanes);
	}

	/** Groups training rows by their cells, in each cell in the order in which they stand. */
	group({ from, count }: Places): void {
		const { labels, offsets, rows } = this;
		const members = this.arena.u32(this.#members, this.n);
		const ends = offsets.fill(0);
		for (let i = from; i < from + count; i++) (ends[(labels[i] as number) + 1] as number)++;
		for (let cell = 1; cell < ends.length; cell++) (ends[cell] as number) += ends[cell - 1] as number;
		const place = ends.slice();
		for (let i = from; i < from + count; i++) {
			const cell = labels[i] as number;
			members[place[cell] as number] = rows[i] as number;
			(place[cell] as number)++;
		}
	}

	/** Writes the means of the cells that were grouped last to `next`, and what they are spread about the centroids. */
	async means(): Promise<void> {
		const { k } = this.parameters;
		const { address, stride, bytes } = this.points;
		this.arena.u32(this.#cursor, 1)[0] = 0;
		const args = Array.from({ length: this.parallel.lanes }, (_, lane) => [
			...[address, stride, bytes, this.#members, this.#offsets, this.centroids, bytes, this.next, this.#spreads],
			...[this.#scratch + lane * this.#scratchBytes, k, this.#cursor],
		]);
		await this.parallel.run(this.arena, "meanRange", args);
	}

	/** The numbers of a cell's rows, and their squared distances from its centroid at `base`; until the next assignment. */
	distancesOf(base: number, cell: number): { readonly rows: Uint32Array; readonly distances: Float32Array } {
		const first = this.offsets[cell] as number;
		const count = (this.offsets[cell + 1] as number) - first;
		const { address, stride, bytes } = this.points;
		const ids = this.#members + 4 * first;
		const { kernels } = this.arena;
		kernels.distanceMany(METRIC_CODES.l2, base + cell * bytes, address, stride, bytes, ids, count, this.#keys);
		return { rows: this.arena.u32(ids, count), distances: this.arena.f32(this.#keys, count) };
	}

	/** The squared distances of the first `count` training rows from a row at `query`. */
	distancesFrom(query: number, count: number): Float32Array {
		const { address, stride, bytes } = this.points;
		this.arena.kernels.distanceMany(METRIC_CODES.l2, query, address, stride, bytes, this.#ids, count, this.#keys);
		return this.arena.f32(this.#keys, count);
	}

	/** `next` become the centroids. Returns how far the one went that moved most. */
	advance(): number {
		const moved = this.movement(this.centroids, this.next);
		[this.centroids, this.next] = [this.next, this.centroids];
		return moved;
	}

	/** The largest distance between two centroids of one number. */
	movement(before: number, after: number): number {
		const floats = this.bytes / 4;
		const a = this.arena.f32(before, this.parameters.k * floats);
		const b = this.arena.f32(after, this.parameters.k * floats);
		let most = 0;
		for (let first = 0; first < a.length; first += floats) {
			let sum = 0;
			for (let i = first; i < first + floats; i++) {
				const t = (a[i] as number) - (b[i] as number);
				sum += t * t;
			}
			most = Math.max(most, sum);
		}
		return Math.sqrt(most);
	}

	/** Brings the centroids at `base` to length 1 where they are to be; one that is zero stays. */
	normalize(base: number): void {
		if (!this.parameters.spherical) return;
		for (let cell = 0; cell < this.parameters.k; cell++) {
			this.arena.kernels.normalizeRow(base + cell * this.bytes, this.bytes);
		}
	}

	/** All spreads added up. */
	inertia(): number {
		let sum = 0;
		for (const spread of this.spreads) sum += spread;
		return sum;
	}
}
