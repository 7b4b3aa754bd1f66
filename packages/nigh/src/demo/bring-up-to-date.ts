import { createHash } from "node:crypto";
import { BOUNDS, type Collection, type Id, type RecordInput, utf8Length } from "@nigh/contract";
import type { PassageMetadata } from "./database.ts";
import type { Passage } from "./passages.ts";

/** So many files, with so many passages in all. */
export interface Share {
	readonly files: number;
	readonly passages: number;
}

/** What a folder holds, compared with what its database holds. */
export interface Changes {
	readonly new: Share;
	/** Passages as they are now. */
	readonly changed: Share;
	readonly unchanged: Share;
	/** Passages as the database had them. */
	readonly removed: Share;
}

/** What is to be done so that the database holds what the folder holds. */
export interface Plan {
	readonly changes: Changes;
	/** Ids of all passages of files that have changed or gone. */
	readonly outdated: readonly Id[];
	/** The passages of files that are new or have changed, file by file. */
	readonly missing: readonly (readonly RecordInput<PassageMetadata>[])[];
}

interface StoredFile {
	readonly fingerprint: string;
	readonly ids: Id[];
}

/** Passages of one call: enough to fill a transaction, few enough to show progress between two. */
const BATCH = 1_000;

/** Compares the passages of a folder, given in one run for each file, with those in the database. */
export async function planChanges(
	collection: Collection<PassageMetadata>,
	passages: readonly Passage[],
): Promise<Plan> {
	const stored = await storedFiles(collection);
	const changes = { new: none(), changed: none(), unchanged: none(), removed: none() };
	const outdated: Id[] = [];
	const missing: RecordInput<PassageMetadata>[][] = [];
	for (const [file, own] of Map.groupBy(passages, (passage) => passage.file)) {
		const before = stored.get(file);
		const fingerprint = fingerprintOf(own);
		stored.delete(file);
		const kind = before === undefined ? "new" : before.fingerprint === fingerprint ? "unchanged" : "changed";
		add(changes[kind], own.length);
		if (kind === "unchanged") continue;
		outdated.push(...(before?.ids ?? []));
		missing.push(own.map((passage, at) => recordOf(passage, at, fingerprint)));
	}
	for (const { ids } of stored.values()) {
		add(changes.removed, ids.length);
		outdated.push(...ids);
	}
	return { changes, outdated, missing };
}

/**
 * Deletes what is outdated and writes what is missing. A file is written in one call, all or nothing: when this is cut short, the next
 * plan finds what is left to do.
 */
export async function carryOut(
	{ outdated, missing }: Plan,
	collection: Collection<PassageMetadata>,
	onProgress: (done: number, total: number) => void,
): Promise<void> {
	const most = BOUNDS.recordsPerCall.max;
	for (let from = 0; from < outdated.length; from += most) await collection.delete(outdated.slice(from, from + most));
	const total = missing.reduce((sum, file) => sum + file.length, 0);
	let done = 0;
	let batch: RecordInput<PassageMetadata>[] = [];
	for (const [at, file] of missing.entries()) {
		batch.push(...file);
		if (batch.length < BATCH && at < missing.length - 1) continue;
		await collection.upsert(batch);
		done += batch.length;
		batch = [];
		onProgress(done, total);
	}
	// Takes them into the graph now, rather than in the background while the first questions are answered.
	if (outdated.length + total > 0) await collection.optimize();
}

async function storedFiles(collection: Collection<PassageMetadata>): Promise<Map<string, StoredFile>> {
	const files = new Map<string, StoredFile>();
	for await (const { id, metadata } of collection.scan()) {
		const { file = "", fingerprint = "" } = metadata ?? {};
		const known = files.get(file);
		if (known === undefined) files.set(file, { fingerprint, ids: [id] });
		else known.ids.push(id);
	}
	return files;
}

/** Of all that is stored of a file, so that another way of splitting changes it as another content does. */
function fingerprintOf(passages: readonly Passage[]): string {
	return createHash("sha256").update(JSON.stringify(passages)).digest("hex");
}

function recordOf(
	{ file, line, headings, text }: Passage,
	at: number,
	fingerprint: string,
): RecordInput<PassageMetadata> {
	const heading = storable(headings.at(-1) ?? "");
	return {
		id: idOf(file, at),
		text: heading === "" ? storable(text) : `${heading}\n${storable(text)}`,
		metadata: { file, fingerprint, line, heading },
	};
}

function idOf(file: string, at: number): Id {
	const id = `${file}#${at}`;
	if (utf8Length(id) <= BOUNDS.idBytes.max) return id;
	return `${createHash("sha256").update(file).digest("hex")}#${at}`;
}

/** A line that is cut may be cut within a character; and U+0000 is no text. */
function storable(text: string): string {
	return text.toWellFormed().replaceAll("\0", " ");
}

type Counted = { -readonly [K in keyof Share]: Share[K] };

function none(): Counted {
	return { files: 0, passages: 0 };
}

function add(share: Counted, passages: number): void {
	share.files++;
	share.passages += passages;
}
