import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Collection, SearchResult, ShareHandle } from "@nigh/contract";
import { createRandom, type Random } from "@nigh/contract/suite";
import { openFolder } from "@nigh/embedded";
import { DIMENSIONS, idOf, vectorFor } from "./records.ts";

/** Records that are replaced over and over, and as many beside them that stay. */
const REPLACED = 300;
const STAYING = 300;
/** Callers that search at the same time, and threads that do. */
const CALLERS = 3;
const THREADS = 2;
const EVERYTHING = 10_000;

export interface BesideOptions {
	readonly writes: number;
	readonly seed: number;
	/** Go on for so many seconds, however many writes there have been. */
	readonly seconds?: number;
}

export interface BesideResult {
	writes: number;
	searches: number;
	readonly failures: string[];
}

/** What a searching thread is given. */
export interface ThreadData {
	readonly handle: ShareHandle;
	readonly versions: Versions;
	readonly seed: number;
	/** 1: end. */
	readonly isOver: Int32Array;
}

export interface ThreadResult {
	readonly searches: number;
	readonly failure: string | undefined;
}

/** What the metadata of a record tells. */
export type Versioned = { readonly id: string; readonly version: number; readonly parity: string };

/**
 * One writer replaces records, a batch at a time, while callers search. Both the vector and the metadata tell the version, so an answer
 * whose parts are of different states shows.
 */
export async function searchBesideWrites({ writes, seed, seconds }: BesideOptions): Promise<BesideResult> {
	const folder = mkdtempSync(join(tmpdir(), "nigh-beside-"));
	const database = await openFolder(folder, { threads: 1 });
	const collection: Collection<Versioned> = await database.collection("replaced", {
		dimensions: DIMENSIONS,
		metric: "l2",
		index: { kind: "hnsw", M: 6, efConstruction: 40 },
	});
	const result: BesideResult = { writes: 0, searches: 0, failures: [] };
	const versions = newVersions();
	await collection.upsert(batch(range(0, REPLACED + STAYING), 1));
	const handle = await database.share();
	const until = seconds === undefined ? Number.POSITIVE_INFINITY : performance.now() + seconds * 1_000;
	const goesOn = () =>
		(seconds === undefined ? result.writes < writes : performance.now() < until) && result.failures.length === 0;
	const write = async () => {
		const random = createRandom(seed);
		while (goesOn()) {
			await replace(collection, versions, random);
			result.writes++;
			// Other work of the thread gets its turn too.
			if (result.writes % 50 === 0) await (result.writes % 100 === 0 ? collection.rebuild() : collection.optimize());
		}
	};
	const search = async (caller: number) => {
		const random = createRandom(seed + 1 + caller);
		while (goesOn()) {
			const failure = await searchOnce(collection, versions, random);
			if (failure !== undefined) result.failures.push(`seed ${seed}, after ${result.writes} writes: ${failure}`);
			result.searches++;
			await new Promise((resolve) => setImmediate(resolve));
		}
	};
	const threads = Array.from({ length: THREADS }, (_, i) => startThread(handle, versions, seed + 100 + i));
	const callers = [write(), ...Array.from({ length: CALLERS }, (_, caller) => search(caller))];
	await Promise.all(callers).catch((error) => result.failures.push(`seed ${seed}: ${error?.stack ?? error}`));
	await Promise.allSettled(callers);
	for (const thread of threads) {
		const { searches, failure } = await thread.end();
		result.searches += searches;
		if (failure !== undefined) result.failures.push(`seed ${seed}, in a thread: ${failure}`);
	}
	await database.close();
	rmSync(folder, { recursive: true });
	return result;
}

/** A thread that searches beside the others until it is told to end. */
function startThread(handle: ShareHandle, versions: Versions, seed: number) {
	const isOver = new Int32Array(new SharedArrayBuffer(4));
	const workerData: ThreadData = { handle, versions, seed, isOver };
	const worker = new Worker(new URL("./beside-thread.ts", import.meta.url), { workerData });
	const answer = once(worker, "message") as Promise<[ThreadResult]>;
	return {
		async end(): Promise<ThreadResult> {
			Atomics.store(isOver, 0, 1);
			const [result] = await answer;
			await worker.terminate();
			return result;
		},
	};
}

/** By record, in memory that threads share: the version it has been given, and the one that has been acknowledged. */
export interface Versions {
	readonly issued: Uint32Array;
	readonly acknowledged: Uint32Array;
}

function newVersions(): Versions {
	const numbers = () => new Uint32Array(new SharedArrayBuffer(4 * (REPLACED + STAYING))).fill(1);
	return { issued: numbers(), acknowledged: numbers() };
}

async function replace(collection: Collection<Versioned>, versions: Versions, random: Random): Promise<void> {
	const first = random.below(REPLACED);
	const indices = range(first, Math.min(REPLACED, first + 1 + random.below(60)));
	const version = Math.max(...versions.issued) + 1;
	for (const i of indices) versions.issued[i] = version;
	await collection.upsert(batch(indices, version));
	for (const i of indices) versions.acknowledged[i] = version;
}

/** Searches in one of several ways. Returns what is wrong with the answer. */
export async function searchOnce(
	collection: Collection<Versioned>,
	versions: Versions,
	random: Random,
): Promise<string | undefined> {
	const least = versions.acknowledged.slice();
	const vector = vectorFor("query", random.below(1_000));
	const all = { vector, k: EVERYTHING, exact: true, include: { metadata: true, vector: true } };
	switch (random.below(4)) {
		case 0:
			return wrongWith(await collection.search(all), versions, least, REPLACED + STAYING);
		case 1: {
			const parity = random.pick(["even", "odd"]);
			return wrongWith(await collection.search({ ...all, filter: { parity } }), versions, least, undefined, parity);
		}
		case 2: {
			const index = random.below(REPLACED);
			const k = 1 + random.below(20);
			const near = { vector: vectorFor(idOf(index), least[index] as number), k, include: all.include };
			return wrongWith(await collection.search(near), versions, least, k);
		}
		default: {
			const [some, others] = await collection.searchMany([all, { ...all, vector: vectorFor("other", 1) }]);
			return (
				wrongWith(some, versions, least, REPLACED + STAYING) ?? wrongWith(others, versions, least, REPLACED + STAYING)
			);
		}
	}
}

function wrongWith(
	result: SearchResult<Versioned> | undefined,
	versions: Versions,
	least: Uint32Array,
	expected: number | undefined,
	parity?: string,
): string | undefined {
	const hits = result?.hits ?? [];
	const ids = new Set(hits.map(({ id }) => id));
	if (ids.size !== hits.length) return `${hits.length} hits have ${ids.size} ids`;
	if (expected !== undefined && hits.length !== expected) return `${hits.length} hits, not ${expected}`;
	for (const { id, metadata, vector } of hits) {
		if (metadata === undefined || metadata.id !== id) return `${id} has the metadata ${JSON.stringify(metadata)}`;
		const { version } = metadata;
		const index = Number(id.slice(idOf(0).length - 1));
		if (vectorFor(id, version).join() !== vector?.join())
			return `${id} has metadata of version ${version} and another vector`;
		if (version < (least[index] as number))
			return `${id} has version ${version}, though ${least[index]} was acknowledged`;
		if (version > (versions.issued[index] as number)) return `${id} has version ${version}, which was not written`;
		if (parity !== undefined && metadata.parity !== parity) return `${id} does not match ${parity}`;
	}
	return undefined;
}

function batch(indices: readonly number[], version: number) {
	return indices.map((index) => {
		const id = idOf(index);
		return {
			id,
			vector: vectorFor(id, version),
			metadata: { id, version, parity: (version + index) % 2 === 0 ? "even" : "odd" },
		};
	});
}

function range(from: number, to: number): number[] {
	return Array.from({ length: to - from }, (_, i) => from + i);
}
