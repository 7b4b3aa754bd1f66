import type { ArenaView } from "../arena-view.ts";

export interface RowCoderShape {
	/** Address of one float a dimension: what code 0 stands for. */
	readonly origin: number;
	/** Bytes of a float row. */
	readonly rowBytes: number;
	/** Bytes of the codes of a row, without what stands behind them. */
	readonly bytes: number;
}

/** Behind a row's codes: int32 norm, float32 residual, padded to 16 bytes. */
const CODE_TAIL = 16;
const RESIDUAL_AT = 4;

/** Bytes from one code to the next where rows have `bytes` codes and what {@link BoundSearch} needs behind them. */
export function codeStride(bytes: number): number {
	return bytes + CODE_TAIL;
}

/** Codes rows by an origin and a step that have been learnt. Takes no memory, so that every thread over the arena can have one. */
export class RowCoder {
	/** Address of one float a dimension: what code 0 stands for. */
	readonly origin: number;
	/** Bytes of the codes of a row, without what stands behind them. */
	readonly bytes: number;
	/** What one step of a code stands for. */
	unit = 1;
	readonly #view: ArenaView;
	readonly #rowBytes: number;

	constructor(view: ArenaView, { origin, rowBytes, bytes }: RowCoderShape) {
		this.#view = view;
		this.origin = origin;
		this.#rowBytes = rowBytes;
		this.bytes = bytes;
	}

	/** Codes one row; its norm is written behind the codes and returned. */
	encode(row: number, code: number): number {
		return this.#view.kernels.encodeRow(row, this.origin, 1 / this.unit, this.#rowBytes, code, this.bytes);
	}

	/** The same, with room for {@link codeStride}: what bounds need of how far the row lies from its code stands behind the norm. */
	encodeBounded(row: number, code: number): number {
		const norm = this.encode(row, code);
		const { kernels } = this.#view;
		const residual = kernels.residual(row, this.origin, this.unit, this.#rowBytes, code);
		this.#view.f32(code + this.bytes + RESIDUAL_AT, 1)[0] = residual;
		return norm;
	}
}
