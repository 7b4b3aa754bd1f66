import type { Collection, RecordInput } from "@nigh/contract";
import { grouped } from "../../packages/nigh/src/terminal/table.ts";
import { withCollection } from "./collection.ts";
import { type DatabaseBenchOptions, DIMENSIONS, type Figure, K, type Measured, SEED } from "./measurement.ts";
import { BATCH, batches, idOf, records, rowOf, texts, vectors } from "./records.ts";
import { processorTime, quantile, timed } from "./times.ts";

const VECTORS = 100_000;
/** Batches that are under way at the same time, where a caller does not wait for each. */
const AT_ONCE = 4;
const WRITERS = 100;
/** Of the run's vectors: written one by one, by all writers, and once in batches and once by rows. */
const SINGLES = 0.02;
const CONCURRENT = 0.2;
const COMPARED = 0.1;

/** What writing costs up to the acknowledgement. */
export async function ingest({ size = VECTORS, folder, onStep }: DatabaseBenchOptions): Promise<Measured> {
	onStep("making the set");
	const { base } = vectors(size, 0);
	const words = texts(size);
	const figures: Figure[] = [];
	const plain = batches(base, BATCH);
	const worded = batches(base, BATCH, (at) => ({ text: words[at] as string }));
	const rates = [
		{ name: "no text", all: plain, target: 100_000 },
		{ name: "40 words each", all: worded, target: 40_000 },
	];
	for (const { name, all, target } of rates) {
		onStep(name);
		figures.push(...(await writeAll(folder, name, all, base, target)));
	}
	onStep(`${AT_ONCE} batches at once`);
	figures.push(await writeAhead(folder, plain, size));
	for (const durability of ["full", "normal"] as const) {
		onStep(`one by one, ${durability}`);
		const single = batches(base.subarray(0, Math.ceil(size * SINGLES) * DIMENSIONS), 1);
		figures.push(...(await writeSingles(folder, durability, single)));
	}
	onStep(`${WRITERS} writers`);
	figures.push(await writeTogether(folder, records(base, 0, Math.ceil(size * CONCURRENT))));
	onStep("by rows and in batches");
	figures.push(...(await compareBatches(folder, base.subarray(0, Math.ceil(size * COMPARED) * DIMENSIONS))));
	return {
		title: "Writing",
		about: [
			`${grouped(size)} generated vectors of ${DIMENSIONS} dimensions under l2 (seed ${SEED}), in batches of ${grouped(BATCH)}, each awaited before the next except where it says otherwise; up to the acknowledgement, durability full except where it says otherwise. The records exist before the time begins; the index takes them in meanwhile, and its work is in the processor time of all threads.`,
		],
		figures,
	};
}

async function writeAll(
	folder: string,
	name: string,
	all: readonly RecordInput[][],
	base: Float32Array,
	target: number,
): Promise<Figure[]> {
	return withCollection({ folder, name: name.replaceAll(" ", "-") }, async (collection) => {
		const n = base.length / DIMENSIONS;
		const before = processorTime();
		const { ms } = await timed(async () => {
			for (const batch of all) await collection.upsert(batch);
		});
		const after = processorTime();
		const last = rowOf(base, n - 1);
		const { ms: searchMs, result } = await timed(() => collection.search({ vector: last, k: K }));
		const found = result.hits[0]?.id === idOf(n - 1);
		return [
			{ what: `batches, ${name}`, value: (n / ms) * 1_000, unit: "records/s", target: { atLeast: target } },
			{ what: `the last record is found at once, ${name}`, value: found ? 1 : 0, unit: "", target: { atLeast: 1 } },
			{ what: `that search, ${name}`, value: searchMs, unit: "ms" },
			{
				what: `processor, calling thread, ${name}`,
				value: ((after.caller - before.caller) / n) * 1_000,
				unit: "us a record",
			},
			{ what: `processor, all threads, ${name}`, value: ((after.all - before.all) / n) * 1_000, unit: "us a record" },
		];
	});
}

async function writeAhead(folder: string, all: readonly RecordInput[][], n: number): Promise<Figure> {
	return withCollection({ folder, name: "ahead" }, async (collection) => {
		const { ms } = await timed(() => inParallel(collection, all, AT_ONCE));
		return { what: `batches, no text, ${AT_ONCE} at once`, value: (n / ms) * 1_000, unit: "records/s" };
	});
}

async function writeSingles(
	folder: string,
	durability: "full" | "normal",
	all: readonly RecordInput[][],
): Promise<Figure[]> {
	const name = `singles-${durability}`;
	return withCollection({ folder, name, options: { durability } }, async (collection) => {
		const times: number[] = [];
		for (const one of all) times.push((await timed(() => collection.upsert(one))).ms);
		return [0.5, 0.99].map((share) => ({
			what: `one record, durability ${durability}, p${share * 100}`,
			value: quantile(times, share),
			unit: "ms",
		}));
	});
}

async function writeTogether(folder: string, all: readonly RecordInput[]): Promise<Figure> {
	return withCollection({ folder, name: "together" }, async (collection) => {
		const single = all.map((record) => [record]);
		const { ms } = await timed(() => inParallel(collection, single, WRITERS));
		const value = (all.length / ms) * 1_000;
		return { what: `${WRITERS} writers of one record each time`, value, unit: "records/s", target: { atLeast: 5_000 } };
	});
}

async function compareBatches(folder: string, base: Float32Array): Promise<Figure[]> {
	const n = base.length / DIMENSIONS;
	const rateOf = (size: number) =>
		withCollection({ folder, name: `batches-of-${size}` }, async (collection) => {
			const all = batches(base, size);
			const { ms } = await timed(() => inParallel(collection, all, 1));
			return (n / ms) * 1_000;
		});
	const byRows = await rateOf(1);
	const inBatches = await rateOf(BATCH);
	return [
		{ what: `${grouped(n)} records by rows`, value: byRows, unit: "records/s" },
		{ what: `${grouped(n)} records in batches`, value: inBatches, unit: "records/s" },
		{ what: "batches : rows", value: inBatches / byRows, unit: "times", target: { atLeast: 5 } },
	];
}

/** So many callers write what is left, each one after the other. */
async function inParallel(
	collection: Collection,
	all: readonly (readonly RecordInput[])[],
	callers: number,
): Promise<void> {
	let next = 0;
	const caller = async () => {
		for (let batch = all[next++]; batch !== undefined; batch = all[next++]) await collection.upsert(batch);
	};
	await Promise.all(Array.from({ length: callers }, caller));
}
