import { type Arena, rowBytes } from "@nigh/kernels";
import { RowCoder } from "./row-coder.ts";

/** Values looked at in training: more do not change the quantile that matters. */
const SAMPLE_ROWS = 16_384;
const BINS = 4_096;
/** Ranges tried, as shares of the largest deviation: 1, 0.95, 0.95^2 ... */
const RANGES = 64;
const SHRINK = 0.95;
/** Steps from the least code to the largest. */
export const LEVELS = 127;

/**
 * Uniform 7-bit scalar codes: the same step for all dimensions, so that distances between codes are distances between vectors, and an
 * origin for each dimension (its mean in the middle of the range), which no distance sees. Training chooses the range that makes the mean
 * squared error least on a sample: where few values lie far out, cutting them off costs less than a wider step.
 */
export class ScalarCodes extends RowCoder {
	/** Rows it was trained on the last time; 0 before. */
	trainedOn = 0;
	readonly #arena: Arena;
	readonly #dimensions: number;

	constructor(arena: Arena, dimensions: number, floatRowBytes: number) {
		super(arena, { origin: arena.alloc(floatRowBytes), rowBytes: floatRowBytes, bytes: rowBytes(dimensions) });
		this.#arena = arena;
		this.#dimensions = dimensions;
	}

	/** Learns origin and step from rows at the given addresses; `n` of them. */
	train(n: number, addressOf: (row: number) => number): void {
		const d = this.#dimensions;
		const sampled = Math.min(n, SAMPLE_ROWS);
		const sample = (i: number) => this.#arena.f32(addressOf(Math.floor((i * n) / sampled)), d);
		const { centre, range } = learnRange(sampled, sample, d);
		// A float32, since the kernel multiplies by its reciprocal; a step of 1 where all rows are equal.
		this.unit = range > 0 ? 1 / Math.fround(LEVELS / (2 * range)) : 1;
		const origin = this.#arena.f32(this.origin, d);
		for (let j = 0; j < d; j++) origin[j] = (centre[j] as number) - (LEVELS / 2) * this.unit;
		this.trainedOn = n;
	}

	/** Whether training again is due: the sample has doubled and was small. */
	isStale(size: number): boolean {
		return this.trainedOn === 0 || (this.trainedOn < SAMPLE_ROWS && size >= 2 * this.trainedOn);
	}

	dispose(): void {
		this.#arena.free(this.origin);
	}
}

/** The mean of `n` rows, and the half-width about it that codes are best given: 0 where all rows are equal. */
export function learnRange(
	n: number,
	rowAt: (row: number) => Float32Array,
	d: number,
): { readonly centre: Float32Array; readonly range: number } {
	const mean = new Float64Array(d);
	for (let i = 0; i < n; i++) {
		const row = rowAt(i);
		for (let j = 0; j < d; j++) mean[j] = (mean[j] as number) + (row[j] as number) / n;
	}
	const centre = Float32Array.from(mean);
	let widest = 0;
	for (let i = 0; i < n; i++) {
		const row = rowAt(i);
		for (let j = 0; j < d; j++) widest = Math.max(widest, Math.abs((row[j] as number) - (centre[j] as number)));
	}
	const histogram = new Float64Array(BINS);
	const scale = widest > 0 ? (BINS - 1) / widest : 0;
	for (let i = 0; i < n; i++) {
		const row = rowAt(i);
		for (let j = 0; j < d; j++) {
			const bin = Math.floor(Math.abs((row[j] as number) - (centre[j] as number)) * scale);
			histogram[bin] = (histogram[bin] as number) + 1;
		}
	}
	return { centre, range: bestRange(histogram, widest) };
}

/** The half-width whose quantisation error (step^2 / 12 inside, the square of the excess outside) is least. */
function bestRange(histogram: Float64Array, widest: number): number {
	let best = widest;
	let least = Number.POSITIVE_INFINITY;
	// No `**`: engines may round powers differently, and the codes would differ with them.
	let range = widest;
	for (let i = 0; i < RANGES; i++, range *= SHRINK) {
		const step = (2 * range) / LEVELS;
		const inside = (step * step) / 12;
		let error = 0;
		for (let bin = 0; bin < BINS; bin++) {
			const count = histogram[bin] as number;
			if (count === 0) continue;
			const deviation = ((bin + 0.5) * widest) / (BINS - 1);
			error += count * (deviation <= range ? inside : inside + (deviation - range) * (deviation - range));
		}
		if (error < least) {
			least = error;
			best = range;
		}
	}
	return best;
}
