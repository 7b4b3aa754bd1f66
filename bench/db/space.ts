import { join } from "node:path";
import type { Collection } from "@nigh/contract";
import { grouped } from "../../packages/nigh/src/terminal/table.ts";
import { folderBytes } from "../engines/temporary-folder.ts";
import { withCollection } from "./collection.ts";
import { type DatabaseBenchOptions, DIMENSIONS, type Figure, type Measured, SEED } from "./measurement.ts";
import { load, texts, vectors } from "./records.ts";
import { settled } from "./settle.ts";

const VECTORS = 50_000;
const ROUNDS = 10;
const MOST = { atMost: 1.1 };

/** Bytes. */
interface Space {
	/** The folder while the database is open. */
	readonly disk: number;
	/** Codes, graph, tables and vectors, as the collection tells. */
	readonly index: number;
	/** The memory that was taken for it, spare room included. */
	readonly reserved: number;
	readonly resident: number;
}

/** What is left behind when everything is replaced, again and again. */
export async function space({ size = VECTORS, folder, onStep }: DatabaseBenchOptions): Promise<Measured> {
	onStep("making the sets");
	const words = texts(size);
	const round = async (collection: Collection, number: number) => {
		const { base } = vectors(size, 0, SEED + number);
		const text = (at: number) => words[(at + number) % size] as string;
		await load(collection, base, (at) => ({ metadata: { number: at, round: number }, text: text(at) }));
		await settled(collection, size, (text) => onStep(`round ${number}: ${text}`));
		await collection.optimize();
	};
	const name = "space";
	const path = join(folder, name);
	const { fresh, replaced } = await withCollection({ folder, name }, async (collection) => {
		await round(collection, 0);
		const fresh = await spaceOf(collection, path);
		for (let number = 1; number <= ROUNDS; number++) await round(collection, number);
		return { fresh, replaced: await spaceOf(collection, path) };
	});
	const closed = folderBytes(path);
	return {
		title: "Space",
		about: [
			`${grouped(size)} generated vectors of ${DIMENSIONS} dimensions under l2 with metadata and 40 words of text: written once and optimized, then replaced by others of the same ids and optimized, ${ROUNDS} times. MB are 10^6 bytes; reserved is the size of the shared memory, room for growing included (pages of it that were never written to take no memory); resident is the whole process with the set in it.`,
		],
		figures: [
			...spaceFigures("fresh", fresh),
			...spaceFigures(`after ${ROUNDS} rounds`, replaced),
			{ what: "disk, when closed", value: closed / 1e6, unit: "MB" },
			{ what: "disk : fresh", value: replaced.disk / fresh.disk, unit: "times", target: MOST },
			{ what: "index : fresh", value: replaced.index / fresh.index, unit: "times", target: MOST },
			{ what: "reserved : fresh", value: replaced.reserved / fresh.reserved, unit: "times" },
			{ what: "resident : fresh", value: replaced.resident / fresh.resident, unit: "times" },
		],
	};
}

async function spaceOf(collection: Collection, path: string): Promise<Space> {
	const { memory } = await collection.stats();
	if (memory === null) throw new Error("the collection does not tell what memory it takes");
	// Before warm(), which touches every page of the memory.
	const resident = process.memoryUsage.rss();
	const { bytes } = await collection.warm();
	return { disk: folderBytes(path), index: memory.total, reserved: bytes, resident };
}

function spaceFigures(when: string, { disk, index, reserved, resident }: Space): Figure[] {
	return Object.entries({ disk, index, reserved, resident }).map(([what, bytes]) => ({
		what: `${what}, ${when}`,
		value: bytes / 1e6,
		unit: "MB",
	}));
}
