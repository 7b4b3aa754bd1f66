import { BOUNDS } from "./bounds.ts";
import { describe, detailOf } from "./describe.ts";
import { type ErrorCode, NighError } from "./errors.ts";
import { isWithin } from "./options.ts";

/**
 * A vector as the caller holds it: floats, or the packed bits of a `type: "bit"` collection (`Uint8Array` of dimensions / 8
 * bytes; how the bits lie in a byte is the caller's choice, so long as it is always the same one).
 */
export type VectorInput = Float32Array | Uint8Array | readonly number[];

/** A vector as Nigh gives it back: `Uint8Array` from a `type: "bit"` collection, else `Float32Array`. */
export type Vector = Float32Array | Uint8Array;

/** Where a vector came from, for the message of an error. */
export interface VectorPlace {
	/** Its place in the batch, counted from 0. */
	readonly row?: number;
	/** What the caller calls it. Default: `"vector"`. */
	readonly field?: string;
}

/**
 * The float vector that `vector` stands for: a `Float32Array` is returned as it is (not copied), a `number[]` is converted, each
 * component rounded to float32.
 *
 * @throws NighError `DIMENSION_MISMATCH` (details: expected, actual), or `INVALID_VECTOR` for another type, a component that is
 * NaN, infinite or beyond float32 (details: index, value), or a Euclidean norm above `BOUNDS.vectorNorm.max` (details: value,
 * bound). Both name field and, where given, row.
 */
export function checkVector(vector: unknown, dimensions: number, place: VectorPlace = {}): Float32Array {
	const floats = toFloats(vector, place);
	if (floats.length !== dimensions) throw dimensionMismatch(floats.length, dimensions, place);
	const squaredNorm = sumOfSquares(floats);
	if (squaredNorm <= BOUNDS.vectorNorm.max ** 2) return floats;
	for (let index = 0; index < dimensions; index++) {
		const component = floats[index] as number;
		if (Number.isFinite(component)) continue;
		const source = (vector as ArrayLike<number>)[index] as number;
		throw invalidComponent(source, index, place);
	}
	const norm = Math.sqrt(squaredNorm);
	throw invalid(
		"INVALID_VECTOR",
		place,
		`has the Euclidean norm ${norm}, above the bound of 2^62: distances to it would overflow float32. Scale your vectors down.`,
		{ value: norm, bound: BOUNDS.vectorNorm },
	);
}

/**
 * The packed bits that `vector` stands for, as they are (not copied). `bits` is the collection's number of dimensions, a multiple
 * of 8.
 *
 * @throws NighError `DIMENSION_MISMATCH` (details: expected and actual, in bits), or `INVALID_VECTOR` for anything but a
 * `Uint8Array`. Both name field and, where given, row.
 */
export function checkBits(vector: unknown, bits: number, place: VectorPlace = {}): Uint8Array {
	if (!isTypedArray(vector, "Uint8Array")) {
		const problem = `is ${describe(vector)}; a collection of bits takes a Uint8Array with eight dimensions packed in each byte.`;
		throw invalid("INVALID_VECTOR", place, problem, { value: detailOf(vector) });
	}
	const packed = vector as Uint8Array;
	if (packed.length * 8 === bits) return packed;
	const hint =
		packed.length === bits
			? "Pack the bits: this array has one byte for each."
			: "Vectors of different lengths cannot be compared; was it made by another model?";
	throw invalid(
		"DIMENSION_MISMATCH",
		place,
		`has ${packed.length * 8} bits (${packed.length} bytes), but ${bits} (${bits / 8} bytes) are expected. ${hint}`,
		{ expected: bits, actual: packed.length * 8 },
	);
}

/**
 * The weights of a collection as floats: one factor per dimension, each finite, from 0 to `BOUNDS.weight.max`, and not all 0.
 *
 * @throws NighError `INVALID_OPTION`.
 */
export function checkWeights(weights: unknown, dimensions: number): Float32Array {
	const isList = Array.isArray(weights) || isTypedArray(weights, "Float32Array");
	if (!isList || (weights as ArrayLike<unknown>).length !== dimensions) {
		const problem = `weights is ${describe(weights)}; it must have one factor for each of the ${dimensions} dimensions.`;
		throw new NighError("INVALID_OPTION", problem, { field: "weights", value: detailOf(weights) });
	}
	const list = weights as ArrayLike<unknown>;
	const factors = new Float32Array(dimensions);
	for (let index = 0; index < dimensions; index++) {
		const weight = list[index];
		if (typeof weight !== "number" || !isWithin(weight, BOUNDS.weight)) {
			const { min, max } = BOUNDS.weight;
			throw new NighError(
				"INVALID_OPTION",
				`weights[${index}] is ${describe(weight)}; a weight is a number from ${min} to ${max}.`,
				{ field: `weights[${index}]`, index, value: detailOf(weight), bound: BOUNDS.weight },
			);
		}
		factors[index] = weight;
	}
	if (factors.some((factor) => factor > 0)) return factors;
	const problem =
		"Every weight is 0 in float32: all vectors would be equal. Give at least one dimension a weight above 0.";
	throw new NighError("INVALID_OPTION", problem, { field: "weights", value: 0, bound: BOUNDS.weight });
}

function toFloats(vector: unknown, place: VectorPlace): Float32Array {
	if (isTypedArray(vector, "Float32Array")) return vector as Float32Array;
	if (!Array.isArray(vector)) {
		const hint = ArrayBuffer.isView(vector) ? " Convert it with Float32Array.from(...)." : "";
		const problem = `is ${describe(vector)}; it must be a Float32Array or an array of numbers.${hint}`;
		throw invalid("INVALID_VECTOR", place, problem, { value: detailOf(vector) });
	}
	const floats = new Float32Array(vector.length);
	for (let index = 0; index < vector.length; index++) {
		// A string or null would silently become a number (or 0) in a Float32Array.
		if (typeof vector[index] !== "number") throw invalidComponent(vector[index], index, place);
		floats[index] = vector[index];
	}
	return floats;
}

/** In double precision, where the squares of float32 components cannot overflow: infinite or NaN means that a component is. */
function sumOfSquares(floats: Float32Array): number {
	let sum = 0;
	for (let i = 0; i < floats.length; i++) sum += (floats[i] as number) ** 2;
	return sum;
}

/** By tag rather than `instanceof`, which fails for arrays of another realm (an iframe, a test runner's sandbox). */
function isTypedArray(value: unknown, tag: "Float32Array" | "Uint8Array"): boolean {
	return ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === `[object ${tag}]`;
}

function invalidComponent(value: unknown, index: number, place: VectorPlace): NighError {
	const isTooLarge = typeof value === "number" && Number.isFinite(value);
	const problem = isTooLarge
		? `has ${value} as component ${index}, beyond what float32 can hold (3.4e38). Scale your vectors down.`
		: `has ${describe(value)} as component ${index}; every component must be a finite number. Check what made the vector.`;
	return invalid("INVALID_VECTOR", place, problem, { index, value: detailOf(value) });
}

function dimensionMismatch(actual: number, expected: number, place: VectorPlace): NighError {
	return invalid(
		"DIMENSION_MISMATCH",
		place,
		`has ${actual} dimensions, but ${expected} are expected. ${likelyMistake(actual, expected)}`,
		{ expected, actual },
	);
}

function likelyMistake(actual: number, expected: number): string {
	if (actual === 0) return "It is empty: did the embedding fail, or was its buffer transferred to another thread?";
	if (actual % expected === 0 && expected > 1) {
		return `Are these ${actual / expected} vectors in one array? Pass them one by one. Or was it made by another model?`;
	}
	return "Was it made by another model? Vectors of different models cannot be compared: embed with the model of the collection, do not pad or truncate.";
}

function invalid(code: ErrorCode, place: VectorPlace, problem: string, details: Record<string, unknown>): NighError {
	const { row, field = "vector" } = place;
	const at = row === undefined ? "" : ` of row ${row}`;
	return new NighError(code, `The ${field}${at} ${problem}`, { field, ...(row !== undefined && { row }), ...details });
}
