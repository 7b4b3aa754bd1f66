import type { Arena } from "@nigh/kernels";
import type { InvertedFile } from "../../packages/index/src/ivf/inverted-file.ts";
import { seeded } from "../sets/random.ts";

/** Another form of rows and queries that keeps the distances between them, up to rounding. */
export interface RowTransform {
	/** Elements of a transformed row. */
	readonly width: number;
	/** Writes the form of a row; both are addresses in the arena. */
	write(row: number, out: number): void;
	dispose(): void;
}

const PASSES = 4;
const ROTATED_STEP = 8;

/** A random rotation, after which every part of a row holds about its share of the length: what ADSampling rests on. */
export function randomRotation(arena: Arena, dimensions: number, rowBytes: number, seed: number): RowTransform {
	const width = Math.max(ROTATED_STEP, Math.ceil(dimensions / ROTATED_STEP) * ROTATED_STEP);
	const factors = arena.alloc(4 * PASSES * width);
	const table = arena.f32(factors, PASSES * width);
	const { uniform } = seeded(seed);
	const window = 2 ** (31 - Math.clz32(width));
	for (let pass = 0; pass < PASSES; pass++) {
		const butterfly = pass > 0 && window < width ? Math.SQRT1_2 : 1;
		for (let i = 0; i < width; i++) {
			const isInside = pass % 2 === 0 ? i < window : i >= width - window;
			const scale = isInside ? butterfly / Math.sqrt(window) : butterfly;
			table[pass * width + i] = uniform() < 0.5 ? -scale : scale;
		}
	}
	// A row's fill is zero, and may be longer than the rotated row has room for.
	const bytes = Math.min(rowBytes, 4 * width);
	return {
		width,
		write: (row, out) => arena.kernels.rotateRow(row, 0, bytes, factors, PASSES, width, out),
		dispose: () => arena.free(factors),
	};
}

/** The dimensions in the order of falling variance: what differs most comes first. */
export function byVariance(file: InvertedFile): RowTransform {
	const { arena, rows } = file;
	const { dimensions } = rows;
	const [sums, squares] = [new Float64Array(dimensions), new Float64Array(dimensions)];
	for (let place = 0; place < file.slots; place++) {
		const row = arena.f32(file.vectorOf(place), dimensions);
		for (let d = 0; d < dimensions; d++) {
			const x = row[d] as number;
			sums[d] = (sums[d] as number) + x;
			squares[d] = (squares[d] as number) + x * x;
		}
	}
	const variances = squares.map((square, d) => square / file.slots - ((sums[d] as number) / file.slots) ** 2);
	const order = Uint32Array.from(variances.keys()).sort(
		(a, b) => (variances[b] as number) - (variances[a] as number) || a - b,
	);
	return {
		width: dimensions,
		write(row, out) {
			const from = arena.f32(row, dimensions);
			const to = arena.f32(out, dimensions);
			for (let d = 0; d < dimensions; d++) to[d] = from[order[d] as number] as number;
		},
		dispose() {},
	};
}
