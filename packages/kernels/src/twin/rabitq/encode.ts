/** From a rotated residual to a code of 1 to 8 bits a dimension and the factors of its estimates; see assembly/rabitq/encode.ts. */
import { METRIC_CODES } from "../../layout.ts";
import type { TwinMemory } from "../memory.ts";
import { FINE_FACTORS, ownAt, restAt, SCALE, SPREAD } from "./payload.ts";

const { fround } = Math;

/** Scales that are tried in each of two rounds. */
const RESCALINGS = 12;

/** A residual whose components are all smaller counts as zero: its scales have no float32. */
const LEAST_SIZE = fround(1e-36);

/** A residual as float32 sizes (absolute values), and which of them belong to positive components. */
interface Residual {
	readonly sizes: Float32Array;
	readonly isPositive: readonly boolean[];
	readonly largest: number;
	/** Squared length, in float64. */
	readonly squared: number;
	/** Its dot product with the rotated centroid, in float64. */
	readonly centre: number;
}

function readResidual(m: TwinMemory, residual: number, centroid: Float32Array): Residual {
	const floats = m.f32.subarray(residual >>> 2, (residual >>> 2) + centroid.length);
	const sizes = floats.map(Math.abs);
	let [squared, centre] = [0, 0];
	floats.forEach((r, i) => {
		squared += r * r;
		centre += r * (centroid[i] as number);
	});
	const largest = sizes.reduce((most, size) => Math.max(most, size), 0);
	return { sizes, isPositive: Array.from(floats, (r) => r > 0), largest, squared, centre };
}

/** The square of the cosine between a residual and its point of the grid at scale t, but for a factor that is the same for all t. */
function alignment(sizes: Float32Array, t: number, most: number): number {
	const products = new Float32Array(8);
	const squares = new Float32Array(8);
	for (let i = 0; i < sizes.length; i++) {
		const size = sizes[i] as number;
		const g = Math.floor(Math.min(most, fround(size * t))) + 0.5;
		products[i & 7] = (products[i & 7] as number) + fround(g * size);
		squares[i & 7] = (squares[i & 7] as number) + g * g;
	}
	const product = sumOfLanes(products);
	return fround(product * fround(product / sumOfLanes(squares)));
}

/** Eight float lanes in the order of the kernels: pairwise to four, then (0 + 1) + (2 + 3). */
function sumOfLanes(lanes: Float32Array): number {
	const pair = (i: number) => fround((lanes[i] as number) + (lanes[i + 4] as number));
	return fround(fround(pair(0) + pair(1)) + fround(pair(2) + pair(3)));
}

/** The best scale for a grid of `most` + 1 sizes. */
function rescale({ sizes, largest }: Residual, most: number): number {
	let first = fround(fround((most + 1) * fround(0.85)) / largest);
	let last = fround((most + 5) / largest);
	let best = first;
	let highest = -1;
	for (let round = 0; round < 2; round++) {
		const step = fround(fround(last - first) / (RESCALINGS - 1));
		for (let i = 0; i < RESCALINGS; i++) {
			const t = fround(first + fround(step * i));
			const reached = alignment(sizes, t, most);
			if (reached > highest) {
				highest = reached;
				best = t;
			}
		}
		first = fround(best - step);
		last = fround(best + step);
	}
	return best;
}

/** Writes own, scale and spread for the point of a grid that a residual was brought to, from the point's signed components. */
function writeFactors(
	m: TwinMemory,
	metric: number,
	at: number,
	{ sizes, isPositive, largest, squared, centre }: Residual,
	components: ArrayLike<number>,
	centroid: Float32Array,
): void {
	if (largest < LEAST_SIZE) {
		for (const factor of [0, SCALE, SPREAD]) m.storeF32(at + factor, 0);
		return;
	}
	let [product, grid, atCentre] = [0, 0, 0];
	for (let i = 0; i < sizes.length; i++) {
		const x = components[i] as number;
		product += x * (isPositive[i] ? (sizes[i] as number) : -(sizes[i] as number));
		grid += x * x;
		atCentre += x * (centroid[i] as number);
	}
	const scale = squared / product;
	m.storeF32(at, metric === METRIC_CODES.ip ? scale * atCentre - centre : squared + 2 * scale * atCentre);
	m.storeF32(at + SCALE, scale);
	const inverse = scale * (grid / product);
	m.storeF32(at + SPREAD, Math.sqrt((Math.max(0, inverse - 1) * squared) / (sizes.length - 1)));
}

/** Writes the top bits of a row between those of the other rows. */
function writeTop(m: TwinMemory, isPositive: readonly boolean[], payload: number, slot: number): void {
	const first = (payload >>> 0) + (slot & 15);
	const shift = slot < 16 ? 0 : 4;
	for (let i = 0; i < isPositive.length; i++) {
		const at = first + 16 * (i >> 2);
		const bit = 1 << (shift + (i & 3));
		m.u8[at] = isPositive[i] ? (m.u8[at] as number) | bit : (m.u8[at] as number) & ~bit;
	}
}

/** Adds the other bits of one dimension, `x`, to a row whose other bits are zero so far. */
function writeRest(m: TwinMemory, rest: number, dimension: number, width: number, x: number): void {
	let at = (rest >>> 0) + (dimension >> 6) * 8 * width;
	const group = (dimension & 63) >> 2;
	const vector = dimension & 3;
	const add = (to: number, bits: number) => {
		m.u8[to] = (m.u8[to] as number) | bits;
	};
	if (width & 4) {
		add(at + 16 * (vector >> 1) + group, (x & 15) << (4 * (vector & 1)));
		at += 32;
	}
	if (width & 2) {
		add(at + group, ((x >> (width & 4)) & 3) << (2 * vector));
		at += 16;
	}
	if (width & 1) add(at + (group & 7), ((x >> (width & 6)) & 1) << (2 * vector + (group >> 3)));
}

/** Writes the other bits of a row; returns its point of the grid, doubled. */
function writeFine(m: TwinMemory, residual: Residual, bits: number, payload: number, slot: number): number[] {
	const { sizes, isPositive, largest } = residual;
	const dimensions = sizes.length;
	const width = bits - 1;
	const most = (1 << width) - 1;
	const rest = restAt(payload, dimensions, width, slot);
	m.fill(rest, 0, (dimensions / 8) * width);
	if (largest < LEAST_SIZE) return [];
	const t = rescale(residual, most);
	return Array.from(sizes, (size, i) => {
		const level = Math.floor(Math.min(most, fround(size * t)));
		writeRest(m, rest, i, width, isPositive[i] ? level : most - level);
		return isPositive[i] ? 2 * level + 1 : -2 * level - 1;
	});
}

/** Codes one row into slot 0 .. 31 of a block, from the rotations of row - centroid and of the centroid. */
export function rabitqEncode(
	m: TwinMemory,
	metric: number,
	residual: number,
	centroid: number,
	dimensions: number,
	bits: number,
	payload: number,
	slot: number,
): void {
	const centre = m.f32.subarray(centroid >>> 2, (centroid >>> 2) + dimensions);
	const read = readResidual(m, residual, centre);
	const at = ownAt(payload, dimensions) + 4 * slot;
	const signs = read.isPositive.map((isPositive) => (isPositive ? 1 : -1));
	writeFactors(m, metric, at, read, signs, centre);
	writeTop(m, read.isPositive, payload, slot);
	if (bits === 1) return;
	writeFactors(m, metric, at + FINE_FACTORS, read, writeFine(m, read, bits, payload, slot), centre);
}
