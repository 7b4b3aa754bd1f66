import { type ErrorCode, isNighError, NighError } from "@nigh/contract";

const CODES: Readonly<Record<string, ErrorCode>> = {
	ENOSPC: "DISK_FULL",
	EDQUOT: "DISK_FULL",
	EROFS: "READ_ONLY",
	EACCES: "READ_ONLY",
	EPERM: "READ_ONLY",
	ENOENT: "NOT_FOUND",
	ENOTDIR: "NOT_FOUND",
};

const ADVICE: Partial<Record<ErrorCode, string>> = {
	DISK_FULL: "The disk, or the quota, is full: free some space and try again.",
	READ_ONLY: "The rights or the file system do not allow it: change them, or choose another place.",
	NOT_FOUND: "A file or folder on the way is not there, or is not a folder: correct the path.",
};

/**
 * What a failed file operation is to the caller: `DISK_FULL`, `READ_ONLY` or `NOT_FOUND`; anything else is given back as it is. The
 * error itself is the `cause`.
 *
 * @param doing What was being done, as it goes into the sentence "Failed at ...", such as `copying /data/records.sqlite`.
 */
export function asFileError(error: unknown, doing: string): unknown {
	if (isNighError(error)) return error;
	const { code: system, path, message } = error as NodeJS.ErrnoException;
	const code = system === undefined ? undefined : CODES[system];
	if (code === undefined) return error;
	return new NighError(code, `Failed at ${doing} (${message}). ${ADVICE[code]}`, { system, path }, { cause: error });
}
