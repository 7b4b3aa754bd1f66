import { type Arena, METRIC_CODES, rowBytes } from "@nigh/kernels";
import type { ArenaView } from "../arena-view.ts";

/** Where a projection lies, for whoever computes by it. Addresses are bytes of the arena. */
export interface ProjectionSpec {
	/** `width` axes as rows, negated since kernels give minus the dot product; 0 where rows stay as they are. */
	readonly matrix: number;
	/** The projected mean, a float an axis. */
	readonly offset: number;
	/** Elements of a projected row. */
	readonly width: number;
	/** Bytes of a projected row. */
	readonly bytes: number;
	/** Bytes of a row. */
	readonly rowBytes: number;
}

/** How a row is seen by cells and codes: along some axes, from the mean of the rows it was learnt from; or as it is. */
export class Projection implements ProjectionSpec {
	readonly width: number;
	readonly bytes: number;
	readonly rowBytes: number;
	readonly matrix: number;
	readonly offset: number;
	/** Address of the mean as a row; 0 where rows stay as they are. */
	readonly mean: number;
	readonly #arena: Arena;

	/** @param width Axes, or 0 for rows as they are. */
	constructor(arena: Arena, dimensions: number, width: number) {
		this.#arena = arena;
		this.rowBytes = rowBytes(4 * dimensions);
		this.width = width === 0 ? dimensions : width;
		this.bytes = rowBytes(4 * this.width);
		// In one piece, so that there is nothing to give back where it does not fit.
		this.matrix = width === 0 ? 0 : arena.alloc((width + 1) * this.rowBytes + this.bytes);
		this.mean = width === 0 ? 0 : this.matrix + width * this.rowBytes;
		this.offset = width === 0 ? 0 : this.mean + this.rowBytes;
	}

	/** Takes over axis `i`; all of them come before {@link Projection.centre}. */
	setAxis(i: number, axis: Float64Array): void {
		const row = this.#arena.f32(this.matrix + i * this.rowBytes, axis.length);
		for (let j = 0; j < axis.length; j++) row[j] = -(axis[j] as number);
	}

	/** Takes over the mean. */
	centre(mean: Float64Array): void {
		this.#arena.f32(this.mean, mean.length).set(mean);
		const { ip } = METRIC_CODES;
		this.#arena.kernels.distanceBlock(
			ip,
			this.mean,
			this.matrix,
			this.rowBytes,
			this.rowBytes,
			this.width,
			this.offset,
		);
	}

	get memoryBytes(): number {
		return this.matrix === 0 ? 0 : this.width * this.rowBytes + this.rowBytes + this.bytes;
	}

	dispose(): void {
		this.#arena.free(this.matrix);
	}
}

/**
 * Where the projected row is: at `out`, or the row itself where rows stay as they are. `centred`: from the mean, as rows are that are
 * compared by Euclidean distance; a query of a dot product is not.
 */
export function projectRow(
	arena: ArenaView,
	{ matrix, offset, width, bytes, rowBytes }: ProjectionSpec,
	row: number,
	out: number,
	centred: boolean,
): number {
	if (matrix === 0) return row;
	arena.kernels.distanceBlock(METRIC_CODES.ip, row, matrix, rowBytes, rowBytes, width, out);
	const projected = arena.f32(out, bytes / 4);
	projected.fill(0, width);
	if (!centred) return out;
	const mean = arena.f32(offset, width);
	for (let i = 0; i < width; i++) projected[i] = (projected[i] as number) - (mean[i] as number);
	return out;
}

/** Projects `n` rows, from the mean, to rows of `bytes` bytes at `out`. Not for a projection that leaves rows as they are. */
export function projectRows(
	arena: ArenaView,
	{ matrix, offset, width, bytes, rowBytes }: ProjectionSpec,
	rows: number,
	stride: number,
	n: number,
	out: number,
): void {
	arena.kernels.distanceTiles(METRIC_CODES.ip, rows, stride, n, matrix, rowBytes, rowBytes, width, out, bytes);
	const projected = arena.f32(out, (n * bytes) / 4);
	const mean = arena.f32(offset, width);
	for (let i = 0; i < n; i++) {
		const at = (i * bytes) / 4;
		for (let j = 0; j < width; j++) projected[at + j] = (projected[at + j] as number) - (mean[j] as number);
		projected.fill(0, at + width, at + bytes / 4);
	}
}
