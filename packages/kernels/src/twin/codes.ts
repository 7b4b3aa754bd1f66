/**
 * Uniform 7-bit scalar codes. A code row is `bytes` codes of 0..127 followed by an int32, the sum of their squares (the norm).
 * Query and base are coded in the same units, so the squared distance is whole numbers: |q|^2 + |v|^2 - 2 q.v. Under the dot form
 * the query is signed (-127..127) in units of its own, and the key is minus the integer dot product.
 */
import { CODE_FORMS } from "../layout.ts";
import type { TwinMemory } from "./memory.ts";

/** The dot product of a code row (signed or not) with a code row of 0..127. */
export function codeDot({ i8 }: TwinMemory, query: number, row: number, bytes: number): number {
	const q = query >>> 0;
	const r = row >>> 0;
	let sum = 0;
	for (let i = 0; i < bytes; i++) sum = (sum + (i8[q + i] as number) * (i8[r + i] as number)) | 0;
	return sum;
}

/** The squared Euclidean distance of two code rows, in units of the code. Both rows carry their norm. */
export function codeL2(m: TwinMemory, a: number, b: number, bytes: number): number {
	return (m.loadI32(a + bytes) + m.loadI32(b + bytes) - 2 * codeDot(m, a, b, bytes)) | 0;
}

/** The key of one code row; `| 0` wraps as int32 does and leaves no negative zero. */
function codeKey(m: TwinMemory, form: number, query: number, queryNorm: number, row: number, bytes: number): number {
	const product = codeDot(m, query, row, bytes);
	if (form === CODE_FORMS.l2) return (queryNorm + m.loadI32(row + bytes) - 2 * product) | 0;
	return -product | 0;
}

/** One coded query against `n` code rows named by number. */
export function codeKeysMany(
	m: TwinMemory,
	form: number,
	query: number,
	queryNorm: number,
	base: number,
	stride: number,
	bytes: number,
	ids: number,
	n: number,
	out: number,
): void {
	for (let i = 0; i < n; i++) {
		const row = base + m.loadU32(ids + 4 * i) * stride;
		m.storeF32(out + 4 * i, codeKey(m, form, query, queryNorm, row, bytes));
	}
}

/** One coded query against `n` consecutive code rows. */
export function codeKeysBlock(
	m: TwinMemory,
	form: number,
	query: number,
	queryNorm: number,
	base: number,
	stride: number,
	bytes: number,
	n: number,
	out: number,
): void {
	for (let i = 0; i < n; i++) m.storeF32(out + 4 * i, codeKey(m, form, query, queryNorm, base + i * stride, bytes));
}

/** `m` coded queries, their norms behind them, against `n` consecutive code rows; the keys of query j are at `out + j * outStride`. */
export function codeKeysTiles(
	memory: TwinMemory,
	form: number,
	queries: number,
	queryStride: number,
	m: number,
	base: number,
	stride: number,
	bytes: number,
	n: number,
	out: number,
	outStride: number,
): void {
	for (let j = 0; j < m; j++) {
		const query = queries + j * queryStride;
		codeKeysBlock(memory, form, query, memory.loadI32(query + bytes), base, stride, bytes, n, out + j * outStride);
	}
}
