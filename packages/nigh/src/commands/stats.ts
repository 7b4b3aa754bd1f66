import type { CollectionStats, LatencyStats, MemoryCap, MemoryPlan, MemoryStats } from "@nigh/contract";
import { DATA_OPTIONS, dataFolder, dataHelp } from "../database/data-folder.ts";
import { indexText } from "../database/index-text.ts";
import { collectionName } from "../database/typed.ts";
import { withCollection, withDatabase } from "../database/with-database.ts";
import { parseArguments } from "../terminal/arguments.ts";
import { type Fact, factLines } from "../terminal/facts.ts";
import { jsonText } from "../terminal/json.ts";
import { bytesText, durationText, numberText } from "../terminal/quantities.ts";
import { recallInWords } from "../terminal/recall-in-words.ts";
import { grouped } from "../terminal/table.ts";
import { UsageError } from "../terminal/usage-error.ts";
import type { Command } from "./command.ts";

const HELP = `nigh stats: counts, sizes and settings of a collection, or of all

Usage: nigh stats [COLLECTION] [options]

${dataHelp(12)}

With --json an object a line, sizes in bytes. The size on disk is that of the
whole database.

Examples
  nigh stats
  nigh stats notes --json`;

export const statsCommand: Command = {
	name: "stats",
	summary: "counts, sizes and settings of collections",
	help: HELP,
	run: async (args, terminal) => {
		const parsed = parseArguments(args, DATA_OPTIONS);
		const [name, extra] = parsed.positionals;
		if (extra !== undefined) throw new UsageError(`stats takes one collection, not also ${JSON.stringify(extra)}.`);
		const all = await statsOf(dataFolder(parsed), name === undefined ? undefined : collectionName(name));
		if (parsed.has("json")) for (const stats of all) terminal.print(jsonText(stats));
		else if (all.length === 0) terminal.print("The database has no collections.");
		else terminal.print(all.map((stats) => factLines(factsOf(stats)).join("\n")).join("\n\n"));
	},
};

function statsOf(folder: string, name: string | undefined): Promise<CollectionStats[]> {
	if (name !== undefined) {
		return withCollection(folder, name, "read", async (collection) => [await collection.stats()]);
	}
	return withDatabase(folder, "read", async (database) => {
		const all: CollectionStats[] = [];
		for (const each of await database.collections()) {
			const collection = await database.collection(each);
			all.push(await collection.stats());
			// One after the other: not all of them need fit into memory.
			await collection.close();
		}
		return all;
	});
}

/** What is told of a collection, a line each. */
export function factsOf(stats: CollectionStats): Fact[] {
	const { name, effective, records, index, fill, latency, memory, plan, diskBytes } = stats;
	const { dimensions, type, metric, embedder, filterable, recall } = effective;
	return [
		["collection", name],
		["records", `${grouped(records)}${fillText(fill.share)}`],
		["vectors", `${dimensions ?? "?"} ${type === "bit" ? "bits" : "dimensions"}, ${metric}`],
		["index", indexText(effective.index)],
		[
			"state",
			`${grouped(index.main)} in the index, ${grouped(index.tail)} not yet, ${grouped(index.tombstones)} deleted`,
		],
		["recall", `${recall} asked for`],
		...stats.recall.map((statement): Fact => ["", recallInWords(statement)]),
		["embedder", embedder === null ? undefined : `${embedder.name} (${embedder.model})`],
		["filterable", filterable.length === 0 ? undefined : filterable.join(", ")],
		["searches", latencyText(latency.search)],
		["writes", latencyText(latency.write)],
		[
			"memory",
			memory === null
				? undefined
				: `${bytesText(memory.total)} (index ${bytesText(memory.index)}, vectors ${bytesText(memory.vectors)})`,
		],
		["of it", memory === null ? undefined : partsText(memory)],
		["cap", effective.memory === null ? undefined : capText(effective.memory, plan)],
		[
			"on disk",
			memory?.onDisk === undefined || memory.onDisk === 0
				? undefined
				: `${bytesText(memory.onDisk)} of vectors, read as searches need them`,
		],
		["disk", diskBytes === null ? undefined : `${bytesText(diskBytes)} (the whole database)`],
	];
}

/** `1,024 MB: ivfpq with vectors on disk takes up to ...` */
function capText({ maxMB }: MemoryCap, plan: MemoryPlan | undefined): string {
	const cap = `${maxMB.toLocaleString("en-US")} MB`;
	return plan === undefined ? `${cap}; beyond, writes are refused` : `${cap}: ${plan.reason}`;
}

/** The parts of the index, where it can tell them apart: `codes 1.2 MiB (16 bytes each), ids 300 KiB, centroids 40 KiB` */
function partsText({ codes, codeBytesPerVector, ids, centroids, codebooks, links }: MemoryStats): string | undefined {
	const parts = Object.entries({ ids, centroids, codebooks, links }).filter(([, bytes]) => bytes !== undefined);
	if (parts.length === 0) return undefined;
	const each = codeBytesPerVector === undefined ? "" : ` (${numberText(codeBytesPerVector)} bytes each)`;
	return [
		`codes ${bytesText(codes)}${each}`,
		...parts.map(([name, bytes]) => `${name} ${bytesText(bytes as number)}`),
	].join(", ");
}

/** Of a collection that has room for thousands of millions there is nothing to say. */
function fillText(share: number): string {
	return share < 0.01 ? "" : ` (${Math.floor(share * 100)} % of what it may hold)`;
}

function latencyText(latency: LatencyStats | null): string | undefined {
	if (latency === null) return undefined;
	return `${grouped(latency.count)}, median ${durationText(latency.p50)}, 99 % within ${durationText(latency.p99)}`;
}
