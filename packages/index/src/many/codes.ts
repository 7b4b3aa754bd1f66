import { MANY } from "@nigh/kernels";
import type { ArenaView } from "../arena-view.ts";
import type { RowWriter } from "../rows/row-writer.ts";
import { LEVELS, learnRange } from "../rows/scalar-codes.ts";
import type { ManyRoom } from "./room.ts";

/** Spacing of float32 at 1. */
const ULP = 2 ** -23;
/** Steps outside are not tried: their squares would leave float32. */
const STEP = { least: 1e-15, most: 1e15 } as const;

/**
 * The codes by which most rows are excluded, made on the way: which pairs of a query and a row they exclude is told in the kernels'
 * assembly/many.ts. Here is what rows and limits are scaled with, with a generous allowance for the rounding of the float keys (a sum of d
 * products in 8 lanes errs by at most about d / 8 + 3 half-ulps of the sum of their sizes).
 */
export class ManyCodes {
	readonly #arena: ArenaView;
	readonly #rows: RowWriter;
	readonly #room: ManyRoom;
	#inverse = 0;
	#squares = 0;

	constructor(arena: ArenaView, rows: RowWriter, room: ManyRoom) {
		this.#arena = arena;
		this.#rows = rows;
		this.#room = room;
	}

	/**
	 * Learns what codes mean from `n` rows, and codes the queries; with no rows, or where numbers are too large or too small, returns false.
	 * Any rows would do: from others, less is excluded.
	 */
	learn(n: number, addressOf: (row: number) => number, count: number, k: number): boolean {
		if (n === 0) return false;
		const { dimensions, bytes } = this.#rows;
		const { centre, range } = learnRange(n, (row) => this.#arena.f32(addressOf(row), dimensions), dimensions);
		const step = range > 0 ? (2 * range) / LEVELS : 1;
		if (!(step > STEP.least && step < STEP.most)) return false;
		const origin = this.#arena.f32(this.#room.origin, bytes / 4).fill(0);
		for (let j = 0; j < dimensions; j++) origin[j] = (centre[j] as number) - (LEVELS / 2) * step;
		this.#write(Math.fround(1 / step), count, k);
		const { queries, queryCodes } = this.#room;
		this.#encode(queries, bytes, count, queryCodes);
		return true;
	}

	/** Adds what is nearer among `n` rows; returns how many pairs had to be compared. */
	scan(rows: number, stride: number, n: number): number {
		const { struct, rowCodes, labels } = this.#room;
		this.#encode(rows, stride, n, rowCodes);
		return this.#arena.kernels.nearestMany(struct, rows, stride, n, labels);
	}

	#encode(rows: number, stride: number, n: number, codes: number): void {
		const { bytes } = this.#rows;
		const { origin } = this.#room;
		this.#arena.kernels.encodeMany(rows, stride, n, bytes, origin, this.#inverse, this.#squares, codes);
	}

	/** Writes the struct of the kernel. */
	#write(inverse: number, count: number, k: number): void {
		const { metric, metricCode, dimensions, bytes } = this.#rows;
		const { struct, queries, queryCodes, rowCodes, pools, sizes, limits } = this.#room;
		const rounding = (dimensions / 8 + 8) * ULP;
		this.#inverse = inverse;
		// Beside the rounding of a product of two rows, that of their squared lengths and of the limits.
		this.#squares = metric === "l2" ? 0 : inverse ** 2 * (1 + 4 * rounding + 2 ** -17);
		const words = this.#arena.u32(struct, MANY.bytes / 4).fill(0);
		for (const [field, value] of [
			["queries", queries],
			["queryStride", bytes],
			["queryCodes", queryCodes],
			["count", count],
			["rowCodes", rowCodes],
			["k", k],
			["pools", pools],
			["sizes", sizes],
			["limits", limits],
			["metric", metricCode],
			["rowBytes", bytes],
		] as const) {
			words[MANY[field] / 4] = value;
		}
		const doubles = this.#arena.f64(struct, MANY.bytes / 8);
		doubles[MANY.scale / 8] = metric === "l2" ? (1 + 2 * rounding) * inverse : inverse ** 2;
		doubles[MANY.offset / 8] = this.#offset();
		// Keys of cosine are held to 2: what has that may be as far as any other that has it.
		doubles[MANY.most / 8] = metric === "cosine" ? 2 : Number.POSITIVE_INFINITY;
		// Behind the last query there are some that nobody asked, and that exclude what they can.
		this.#arena.f32(limits, count + 8).fill(Number.NEGATIVE_INFINITY);
	}

	/** What a limit allows beside what grows with it. Squares and products below 2^-149 vanish in float32. */
	#offset(): number {
		const { metric, dimensions } = this.#rows;
		if (metric === "l2") return Math.sqrt(dimensions) * 2 ** -74;
		// A key of cosine is 1 more than minus the product.
		return metric === "cosine" ? -2 + 2 ** -19 : dimensions * 2 ** -148;
	}
}
