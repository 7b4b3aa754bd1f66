import type { FilterNode } from "@nigh/contract";
import { Detector, type DetectorState } from "@nigh/recall";
import type { Breach } from "../recall/served.ts";
import type { ExaminedCollection } from "./examined-collection.ts";
import { readState, readTable, writeRecallFile } from "./file.ts";
import { Process, type SavedProcess } from "./process.ts";
import type { KeptQuery, Stratum } from "./stratum.ts";

/** The version of what is written: another one is not read. */
const FORMAT = 1;

interface SavedStratum {
	readonly k: number;
	readonly band: number;
	readonly targets: readonly number[];
	readonly byQueries: SavedProcess | null;
	readonly byHeldOut: SavedProcess | null;
	readonly detectors: readonly (readonly [target: number, state: DetectorState])[];
	readonly breach: Breach | null;
	readonly rebuilds: number;
	/** Of each query: its filter, whether it places ladders, and whether `byQueries` has measured it. The vectors are in the same order. */
	readonly queries: readonly (readonly [node: FilterNode | null, isPilot: 0 | 1, isUsed: 0 | 1])[];
}

interface Saved {
	readonly format: number;
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
		const { k, band, targets, byQueries, byHeldOut, detectors, breach = null, rebuilds } = stratum;
		return {
			k,
			band,
			targets: [...targets],
			byQueries: byQueries?.saved ?? null,
			byHeldOut: byHeldOut?.saved ?? null,
			detectors: [...detectors].map(([target, { state }]) => [target, state] as const),
			breach,
			rebuilds,
			queries: queries.map(({ node = null, isPilot, usedBy }) => [
				node,
				isPilot ? 1 : 0,
				usedBy !== undefined && usedBy === byQueries ? 1 : 0,
			]),
		};
	});
	const state: Saved = { format: FORMAT, vectorBytes: vectors[0]?.length ?? 0, strata: saved };
	writeRecallFile(path, { databaseId, table: { ...table, tuned }, state, vectors });
}

/** Takes in what was written down. What is not of this database, or cannot be what was written, is as if it were not there. */
export function restore(path: string, databaseId: string, collection: ExaminedCollection): void {
	const { key } = collection;
	const file = readState(path, databaseId, key);
	const saved = file?.state as Saved | undefined;
	if (file === undefined || saved?.format !== FORMAT) return;
	collection.tuned = readTable(path, databaseId, key)?.tuned;
	const { metric } = collection.searcher.generation.handle.format;
	let at = 0;
	for (const each of saved.strata) {
		const stratum = collection.stratum(each.k, each.band);
		restoreStratum(stratum, each);
		for (const [node, isPilot, isUsed] of each.queries) {
			const bytes = Uint8Array.from(file.vectors.subarray(at, at + saved.vectorBytes));
			at += saved.vectorBytes;
			const vector = metric === "hamming" ? bytes : new Float32Array(bytes.buffer);
			const query: KeptQuery = { vector, node: node ?? undefined, isPilot: isPilot === 1 };
			if (isUsed === 1 && stratum.byQueries !== undefined) query.usedBy = stratum.byQueries;
			if (collection.spec.logQueries) stratum.queries.admit(query);
		}
		stratum.beginIndex(collection.identity);
	}
}

function restoreStratum(stratum: Stratum, saved: SavedStratum): void {
	for (const target of saved.targets) stratum.addTarget(target);
	const targets = [...stratum.targets];
	if (saved.byQueries !== null) stratum.byQueries = Process.from(saved.byQueries, targets);
	if (saved.byHeldOut !== null) stratum.byHeldOut = Process.from(saved.byHeldOut, targets);
	stratum.breach = saved.breach ?? undefined;
	stratum.rebuilds = saved.rebuilds;
	for (const [target, state] of saved.detectors) {
		const detector = Detector.from(target, state);
		if (detector !== undefined) stratum.detectors.set(target, detector);
	}
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
	return new Uint8Array(buffer, byteOffset, byteLength);
}
