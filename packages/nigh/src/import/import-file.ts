import { type Stats, statSync } from "node:fs";
import {
	type Collection,
	type CollectionSpec,
	type Database,
	type EffectiveSettings,
	type Embedder,
	NighError,
} from "@nigh/contract";
import { newEmbedder, ownEmbedder } from "../database/own-embedder.ts";
import { type ChangedSetting, changedSettings } from "./changed-settings.ts";
import { contradiction, noVector } from "./explain.ts";
import { inTheFile, shown } from "./in-the-file.ts";
import { type ImportProgress, isStillThere, ProgressNote } from "./progress-note.ts";
import { type RowBatch, rowBatches } from "./row-batches.ts";
import type { ImportSettings } from "./settings.ts";
import { writeBatches } from "./write-batches.ts";

/** What an import has written. */
export interface Imported {
	readonly collection: Collection;
	/** Rows written now. */
	readonly rows: number;
	/** Rows that an earlier run had written. */
	readonly skipped: number;
	/** What was changed about a collection that was there. */
	readonly changed: readonly ChangedSetting[];
}

export interface ImportOptions {
	readonly signal: AbortSignal;
	/** Told before anything is written what the import changes about a collection that is there. */
	readonly onChanged?: (changed: readonly ChangedSetting[]) => void;
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
	{ signal, onChanged = () => {}, onProgress }: ImportOptions,
): Promise<Imported> {
	const { folder, collection: name, file: path, reading } = settings;
	const { opened, embedder, before } = await openedAs(database, settings);
	const stored = (await opened?.stats())?.effective;
	const changed = before === undefined || stored === undefined ? [] : changedSettings(before, stored);
	if (changed.length > 0) onChanged(changed);
	const identity = { collection: name, file: path, bytes: file.size, modifiedMs: file.mtimeMs, reading };
	const note = new ProgressNote(folder, identity);
	const noted = opened === undefined ? undefined : note.read();
	const earlier =
		opened !== undefined && noted !== undefined && (await isStillThere(opened, noted)) ? noted : undefined;
	const skip = earlier?.rows ?? 0;

	const type = stored?.type ?? (settings.metric === "hamming" ? "bit" : "float");
	const embeds = reading.format === "jsonl" && embedder !== undefined;
	const batches = rowBatches(path, reading, { type, embeds, skip, size: settings.batch, signal });
	const explain = (error: NighError) => noVector(error, reading, name, stored?.embedder ?? null);
	const first = await inTheFile(path, () => skip, batches.next(), explain);
	// Only now: a file that cannot be read leaves no collection behind.
	const spec = specOf(settings, embedder, first.value?.dimensions);
	const collection = opened ?? (await database.collection(name, spec));
	let rows = skip;
	if (first.done !== true) {
		const firstId = earlier?.firstId ?? (first.value.records[0]?.id as string);
		const writing = writeBatches(collection, startingWith(first.value, batches), ({ bytesRead, ...progress }) => {
			rows = progress.rows;
			note.write({ ...progress, firstId } satisfies ImportProgress);
			onProgress(rows - skip, bytesRead, file.size);
		});
		await inTheFile(path, () => rows, writing, explain);
	}
	note.remove();
	return { collection, rows: rows - skip, skipped: skip, changed };
}

interface Opened {
	/** The collection, where there is one already. */
	readonly opened: Collection | undefined;
	/** What makes vectors of texts, where the collection has, or is to have, an embedder that a command can use. */
	readonly embedder: Embedder | undefined;
	/** How the collection was before. */
	readonly before: EffectiveSettings | undefined;
}

/** @throws NighError `SPEC_CONFLICT` where a setting contradicts the collection. */
async function openedAs(database: Database, settings: ImportSettings): Promise<Opened> {
	const { collection: name, embedder: asked } = settings;
	const made = asked === undefined ? undefined : newEmbedder(asked);
	if (!(await database.collections()).includes(name)) return { opened: undefined, embedder: made, before: undefined };
	const before = (await (await database.collection(name)).stats()).effective;
	const embedder = ownEmbedder(before.embedder);
	try {
		return { opened: await database.collection(name, specOf(settings, embedder ?? made)), embedder, before };
	} catch (error) {
		throw contradiction(error, name);
	}
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

function specOf(
	{ metric, index, recall, latencyMs, maxMB, filterable }: ImportSettings,
	embedder: Embedder | undefined,
	dimensions?: number,
): CollectionSpec {
	return {
		...(embedder !== undefined && { embedder }),
		...(dimensions !== undefined && { dimensions }),
		...(metric !== undefined && { metric }),
		...(metric === "hamming" && { type: "bit" }),
		...(index !== undefined && { index }),
		...(recall !== undefined && { recall }),
		...(latencyMs !== undefined && { latencyMs }),
		...(maxMB !== undefined && { memory: { maxMB } }),
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
