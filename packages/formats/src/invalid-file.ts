import { NighError } from "@nigh/contract";
import type { VectorFormat } from "./format.ts";

export interface FileFault {
	readonly format: VectorFormat;
	/** The row that the fault lies in, counted from 0; 0 for a fault in front of the rows. */
	readonly row: number;
	/** Where the first wrong byte stands; the length of the file where bytes are missing. */
	readonly byteOffset: number;
	readonly problem: string;
	readonly expected: string;
	readonly advice: string;
	/** More for programs, beside format, row and byteOffset. */
	readonly details?: Readonly<Record<string, unknown>>;
	readonly cause?: unknown;
}

/** The error of every reader about what stands in a file. */
export function invalidFile(fault: FileFault): NighError {
	const { format, row, byteOffset, problem, expected, advice, details, cause } = fault;
	return new NighError(
		"INVALID_FILE",
		`${format} file, row ${row}, byte ${byteOffset}: ${problem}; expected ${expected}. ${advice}`,
		{ format, row, byteOffset, expected, ...details },
		cause === undefined ? undefined : { cause },
	);
}
