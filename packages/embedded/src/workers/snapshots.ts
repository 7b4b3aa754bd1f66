import { randomUUID } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { isNighError, NighError } from "@nigh/contract";
import { type HnswSource, IVF_KINDS, restoreHnsw, restoreIvf } from "@nigh/index";
import { type Arena, rowBytes } from "@nigh/kernels";
import { DELETED, type Generation, type IndexIdentity, type VectorFormat } from "../memory/generation.ts";
import { vectorBytes } from "../memory/rows.ts";
import { type CatalogueEntry, chosenIndex, isOnDisk, type StoredSpec } from "../records/catalogue.ts";
import { removeUnused } from "../row-files/folder.ts";
import type { RowSegment } from "../row-files/segments.ts";
import { corrupt } from "../snapshot/corrupt.ts";
import { listSnapshots, removeOlder, snapshotPath } from "../snapshot/folder.ts";
import { namesRowFiles } from "../snapshot/header.ts";
import type { PaceOptions } from "../snapshot/pace.ts";
import { type Expectation, openSnapshot, readInfo, type Snapshot } from "../snapshot/read.ts";
import { rowFilesNamed, rowsToSave, savedRows, verifyRows } from "../snapshot/saved-rows.ts";
import { checkSpace } from "../snapshot/space.ts";
import { type SectionSource, writeSnapshot } from "../snapshot/write.ts";
import { type Built, restoredBuilt, savedBuilt } from "./built.ts";
import type { IndexedCollection } from "./indexed-collection.ts";
import { KeptRows, type RowPlace } from "./kept-rows.ts";
import { graphParameters, type Main, type MainIndex } from "./main-index.ts";
import { tailRowsUnder } from "./memory-plan.ts";
import type { IndexProblem, WorkerData } from "./messages.ts";
import { type Owned, ownGeneration } from "./next-generation.ts";
import { SNAPSHOTS_KEPT } from "./parameters.ts";
import { ENGINE } from "./version.ts";

/**
 * A snapshot holds the main index and the slots that are in it: labels, ids, when they expire, which are dead. What is in the tail is
 * read from the records again on opening, as is everything that changed after the snapshot's number.
 */
export async function saveSnapshot(
	{ snapshots, records, databaseId }: Pick<WorkerData, "snapshots" | "records" | "databaseId">,
	collection: IndexedCollection,
	pace: PaceOptions = {},
): Promise<{ bytes: number; durationMs: number; change: number }> {
	const start = performance.now();
	const { generation, owned, key, name } = collection;
	const built = collection.built === undefined ? undefined : { ...savedBuilt(collection.built, generation) };
	// What dies from here on may be in the file or not: its tombstone has a larger number, so it is applied again on opening.
	const { change } = generation;
	const slots = generation.mainEnd;
	const main = owned.main as Main;
	// Beside an index of so many slots there are as many rows, unless the last fold came to grief half-way.
	if (owned.rows !== undefined && owned.rows.end !== slots) throw halfFolded(name);
	const rows = owned.rows?.saved();
	const { state, sections: parts } = main.parts();
	const nextLabel = slots === 0 ? 0 : (generation.labels[slots - 1] as number) + 1;
	const dead = deletedSlots(generation, slots);
	const identity = savedIdentity(generation, dead);
	const sections: SectionSource[] = [
		...slotSections(generation, dead),
		...parts.map(({ name, bytes }) => section(`${INDEX}${name}`, "u8", bytes)),
	];
	// All that is to be saved is known: what is taken in from here on is not in it.
	const saved = rows && rowsToSave(await rows);
	if (saved !== undefined) sections.push(saved.section);
	checkSpace(
		snapshots,
		sections.reduce((sum, { bytes }) => sum + bytes, 0),
		records,
	);
	const path = snapshotPath(snapshots, key, change);
	const header = await writeSnapshot(
		path,
		{
			databaseId,
			collection: { key, name },
			change,
			nextLabel,
			records: generation.live,
			createdAt: Date.now(),
			engine: ENGINE,
			index: {
				kind: main.kind,
				parameters: {
					...state,
					...(built !== undefined && { built }),
					...(identity !== undefined && { identity }),
					...saved?.parameters,
					...(collection.plannedMB !== undefined && { plannedMB: collection.plannedMB }),
				},
			},
		},
		sections,
		pace,
	);
	forgetDamaged(collection, path);
	removeOlder(snapshots, key, SNAPSHOTS_KEPT);
	removeUnusedRows({ snapshots, databaseId }, collection);
	collection.snapshotChange = change;
	collection.oldestSnapshot = oldestSnapshot(snapshots, key);
	collection.snapshotMain = slots;
	collection.changedBefore = 0;
	collection.snapshotAt = performance.now();
	const bytes = header.sections.reduce((sum, section) => sum + section.bytes, 0);
	return { bytes, durationMs: performance.now() - start, change };
}

/** Removes the row files that neither a snapshot nor the generation that serves knows of. */
export function removeUnusedRows(
	{ snapshots, databaseId }: Pick<WorkerData, "snapshots" | "databaseId">,
	{ key, owned }: Pick<IndexedCollection, "key" | "owned">,
): void {
	const used = new Set(owned.rows?.segments.map(({ file }) => file));
	for (const { path, change } of listSnapshots(snapshots, key)) {
		for (const { file } of segmentsNamed(path, { databaseId, key, change })) used.add(file);
	}
	removeUnused(snapshots, key, used);
}

/** Of one that cannot be read nothing is used. */
function segmentsNamed(path: string, expected: Required<Expectation>): readonly RowSegment[] {
	try {
		const info = readInfo(path, expected);
		return namesRowFiles(info) ? rowFilesNamed(info, expected.key).segments : [];
	} catch {
		return [];
	}
}

/**
 * Removes all snapshots but the newest, once everything in that one, and in the row files that it names, has been read back and matches its
 * checksums: nothing stands in for it any more.
 *
 * @throws NighError `CORRUPT_SNAPSHOT`, `NOT_FOUND` (a row file): the newest does not hold, and those before it have stayed.
 */
export async function keepNewest(
	{ snapshots, databaseId }: Pick<WorkerData, "snapshots" | "databaseId">,
	collection: IndexedCollection,
): Promise<void> {
	const { key } = collection;
	const [newest, ...older] = listSnapshots(snapshots, key);
	if (newest === undefined || older.length === 0) return;
	const snapshot = openSnapshot(newest.path, { databaseId, key, change: newest.change });
	try {
		await snapshot.verifyAll();
		await verifyRows(snapshot, snapshots, { databaseId, key });
	} finally {
		snapshot.close();
	}
	removeOlder(snapshots, key, 1);
	removeUnusedRows({ snapshots, databaseId }, collection);
	collection.oldestSnapshot = newest.change;
}

/** Removes every snapshot of a collection that keeps no index: on opening, an old one would be taken for its own. */
export function discardSnapshots({ snapshots }: Pick<WorkerData, "snapshots">, collection: IndexedCollection): void {
	removeOlder(snapshots, collection.key, 0);
	removeUnused(snapshots, collection.key, new Set(collection.owned.rows?.segments.map(({ file }) => file)));
	forgetDamaged(collection);
	collection.snapshotChange = null;
	collection.oldestSnapshot = null;
}

/** The change of the oldest snapshot on disk: reading it again needs the tombstones of every change after it. */
export function oldestSnapshot(snapshots: string, key: number): number | null {
	return listSnapshots(snapshots, key).at(-1)?.change ?? null;
}

/** What was damaged has been replaced, maybe under its own name. */
function forgetDamaged(collection: IndexedCollection, written?: string): void {
	for (const path of collection.damaged) if (path !== written) rmSync(path, { force: true });
	collection.damaged = [];
	collection.problems.delete("snapshot-damaged");
}

/** By slot: 1 where it is deleted. What has expired is told by its time: the clock may have gone back by the time this is read. */
function deletedSlots(generation: Generation, slots: number): Uint8Array {
	const dead = new Uint8Array(slots);
	for (let slot = 0; slot < slots; slot++) if (generation.isDeleted(slot)) dead[slot] = 1;
	return dead;
}

/** Which index it is that is saved, and what {@link churnOf} would tell of it as it is saved. */
type SavedIdentity = { readonly id: string; readonly churn: number };

function savedIdentity(generation: Generation, dead: Uint8Array): SavedIdentity | undefined {
	const { identity } = generation.handle;
	if (identity === undefined) return undefined;
	let churn = identity.offset + dead.reduce((sum, each) => sum + each, dead.length);
	// What has died in the tail will not come again. What has expired is counted again as soon as somebody looks.
	for (let slot = dead.length; slot < generation.slotEnd; slot++) if (generation.isDeleted(slot)) churn++;
	return { id: identity.id, churn };
}

/** The identity of an index that was read; another one where its snapshot tells none, as those of earlier versions do not. */
function restoredIdentity(saved: unknown, { mainEnd, dead }: Generation): IndexIdentity {
	const { id, churn } = (saved ?? {}) as Partial<SavedIdentity>;
	if (typeof id !== "string" || !Number.isSafeInteger(churn)) return { id: randomUUID(), offset: 0 };
	return { id, offset: (churn as number) - mainEnd - dead };
}

function slotSections(generation: Generation, dead: Uint8Array): SectionSource[] {
	const slots = dead.length;
	const idBytes = generation.idStarts[slots] as number;
	// A copy: the writer may change it while it is written, and then its checksum would be another one.
	const expires = generation.expires.slice(0, slots);
	return [
		section("labels", "u32", generation.labels.subarray(0, slots)),
		section("dead", "u8", dead),
		...(expires.every((time) => time === Number.POSITIVE_INFINITY) ? [] : [section("expires", "f64", expires)]),
		section("idStarts", "u32", generation.idStarts.subarray(0, slots + 1)),
		section("ids", "u8", generation.ids.subarray(0, idBytes)),
	];
}

function section(
	name: string,
	element: "u8" | "u32" | "f64",
	{ buffer, byteOffset, byteLength }: ArrayBufferView,
): SectionSource {
	return { name, element, bytes: byteLength, chunks: [new Uint8Array(buffer, byteOffset, byteLength)] };
}

/** What the names of the main index's sections begin with. */
const INDEX = "index.";

/** What opening found. */
export interface Recovered {
	/** `undefined`: no snapshot that is sound, so the index is built anew from the records. */
	readonly owned: Owned | undefined;
	readonly change: number;
	/** Labels from here on are not in it. */
	readonly fromLabel: number;
	/** When it was taken: ms since 1970. */
	readonly savedAt?: number | undefined;
	/** What its index was when it was built, and the cap that it was chosen for. */
	readonly built?: Built | undefined;
	readonly plannedMB?: number | undefined;
	readonly problems: readonly IndexProblem[];
	/** Snapshots that are of no use. */
	readonly damaged: readonly string[];
}

/**
 * Reads the newest snapshot that is sound. One that is damaged, newer than we are, or of another collection, is reported and passed over, as is
 * one for which there is no memory; one from before tombstones were given up is passed over as if it were not there.
 *
 * @param number What the generation is to be numbered.
 * @throws what says nothing of the snapshot: `READ_ONLY`, `DISK_FULL`, too many open files.
 */
export async function recoverSnapshot(
	files: Pick<WorkerData, "snapshots" | "records" | "databaseId" | "readOnly">,
	collection: Pick<CatalogueEntry, "key" | "change" | "records" | "reclaimedThrough">,
	format: VectorFormat,
	spec: StoredSpec,
	number = 1,
): Promise<Recovered> {
	const { snapshots, records, databaseId, readOnly } = files;
	const problems: IndexProblem[] = [];
	const damaged: string[] = [];
	const listed = listSnapshots(snapshots, collection.key);
	for (let next = listed.shift(); next !== undefined; next = listed.shift()) {
		const { path, change } = next;
		if (change > collection.change) {
			// Another process may have written it just now.
			if (!readOnly) problems.push(fromTheFuture(path, change, collection.change));
			continue;
		}
		// What has been deleted since would be found for ever. Those behind it are older still.
		if (change < collection.reclaimedThrough) break;
		try {
			const snapshot = openSnapshot(path, { databaseId, key: collection.key, change });
			try {
				const place = { folder: snapshots, key: collection.key, databaseId, records, readOnly };
				const owned = read(snapshot, collection.records, format, spec, number, place);
				const { nextLabel, index } = snapshot.info;
				return {
					owned,
					change,
					fromLabel: nextLabel,
					savedAt: snapshot.info.createdAt,
					built: restoredBuilt(index.parameters.built, owned.generation),
					plannedMB: typeof index.parameters.plannedMB === "number" ? index.parameters.plannedMB : undefined,
					problems,
					damaged,
				};
			} finally {
				snapshot.close();
			}
		} catch (error) {
			// The writer has removed it since: there is another one.
			if (readOnly && !existsSync(path)) {
				listed.splice(0, listed.length, ...listSnapshots(snapshots, collection.key));
				continue;
			}
			if (saysNothing(error)) throw error;
			const message = error instanceof Error ? error.message : String(error);
			// Where there is more memory, it is of use again.
			const isSound = isNighError(error, "MEMORY_LIMIT");
			if (!isSound) damaged.push(path);
			problems.push({ code: isSound ? "snapshot-unread" : "snapshot-damaged", message });
		}
	}
	return { owned: undefined, change: 0, fromLabel: 0, problems, damaged };
}

/**
 * Whether an error is of the moment or the place, not of the snapshot: a sound one must not go for it. Whatever else it is, the index can
 * always be built from the records.
 */
function saysNothing(error: unknown): boolean {
	if (isNighError(error)) return error.code === "READ_ONLY" || error.code === "DISK_FULL";
	// Of the system: too many open files, say. What the disk cannot give back is lost.
	const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
	return syscall !== undefined && code !== "EIO";
}

/**
 * The records have gone back: they were replaced by older ones, or acknowledged writes were lost. The snapshot goes: once they have come as
 * far again, it would be taken for theirs.
 */
function fromTheFuture(path: string, change: number, last: number): IndexProblem {
	rmSync(path, { force: true });
	const message = `a snapshot knew of the change ${change}, and the records end at ${last}: they were replaced by older ones, or lost writes.`;
	return { code: "records-behind", message };
}

function read(
	snapshot: Snapshot,
	records: number,
	format: VectorFormat,
	spec: StoredSpec,
	number: number,
	place: RowPlace,
): Owned {
	const bytesOf = new Map(snapshot.info.sections.map(({ name, bytes }) => [name, bytes]));
	const slots = (bytesOf.get("labels") ?? 0) / 4;
	const idBytes = bytesOf.get("ids") ?? 0;
	const { kind, parameters } = snapshot.info.index;
	const cells = IVF_KINDS.find((each) => each === kind);
	const wanted: MainIndex =
		cells === undefined
			? graphParameters(chosenIndex(spec))
			: { kind: cells, storage: parameters.storage === "disk" ? "disk" : "memory" };
	return ownGeneration(
		number,
		format,
		rowBytes(vectorBytes(format)),
		{ records: Math.max(records, slots), idBytes, mostTailRows: tailRowsUnder(spec, format) },
		wanted,
		(arena, view) => {
			const into = (name: string, { buffer, byteOffset, byteLength }: ArrayBufferView) =>
				snapshot.readSection(name, new Uint8Array(buffer, byteOffset, byteLength));
			into("labels", view.labels.subarray(0, slots));
			into("idStarts", view.idStarts.subarray(0, slots + 1));
			into("ids", view.ids.subarray(0, idBytes));
			view.expires.fill(Number.POSITIVE_INFINITY, 0, slots);
			if (bytesOf.has("expires")) into("expires", view.expires.subarray(0, slots));
			view.died.fill(Number.POSITIVE_INFINITY, 0, slots);
			view.slotEnd = slots;
			view.mainEnd = slots;
			view.ringFree = slots;
			const dead = new Uint8Array(slots);
			into("dead", dead);
			for (let slot = 0; slot < slots; slot++) if (dead[slot] !== 0) view.kill(slot, DELETED);
			view.noteExpiries();
			view.publish(snapshot.info.change);
			checkSlots(view, slots, idBytes);
			const main = restored(snapshot, { arena, reserve: view.size.capacity });
			if (main.kind !== snapshot.info.index.kind || !fitsFormat(main, format, slots)) {
				throw new NighError("CORRUPT_SNAPSHOT", `${snapshot.info.path} has an index that does not fit its collection.`);
			}
			const rows = isOnDisk(main) ? restoredRows(snapshot, view.size.rowBytes, place) : undefined;
			return { main, rows, identity: restoredIdentity(parameters.identity, view) };
		},
	);
}

/** The rows that a snapshot names; a file of their own for what is still to come. */
function restoredRows(snapshot: Snapshot, rowBytes: number, place: RowPlace): KeptRows {
	const saved = savedRows(snapshot, place.key);
	if (saved.rowBytes !== rowBytes) {
		throw corrupt(snapshot.info.path, `rows of ${saved.rowBytes} bytes do not fit a collection with ${rowBytes}`, 0);
	}
	const kept = new KeptRows(place, rowBytes, saved);
	try {
		kept.check();
		return kept;
	} catch (error) {
		kept.discard();
		throw error;
	}
}

function halfFolded(name: string): NighError {
	const message = `rows of ${JSON.stringify(name)} are on disk that its index has not taken in yet: it is tried again`;
	return new NighError("UNAVAILABLE", message);
}

function restored(snapshot: Snapshot, options: { readonly arena: Arena; readonly reserve: number }): Main {
	const { path, index } = snapshot.info;
	if (index.kind === "hnsw") return restoreHnsw(sourceOf(snapshot), options);
	if (IVF_KINDS.some((kind) => kind === index.kind)) return restoreIvf(sourceOf(snapshot), options);
	throw new NighError("CORRUPT_SNAPSHOT", `${path} has an index of the kind ${index.kind}.`);
}

/** The main index in a snapshot, each section of which is read straight to where it stays. */
function sourceOf(snapshot: Snapshot): HnswSource {
	const { index, sections } = snapshot.info;
	return {
		state: index.parameters,
		sections: sections
			.filter(({ name }) => name.startsWith(INDEX))
			.map(({ name, bytes }) => ({ name: name.slice(INDEX.length), bytes })),
		read: (name, into) => snapshot.readSection(`${INDEX}${name}`, into),
	};
}

function fitsFormat(main: Main, { metric, dimensions }: VectorFormat, slots: number): boolean {
	return main.metric === metric && main.dimensions === dimensions && main.nextLabel <= slots;
}

/** What bisection and reading ids rely on. */
function checkSlots({ labels, idStarts, handle }: Generation, slots: number, idBytes: number): void {
	for (let slot = 1; slot < slots; slot++) {
		const isOrdered = (labels[slot - 1] as number) < (labels[slot] as number);
		if (!isOrdered || (idStarts[slot] as number) > (idStarts[slot + 1] as number)) {
			throw new NighError("CORRUPT_SNAPSHOT", `the slots of generation ${handle.number} are out of order at ${slot}.`);
		}
	}
	if (idStarts[0] === 0 && idStarts[slots] === idBytes) return;
	throw new NighError("CORRUPT_SNAPSHOT", "the ids of the snapshot are not as long as its slots say.");
}
