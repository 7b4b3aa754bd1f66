import { NighError } from "@nigh/contract";

/** The file formats that can be read and written. */
export const VECTOR_FORMATS = ["fvecs", "bvecs", "ivecs", "npy", "jsonl"] as const;

export type VectorFormat = (typeof VECTOR_FORMATS)[number];

const EXTENSIONS: ReadonlyMap<string, VectorFormat> = new Map([
	[".fvecs", "fvecs"],
	[".bvecs", "bvecs"],
	[".ivecs", "ivecs"],
	[".npy", "npy"],
	[".jsonl", "jsonl"],
	[".ndjson", "jsonl"],
]);

/**
 * The format that the extension of a file name or path stands for, in upper or lower case.
 *
 * @throws NighError `INVALID_OPTION` where the extension is not known; the message lists those that are.
 */
export function formatOf(fileName: string): VectorFormat {
	const extension = /\.[^./\\]*$/.exec(fileName)?.[0] ?? "";
	const format = EXTENSIONS.get(extension.toLowerCase());
	if (format !== undefined) return format;
	const known = [...EXTENSIONS.keys()].join(" ");
	const problem = extension === "" ? "has no extension" : `has the unknown extension ${JSON.stringify(extension)}`;
	throw new NighError(
		"INVALID_OPTION",
		`The file name ${JSON.stringify(fileName)} ${problem}; known are ${known}. Rename the file or name the format.`,
		{ field: "fileName", value: fileName, known: [...EXTENSIONS.keys()] },
	);
}
