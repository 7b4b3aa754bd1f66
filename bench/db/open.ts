import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { grouped } from "../../packages/nigh/src/terminal/table.ts";
import { withCollection } from "./collection.ts";
import { type DatabaseBenchOptions, DIMENSIONS, type Figure, K, type Measured, SEED } from "./measurement.ts";
import type { Opened } from "./open-once.ts";
import { load, vectors } from "./records.ts";
import { settled } from "./settle.ts";
import { quantile, timed } from "./times.ts";

const VECTORS = 1_000_000;
const QUERIES = 1_000;
/** Odd, so that the median is one of them. */
const ROUNDS = 3;
const DROP_CACHES = "/proc/sys/vm/drop_caches";
const SCRIPT = fileURLToPath(new URL("./open-once.ts", import.meta.url));

/** What it takes until a database that was closed answers again, each time in a new process. */
export function opening(options: DatabaseBenchOptions): Promise<Measured> {
	return openingAfter(dropCaches, options);
}

/** `drop` takes the files out of the page cache; false: it may not. */
export async function openingAfter(
	drop: () => boolean,
	{ size = VECTORS, folder, onStep }: DatabaseBenchOptions,
): Promise<Measured> {
	onStep("making the set");
	const queriesPath = join(folder, "queries.f32");
	const closeMs = await fill(folder, size, queriesPath, onStep);
	const openOnce = (warm: boolean) => {
		const args = ["--conditions=@nigh/source", SCRIPT, join(folder, "open"), queriesPath, String(warm)];
		return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" })) as Opened;
	};
	const rounds = Array.from({ length: ROUNDS }, (_, round) => {
		onStep(`opening, ${round + 1} of ${ROUNDS}`);
		return openOnce(false);
	});
	const figures: Figure[] = [{ what: "close, with a snapshot", value: closeMs, unit: "ms" }];
	figures.push(...openFigures("", rounds, { open: { atMost: 2_000 }, first: { atMost: 5 } }));
	onStep("opening cold");
	const isCold = drop();
	if (isCold) {
		figures.push(...openFigures(", cold", [openOnce(false)]));
		drop();
		figures.push(...openFigures(", cold, then warm()", [openOnce(true)]));
	} else figures.push(...openFigures(", then warm()", [openOnce(true)]));
	return {
		title: "Opening",
		about: [
			`${grouped(size)} generated vectors of ${DIMENSIONS} dimensions under l2 (seed ${SEED}), closed with a snapshot; each opening in a new process that runs the sources as they are, its own start and import not timed: openFolder and collection(), the first search (k ${K}, with metadata), then ${grouped(Math.min(QUERIES, size))} searches. The median of ${ROUNDS} where the files are in the page cache.`,
			isCold
				? "Cold: once, after the page cache was dropped."
				: `The page cache could not be dropped (${DROP_CACHES} may not be written to here): there is no cold opening.`,
		],
		figures,
	};
}

async function fill(
	folder: string,
	size: number,
	queriesPath: string,
	onStep: (text: string) => void,
): Promise<number> {
	const { base, queries } = vectors(size, Math.min(QUERIES, size));
	writeFileSync(queriesPath, queries);
	const { ms } = await withCollection({ folder, name: "open" }, async (collection, database) => {
		onStep("writing");
		await load(collection, base, (at) => ({ metadata: { number: at } }));
		await settled(collection, size, onStep);
		onStep("optimizing");
		await collection.optimize();
		// A few more, so that the snapshot is not all there is.
		await load(collection, base.subarray(0, 100 * DIMENSIONS), (at) => ({ metadata: { number: at } }));
		return timed(() => database.close());
	});
	return ms;
}

function openFigures(
	name: string,
	rounds: readonly Opened[],
	targets: Partial<Record<"open" | "first", { readonly atMost: number }>> = {},
): Figure[] {
	const median = (of: (opened: Opened) => number) => quantile(rounds.map(of), 0.5);
	const target = (name: "open" | "first") => (targets[name] === undefined ? {} : { target: targets[name] });
	const [{ warmMs } = { warmMs: null }] = rounds;
	return [
		{ what: `open${name}`, value: median(({ openMs }) => openMs), unit: "ms", ...target("open") },
		{ what: `open${name}, processor`, value: median(({ openProcessorMs }) => openProcessorMs), unit: "ms" },
		...(warmMs === null ? [] : [{ what: `warm()${name}`, value: warmMs, unit: "ms" }]),
		{ what: `first search${name}`, value: median(({ firstMs }) => firstMs), unit: "ms", ...target("first") },
		{ what: `search${name}, p50`, value: median(({ p50Ms }) => p50Ms), unit: "ms" },
		{ what: `search${name}, p99`, value: median(({ p99Ms }) => p99Ms), unit: "ms" },
	];
}

function dropCaches(): boolean {
	try {
		// Pages that are not on disk yet would stay.
		execFileSync("sync");
		writeFileSync(DROP_CACHES, "1");
		return true;
	} catch {
		return false;
	}
}
