import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CELL_KINDS, type CellKind, type IndexSettings, type IndexSpec, STORAGES } from "@nigh/contract";
import { grouped } from "../../packages/nigh/src/terminal/table.ts";
import { inWorkingFolder } from "../db/working-folder.ts";
import { inProcess } from "./larger-than-memory/in-process.ts";
import type { Loaded, LoadJob } from "./larger-than-memory/load-database.ts";
import { besidePart, loadingPart, mib, servingPart } from "./larger-than-memory/parts.ts";
import type { BesideRow, LargerRow } from "./larger-than-memory/rows.ts";
import { type OnStep, SEED, type SetShape } from "./larger-than-memory/run.ts";
import type { Served, ServeJob } from "./larger-than-memory/serve-database.ts";
import { type Check, K, QUERIES, type Table, type TableOptions, tableOf } from "./table.ts";

export interface LargerShape extends SetShape {
	readonly queries: number;
	/** Of the vectors, how many are also kept in memory, to be compared with; not scaled. */
	readonly beside: number;
	/** The fewest vectors that a scale leaves: cells of fewer are not worth measuring. */
	readonly least: number;
	/** With `"auto"`, which takes no `nprobe` or `rerank`, searches are measured at the collection's own settings only. */
	readonly index: IndexSpec;
	/** The collection's cap, in megabytes of 2^20 bytes. It holds while the next index is built beside the one that serves, too. */
	readonly maxMB: number;
	/** What a process that only serves may have resident, in the same; not scaled. */
	readonly servingMB: number;
	/** What one that loads may have beside the cap: Node, threads, what SQLite caches, and batches on their way; not scaled. */
	readonly besideMB: number;
}

/** 2 GB of vectors, served in 1 GB of memory. */
const FULL: LargerShape = {
	n: 4_000_000,
	dimensions: 128,
	queries: QUERIES,
	beside: 1_000_000,
	least: 20_000,
	index: "auto",
	maxMB: 1_024,
	servingMB: 1_024,
	besideMB: 512,
};

const MIB = 2 ** 20;
/** Lists of slots, labels and places, 4 bytes each, that copying and arranging an index work with: outside its memory, and so outside the cap. */
const WORK_BYTES = 64;
/** What is found at the settings that the index has by itself. */
const RECALL = 0.95;
/** By how much that may differ from what the same index finds with its vectors in memory. */
const SAME_RECALL = 0.002;
/** Some of what an index takes does not shrink with its vectors: the cap of fewer is so high at least, and falls more slowly than their number. */
const LEAST_CAP_MB = 64;
const CAP_EXPONENT = 0.7;

interface Measured {
	readonly loaded: Loaded;
	readonly served: Served;
}

/** A set whose vectors are larger than the memory that it may take: what it takes to load it, and how it is served from the disk. */
export function largerThanMemory(options: TableOptions, full = FULL): Promise<Table<LargerRow>> {
	const onStep: OnStep = (text) => options.onStep(`larger-than-memory: ${text}`);
	return inWorkingFolder(tmpdir(), async (folder) => {
		const n = Math.max(Math.min(full.n, full.least), Math.round(full.n * options.scale));
		const prefix = Math.min(n, full.beside);
		const { dimensions, queries } = full;
		await inProcess("make", { folder, n, dimensions, queries, prefix }, onStep);
		const shape = { ...full, n, maxMB: cappedAt(n, full) };
		const { index, maxMB } = shape;
		const load = { folder, database: join(folder, "database"), n, dimensions, index, memory: { maxMB } };
		const whole = await measure(load, { truth: "all", isCold: true, isSwept: true }, onStep);
		const beside = await measureBeside(whole.loaded.planned?.index ?? index, { ...load, n: prefix }, onStep);
		return tableFrom(shape, whole, beside);
	});
}

/** The same cap for fewer vectors would be one that they fit into. */
function cappedAt(n: number, full: Pick<LargerShape, "n" | "maxMB">): number {
	const cap = Math.round(full.maxMB * (n / full.n) ** CAP_EXPONENT);
	return Math.min(full.maxMB, Math.max(LEAST_CAP_MB, cap));
}

/** Loads a database, serves it, each in a process of its own, and removes it. */
async function measure(
	load: LoadJob,
	serve: Pick<ServeJob, "truth" | "isCold" | "isSwept">,
	onStep: OnStep,
): Promise<Measured> {
	const { folder, database, dimensions } = load;
	const loaded = await inProcess("load", load, onStep);
	const served = await inProcess("serve", { folder, database, dimensions, ...serve }, onStep);
	rmSync(database, { recursive: true });
	return { loaded, served };
}

/** The index with its vectors here and there; nothing where it is none of cells. */
async function measureBeside(index: IndexSpec, load: Omit<LoadJob, "memory">, onStep: OnStep): Promise<BesideRow[]> {
	if (!isOfCells(index)) return [];
	const { folder, database, n, dimensions } = load;
	const rows: BesideRow[] = [];
	for (const storage of STORAGES) {
		const job = { folder, database, n, dimensions, index: { ...index, storage } };
		const measured = await measure(job, { truth: "prefix", isCold: false, isSwept: false }, (text) =>
			onStep(`storage ${storage}, ${text}`),
		);
		rows.push({ part: "beside", storage, n, ...measured });
	}
	return rows;
}

function isOfCells(index: IndexSpec): index is Extract<IndexSettings, { readonly kind: CellKind }> {
	return index !== "auto" && CELL_KINDS.some((kind) => kind === index.kind);
}

function tableFrom(shape: LargerShape, { loaded, served }: Measured, beside: BesideRow[]): Table<LargerRow> {
	const { n, dimensions, queries, index, maxMB } = shape;
	const { answers, ...opening } = served;
	return tableOf<LargerRow>({
		name: "larger-than-memory",
		title: "Sets larger than memory",
		about: [
			`${grouped(n)} generated vectors of ${dimensions} dimensions under l2 (seed ${SEED}), ${mib(4 * n * dimensions)} MiB of them, in a collection with ${indexText(index)} and \`memory: { maxMB: ${maxMB} }\`, on all cores. They are drawn, and compared for the truth, piece by piece, and lie in a file from which the loading process reads them. MiB are 2^20 bytes. Resident is all that a process has in memory, Node itself included; what the system keeps of files while nobody else wants the memory is not in it, and is what warm and cold differ in.`,
		],
		rows: [
			{ part: "loading", ...loaded },
			{ part: "opening", ...opening },
			...answers.map((row) => ({ part: "serving", ...row }) as const),
			...beside,
		],
		parts: [loadingPart(loaded), servingPart(served, queries), ...(beside.length === 0 ? [] : [besidePart(beside)])],
		checks: checksOf(shape, { loaded, served }, beside),
	});
}

function indexText(index: IndexSpec): string {
	if (typeof index === "string") return `\`index: "${index}"\``;
	const fields = Object.entries(index).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
	return `\`index: { ${fields.join(", ")} }\``;
}

export function checksOf(
	{ n, dimensions, maxMB, servingMB, besideMB }: Omit<LargerShape, "queries" | "beside" | "least" | "index">,
	{ loaded, served }: Measured,
	beside: readonly BesideRow[],
): Check[] {
	const atMost = (bytes: number, mb: number) => bytes <= mb * MIB;
	const own = served.answers.filter(({ asked }) => Object.keys(asked).length === 0);
	const found = beside.map(({ served: { answers } }) => answers[0]?.recall ?? 0);
	return [
		{
			promise: `recall@${K} is at least ${RECALL} at the index's own settings, ${grouped(n)} x ${dimensions}`,
			holds: own.length > 0 && own.every(({ recall }) => recall >= RECALL),
		},
		{
			promise: `at rest the index takes at most the ${grouped(maxMB)} MiB that it may`,
			holds: atMost(Math.max(loaded.memory, served.memory), maxMB),
		},
		{
			promise: `while it is loaded and laid out anew, the process has at most these resident, ${grouped(besideMB)} MiB for Node, its threads and SQLite, and ${WORK_BYTES} bytes a vector to work in`,
			holds: atMost(loaded.peakResident - n * WORK_BYTES, maxMB + besideMB),
		},
		{
			promise: `the process that serves has at most ${grouped(servingMB)} MiB resident`,
			holds: atMost(served.peakResident, servingMB),
		},
		...(beside.length === 0
			? []
			: [
					{
						promise: `with its vectors in memory the index finds as much, within ${SAME_RECALL}`,
						holds: Math.max(...found) - Math.min(...found) <= SAME_RECALL,
					},
				]),
	];
}
