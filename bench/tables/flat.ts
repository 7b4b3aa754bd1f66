import { existsSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { createFlat, FlatIndex } from "@nigh/index";
// The rows of a flat index are reached behind its back: the read loop has to read the very bytes that the scan reads.
import { createRows } from "../../packages/index/src/flat/flat.ts";
import { grouped } from "../../packages/nigh/src/terminal/table.ts";
import { compileReadLoop, startReadLoop } from "../kernels/read-loop.ts";
import { median } from "../report/operating-points.ts";
import { NIGH } from "../report/report.ts";
import { cut, lessIsBetter, moreIsBetter } from "../report/rounding.ts";
import { KNOWN_SETS } from "../sets/known.ts";
import { type BenchSet, loadSet, type SetOptions } from "../sets/load.ts";
import { type Check, K, madeSet, QUERIES, scaledCount, type Table, type TableOptions, tableOf } from "./table.ts";
import { eachRow, timeSearches } from "./time-searches.ts";
import { timesInTurns } from "./times-in-turns.ts";

export interface FlatRow {
	readonly set: string;
	readonly n: number;
	readonly dimensions: number;
	readonly metric: "l2" | "cosine";
	/** What is scanned: the vectors, or by the bounds that 7-bit codes give. */
	readonly codes: "none" | "sq7";
	/** Microseconds of a single query. */
	readonly p50Us: number;
	readonly p95Us: number;
	/** How many times as fast as the scan of the vectors, by the medians. */
	readonly timesScan: number;
	/** Of the scan of the vectors. */
	readonly reading?: ReadingRate;
	/** The queries one after another, and all at once. */
	readonly singlesSeconds: number;
	readonly manySeconds: number;
	/** How many times as fast all at once. */
	readonly timesSingles: number;
}

/** A scan beside a loop that only reads the same bytes, 10^9 bytes a second. */
export interface ReadingRate {
	readonly gigabytesPerSecond: number;
	readonly readGigabytesPerSecond: number;
	/** The median over neighbouring pairs of runs. */
	readonly share: number;
}

const FASHION = "fashion-mnist-784";
const FASHION_VECTORS = 60_000;

/** Pairs of a scan and a reading: odd, so that the median is one of them. */
const PAIRS = 51;
const PASSES = 3;

/** What an exact search costs: by the vectors, by bounds, and many queries at once. Answers are compared throughout. */
export async function flat(options: TableOptions): Promise<Table<FlatRow>> {
	const rows: FlatRow[] = [];
	const checks: Check[] = [];
	const shape = { n: 100_000, dimensions: 128, metric: "l2" } as const;
	const { about, sets } = fashionSet(options);
	const readLoop = await compileReadLoop();
	for (const set of [...sets, madeSet("generated", shape, options), madeSet("uniform", shape, options)]) {
		const onStep = (text: string) => options.onStep(`flat: ${set.set}, ${text}`);
		onStep("making the set");
		const measured = await measureSet(await loadSet(set), readLoop, onStep);
		rows.push(...measured.rows);
		checks.push(...measured.checks);
	}
	return tableOf({
		name: "flat",
		rows,
		title: "Exact search",
		about: [
			`${grouped(QUERIES)} queries, k ${K}, one thread. Codes none scans the float32 vectors, sq7 scans by bounds and answers the same; "of reading" is the speed of the scan as a share of a WebAssembly loop that only reads the same bytes, run in turns with it. searchMany answers all queries in one call, against single queries one after another. Times are medians of ${PASSES} passes, of ${PAIRS} pairs for the reading.`,
			...about,
		],
		cells: cellsOf(rows),
		checks,
	});
}

/** The real set, where the data folder has it. */
function fashionSet({ scale, data }: TableOptions): { readonly about: string[]; readonly sets: SetOptions[] } {
	const known = KNOWN_SETS[FASHION];
	if (known === undefined || !existsSync(join(data, FASHION, known.base))) {
		return { about: [`${FASHION} is left out: the data folder does not have it.`], sets: [] };
	}
	const n = scale === 1 ? undefined : scaledCount(FASHION_VECTORS, scale);
	const set = { set: FASHION, data, n, dimensions: 784, queries: QUERIES, metric: known.metric, seed: 1, k: K };
	return { about: [], sets: [set] };
}

async function measureSet(
	set: BenchSet,
	readLoop: WebAssembly.Module,
	onStep: (text: string) => void,
): Promise<{ readonly rows: FlatRow[]; readonly checks: Check[] }> {
	const { dimensions, metric, base, queries, n, name } = set;
	const stored = createRows({ dimensions, metric, codes: "none" });
	const plain = new FlatIndex(stored);
	const coded = createFlat({ dimensions, metric });
	const indexes: readonly FlatIndex[] = [plain, coded];
	try {
		for (const index of indexes) await index.insertMany(base);
		const single = eachRow(queries, dimensions);
		onStep("reading");
		const loop = startReadLoop(readLoop, stored.arena);
		const bytes = n * stored.format.bytes;
		let next = 0;
		const [reads, scans] = await timesInTurns<unknown>(
			[() => loop.readRange(stored.vectors, bytes), () => plain.search(single[next++ % single.length] ?? [], K)],
			{ rounds: PAIRS },
		);
		const times = timeSearches({
			settings: indexes,
			queries: single,
			search: (query, index) => index.search(query, K),
			passes: PASSES,
			onStep,
		});
		onStep("searchMany");
		const many = await timesInTurns(
			indexes.map((index) => () => index.searchMany(queries, K)),
			{ rounds: PASSES, warmUps: 1 },
		);
		const [scan] = times;
		if (reads === undefined || scans === undefined || scan === undefined) throw new Error("there were no passes");
		const rows = indexes.map((index, at): FlatRow => {
			const { p50Us, p95Us, seconds } = times[at] ?? scan;
			const manySeconds = median(many[at]?.times ?? []) / 1_000;
			return {
				set: name,
				n,
				dimensions,
				metric,
				codes: index.effective().codes as FlatRow["codes"],
				p50Us,
				p95Us,
				timesScan: scan.p50Us / p50Us,
				...(index === plain && { reading: readingRate(bytes, reads.times, scans.times) }),
				singlesSeconds: seconds,
				manySeconds,
				timesSingles: seconds / manySeconds,
			};
		});
		const same = (answers: unknown) => isDeepStrictEqual(answers, scan.answers);
		const checks = [
			{ promise: `${name}: by bounds, every answer is that of the scan`, holds: same(times[1]?.answers) },
			{
				promise: `${name}: searchMany answers as single queries do, with and without codes`,
				holds: many.every(({ last }) => same(last)),
			},
		];
		return { rows, checks };
	} finally {
		for (const index of indexes) index.dispose();
	}
}

/** Rates from milliseconds of a reading and of the scan right after it, pair by pair. */
export function readingRate(bytes: number, reads: readonly number[], scans: readonly number[]): ReadingRate {
	const rate = (milliseconds: number) => bytes / milliseconds / 1e6;
	return {
		gigabytesPerSecond: rate(median(scans)),
		readGigabytesPerSecond: rate(median(reads)),
		share: median(reads.map((read, at) => read / (scans[at] as number))),
	};
}

function cellsOf(rows: readonly FlatRow[]) {
	const right = (title: string) => ({ title, align: "right" as const });
	return {
		columns: [
			{ title: "set", align: "left" as const },
			{ title: "codes", align: "left" as const },
			...["p50 us", "p95 us", ": scan", "GB/s", "of reading", "singles s", "searchMany s", ": singles"].map(right),
		],
		rows: rows.map((row) => [
			row.set,
			row.codes,
			lessIsBetter(NIGH, row.p50Us, 0),
			lessIsBetter(NIGH, row.p95Us, 0),
			ratioText(row.timesScan),
			row.reading === undefined ? "" : moreIsBetter(NIGH, row.reading.gigabytesPerSecond),
			row.reading === undefined ? "" : `${Math.floor(row.reading.share * 100)} %`,
			lessIsBetter(NIGH, row.singlesSeconds, 3),
			lessIsBetter(NIGH, row.manySeconds, 3),
			ratioText(row.timesSingles),
		]),
	};
}

function ratioText(ratio: number): string {
	return cut(ratio, 2).toFixed(2);
}
