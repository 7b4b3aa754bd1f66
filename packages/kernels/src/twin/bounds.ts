/**
 * Exact search over codes: a scan of 7-bit codes with a two-plane query that keeps every row which the row's own residual (the
 * length of what its code leaves out) cannot exclude. The reasoning and the query struct are in assembly/bounds.ts.
 */
import { BOUND_QUERY, CODE_FORMS } from "../layout.ts";
import { codeDot } from "./codes.ts";
import type { Eligibility } from "./eligibility.ts";
import type { TwinMemory } from "./memory.ts";
import { place } from "./topk.ts";

/**
 * The length of what a code leaves out of a row, rounded up: | x - (origin + unit * code) |. Written behind the norm by the caller.
 */
export function residual(
	m: TwinMemory,
	row: number,
	origin: number,
	unit: number,
	rowBytes: number,
	code: number,
): number {
	let sum = 0;
	for (let i = 0; i < rowBytes >>> 2; i++) {
		const e = m.loadF32(row + 4 * i) - (m.loadF32(origin + 4 * i) + unit * m.loadU8(code + i));
		sum += e * e;
	}
	// One part in 2^22 is more than the roundings of the sum and of the conversion together.
	return Math.fround(Math.sqrt(sum) * (1 + 1 / 4194304));
}

/** One scan: the query struct, read once, and what the scan adds to it. */
class BoundScan {
	readonly #eligible: Eligibility;
	readonly #m: TwinMemory;
	readonly #query: number;
	readonly #bytes: number;
	readonly #high: number;
	readonly #low: number;
	readonly #form: number;
	readonly #k: number;
	readonly #constant: number;
	readonly #factor: number;
	readonly #slack: number;
	readonly #perResidual: number;
	readonly #rounding: number;
	readonly #pool: number;
	readonly #keptRows: number;
	readonly #keptBounds: number;
	#size: number;
	#kept: number;
	/** The k-th smallest upper bound so far, already widened. */
	#most: number;
	/** l2: squared length of the high plane. */
	readonly #highSquared: number;
	/** l2: how far the coded query lies from its high plane. Dot: the most that the low plane adds to 128 times the product with the high one. */
	readonly #beyond: number;

	constructor(eligible: Eligibility, query: number, bytes: number, eligibility: number) {
		const { m } = eligible;
		eligible.open(eligibility !== 0 ? eligibility : query + BOUND_QUERY.everything);
		this.#eligible = eligible;
		this.#m = m;
		this.#query = query;
		this.#bytes = bytes;
		this.#high = m.loadU32(query + BOUND_QUERY.high);
		this.#low = m.loadU32(query + BOUND_QUERY.low);
		this.#form = m.loadU32(query + BOUND_QUERY.form);
		this.#k = m.loadI32(query + BOUND_QUERY.k);
		this.#constant = m.loadF64(query + BOUND_QUERY.constant);
		this.#factor = m.loadF64(query + BOUND_QUERY.factor);
		this.#slack = m.loadF64(query + BOUND_QUERY.slack);
		this.#perResidual = m.loadF64(query + BOUND_QUERY.perResidual);
		this.#rounding = m.loadF64(query + BOUND_QUERY.rounding);
		this.#pool = m.loadU32(query + BOUND_QUERY.pool);
		this.#size = m.loadI32(query + BOUND_QUERY.poolSize);
		this.#keptRows = m.loadU32(query + BOUND_QUERY.keptRows);
		this.#keptBounds = m.loadU32(query + BOUND_QUERY.keptBounds);
		this.#kept = m.loadI32(query + BOUND_QUERY.kept);
		this.#most = this.#limit();
		let [highs, lows, sum] = [0, 0, 0];
		for (let i = 0; i < bytes; i++) {
			const high = m.i8[this.#high + i] as number;
			const low = m.i8[this.#low + i] as number;
			highs += high * high;
			lows += low * low;
			sum += low;
		}
		this.#highSquared = highs;
		const length = Math.sqrt(lows);
		if (this.#form === CODE_FORMS.l2) this.#beyond = (Math.sqrt(this.#factor) * length) / 128;
		// The low plane times a code, whose bytes lie within 64 of 64.
		else this.#beyond = 64 * sum + length * 64 * Math.sqrt(bytes);
	}

	#limit(): number {
		return this.#size < this.#k ? Infinity : this.#m.loadF32(this.#pool + 8 * (this.#k - 1));
	}

	/** Judges a row by its product with the high plane, and where that does not exclude it by both planes. */
	row(code: number, norm: number, error: number, number: number, label: number): void {
		const product = codeDot(this.#m, this.#high, code, this.#bytes);
		if (this.#excludes(product, norm, error)) return;
		this.#judge(128 * product + codeDot(this.#m, this.#low, code, this.#bytes), norm, error, number, label);
	}

	/** Gives the query struct back. */
	close(): void {
		this.#m.storeI32(this.#query + BOUND_QUERY.poolSize, this.#size);
		this.#m.storeI32(this.#query + BOUND_QUERY.kept, this.#kept);
	}

	/** Whether a row cannot be among the k nearest whatever the low plane adds; `product` is that with the high plane. */
	#excludes(product: number, norm: number, error: number): boolean {
		const width = this.#slack + this.#perResidual * error;
		if (this.#form === CODE_FORMS.l2) {
			const reach = this.#most * (1 + this.#rounding) + width + this.#beyond;
			return this.#factor * (this.#highSquared + norm - 2 * product) > reach * reach;
		}
		return this.#constant + this.#factor * (128 * product + this.#beyond) - width > this.#most;
	}

	#judge(product: number, norm: number, error: number, row: number, label: number): void {
		const width = this.#slack + this.#perResidual * error;
		const rounding = this.#rounding;
		let lower: number;
		let upper: number;
		if (this.#form === CODE_FORMS.l2) {
			const squared = Math.max(0, this.#factor * (this.#constant + norm - product / 64));
			const reach = this.#most * (1 + rounding) + width;
			if (squared > reach * reach) return;
			const distance = Math.sqrt(squared);
			lower = Math.max(0, distance - width) * (1 - rounding);
			upper = (distance + width) * (1 + rounding);
		} else {
			const key = this.#constant + this.#factor * product;
			lower = key - width;
			upper = key + width;
			if (lower > this.#most) return;
		}
		if (!this.#eligible.admits(label)) return;
		this.#keep(row, lower);
		if (upper < this.#most || this.#size < this.#k) {
			this.#size = place(this.#m, this.#pool, this.#size, this.#k, Math.fround(upper), label);
			this.#most = this.#limit();
		}
	}

	/** Keeps a row of which nothing is known, where it may be answered. */
	keepUnknown(row: number, label: number): void {
		if (this.#eligible.admits(label)) this.#keep(row, -Infinity);
	}

	#keep(row: number, lower: number): void {
		this.#m.storeU32(this.#keptRows + 4 * this.#kept, row);
		this.#m.storeF32(this.#keptBounds + 4 * this.#kept, lower);
		this.#kept++;
	}
}

/**
 * Judges `n` consecutive code rows; row i is number `first + i` and has the label `labels[i]`. Adds to the struct's pool and kept rows.
 * A kept row is wanted when its lower bound is at most the pool's last upper bound once all rows have been seen.
 */
export function boundScan(
	eligible: Eligibility,
	query: number,
	base: number,
	stride: number,
	bytes: number,
	first: number,
	n: number,
	labels: number,
	eligibility: number,
): void {
	const { m } = eligible;
	const scan = new BoundScan(eligible, query, bytes, eligibility);
	for (let i = 0; i < n; i++) {
		const row = base + i * stride;
		const norm = m.loadI32(row + bytes);
		const error = m.loadF32(row + bytes + 4);
		scan.row(row, norm, error, first + i, m.loadU32(labels + 4 * i));
	}
	scan.close();
}

/**
 * The same for `n` rows named by number (u32 at `rows`), whose norms and residuals lie apart: pairs {i32, f32}, one a row number, at
 * `errors`. A residual of 0 is one that is not known: such a row is kept whatever its code says, and says nothing of others.
 */
export function boundMany(
	eligible: Eligibility,
	query: number,
	base: number,
	stride: number,
	bytes: number,
	errors: number,
	rows: number,
	n: number,
	labels: number,
	eligibility: number,
): void {
	const { m } = eligible;
	const scan = new BoundScan(eligible, query, bytes, eligibility);
	for (let i = 0; i < n; i++) {
		const number = m.loadU32(rows + 4 * i);
		const label = m.loadU32(labels + 4 * i);
		// Another thread may be writing it: once the residual is there, so is the norm.
		if (m.atomicLoadI32(errors + 8 * number + 4) === 0) {
			scan.keepUnknown(number, label);
			continue;
		}
		const norm = m.loadI32(errors + 8 * number);
		const error = m.loadF32(errors + 8 * number + 4);
		scan.row(base + number * stride, norm, error, number, label);
	}
	scan.close();
}
