import { type Stats, statSync } from "node:fs";
import { relative } from "node:path";
import { type Collection, type CollectionSpec, type Database, isNighError, NighError } from "@nigh/contract";
import { formatOf } from "@nigh/formats";
import { lineOfRow } from "./line-of-row.ts";
import { type ImportProgress, isStillThere, ProgressNote } from "./progress-note.ts";
import { type RowBatch, rowBatches } from "./row-batches.ts";
import type { ImportSettings } from "./settings.ts";
import { RefusedRow, writeBatches } from "./write-batches.ts";

/** What an import has written. */
export interface Imported {
	readonly collection: Collection;
	/** Rows written now. */
	readonly rows: number;
	/** Rows that an earlier run had written. */
	readonly skipped: number;
}

export interface ImportOptions {
	readonly signal: AbortSignal;
	/** Told after each write: rows written by this run, and bytes of the file that have been read, of how many. */
	readonly onProgress: (rows: number, bytesRead: number, bytes: number) => void;
}

/**
 * Imports a file, going on where an earlier run of the same import was interrupted.
 *
 * @throws NighError `NOT_FOUND` (the file), `INVALID_FILE` and what else `readVectors` and `upsert` throw, with file, row and line; `ABORTED`.
 */
export async function importFile(
	database: Database,
	settings: ImportSettings,
	file: Stats,
	{ signal, onProgress }: ImportOptions,
): Promise<Imported> {
	const { folder, collection: name, file: path, reading } = settings;
	const exists = (await database.collections()).includes(name);
	const opened = exists ? await database.collection(name, specOf(settings)) : undefined;
	const stored = (await opened?.stats())?.effective;
	const identity = { collection: name, file: path, bytes: file.size, modifiedMs: file.mtimeMs, reading };
	const note = new ProgressNote(folder, identity);
	const noted = opened === undefined ? undefined : note.read();
	const earlier =
		opened !== undefined && noted !== undefined && (await isStillThere(opened, noted)) ? noted : undefined;
	const skip = earlier?.rows ?? 0;

	const type = stored?.type ?? (settings.metric === "hamming" ? "bit" : "float");
	const batches = rowBatches(path, reading, { type, skip, size: settings.batch, signal });
	const first = await inTheFile(path, () => skip, batches.next());
	// Only now: a file that cannot be read leaves no collection behind.
	const collection = opened ?? (await database.collection(name, specOf(settings, first.value?.dimensions)));
	let rows = skip;
	if (first.done !== true) {
		const firstId = earlier?.firstId ?? (first.value.records[0]?.id as string);
		const writing = writeBatches(collection, startingWith(first.value, batches), ({ bytesRead, ...progress }) => {
			rows = progress.rows;
			note.write({ ...progress, firstId } satisfies ImportProgress);
			onProgress(rows - skip, bytesRead, file.size);
		});
		await inTheFile(path, () => rows, writing);
	}
	note.remove();
	return { collection, rows: rows - skip, skipped: skip };
}

/** @throws NighError `NOT_FOUND`, `INVALID_FILE`. */
export function checkFile(path: string): Stats {
	const stats = statSync(path, { throwIfNoEntry: false });
	if (stats === undefined) throw new NighError("NOT_FOUND", `There is no file ${shown(path)}.`, { path });
	if (stats.isFile()) return stats;
	throw new NighError("INVALID_FILE", `${shown(path)} is no file that can be read twice; write what it gives to one.`, {
		path,
	});
}

function specOf({ metric, index, filterable }: ImportSettings, dimensions?: number): CollectionSpec {
	return {
		...(dimensions !== undefined && { dimensions }),
		...(metric !== undefined && { metric }),
		...(metric === "hamming" && { type: "bit" }),
		...(index !== undefined && { index }),
		...(filterable !== undefined && { filterable }),
	};
}

async function* startingWith(first: RowBatch, rest: AsyncGenerator<RowBatch, void>): AsyncGenerator<RowBatch, void> {
	try {
		yield first;
		yield* rest;
	} finally {
		await rest.return();
	}
}

/** Puts the file, the row and the line in front of an error, and what has been written behind it. */
async function inTheFile<T>(path: string, written: () => number, work: Promise<T>): Promise<T> {
	try {
		return await work;
	} catch (error) {
		const cause = error instanceof RefusedRow ? error.cause : error;
		if (!isNighError(cause) || cause.code === "ABORTED") throw cause;
		const imported = written();
		const kept = imported === 0 ? "No row is imported." : `The ${imported} rows before it are kept.`;
		const { place, message, details } =
			error instanceof RefusedRow
				? await placeOf(error.row, path, cause)
				: { place: "", message: cause.message, details: {} };
		throw new NighError(
			cause.code,
			`${shown(path)}${place}: ${message} ${kept}`,
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

function shown(path: string): string {
	const fromHere = relative(process.cwd(), path);
	return fromHere === "" || fromHere.startsWith("..") ? path : fromHere;
}
