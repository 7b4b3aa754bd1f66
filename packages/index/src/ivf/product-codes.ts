import { type Arena, CELL_ROWS, METRIC_CODES, TERM_BYTES } from "@nigh/kernels";
import type { ArenaView } from "../arena-view.ts";

/** The largest entry of a table that is looked up in registers, and what its sums may come to, within 16 bits. */
const MOST_ENTRY = 127;
const MOST_SUM = 60_000;
/** Cells that are farther than this many spreads of the tables count as equally far. */
const MOST_SPREADS = 8;

export interface ProductShape {
	/** Sub-quantisers. */
	readonly subs: number;
	/** Floats of each. */
	readonly width: number;
	/** 4: looked up in registers; 5 to 8: a byte each. */
	readonly bits: number;
	/** Whether rows have a term of their own: not under a dot product. */
	readonly hasTerms: boolean;
	/** Whether codes are of what the centroid leaves over. */
	readonly residual: boolean;
}

/** Where a product quantiser lies, for whoever computes by it. */
export interface ProductSpec extends ProductShape {
	/** Address of the codebooks, as the kernels' cells/product-codes.ts draws them. */
	readonly books: number;
}

/** Bytes of a block behind its places. */
export function payloadBytes({ subs, bits, hasTerms }: ProductShape): number {
	const codes = bits === 4 ? 16 * subs : Math.ceil((CELL_ROWS * subs) / 16) * 16;
	return (hasTerms ? TERM_BYTES : 0) + codes;
}

/** Bytes of codes that a row has. */
export function codeBytes({ subs, bits }: Pick<ProductShape, "subs" | "bits">): number {
	return bits === 4 ? subs / 2 : subs;
}

/** Bytes of a query's tables, as floats and as they are looked up. */
export function tableBytes({ subs, bits }: Pick<ProductShape, "subs" | "bits">): number {
	return 4 * subs * 2 ** bits + 16 * subs;
}

/** The codebooks of a product quantiser. */
export class ProductCodes implements ProductSpec {
	readonly subs: number;
	readonly width: number;
	readonly bits: number;
	readonly hasTerms: boolean;
	readonly residual: boolean;
	readonly books: number;
	readonly #arena: Arena;

	constructor(arena: Arena, shape: ProductShape) {
		this.#arena = arena;
		this.subs = shape.subs;
		this.width = shape.width;
		this.bits = shape.bits;
		this.hasTerms = shape.hasTerms;
		this.residual = shape.residual;
		this.books = arena.alloc(this.memoryBytes);
	}

	get entries(): number {
		return 2 ** this.bits;
	}

	get memoryBytes(): number {
		return 4 * this.subs * this.width * this.entries;
	}

	/** Takes over the centroids of a sub-quantiser: rows of `width` floats, `stride` bytes apart. */
	fill(sub: number, centroids: number, stride: number): void {
		const { width, entries } = this;
		const books = this.#arena.f32(this.books + 4 * sub * width * entries, width * entries);
		for (let entry = 0; entry < entries; entry++) {
			const centroid = this.#arena.f32(centroids + entry * stride, width);
			for (let j = 0; j < width; j++) books[j * entries + entry] = centroid[j] as number;
		}
	}

	dispose(): void {
		this.#arena.free(this.books);
	}
}

/** Room for coding one row: its code, and what the code stands for. */
export interface ProductScratch {
	readonly code: number;
	readonly decoded: number;
}

/**
 * Codes a row (what the centroid leaves over, or the row itself) as row `row` of a block. Its term is what the key of a code lacks, beside the
 * tables and the cell's bias: |c + r'|^2 - |c|^2 for the decoded r', and the error of the code, so that what is estimated is the row, not
 * what stands for it; and what its key has `besides`. Returns the term.
 */
export function putProductCode(
	arena: ArenaView,
	product: ProductSpec,
	scratch: ProductScratch,
	{ coded, centroid, bytes, besides }: { coded: number; centroid: number; bytes: number; besides: number },
	payload: number,
	row: number,
): number {
	const { subs, width, bits, books, hasTerms, residual } = product;
	const { kernels } = arena;
	const entries = 2 ** bits;
	const error = kernels.productEncode(coded, books, subs, width, entries, scratch.code);
	const codes = payload + (hasTerms ? TERM_BYTES : 0);
	if (bits === 4) kernels.putFastCodes(scratch.code, subs, codes, row);
	else arena.u8(codes + row * subs, subs).set(arena.u8(scratch.code, subs));
	if (!hasTerms) return 0;
	kernels.productDecode(scratch.code, books, subs, width, entries, scratch.decoded);
	const along = residual ? -2 * kernels.distance(METRIC_CODES.ip, centroid, scratch.decoded, bytes) : 0;
	const term = Math.fround(kernels.sumOfSquares(scratch.decoded, bytes) + along + error + besides);
	arena.f32(payload + 4 * row, 1)[0] = term;
	return term;
}

/** What a prepared query is scanned by. */
export interface ProductQuery {
	/** Steps of a fast scan's key in one unit. */
	readonly inverse: number;
	/** The key that a fast scan counts from, without what the tables leave out. */
	readonly offset: number;
	/** What the least entries of all tables come to. */
	readonly leasts: number;
}

/**
 * Writes a query's tables at `tables` ({@link tableBytes}), and at `left` 32 bytes of what comes with them.
 *
 * @param factor -2 for squared distances, -1 for a dot product.
 * @param from The least that bias and term of a probed row come to.
 * @param biasSpread How far the biases of the probed cells lie apart.
 */
export function writeProductTables(
	arena: ArenaView,
	{ subs, width, bits, books }: ProductSpec,
	query: number,
	{
		factor,
		tables,
		left,
		from,
		biasSpread,
	}: { factor: number; tables: number; left: number; from: number; biasSpread: number },
): ProductQuery {
	const { kernels } = arena;
	const entries = 2 ** bits;
	kernels.productTables(query, books, subs, width, entries, factor, tables, left);
	const [leasts, widest, spreads] = arena.f64(left, 3) as unknown as [number, number, number];
	if (bits !== 4) return { inverse: 1, offset: 0, leasts: 0 };
	// Where codes tell nothing apart, biases do: all rows of a cell are equal then.
	const all = spreads > 0 ? spreads + Math.min(biasSpread, MOST_SPREADS * spreads) : biasSpread || MOST_SUM;
	const inverse = Math.fround(Math.min(MOST_ENTRY / widest, MOST_SUM / all));
	kernels.quantizeTables(tables, subs, inverse, tables + 4 * subs * entries);
	return { inverse, offset: from, leasts };
}
