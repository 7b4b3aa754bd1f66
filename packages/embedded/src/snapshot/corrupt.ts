import { NighError } from "@nigh/contract";

/** A snapshot that cannot be used: what is wrong, and where. */
export function corrupt(
	path: string,
	problem: string,
	byteOffset: number,
	details: Readonly<Record<string, unknown>> = {},
	options?: ErrorOptions,
): NighError {
	return new NighError(
		"CORRUPT_SNAPSHOT",
		`${path}: ${problem} (byte ${byteOffset}). No record is lost: use an older snapshot, or build the index again.`,
		{ path, byteOffset, ...details },
		options,
	);
}
