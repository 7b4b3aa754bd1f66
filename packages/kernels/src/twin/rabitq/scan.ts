/** The scan of a cell's codes in two steps, top bits and whole codes; see assembly/rabitq/scan.ts. */
import { RABITQ_BLOCK, RABITQ_CANDIDATE, RABITQ_QUERY } from "../../layout.ts";
import type { TwinMemory } from "../memory.ts";
import { FINE_FACTORS, ownAt, restAt, SCALE, SPREAD } from "./payload.ts";
import { ROUNDING } from "./query.ts";

const { fround } = Math;

/** "No row" among the places of a block. */
const NO_PLACE = 0xffffffff;

/** Bytes of the sums of a block; the estimates stand behind them. */
const SUM_BYTES = 4 * RABITQ_BLOCK.rows;

/** A key as a code has it. */
interface Bound {
	readonly lower: number;
	readonly key: number;
}

/** One scan: what it reads of the query struct, and where it appends. */
class RabitqScan {
	readonly #m: TwinMemory;
	readonly #struct: number;
	readonly #dimensions: number;
	readonly #bits: number;
	readonly #threshold: number;
	readonly #out: number;
	#found = 0;

	constructor(m: TwinMemory, struct: number, threshold: number, out: number) {
		this.#m = m;
		this.#struct = struct;
		this.#dimensions = m.loadU32(struct + RABITQ_QUERY.dimensions);
		this.#bits = m.loadU32(struct + RABITQ_QUERY.bits);
		this.#threshold = fround(threshold);
		this.#out = out;
	}

	get found(): number {
		return this.#found;
	}

	block(payload: number, places: number): void {
		const m = this.#m;
		const sums = this.#struct + RABITQ_QUERY.sums;
		for (let row = 0; row < RABITQ_BLOCK.rows; row++) m.storeI32(sums + 4 * row, this.#sum(payload, row));
		for (let first = 0; first < RABITQ_BLOCK.rows; first += 4) {
			const rows = [first, first + 1, first + 2, first + 3];
			const bounds = rows.map((row) => this.#coarse(payload, row, m.loadI32(sums + 4 * row)));
			if (!bounds.some(({ lower }) => lower <= this.#threshold)) continue;
			bounds.forEach(({ lower, key }, i) => {
				m.storeF32(sums + 4 * (first + i), lower);
				m.storeF32(sums + 4 * (first + i) + SUM_BYTES, key);
			});
			bounds.forEach((bound, i) => {
				const place = m.loadU32(places + 4 * (first + i));
				if (!(bound.lower <= this.#threshold) || place === NO_PLACE) return;
				this.#append(this.#bits > 1 ? this.#refine(payload, first + i) : bound, place);
			});
		}
	}

	#query(field: keyof typeof RABITQ_QUERY): number {
		return this.#m.loadF32(this.#struct + RABITQ_QUERY[field]);
	}

	/** The sum of the sizes whose signs agree with a row's. */
	#sum(payload: number, row: number): number {
		const m = this.#m;
		const tables = m.loadU32(this.#struct + RABITQ_QUERY.tables);
		let sum = 0;
		for (let group = 0; group < this.#dimensions / 4; group++) {
			sum += m.loadU8(tables + 16 * group + this.#topBits(payload, row, group));
		}
		return sum;
	}

	/** The top bits of four dimensions of a row. */
	#topBits(payload: number, row: number, group: number): number {
		return (this.#m.loadU8(payload + 16 * group + (row & 15)) >> (row < 16 ? 0 : 4)) & 15;
	}

	/** Estimate and bound by the top bits. */
	#coarse(payload: number, row: number, sum: number): Bound {
		const at = ownAt(payload, this.#dimensions) + 4 * row;
		const product = 2 * sum - this.#m.loadI32(this.#struct + RABITQ_QUERY.total);
		return this.#bound(at, at, fround(this.#query("step") * product), this.#query("left"));
	}

	/** Estimate and bound by the whole code. */
	#refine(payload: number, row: number): Bound {
		const m = this.#m;
		const refined = this.#struct + RABITQ_QUERY.refined;
		m.storeU32(refined, m.loadU32(refined) + 1);
		const at = ownAt(payload, this.#dimensions) + 4 * row;
		const product = fround(this.#query("fineStep") * fround(this.#fineProduct(payload, row)));
		return this.#bound(at, at + FINE_FACTORS, product, this.#query("fineLeft"));
	}

	/** From the product with the query by the factors at `fine`; what rounding does goes with the scale of the signs, at `coarse`. */
	#bound(coarse: number, fine: number, product: number, left: number): Bound {
		const m = this.#m;
		const own = fround(this.#query("own") * m.loadF32(fine));
		const key = fround(fround(this.#query("base") + own) - fround(m.loadF32(fine + SCALE) * product));
		const perScale = fround(left + this.#query("perScale"));
		const spread = fround(m.loadF32(fine + SPREAD) * this.#query("perSpread"));
		const width = fround(spread + fround(m.loadF32(coarse + SCALE) * perScale));
		const rounded = fround(fround(ROUNDING * Math.abs(own)) + this.#query("slack"));
		return { lower: fround(key - fround(width + rounded)), key };
	}

	/** <2 g, u> for the whole code of a row and the query's int16 u. */
	#fineProduct(payload: number, row: number): number {
		const m = this.#m;
		const width = this.#bits - 1;
		const fine = m.loadU32(this.#struct + RABITQ_QUERY.fine);
		const rest = restAt(payload, this.#dimensions, width, row);
		let product = 0;
		for (let i = 0; i < this.#dimensions; i++) {
			const top = (this.#topBits(payload, row, i >> 2) >> (i & 3)) & 1;
			const code = (top << width) | this.#restBits(rest, i, width);
			const place = (i & ~63) + 16 * (i & 3) + ((i & 63) >> 2);
			product += code * ((m.loadU16(fine + 2 * place) << 16) >> 16);
		}
		return 2 * product - ((2 << width) - 1) * m.loadI32(this.#struct + RABITQ_QUERY.fineTotal);
	}

	/** The other bits of one dimension of a row. */
	#restBits(rest: number, dimension: number, width: number): number {
		const m = this.#m;
		let at = rest + (dimension >> 6) * 8 * width;
		const group = (dimension & 63) >> 2;
		const vector = dimension & 3;
		let bits = 0;
		if (width & 4) {
			bits = (m.loadU8(at + 16 * (vector >> 1) + group) >> (4 * (vector & 1))) & 15;
			at += 32;
		}
		if (width & 2) {
			bits |= ((m.loadU8(at + group) >> (2 * vector)) & 3) << (width & 4);
			at += 16;
		}
		if (width & 1) bits |= ((m.loadU8(at + (group & 7)) >> (2 * vector + (group >> 3))) & 1) << (width & 6);
		return bits;
	}

	#append({ lower, key }: Bound, place: number): void {
		if (!(lower <= this.#threshold)) return;
		const at = this.#out + RABITQ_CANDIDATE.bytes * this.#found++;
		this.#m.storeF32(at + RABITQ_CANDIDATE.lower, lower);
		this.#m.storeF32(at + RABITQ_CANDIDATE.estimate, key);
		this.#m.storeU32(at + RABITQ_CANDIDATE.place, place);
	}
}

/** Scans one block for a chain walker: appends its candidates at `out`, and returns the end of them. */
export function scanBlock(
	m: TwinMemory,
	struct: number,
	payload: number,
	places: number,
	threshold: number,
	out: number,
): number {
	const scan = new RabitqScan(m, struct, threshold, out);
	scan.block(payload, places);
	return out + RABITQ_CANDIDATE.bytes * scan.found;
}

/** Scans `n` rows in blocks that follow each other; appends candidates at `out` and returns how many. */
export function rabitqScan(
	m: TwinMemory,
	struct: number,
	payload: number,
	stride: number,
	places: number,
	n: number,
	threshold: number,
	out: number,
): number {
	const blocks = Math.ceil(n / RABITQ_BLOCK.rows);
	let end = out;
	for (let block = 0; block < blocks; block++) {
		const at = places + 4 * RABITQ_BLOCK.rows * block;
		end = scanBlock(m, struct, payload + block * stride, at, threshold, end);
	}
	return (end - out) / RABITQ_CANDIDATE.bytes;
}
