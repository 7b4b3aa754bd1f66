import { BOUNDS, checkBits, checkVector, checkWeights, type Metric, NighError } from "@nigh/contract";
import { type Arena, METRIC_CODES, rowBytes } from "@nigh/kernels";
import type { CustomMetric, Vector, VectorRows } from "../vector-index.ts";

export interface RowFormatOptions {
	readonly dimensions: number;
	readonly metric: Metric | CustomMetric;
	readonly weights?: Float32Array | readonly number[] | undefined;
}

/**
 * How a vector of the caller becomes a row in the arena: checked, padded with zeros to a multiple of 16 bytes, scaled by its weights, of
 * length 1 under cosine. Weights scale rows, not distances: sqrt(w) a dimension where the metric multiplies two elements, w for l1.
 */
export class RowFormat {
	readonly dimensions: number;
	readonly metric: Metric | CustomMetric;
	readonly metricCode: number;
	/** Bytes of a row, the padding included. */
	readonly bytes: number;
	readonly weights: Float32Array | undefined;
	readonly #arena: Arena;
	readonly #factors: number = 0;

	constructor(arena: Arena, options: RowFormatOptions) {
		this.#arena = arena;
		this.dimensions = options.dimensions;
		this.metric = options.metric;
		this.metricCode = METRIC_CODES[typeof options.metric === "string" ? options.metric : "custom"];
		this.bytes = rowBytes(this.isBits ? options.dimensions / 8 : options.dimensions * 4);
		if (options.weights !== undefined) {
			if (this.isBits)
				throw new NighError("UNSUPPORTED", "weights cannot scale bits: leave them out under hamming", {
					field: "weights",
				});
			if (typeof options.metric !== "string")
				throw new NighError(
					"UNSUPPORTED",
					"weights belong to a named metric: let the function of your own apply them",
					{
						field: "weights",
					},
				);
			this.weights = Float32Array.from(checkWeights(options.weights, options.dimensions));
			this.#factors = arena.alloc(this.bytes);
			const factors = arena.f32(this.#factors, options.dimensions);
			for (let i = 0; i < factors.length; i++) {
				const weight = this.weights[i] as number;
				factors[i] = options.metric === "l1" ? weight : Math.sqrt(weight);
			}
		}
	}

	get isBits(): boolean {
		return this.metric === "hamming";
	}

	/** Elements of a vector in the caller's array: floats, or bytes of packed bits. */
	get length(): number {
		return this.isBits ? this.dimensions / 8 : this.dimensions;
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

	/** Writes a checked vector as a row. Returns false for a row that is zero as it is stored. */
	write(vector: Float32Array | Uint8Array, address: number): boolean {
		const { kernels } = this.#arena;
		if (this.isBits) {
			this.#arena.u8(address, this.bytes).fill(0, this.length);
			this.#arena.u8(address, this.length).set(vector as Uint8Array);
			return true;
		}
		const floats = this.#arena.f32(address, this.bytes / 4);
		floats.set(vector as Float32Array);
		floats.fill(0, this.dimensions);
		if (this.#factors !== 0) {
			kernels.scaleRow(address, this.#factors, this.bytes);
		}
		return this.metric !== "cosine" || kernels.normalizeRow(address, this.bytes) !== 0;
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

	/** The distance that a key stands for. */
	distanceOf(key: number): number {
		return this.metric === "l2" ? Math.sqrt(key) : key;
	}

	dispose(): void {
		this.#arena.free(this.#factors);
	}

	/** Weights may lift a vector that was within the bound above it. */
	#checkWeighted(floats: Float32Array, place: { readonly row?: number }): void {
		const factors = this.#arena.f32(this.#factors, this.dimensions);
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

function describeRows(rows: unknown): string {
	if (Array.isArray(rows)) return "a plain array";
	return typeof rows === "object" && rows !== null
		? `a ${rows.constructor?.name ?? "null-prototype object"}`
		: `${rows}`;
}
