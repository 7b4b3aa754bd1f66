import type { Arena } from "@nigh/kernels";
import { createRabitqCodec, disposeRabitqCodec, type RabitqCodec, rabitqScratchBytes } from "../rabitq/codec.ts";
import type { RabitqOptions } from "../rabitq/parameters.ts";
import { rotationBytes } from "../rabitq/rotation.ts";

/** Room for what a block may leave of its rows, as the kernels' cells/rabitq-cells.ts wants it. */
export const RABITQ_OUT_BYTES = 640;

/** The RaBitQ codec of cells, with its memory. */
export class RabitqCells {
	readonly codec: RabitqCodec;
	readonly #arena: Arena;

	constructor(arena: Arena, options: RabitqOptions) {
		this.#arena = arena;
		this.codec = createRabitqCodec(arena, options);
	}

	/** Bytes of the rotation, and of what encoding uses. */
	get memoryBytes(): number {
		const { dimensions } = this.codec.spec;
		return rotationBytes(dimensions) + rabitqScratchBytes(dimensions);
	}

	dispose(): void {
		disposeRabitqCodec(this.#arena, this.codec);
	}
}
