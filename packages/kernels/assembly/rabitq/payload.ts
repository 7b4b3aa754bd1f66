/**
 * What a block of 32 rows of a cell keeps of them: RaBitQ codes (Gao & Long, "RaBitQ", SIGMOD 2024, and its extension to several bits,
 * arXiv 2409.09913) of the rotated residuals r = P(v - c), c being the cell's centroid. A code of B bits a dimension is a whole number
 * 0 .. 2^B - 1, which stands for g = code - (2^B - 1) / 2; its top bit is the sign of r. D is the rotated dimension, a multiple of 64.
 *
 * | byte             | what                                                                                                   |
 * |------------------|--------------------------------------------------------------------------------------------------------|
 * | 0                | top bits: D / 4 groups of 16 bytes; byte j of group g has dimensions 4g .. 4g + 3 of row j in its bits  |
 * |                  | 0 .. 3, those of row j + 16 in its bits 4 .. 7                                                         |
 * | 4 D              | f32 x 32 own: what the row adds to its key by itself: l2 and cosine |r|^2 + 2 scale <s, Pc>,             |
 * |                  | ip scale <s, Pc> - <r, c>, with s the signs of r, -1 or 1                                              |
 * |                  | under cosine a zero row has 1 more, so that it is 1 from all: its writer adds it, who knows the row      |
 * | 4 D + 128        | f32 x 32 scale: |r|^2 / <s, r>                                                                         |
 * | 4 D + 256        | f32 x 32 spread: |r| sqrt((1 - f^2) / (f^2 (D - 1))) with f = <s, r> / (|s| |r|)                        |
 * | 4 D + 384        | B > 1: f32 x 32 each: own, scale and spread with 2 g for s                                             |
 * | 4 D + 768        | B > 1: row after row the other B - 1 bits, D (B - 1) / 8 bytes each                                    |
 *
 * The other bits of a row, 8 (B - 1) bytes for 64 dimensions. Dimension 4 g + t of them belongs to lane g of vector t, which is how the
 * top bits come out of their groups:
 *
 * | part             | what                                                                                                   |
 * |------------------|--------------------------------------------------------------------------------------------------------|
 * | B - 1 has the 4  | 32 bytes: the low 4 bits; vectors 0 and 1 in the low and high halves of 16 bytes, 2 and 3 in the next   |
 * | B - 1 has the 2  | 16 bytes: the next 2 bits; vector t in bits 2t and 2t + 1                                              |
 * | B - 1 has the 1  | 8 bytes: the last bit; lanes 0 .. 7 of vector t in bits 2t, lanes 8 .. 15 in bits 2t + 1                |
 *
 * Two rows share the bytes of the top bits: one thread at a time writes to a block. Must agree with RABITQ_BLOCK in ../../src/layout.ts.
 */
export const BLOCK_ROWS: i32 = 32;

/** Bytes of one factor of all rows of a block. */
const FACTOR_BYTES: usize = 128;

@inline
export function ownAt(payload: usize, dimensions: usize): usize {
	return payload + (dimensions << 2);
}

/** From the factor `own` of a row to the others that go with it. */
export const SCALE: usize = FACTOR_BYTES;
export const SPREAD: usize = 2 * FACTOR_BYTES;

/** From the factors by the top bits to those by the whole code. */
export const FINE_FACTORS: usize = 3 * FACTOR_BYTES;

/** The other bits of a row, where there are some. */
@inline
export function restAt(payload: usize, dimensions: usize, width: usize, row: usize): usize {
	return payload + (dimensions << 2) + 6 * FACTOR_BYTES + row * ((dimensions >> 3) * width);
}
