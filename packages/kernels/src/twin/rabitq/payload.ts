/** Where a block of RaBitQ codes has what; it is drawn in assembly/rabitq/payload.ts. */
import { RABITQ_BLOCK } from "../../layout.ts";

const { factorBytes, fineFactors } = RABITQ_BLOCK;

/** The factors `own` of a block's rows. */
export function ownAt(payload: number, dimensions: number): number {
	return payload + 4 * dimensions;
}

/** From the factor `own` of a row to the others that go with it. */
export const SCALE = factorBytes;
export const SPREAD = 2 * factorBytes;

/** From the factors by the top bits to those by the whole code. */
export const FINE_FACTORS = 3 * factorBytes;

/** The other bits of a row, where there are some. */
export function restAt(payload: number, dimensions: number, width: number, row: number): number {
	return payload + 4 * dimensions + fineFactors * factorBytes + row * ((dimensions / 8) * width);
}
