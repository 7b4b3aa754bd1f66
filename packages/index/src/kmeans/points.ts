import { checkInteger } from "@nigh/contract";

/** Float rows in an arena: row i is at `address + i * stride`. */
export interface PointRows {
	/** A multiple of 16. */
	readonly address: number;
	/** Bytes from one row to the next, a multiple of 16, at least `bytes`. */
	readonly stride: number;
	/** Bytes of a row, a multiple of 16: `dimensions` float32, then zeros. */
	readonly bytes: number;
	/** Rows, at least 1. */
	readonly n: number;
	readonly dimensions: number;
}

const LARGEST = 0xffffffff;
const MOST_ROWS = 0x7fffffff;

/** @throws NighError `INVALID_OPTION` for rows that kernels could not read. */
export function checkPoints({ address, stride, bytes, n, dimensions }: PointRows, name = "points"): void {
	checkInteger(`${name}.dimensions`, dimensions, { min: 1, max: LARGEST / 4 });
	const least = Math.ceil((4 * dimensions) / 16) * 16;
	checkInteger(`${name}.bytes`, bytes, { min: least, max: least, multipleOf: 16 });
	checkInteger(`${name}.stride`, stride, { min: bytes, max: LARGEST, multipleOf: 16 });
	checkInteger(`${name}.address`, address, { min: 16, max: LARGEST, multipleOf: 16 });
	checkInteger(`${name}.n`, n, { min: 1, max: MOST_ROWS });
}
