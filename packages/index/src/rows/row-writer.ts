import type { Metric } from "@nigh/contract";
import { METRIC_CODES, rowBytes } from "@nigh/kernels";
import type { ArenaView } from "../arena-view.ts";
import type { CustomMetric } from "../vector-index.ts";

export interface RowShape {
	readonly dimensions: number;
	readonly metric: Metric | CustomMetric;
}

/**
 * Turns a checked vector into a row: padded with zeros to a multiple of 16 bytes, scaled by its weights, of length 1 under cosine. Takes
 * no memory, so that every thread over the arena can have one.
 */
export class RowWriter {
	readonly dimensions: number;
	readonly metric: Metric | CustomMetric;
	readonly metricCode: number;
	/** Bytes of a row, the padding included. */
	readonly bytes: number;
	/** Address of one factor a dimension; 0 where there are no weights. */
	readonly factors: number;
	readonly #arena: ArenaView;

	constructor(arena: ArenaView, { dimensions, metric }: RowShape, factors: number) {
		this.#arena = arena;
		this.dimensions = dimensions;
		this.metric = metric;
		this.metricCode = METRIC_CODES[typeof metric === "string" ? metric : "custom"];
		this.bytes = bytesOfRow({ dimensions, metric });
		this.factors = factors;
	}

	get isBits(): boolean {
		return this.metric === "hamming";
	}

	/** Elements of a vector in the caller's array: floats, or bytes of packed bits. */
	get length(): number {
		return this.isBits ? this.dimensions / 8 : this.dimensions;
	}

	/** Writes a checked vector as a row. Returns false for a row that is zero as it is stored. */
	write(vector: Float32Array | Uint8Array, address: number): boolean {
		this.writeStored(vector, address);
		if (this.isBits) return true;
		const { kernels } = this.#arena;
		if (this.factors !== 0) kernels.scaleRow(address, this.factors, this.bytes);
		return this.metric !== "cosine" || kernels.normalizeRow(address, this.bytes) !== 0;
	}

	/** Writes what a row has been read as, bit for bit. */
	writeStored(vector: Float32Array | Uint8Array, address: number): void {
		const row = this.isBits ? this.#arena.u8(address, this.bytes) : this.#arena.f32(address, this.bytes / 4);
		row.set(vector);
		row.fill(0, this.length);
	}

	/** The distance that a key stands for. */
	distanceOf(key: number): number {
		return this.metric === "l2" ? Math.sqrt(key) : key;
	}
}

/** Bytes of a row of these dimensions, the padding included. */
export function bytesOfRow({ dimensions, metric }: RowShape): number {
	return rowBytes(metric === "hamming" ? dimensions / 8 : dimensions * 4);
}
