import { BOUNDS, checkBits, checkVector, checkWeights, NighError } from "@nigh/contract";
import type { Arena } from "@nigh/kernels";
import type { Vector, VectorRows } from "../vector-index.ts";
import { bytesOfRow, type RowShape, RowWriter } from "./row-writer.ts";

export interface RowFormatOptions extends RowShape {
	readonly weights?: Float32Array | readonly number[] | undefined;
}

/**
 * How a vector of the caller becomes a row in the arena: checked, then written by {@link RowWriter}. Weights scale rows, not distances:
 * sqrt(w) a dimension where the metric multiplies two elements, w for l1.
 */
export class RowFormat extends RowWriter {
	readonly weights: Float32Array | undefined;
	readonly #arena: Arena;

	constructor(arena: Arena, options: RowFormatOptions) {
		const weights = checkedWeights(options);
		super(arena, options, weights === undefined ? 0 : arena.alloc(bytesOfRow(options)));
		this.#arena = arena;
		this.weights = weights;
		if (weights === undefined) return;
		const factors = arena.f32(this.factors, options.dimensions);
		for (let i = 0; i < factors.length; i++) {
			const weight = weights[i] as number;
			factors[i] = options.metric === "l1" ? weight : Math.sqrt(weight);
		}
	}

	/** The vector as a typed array, or the error that says why not. */
	check(vector: Vector, row?: number): Float32Array | Uint8Array {
		const place = row === undefined ? {} : { row };
		if (this.isBits) return checkBits(vector, this.dimensions, place);
		const floats = checkVector(vector, this.dimensions, place);
		if (this.weights !== undefined) this.#checkWeighted(floats, place);
		return floats;
	}

	/** How many vectors `rows` holds; every one of them is checked. */
	checkRows(rows: VectorRows): number {
		const n = this.countRows(rows);
		for (let row = 0; row < n; row++) this.check(this.rowOf(rows, row), row);
		return n;
	}

	countRows(rows: VectorRows): number {
		const kind = this.isBits ? "Uint8Array" : "Float32Array";
		if (!(this.isBits ? rows instanceof Uint8Array : rows instanceof Float32Array)) {
			throw new NighError(
				"INVALID_VECTOR",
				`rows are given as one ${kind}, row after row; this is ${describeRows(rows)}`,
			);
		}
		if (rows.length % this.length !== 0) {
			throw new NighError(
				"DIMENSION_MISMATCH",
				`${rows.length} elements are not a whole number of rows of ${this.length}: is the dimension ${this.dimensions} right?`,
				{ expected: this.length, actual: rows.length },
			);
		}
		return rows.length / this.length;
	}

	rowOf(rows: VectorRows, row: number): VectorRows {
		return rows.subarray(row * this.length, (row + 1) * this.length);
	}

	/** Whether what lies there can have been written by {@link write}: finite, within the bound, zero behind the last dimension. */
	isSound(address: number): boolean {
		const used = this.isBits ? this.length : this.length * 4;
		if (this.#arena.u8(address + used, this.bytes - used).some((byte) => byte !== 0)) return false;
		return this.isBits || this.#arena.kernels.sumOfSquares(address, this.bytes) <= 1.001 * BOUNDS.vectorNorm.max ** 2;
	}

	/** A copy of a stored row without its padding. */
	read(address: number): Float32Array | Uint8Array {
		return this.isBits ? this.#arena.u8(address, this.length).slice() : this.#arena.f32(address, this.length).slice();
	}

	dispose(): void {
		this.#arena.free(this.factors);
	}

	/** Weights may lift a vector that was within the bound above it. */
	#checkWeighted(floats: Float32Array, place: { readonly row?: number }): void {
		const factors = this.#arena.f32(this.factors, this.dimensions);
		let sum = 0;
		for (let i = 0; i < floats.length; i++) sum += ((floats[i] as number) * (factors[i] as number)) ** 2;
		const norm = Math.sqrt(sum);
		if (norm <= BOUNDS.vectorNorm.max) return;
		const where = place.row === undefined ? "the vector" : `the vector of row ${place.row}`;
		throw new NighError(
			"INVALID_VECTOR",
			`${where} has the norm ${norm} once it is weighted, above the bound of 2^62: scale the weights or your vectors down`,
			{ ...place, value: norm, bound: BOUNDS.vectorNorm },
		);
	}
}

/** The weights as they are kept, or the error that says why there can be none. */
function checkedWeights({ weights, metric, dimensions }: RowFormatOptions): Float32Array | undefined {
	if (weights === undefined) return undefined;
	if (metric === "hamming")
		throw new NighError("UNSUPPORTED", "weights cannot scale bits: leave them out under hamming", { field: "weights" });
	if (typeof metric !== "string")
		throw new NighError("UNSUPPORTED", "weights belong to a named metric: let the function of your own apply them", {
			field: "weights",
		});
	return Float32Array.from(checkWeights(weights, dimensions));
}

function describeRows(rows: unknown): string {
	if (Array.isArray(rows)) return "a plain array";
	return typeof rows === "object" && rows !== null
		? `a ${rows.constructor?.name ?? "null-prototype object"}`
		: `${rows}`;
}
