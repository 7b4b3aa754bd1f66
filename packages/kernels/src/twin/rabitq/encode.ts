/** From a rotated residual to a code of 1 to 8 bits a dimension and the factors of its estimates; see assembly/rabitq/encode.ts. */
import { METRIC_CODES } from "../../layout.ts";
import type { TwinMemory } from "../memory.ts";
import { FINE_SCALE, FINE_SPREAD, ownAt, restAt, SCALE, SPREAD } from "./payload.ts";

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
}

function readResidual(m: TwinMemory, residual: number, dimensions: number): Residual {
	const floats = m.f32.subarray(residual >>> 2, (residual >>> 2) + dimensions);
	const sizes = floats.map(Math.abs);
	let squared = 0;
	for (const size of sizes) squared += size * size;
	const largest = sizes.reduce((most, size) => Math.max(most, size), 0);
	return { sizes, isPositive: Array.from(floats, (r) => r > 0), largest, squared };
}

/** The square of the cosine between a residual and its point of the grid at scale t, but for a factor that is the same for all t. */
function alignment(sizes: Float32Array, t: number, most: number): number {
	const products = new Float32Array(4);
	const squares = new Float32Array(4);
	for (let i = 0; i < sizes.length; i++) {
		const size = sizes[i] as number;
		const g = Math.floor(Math.min(most, fround(size * t))) + 0.5;
		products[i & 3] = (products[i & 3] as number) + fround(g * size);
		squares[i & 3] = (squares[i & 3] as number) + g * g;
	}
	const product = sumOfLanes(products);
	return fround(product * fround(product / sumOfLanes(squares)));
}

/** Four float lanes in the order of the kernels: (0 + 1) + (2 + 3). */
function sumOfLanes(lanes: Float32Array): number {
	const [a, b, c, d] = lanes as unknown as [number, number, number, number];
	return fround(fround(a + b) + fround(c + d));
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

/** What the row adds to its key by itself, from row and centroid as they are. */
function ownPart(m: TwinMemory, metric: number, row: number, centroid: number, bytes: number): number {
	let sum = 0;
	for (let o = 0; o < bytes; o += 4) {
		const c = m.loadF32(centroid + o);
		const r = m.loadF32(row + o) - c;
		sum += metric === METRIC_CODES.ip ? -(c * r) : r * r;
	}
	return sum;
}

/** |r| sqrt((1 - f^2) / (f^2 (D - 1))), where r has the product `product` with a point of the grid. */
function spreadOf(squared: number, product: number, grid: number, dimensions: number): number {
	const inverse = (squared / product) * (grid / product);
	return Math.sqrt((Math.max(0, inverse - 1) * squared) / (dimensions - 1));
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

/** Writes the other bits of a row and the factors that go with the whole code. */
function writeFine(m: TwinMemory, residual: Residual, bits: number, payload: number, slot: number): void {
	const { sizes, isPositive, largest, squared } = residual;
	const dimensions = sizes.length;
	const width = bits - 1;
	const most = (1 << width) - 1;
	const rest = restAt(payload, dimensions, width, slot);
	m.fill(rest, 0, (dimensions / 8) * width);
	const at = ownAt(payload, dimensions) + 4 * slot;
	if (largest < LEAST_SIZE) {
		m.storeF32(at + FINE_SCALE, 0);
		m.storeF32(at + FINE_SPREAD, 0);
		return;
	}
	const t = rescale(residual, most);
	let product = 0;
	let grid = 0;
	for (let i = 0; i < dimensions; i++) {
		const size = sizes[i] as number;
		const level = Math.floor(Math.min(most, fround(size * t)));
		const g = level + 0.5;
		product += g * size;
		grid += g * g;
		writeRest(m, rest, i, width, isPositive[i] ? level : most - level);
	}
	m.storeF32(at + FINE_SCALE, squared / (2 * product));
	m.storeF32(at + FINE_SPREAD, spreadOf(squared, product, grid, dimensions));
}

/** Codes one row into slot 0 .. 31 of a block; `residual` is what `rotateRow` made of row and centroid. */
export function rabitqEncode(
	m: TwinMemory,
	metric: number,
	row: number,
	centroid: number,
	bytes: number,
	residual: number,
	dimensions: number,
	bits: number,
	payload: number,
	slot: number,
): void {
	const read = readResidual(m, residual, dimensions);
	const { sizes, isPositive, largest, squared } = read;
	let sum = 0;
	for (const size of sizes) sum += size;
	const isZero = largest < LEAST_SIZE;
	const at = ownAt(payload, dimensions) + 4 * slot;
	m.storeF32(at, ownPart(m, metric, row, centroid, bytes));
	m.storeF32(at + SCALE, isZero ? 0 : squared / sum);
	m.storeF32(at + SPREAD, isZero ? 0 : spreadOf(squared, sum, dimensions, dimensions));
	writeTop(m, isPositive, payload, slot);
	if (bits > 1) writeFine(m, read, bits, payload, slot);
}
