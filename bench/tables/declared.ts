import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Collection, SearchRequest } from "@nigh/contract";
import { openFolder } from "@nigh/embedded";
import { grouped } from "../../packages/nigh/src/terminal/table.ts";
import { NIGH } from "../report/report.ts";
import { lessIsBetter, raise, recallText } from "../report/rounding.ts";
import { recallOf } from "../run/recall.ts";
import { type BenchSet, loadSet, type SetOptions } from "../sets/load.ts";
import { type Check, K, scaledCount, type Table, type TableOptions, tableOf } from "./table.ts";

export interface DeclaredRow {
	readonly set: string;
	readonly target: number;
	/** Queries that were logged, and those of them that the certificate rests on. */
	readonly logged: number;
	readonly queries: number;
	/** The beam width that is certified, and the narrowest that reaches the target on the queries that are timed. */
	readonly certified: number | null;
	readonly tuned: number | null;
	/** On the queries that are timed. */
	readonly declaredRecall: number;
	readonly tunedRecall: number;
	readonly declaredUs: number;
	readonly tunedUs: number;
	/** declaredUs / tunedUs. */
	readonly ratio: number;
}

const TARGETS = [0.9, 0.95, 0.99] as const;
/** How much slower a declared recall may be than the setting that somebody has found by hand who knew the answers. */
const MOST_SLOWER = 1.15;
/** The check is of this set and target. */
const CHECKED = { set: "fashion-mnist-784", target: 0.95 } as const;
/** Queries that are logged, and as many others that are timed, at most. */
const MOST_QUERIES = 5_000;
const PASSES = 15;
/** Beams that nobody would choose: comparing everything takes as long. */
const WIDEST = 2_000;

/** A declared recall beside the beam width that a person would choose who knew the answers to the very queries that come. */
export async function declared(options: TableOptions): Promise<Table<DeclaredRow>> {
	const { scale, data, onStep } = options;
	const known = (set: string): SetOptions => ({
		set,
		n: scale === 1 ? undefined : scaledCount(60_000, scale),
		data,
		queries: 2 * MOST_QUERIES,
		dimensions: 128,
		metric: undefined,
		seed: 1,
		k: K,
	});
	const made: SetOptions = { ...known("generated"), n: scaledCount(100_000, scale), metric: "l2" };
	const rows: DeclaredRow[] = [];
	for (const set of [known(CHECKED.set), known("squad-sif-300d"), made]) {
		onStep(`declared: loading ${set.set}`);
		const loaded = await loadSet(set);
		for (const target of TARGETS) rows.push(await rowOf(loaded, target, onStep));
	}
	const checks: Check[] = rows
		.filter(({ set, target }) => set === CHECKED.set && target === CHECKED.target)
		.map(({ set, target, ratio }) => ({
			promise: `${set} at ${target}: a declared recall takes at most ${MOST_SLOWER} times as long as the ef that was tuned by hand`,
			holds: ratio <= MOST_SLOWER,
		}));
	return tableOf({
		name: "declared",
		rows,
		title: "A declared recall, and an ef that was tuned by hand",
		about: [
			`Half of each set's queries, at most ${grouped(MOST_QUERIES)}, are searched for and logged, and certify what serves; the others are timed. By hand: the narrowest \`ef\` whose recall on *those* queries, whose answers are known, reaches the target. Nobody could choose it beforehand: it keeps the target on them by construction, and on the next ones about every second time. Both through \`Collection.search\` (ids only), one thread, ${PASSES} passes in turn, the median; audits go on meanwhile.`,
		],
		cells: {
			columns: [
				{ title: "set", align: "left" },
				...[
					"recall",
					"logged",
					"certified by",
					"certified ef",
					"recall",
					"us",
					"tuned ef",
					"recall",
					"us",
					"times",
				].map((title) => ({ title, align: "right" as const })),
			],
			rows: rows.map((row) => [
				row.set,
				String(row.target),
				grouped(row.logged),
				grouped(row.queries),
				row.certified === null ? "exact" : String(row.certified),
				recallText(row.declaredRecall),
				lessIsBetter(NIGH, row.declaredUs, 1),
				row.tuned === null ? "none" : String(row.tuned),
				recallText(row.tunedRecall),
				lessIsBetter(NIGH, row.tunedUs, 1),
				raise(row.ratio, 2).toFixed(2),
			]),
		},
		checks,
	});
}

/** The row of a target, in a database of its own: nothing is certified by queries that were searched for another row. */
async function rowOf(set: BenchSet, target: number, onStep: (text: string) => void): Promise<DeclaredRow> {
	const folder = mkdtempSync(join(tmpdir(), "nigh-bench-"));
	const database = await openFolder(folder);
	try {
		const { dimensions, metric } = set;
		const collection = await database.collection("set", { dimensions, metric, index: { kind: "hnsw" } });
		await fill(collection, set, onStep);
		return await measured(collection, set, target, onStep);
	} finally {
		await database.close();
		rmSync(folder, { recursive: true, force: true });
	}
}

async function fill(collection: Collection, { base, n, dimensions }: BenchSet, onStep: (text: string) => void) {
	const step = 2_000;
	for (let from = 0; from < n; from += step) {
		const count = Math.min(step, n - from);
		await collection.upsert(
			Array.from({ length: count }, (_, i) => ({ id: String(from + i), vector: rowOfSet(base, from + i, dimensions) })),
		);
		onStep(`declared: writing, ${from} of ${n}`);
	}
	await collection.optimize();
}

async function measured(
	collection: Collection,
	set: BenchSet,
	target: number,
	onStep: (text: string) => void,
): Promise<DeclaredRow> {
	const half = Math.min(MOST_QUERIES, Math.floor(set.queryCount / 2));
	const vectors = Array.from({ length: 2 * half }, (_, i) => rowOfSet(set.queries, i, set.dimensions));
	// Every other one: sets may have their queries in some order.
	const logged = vectors.filter((_, i) => i % 2 === 0);
	const timed = {
		vectors: vectors.filter((_, i) => i % 2 === 1),
		places: vectors.flatMap((_, i) => (i % 2 === 1 ? [i] : [])),
	};
	onStep(`declared: ${set.name}, certifying ${target}`);
	for (const vector of logged) await collection.search({ ...QUIETLY, vector, recall: target });
	const { statements } = await collection.certify({ k: K, target });
	const statement = statements.at(-1);
	const declare = { recall: target };
	const { ef: certified = null } = (
		await collection.search({ ...QUIETLY, vector: logged[0] as Float32Array, ...declare })
	).plan;
	const tuned = await tunedEf(collection, set, timed, target);
	const byHand = tuned === null ? { exact: true } : { ef: tuned };
	const times = { declared: [] as number[], tuned: [] as number[] };
	for (let pass = 0; pass < PASSES; pass++) {
		onStep(`declared: ${set.name}, ${target}, pass ${pass + 1} of ${PASSES}`);
		times.declared.push(await passOf(collection, timed.vectors, declare));
		times.tuned.push(await passOf(collection, timed.vectors, byHand));
	}
	const [declaredUs, tunedUs] = [median(times.declared), median(times.tuned)];
	return {
		set: set.name,
		target,
		logged: logged.length,
		queries: statement?.queries ?? 0,
		certified,
		tuned,
		declaredRecall: await recallWith(collection, set, timed, declare),
		tunedRecall: await recallWith(collection, set, timed, byHand),
		declaredUs,
		tunedUs,
		ratio: declaredUs / tunedUs,
	};
}

interface Timed {
	readonly vectors: readonly Float32Array[];
	/** Of each in the set. */
	readonly places: readonly number[];
}

const QUIETLY = { k: K, include: { metadata: false } } as const;

/** Microseconds of a search, over one pass. */
async function passOf(
	collection: Collection,
	vectors: readonly Float32Array[],
	how: Partial<SearchRequest>,
): Promise<number> {
	const start = performance.now();
	for (const vector of vectors) await collection.search({ ...QUIETLY, vector, ...how });
	return ((performance.now() - start) * 1_000) / vectors.length;
}

/** The narrowest beam that reaches the target on just these queries; `null`: none does. */
async function tunedEf(collection: Collection, set: BenchSet, timed: Timed, target: number): Promise<number | null> {
	let [low, high] = [K, K];
	while ((await recallWith(collection, set, timed, { ef: high })) < target) {
		if (high === WIDEST) return null;
		low = high + 1;
		high = Math.min(WIDEST, 2 * high);
	}
	while (low < high) {
		const middle = (low + high) >> 1;
		if ((await recallWith(collection, set, timed, { ef: middle })) >= target) high = middle;
		else low = middle + 1;
	}
	return low;
}

async function recallWith(
	collection: Collection,
	set: BenchSet,
	{ vectors, places }: Timed,
	how: Partial<SearchRequest>,
): Promise<number> {
	const { width } = set.truth;
	const labels = new Int32Array(vectors.length * K).fill(-1);
	const queries = new Float32Array(vectors.length * set.dimensions);
	const ids = new Int32Array(vectors.length * width);
	for (const [i, vector] of vectors.entries()) {
		const { hits } = await collection.search({ ...QUIETLY, vector, ...how });
		labels.set(
			hits.map(({ id }) => Number(id)),
			i * K,
		);
		queries.set(vector, i * set.dimensions);
		const place = places[i] as number;
		ids.set(set.truth.ids.subarray(place * width, (place + 1) * width), i * width);
	}
	return recallOf({ ...set, queries, truth: { width, ids } }, labels, K);
}

function rowOfSet(rows: Float32Array, row: number, dimensions: number): Float32Array {
	return rows.slice(row * dimensions, (row + 1) * dimensions);
}

function median(values: readonly number[]): number {
	return values.toSorted((a, b) => a - b)[values.length >> 1] as number;
}
