import { NighError } from "@nigh/contract";
import { isObject } from "./is-object.ts";

/**
 * The vectors of an answer to `POST /embeddings`, in the order of the texts (services may answer in another: `index`
 * tells).
 *
 * @param answer What the service answered, as JSON: `{ data: [{ index, embedding }, ...] }`, an embedding being numbers or base64
 * of little-endian float32.
 * @param count How many texts were sent.
 * @param firstRow The row of the first of them, for errors.
 * @throws NighError `UNAVAILABLE` for an answer of another shape, `DIMENSION_MISMATCH` for vectors of different lengths.
 */
export function readAnswer(answer: string, count: number, firstRow: number): Float32Array[] {
	const json = parse(answer);
	const data = isObject(json) ? json.data : undefined;
	if (!Array.isArray(data)) throw malformed('it has no list "data"');
	if (data.length !== count) throw malformed(`it has ${data.length} embeddings for ${count} texts`);
	const vectors: (Float32Array | undefined)[] = new Array(count).fill(undefined);
	// Some services leave out every index; then the order is that of the texts.
	const indexed = data.some((item) => isObject(item) && item.index !== undefined);
	for (const [position, item] of data.entries()) {
		if (!isObject(item)) throw malformed(`item ${position} of "data" is not an object`);
		const index = indexed ? item.index : position;
		if (!Number.isInteger(index) || (index as number) < 0 || (index as number) >= count) {
			throw malformed(`item ${position} of "data" has no index from 0 to ${count - 1}`);
		}
		if (vectors[index as number] !== undefined) throw malformed(`it has index ${index} twice`);
		vectors[index as number] = readEmbedding(item.embedding, firstRow + (index as number));
	}
	// As many items as texts and no index twice: every place is filled.
	const complete = vectors as Float32Array[];
	for (const [index, vector] of complete.entries()) {
		const expected = (complete[0] as Float32Array).length;
		if (vector.length !== expected) throw dimensionMismatch(vector.length, expected, firstRow + index);
	}
	return complete;
}

/** The error for a vector that does not have the length of the others. */
export function dimensionMismatch(found: number, expected: number, row: number): NighError {
	return new NighError(
		"DIMENSION_MISMATCH",
		`The embedding of texts[${row}] has ${found} dimensions instead of ${expected}. Check that the service behind baseUrl still runs the same model and can give the dimensions asked for.`,
		{ field: "dimensions", value: found, bound: expected, row },
	);
}

function parse(answer: string): unknown {
	try {
		return JSON.parse(answer);
	} catch {
		throw malformed("it is not JSON");
	}
}

function readEmbedding(value: unknown, row: number): Float32Array {
	const vector =
		typeof value === "string" ? decodeBase64(value) : Array.isArray(value) ? readNumbers(value) : undefined;
	if (vector === undefined || vector.length === 0) {
		throw malformed("neither numbers nor base64 of float32", row);
	}
	if (!vector.every(Number.isFinite)) throw malformed("not made of finite float32 numbers only", row);
	return vector;
}

function readNumbers(values: readonly unknown[]): Float32Array | undefined {
	// Float32Array.from alone would take null for 0 and "1" for 1.
	return values.every((value) => typeof value === "number") ? Float32Array.from(values) : undefined;
}

function decodeBase64(text: string): Float32Array | undefined {
	let binary: string;
	try {
		binary = atob(text);
	} catch {
		return undefined;
	}
	if (binary.length % 4 !== 0) return undefined;
	const view = new DataView(new ArrayBuffer(binary.length));
	for (let at = 0; at < binary.length; at++) view.setUint8(at, binary.charCodeAt(at));
	return Float32Array.from({ length: binary.length / 4 }, (_, at) => view.getFloat32(4 * at, true));
}

function malformed(problem: string, row?: number): NighError {
	const subject = row === undefined ? problem : `the embedding of texts[${row}] is ${problem}`;
	return new NighError(
		"UNAVAILABLE",
		`The service's answer cannot be used: ${subject}. Check that baseUrl is an OpenAI-compatible API and that model is an embedding model.`,
		row === undefined ? {} : { row },
	);
}
