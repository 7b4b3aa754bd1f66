import type { ArenaView } from "../arena-view.ts";

export interface RowCoderShape {
	/** Address of one float a dimension: what code 0 stands for. */
	readonly origin: number;
	/** Bytes of a float row. */
	readonly rowBytes: number;
	/** Bytes of the codes of a row, without what stands behind them. */
	readonly bytes: number;
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
}
