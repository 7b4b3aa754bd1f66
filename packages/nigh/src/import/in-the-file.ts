import { relative } from "node:path";
import { isNighError, NighError } from "@nigh/contract";
import { formatOf } from "@nigh/formats";
import { countText } from "../terminal/quantities.ts";
import { lineOfRow } from "./line-of-row.ts";
import { RefusedRow } from "./write-batches.ts";

/**
 * Puts the file, the row and the line in front of an error, and what has been written behind it.
 *
 * @param written Rows of the file that are written.
 * @param explain A sentence more, about what can be done; `undefined`: none.
 */
export async function inTheFile<T>(
	path: string,
	written: () => number,
	work: Promise<T>,
	explain: (error: NighError) => string | undefined,
): Promise<T> {
	try {
		return await work;
	} catch (error) {
		const cause = error instanceof RefusedRow ? error.cause : error;
		if (!isNighError(cause) || cause.code === "ABORTED") throw cause;
		const imported = written();
		const are = imported === 1 ? "is" : "are";
		const kept = imported === 0 ? "No row is imported." : `The ${countText(imported, "row")} before it ${are} kept.`;
		const { place, message, details } =
			error instanceof RefusedRow ? await placeOf(error.row, path, cause) : placeInFile(cause);
		const sentences = [`${shown(path)}${place}: ${message}`, explain(cause), kept];
		throw new NighError(
			cause.code,
			sentences.filter((each) => each !== undefined).join(" "),
			{ ...cause.details, ...details, path, imported },
			{ cause },
		);
	}
}

/** Where a row that was refused stands. The collection counted from the start of the batch that it was given. */
async function placeOf(row: number, path: string, { message, details }: NighError) {
	const line = formatOf(path) === "jsonl" ? await lineOfRow(path, row) : undefined;
	return {
		place: line === undefined ? `, row ${row}` : `, row ${row} (line ${line})`,
		message: message.replaceAll(` of row ${details.row}`, ""),
		details: { row, ...(line !== undefined && { line }) },
	};
}

/** The place that a reader has put in front of its message, in the words that are used for rows that are refused. */
function placeInFile({ message, details }: NighError) {
	const { format, row, byteOffset, line } = details;
	const lineStart = line === undefined ? "" : `line ${line}: `;
	const start = `${format} file, row ${row}, byte ${byteOffset}: ${lineStart}`;
	const isPlaced = message.startsWith(start);
	const place = line === undefined ? `, row ${row} (byte ${byteOffset})` : `, row ${row} (line ${line})`;
	const inOptions = (isPlaced ? message.slice(start.length) : message).replace(
		/\b(vector|id|text)Field\b/g,
		(_, field: string) => `--${field}-field`,
	);
	return { place: isPlaced ? place : "", message: inOptions, details: {} };
}

/** A path as somebody would type it from here. */
export function shown(path: string): string {
	const fromHere = relative(process.cwd(), path);
	return fromHere === "" || fromHere.startsWith("..") ? path : fromHere;
}
