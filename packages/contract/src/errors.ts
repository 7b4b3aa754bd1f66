/**
 * Every code a Nigh operation can fail with. Codes are stable: programs branch on them, messages are for people.
 */
export const ERROR_CODES = [
	"DIMENSION_MISMATCH",
	"INVALID_VECTOR",
	"INVALID_RECORD",
	"INVALID_FILTER",
	"INVALID_OPTION",
	"INVALID_FILE",
	"NOT_TRAINED",
	"COLLECTION_FULL",
	"MEMORY_LIMIT",
	"SEARCH_TIMEOUT",
	"ABORTED",
	"CORRUPT_SNAPSHOT",
	"CORRUPT_RECORDS",
	"NEWER_VERSION",
	"DISK_FULL",
	"SPEC_CONFLICT",
	"NOT_FOUND",
	"LOCKED",
	"READ_ONLY",
	"CLOSED",
	"UNSUPPORTED",
	"UNAVAILABLE",
	"CIRCUIT_OPEN",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** What a program may want to know beside the code: the field, the value, the bound, the row, the byte offset. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/**
 * The one error class of Nigh. The message says what was wrong, what was expected and what to do.
 *
 * @example
 * try { index.insert(0, vector) } catch (error) {
 *   if (isNighError(error, "DIMENSION_MISMATCH")) console.error(error.message, error.details);
 *   else throw error;
 * }
 */
export class NighError extends Error {
	override readonly name = "NighError";
	readonly code: ErrorCode;
	readonly details: ErrorDetails;

	constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, options?: ErrorOptions) {
		super(message, options);
		this.code = code;
		this.details = details;
	}
}

/**
 * Whether something caught is a {@link NighError}, of the given code where one is given. Recognised by shape, so that an error
 * that crossed a worker thread or came from a second copy of the package is recognised too.
 */
export function isNighError(error: unknown, code?: ErrorCode): error is NighError {
	if (typeof error !== "object" || error === null || !("code" in error) || !("name" in error)) return false;
	return error.name === "NighError" && (code === undefined || error.code === code);
}
