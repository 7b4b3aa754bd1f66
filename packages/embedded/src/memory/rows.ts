import { RowFormat } from "@nigh/index";
import type { Arena } from "@nigh/kernels";
import type { VectorFormat } from "./generation.ts";
import { newArena } from "./within-memory.ts";

/** Turns vectors as the user writes them into rows as the index keeps them, in a small memory of this thread. */
export class RowMaker {
	readonly format: RowFormat;
	readonly #arena: Arena;
	readonly #row: Uint8Array;
	readonly #address: number;
	readonly #other: number;

	/** @throws NighError `MEMORY_LIMIT`. */
	constructor({ metric, dimensions, weights }: VectorFormat) {
		const arena = newArena({ shared: false });
		this.#arena = arena;
		this.format = new RowFormat(arena, { metric, dimensions, ...(weights !== null && { weights }) });
		this.#other = arena.alloc(this.format.bytes);
		this.#address = arena.alloc(this.format.bytes);
		// The last thing that is allocated here: the memory does not grow any more, so the view stays good.
		this.#row = arena.u8(this.#address, this.format.bytes);
	}

	/** The row of a checked vector; valid until the next call. */
	row(vector: Float32Array | Uint8Array): Uint8Array {
		this.format.write(vector, this.#address);
		return this.#row;
	}

	/** The distance of two checked vectors, the same as the index gives. */
	distance(a: Float32Array | Uint8Array, b: Float32Array | Uint8Array): number {
		const { format } = this;
		format.write(a, this.#address);
		format.write(b, this.#other);
		const { kernels } = this.#arena;
		return format.distanceOf(kernels.distance(format.metricCode, this.#address, this.#other, format.bytes));
	}
}

/** Bytes of a vector as it is stored with its record: floats, or packed bits, without padding. */
export function vectorBytes({ metric, dimensions }: Pick<VectorFormat, "metric" | "dimensions">): number {
	return metric === "hamming" ? dimensions / 8 : dimensions * 4;
}

/** Stored bytes as the vector they are. `bytes` starts at a multiple of 4. */
export function vectorOf(bytes: Uint8Array, { metric }: Pick<VectorFormat, "metric">): Float32Array | Uint8Array {
	if (metric === "hamming") return bytes;
	return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}
