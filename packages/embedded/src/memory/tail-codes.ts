import { type ArenaView, codeStride, RowCoder } from "@nigh/index";
import { type Arena, rowBytes } from "@nigh/kernels";
import type { Generation, GenerationHandle, TailCodes } from "./generation.ts";

/** Bytes of a code, and from one code of the tail to the next. */
export function tailCodeBytes({ dimensions }: GenerationHandle["format"]): { code: number; stride: number } {
	const code = rowBytes(dimensions);
	return { code, stride: codeStride(code) };
}

/** Takes the memory for the codes of the tail. */
export function allocateTailCodes(
	arena: Arena,
	{ size, format }: Pick<GenerationHandle, "size" | "format">,
	codes: Omit<TailCodes, "rows">,
): TailCodes {
	return { ...codes, rows: arena.alloc(size.ringRows * tailCodeBytes(format).stride) };
}

/** What codes rows of the tail as the main index does. */
export function tailCoder(view: ArenaView, { format, size }: GenerationHandle, { origin, unit }: TailCodes): RowCoder {
	const coder = new RowCoder(view, { origin, rowBytes: size.rowBytes, bytes: tailCodeBytes(format).code });
	coder.unit = unit;
	return coder;
}

/** Codes the rows of the tail as they come, so that readers need not look at most of them. */
export class TailCoder {
	readonly #generation: Generation;
	readonly #coder: RowCoder;
	readonly #rows: number;
	readonly #stride: number;

	constructor(view: ArenaView, generation: Generation, codes: TailCodes) {
		const { handle } = generation;
		this.#generation = generation;
		this.#coder = tailCoder(view, handle, codes);
		this.#rows = codes.rows;
		this.#stride = tailCodeBytes(handle.format).stride;
	}

	/** Codes the row that has been written to ring row `at`. */
	encode(at: number): void {
		this.#coder.encodeBounded(this.#generation.ringRow(at), this.#rows + at * this.#stride);
	}
}
