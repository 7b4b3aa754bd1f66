import type { FilterNode } from "@nigh/contract";
import { vectorBytes } from "../memory/rows.ts";
import type { Breach } from "../recall/served.ts";
import type { ExaminedCollection } from "./examined-collection.ts";
import { readState, readTable, writeRecallFile } from "./file.ts";
import { Process, type SavedProcess } from "./process.ts";
import { digestOf, type KeptQuery, type Stratum } from "./stratum.ts";

interface SavedStratum {
	readonly k: number;
	readonly band: number;
	readonly targets: readonly number[];
	readonly byQueries: SavedProcess | null;
	readonly byHeldOut: SavedProcess | null;
	readonly breach: Breach | null;
	readonly rebuilds: number;
	/** Of each query; the vectors are in the same order. */
	readonly queries: readonly SavedQuery[];
}

/** Its filter, whether it places ladders, whether `byQueries` has measured it, whether somebody has given it, and its place in the order. */
type SavedQuery = readonly [node: FilterNode | null, isPilot: 0 | 1, isUsed: 0 | 1, isGiven: 0 | 1, rank: number];

interface Saved {
	/** Bytes of one vector. */
	readonly vectorBytes: number;
	readonly strata: readonly SavedStratum[];
}

/** Writes down what is known of a collection. Queries that must not be logged are not in it. */
export function save(path: string, databaseId: string, { spec, strata, table, tuned }: ExaminedCollection): void {
	const vectors: Uint8Array[] = [];
	const saved = [...strata.values()].map((stratum): SavedStratum => {
		const queries = spec.logQueries ? stratum.queries.items : [];
		for (const { vector } of queries) vectors.push(bytesOf(vector));
		const { k, band, targets, byQueries, byHeldOut, breach = null, rebuilds } = stratum;
		return {
			k,
			band,
			targets: [...targets],
			byQueries: byQueries?.saved ?? null,
			byHeldOut: byHeldOut?.saved ?? null,
			breach,
			rebuilds,
			queries: queries.map(({ node = null, isPilot, usedBy, given, rank }) => [
				node,
				isPilot ? 1 : 0,
				usedBy !== undefined && usedBy === byQueries ? 1 : 0,
				given === undefined ? 0 : 1,
				rank,
			]),
		};
	});
	const state: Saved = { vectorBytes: vectors[0]?.length ?? 0, strata: saved };
	writeRecallFile(path, { databaseId, table: { ...table, tuned }, state, vectors });
}

/** Takes in what was written down. What is not of this database, or cannot be what was written, is as if it were not there. */
export function restore(path: string, databaseId: string, collection: ExaminedCollection): void {
	const { key } = collection;
	const file = readState(path, databaseId, key);
	if (file === undefined) return;
	const { format } = collection.searcher.generation.handle;
	try {
		const saved = file.state as Saved;
		const count = saved.strata.reduce((sum, { queries }) => sum + queries.length, 0);
		// Of vectors of another length, none are of this collection.
		if (file.vectors.length !== count * saved.vectorBytes) return;
		if (count > 0 && saved.vectorBytes !== vectorBytes(format)) return;
		let at = 0;
		for (const each of saved.strata) {
			const bytes = each.queries.length * saved.vectorBytes;
			restoreStratum(collection, each, file.vectors.subarray(at, at + bytes));
			at += bytes;
		}
		collection.tuned = readTable(path, databaseId, key)?.tuned;
		// What must not be kept any more is to go from the disk too.
		if (!collection.spec.logQueries && count > 0) collection.isChanged = true;
	} catch {
		collection.strata.clear();
	}
}

function restoreStratum(collection: ExaminedCollection, saved: SavedStratum, vectors: Uint8Array): void {
	const { metric } = collection.searcher.generation.handle.format;
	const stratum = collection.stratum(saved.k, saved.band);
	restoreKnown(stratum, saved);
	const length = saved.queries.length === 0 ? 0 : vectors.length / saved.queries.length;
	if (collection.spec.logQueries) {
		for (const [i, [filter, isPilot, isUsed, isGiven, rank]] of saved.queries.entries()) {
			const bytes = Uint8Array.from(vectors.subarray(i * length, (i + 1) * length));
			const vector = metric === "hamming" ? bytes : new Float32Array(bytes.buffer);
			const node = filter ?? undefined;
			const given = isGiven === 1 ? { given: digestOf({ vector, node }) } : {};
			const query: KeptQuery = { vector, node, isPilot: isPilot === 1, rank, ...given };
			if (isUsed === 1 && stratum.byQueries !== undefined) query.usedBy = stratum.byQueries;
			stratum.queries.admit(query);
		}
	}
	stratum.beginIndex(collection.identity);
}

function restoreKnown(stratum: Stratum, saved: SavedStratum): void {
	for (const target of saved.targets) stratum.addTarget(target);
	const targets = [...stratum.targets];
	if (saved.byQueries !== null) stratum.byQueries = Process.from(saved.byQueries, targets);
	if (saved.byHeldOut !== null) stratum.byHeldOut = Process.from(saved.byHeldOut, targets);
	stratum.breach = saved.breach ?? undefined;
	stratum.rebuilds = saved.rebuilds;
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
	return new Uint8Array(buffer, byteOffset, byteLength);
}
