import { isNighError } from "@nigh/contract";

/** The command line is wrong: exit code 2. The message is one line that says what to write instead. */
export class UsageError extends Error {
	override readonly name = "UsageError";
}

/** Runs a check of something the user typed: an option that it refuses is wrong usage, not failed work. */
export function asUsage<T>(check: () => T): T {
	try {
		return check();
	} catch (error) {
		const isRefused = isNighError(error, "INVALID_OPTION") || isNighError(error, "UNSUPPORTED");
		throw isRefused ? new UsageError(error.message, { cause: error }) : error;
	}
}
