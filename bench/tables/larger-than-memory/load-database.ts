import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Collection, IndexSettings, IndexSpec, MemoryCap } from "@nigh/contract";
import { openFolder } from "@nigh/embedded";
import { timed } from "../../db/times.ts";
import { eachRow } from "../time-searches.ts";
import { peakResident } from "./peak-resident.ts";
import { BATCH, COLLECTION, type OnStep, pathsOf, type SetShape } from "./run.ts";
import { VectorFile } from "./vector-file.ts";

/** Between two looks: asking is work for the thread that builds the index. */
const LOOK_MS = 200;
/** What fails in the background is tried again; what still fails after so long is given up here. */
const GIVEN_UP_MS = 60_000;

export interface LoadJob extends SetShape {
	/** Where the set lies; the first n vectors are written. */
	readonly folder: string;
	/** A folder for the database. */
	readonly database: string;
	readonly index: IndexSpec;
	readonly memory?: MemoryCap;
}

/** What it took to have the index, and what there is now. Bytes, where nothing else is said. */
export interface Loaded {
	/** Seconds until the last write was acknowledged, and until all was in the main index. */
	readonly writtenSeconds: number;
	readonly indexedSeconds: number;
	readonly optimizeSeconds: number;
	readonly peakResident: number;
	/** Of the index, as the collection tells. */
	readonly memory: number;
	/** Kind and parameters in use, as the collection tells. */
	readonly kind: string;
	readonly parameters: Readonly<Record<string, number | string | boolean>>;
	/** What was chosen for the cap, where something was. */
	readonly planned: { readonly index: IndexSettings; readonly reason: string } | undefined;
	/** What `health()` told of work in the background that failed and was tried again. */
	readonly failures: readonly string[];
	/** Files of the closed database. */
	readonly disk: DiskBytes;
}

export interface DiskBytes {
	readonly records: number;
	readonly snapshots: number;
	readonly rows: number;
}

/** Writes the vectors into a new database, batch by batch from the file, and waits until all are in the index. */
export async function loadDatabase(job: LoadJob, onStep: OnStep): Promise<Loaded> {
	const { n, dimensions, index, memory: cap, database: path } = job;
	const database = await openFolder(path);
	try {
		const spec = { dimensions, metric: "l2", index, ...(cap !== undefined && { memory: cap }) } as const;
		const collection = await database.collection(COLLECTION, spec);
		const start = performance.now();
		await write(collection, job, onStep);
		const written = performance.now();
		const failures = await indexed(collection, n, onStep);
		const all = performance.now();
		onStep("optimizing");
		const { ms } = await timed(() => collection.optimize());
		const { memory, effective, plan } = await collection.stats();
		if (memory === null) throw new Error("the collection does not tell what memory it takes");
		await database.close();
		return {
			writtenSeconds: (written - start) / 1_000,
			indexedSeconds: (all - start) / 1_000,
			optimizeSeconds: ms / 1_000,
			peakResident: peakResident(),
			memory: memory.total,
			kind: effective.index.kind,
			parameters: effective.index.parameters,
			planned: plan && { index: plan.index, reason: plan.reason },
			failures,
			disk: diskBytes(path),
		};
	} finally {
		await database.close();
	}
}

async function write(collection: Collection, { folder, n, dimensions }: LoadJob, onStep: OnStep): Promise<void> {
	const file = new VectorFile(pathsOf(folder).base, dimensions, "r");
	for (let from = 0; from < n; from += BATCH) {
		onStep(`writing, ${from} of ${n}`);
		const rows = eachRow(file.read(from, Math.min(n, from + BATCH)), dimensions);
		await collection.upsert(rows.map((vector, at) => ({ id: String(from + at), vector })));
	}
	file.close();
}

/** Waits until all are in the index; returns what has failed meanwhile. */
async function indexed(collection: Collection, n: number, onStep: OnStep): Promise<string[]> {
	const failures = new Set<string>();
	let lastGood = performance.now();
	for (;;) {
		const { kind, main, tail } = (await collection.stats()).index;
		if (kind !== "flat" && tail === 0 && main === n) return [...failures];
		const failed = (await collection.health()).reasons.find(({ code }) => code.endsWith("-failed"));
		if (failed === undefined) lastGood = performance.now();
		else failures.add(failed.message);
		if (performance.now() - lastGood > GIVEN_UP_MS) throw new Error(`the index is not being built: ${failed?.message}`);
		onStep(`${kind === "flat" ? 0 : main} of ${n} in the index`);
		await pause(LOOK_MS);
	}
}

function diskBytes(folder: string): DiskBytes {
	const bytesOf = (isOne: (name: string) => boolean) =>
		readdirSync(folder, { recursive: true, withFileTypes: true })
			.filter((entry) => entry.isFile() && isOne(entry.name))
			.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
	return {
		records: bytesOf((name) => name.startsWith("records.sqlite")),
		snapshots: bytesOf((name) => name.endsWith(".nigh-snapshot")),
		rows: bytesOf((name) => name.endsWith(".nigh-rows")),
	};
}
