import { HnswIndex, IvfIndex, type Parallel, restoreHnsw, restoreIvf } from "@nigh/index";
import type { Arena } from "@nigh/kernels";
import { allocateTables, Generation, type GenerationHandle, type VectorFormat } from "../memory/generation.ts";
import { allocateArea } from "../memory/reader-area.ts";
import { flatSize, generationSize } from "../memory/sizes.ts";
import { allocateTailCodes } from "../memory/tail-codes.ts";
import { asMemoryLimit, newArena, withinMemory } from "../memory/within-memory.ts";
import { createMain, isOtherKind, type Main, type MainIndex, mainSpec } from "./main-index.ts";
import type { ReaderAreas } from "./messages.ts";
import { TRAINING_VECTORS } from "./parameters.ts";
import { NO_ROOM, type Room } from "./room.ts";
import { turn } from "./turn.ts";

/** A generation as its owner, the indexer, holds it. */
export interface Owned {
	readonly arena: Arena;
	readonly generation: Generation;
	readonly main: Main | undefined;
	readonly wanted: MainIndex;
	readonly areas: ReaderAreas;
}

/** Rows that are taken in between two looks at what else there is to do. */
const STEP = 512;
/** Nodes that do not see one another while they are linked: rows that belong together often come one after the other. */
export const LINKED_TOGETHER = 32;

/** Threads beside this one that work on an index of so many rows or more. */
const LEAST_PARALLEL = 2_048;

/**
 * An empty generation with room for so many records.
 *
 * @throws NighError `MEMORY_LIMIT`, as all that makes one: details hold count (records) and limit (records or bytes).
 */
export function emptyGeneration(
	number: number,
	format: VectorFormat,
	rowBytes: number,
	records: number,
	wanted: MainIndex,
): Owned {
	return withinMemory(records, () =>
		finish(begin(format, rowBytes, { records, idBytes: 0 }, wanted), number, format, wanted),
	);
}

/** A generation that is filled by the caller: its slots in the view, and the main index in the arena. */
export function ownGeneration(
	number: number,
	format: VectorFormat,
	rowBytes: number,
	room: { readonly records: number; readonly idBytes: number },
	wanted: MainIndex,
	fill: (arena: Arena, view: Generation) => Main,
): Owned {
	return withinMemory(room.records, () => {
		const building = begin(format, rowBytes, room, wanted);
		building.main = fill(building.arena, building.view);
		return finish(building, number, format, wanted);
	});
}

/** What the next generation is made of, and what has to be known to let it take over. */
export interface Next {
	readonly owned: Owned;
	/** By slot of the new generation: the slot of the old one. */
	readonly oldSlots: Uint32Array;
	/** Slots of the old one from here on are not in the new one. */
	readonly fromSlot: number;
}

export interface NextOptions {
	readonly wanted: MainIndex;
	/** Build the graph anew instead of copying the one there is. */
	readonly fresh: boolean;
	/** Lay the nodes out anew, and leave no more room than needed. */
	readonly arrange: boolean;
	/** What is about to be written, beside what there is. */
	readonly room?: Room;
	readonly parallel: Parallel;
	/** Called between two steps: other work may be done there. */
	readonly between: () => Promise<void>;
	readonly onProgress: (done: number, total: number) => void;
}

/**
 * Builds the generation that follows, from what is alive in the old one: records that have gone are left out, and slots are dense again.
 * The old one goes on meanwhile.
 */
export async function nextGeneration(old: Owned, rowBytes: number, options: NextOptions): Promise<Next> {
	const { generation } = old;
	const { format, number } = generation.handle;
	const { room = NO_ROOM } = options;
	const fromSlot = generation.slotEnd;
	const oldSlots = liveSlots(generation, fromSlot);
	const wanted = wantedFor(options.wanted, oldSlots.length);
	const idBytes = oldSlots.reduce(
		(sum, slot) => sum + (generation.idStarts[slot + 1] as number) - (generation.idStarts[slot] as number),
		0,
	);
	const records = oldSlots.length + room.slots;
	const building = withinMemory(records, () =>
		begin(format, rowBytes, { records, idBytes: idBytes + room.idBytes }, wanted),
	);
	await copySlots(generation, oldSlots, building.view);
	if (wanted === null) copyTail(old, oldSlots, building.view);
	else {
		building.main = await buildMain(old, oldSlots, building, options).catch((error) => {
			throw asMemoryLimit(error, records);
		});
		building.view.mainEnd = oldSlots.length;
		building.view.ringFree = oldSlots.length;
	}
	building.view.publish(generation.change);
	const owned = withinMemory(records, () => finish(building, number + 1, format, wanted));
	return { owned, oldSlots, fromSlot };
}

/** Cells are learnt: where everything has been deleted since they were asked for, there is nothing to learn them from. */
function wantedFor(wanted: MainIndex, records: number): MainIndex {
	return records === 0 && wanted?.kind !== "hnsw" ? null : wanted;
}

interface Building {
	readonly arena: Arena;
	readonly handle: GenerationHandle;
	readonly view: Generation;
	main: Main | undefined;
}

function begin(
	format: VectorFormat,
	rowBytes: number,
	{ records, idBytes }: { records: number; idBytes: number },
	wanted: MainIndex,
): Building {
	const size = (wanted === null ? flatSize : generationSize)(records, idBytes, rowBytes);
	const arena = newArena({ shared: true });
	const tables = allocateTables(arena, size);
	const { memory, engine } = arena;
	const handle: GenerationHandle = { number: 0, memory, engine, format, size, tables, tailCodes: null };
	return { arena, handle, view: new Generation(handle), main: undefined };
}

function finish(building: Building, number: number, format: VectorFormat, wanted: MainIndex): Owned {
	const { arena } = building;
	// Cells have to be trained: without anything to train them on there are none.
	const main = building.main ?? (wanted?.kind === "hnsw" ? createMain(arena, format, wanted) : undefined);
	if (main !== undefined) {
		main.reserve(building.handle.size.capacity);
		if (main instanceof HnswIndex) main.holdCodes();
	}
	const codes = main?.codes;
	const tailCodes = codes === undefined ? null : allocateTailCodes(arena, building.handle, codes);
	const handle = { ...building.handle, number, tailCodes };
	const area = (reader: number) => allocateArea(arena, reader, handle, mainSpec(main));
	const areas: ReaderAreas = { caller: area(0), worker: area(1) };
	return { arena, generation: new Generation(handle), main, wanted, areas };
}

/** Of what has been deleted nothing is kept; what has expired is, as its record is, until it is deleted. */
function liveSlots(generation: Generation, end: number): Uint32Array {
	const slots = new Uint32Array(end);
	let live = 0;
	for (let slot = 0; slot < end; slot++) if (!generation.isDeleted(slot)) slots[live++] = slot;
	return slots.slice(0, live);
}

async function copySlots(from: Generation, slots: Uint32Array, to: Generation): Promise<void> {
	let idEnd = 0;
	for (let i = 0; i < slots.length; i++) {
		const slot = slots[i] as number;
		to.labels[i] = from.labels[slot] as number;
		to.born[i] = from.born[slot] as number;
		to.died[i] = Number.POSITIVE_INFINITY;
		to.expires[i] = from.expires[slot] as number;
		idEnd += from.ids.copy(to.ids, idEnd, from.idStarts[slot] as number, from.idStarts[slot + 1] as number);
		to.idStarts[i + 1] = idEnd;
		if (i % 100_000 === 99_999) await turn();
	}
	to.slotEnd = slots.length;
	to.noteExpiries();
}

/** The row of a slot, wherever it is now. */
export function rowOf({ generation, main }: Owned, slot: number): Float32Array | Uint8Array {
	if (main !== undefined && slot < generation.mainEnd) return main.vector(slot) as Float32Array | Uint8Array;
	const bytes = generation.ringBytes(slot % generation.size.ringRows);
	const { metric, dimensions } = generation.handle.format;
	return metric === "hamming"
		? bytes.subarray(0, dimensions / 8)
		: new Float32Array(bytes.buffer, bytes.byteOffset, dimensions);
}

function copyTail(old: Owned, slots: Uint32Array, to: Generation): void {
	slots.forEach((slot, at) => {
		const row = rowOf(old, slot);
		to.ringBytes(at).set(new Uint8Array(row.buffer, row.byteOffset, row.byteLength));
		to.ringSlots[at] = at;
	});
}

async function buildMain(old: Owned, oldSlots: Uint32Array, building: Building, options: NextOptions): Promise<Main> {
	const wanted = options.wanted as Exclude<MainIndex, null>;
	const { format, size } = building.handle;
	const isCopied =
		!options.fresh && old.main !== undefined && old.main.size > 0 && !isOtherKind(old.main, options.wanted);
	const main = isCopied
		? copied(old, oldSlots, building.arena, size.capacity)
		: createMain(building.arena, format, wanted);
	if (!isCopied && main instanceof IvfIndex) await train(main, old, oldSlots, options);
	// All that it will ever have in this memory, so that nothing moves: what has moved leaves a hole as large as itself.
	main.reserve(size.capacity);
	const missing = oldSlots.map((_, slot) => slot).filter((slot) => !main.has(slot));
	if (!isCopied) shuffle(missing);
	await insert(main, missing, (slot) => rowOf(old, oldSlots[slot] as number), options);
	if (options.arrange || !isCopied) arrange(main);
	return main;
}

/** Lays nodes, or the rows of cells, out anew; keeps the room for what is still to come. */
function arrange(main: Main): void {
	if (main instanceof IvfIndex) main.compact({ keepRoom: true });
	else main.optimize({ keepRoom: true });
}

/** Learns cells from some of the rows, at even distances. */
async function train(
	main: IvfIndex,
	old: Owned,
	oldSlots: Uint32Array,
	{ parallel, between }: NextOptions,
): Promise<void> {
	const n = Math.min(oldSlots.length, TRAINING_VECTORS);
	const slots = Uint32Array.from({ length: n }, (_, i) => Math.floor((i * oldSlots.length) / n));
	const rows = gather(slots, (slot) => rowOf(old, oldSlots[slot] as number));
	const vectors = oldSlots.length;
	await main.train(rows, {
		vectors,
		capacity: CAPACITY * vectors,
		stored: true,
		parallel: givingWay(parallel, between),
	});
}

/** Threads that let other work have its turn after each step, and stop where that has given this up. */
function givingWay(parallel: Parallel, between: () => Promise<void>): Parallel {
	return {
		lanes: parallel.lanes,
		async run(...call) {
			await parallel.run(...call);
			await between();
		},
	};
}

/** The number of cells is chosen for so many times the records there are: as many as there may be before they are trained anew. */
const CAPACITY = 2;

/** The main index there is, without what has died, its labels being the new slots; with room for so many. */
function copied({ main, generation }: Owned, oldSlots: Uint32Array, arena: Arena, reserve: number): Main {
	const { state, sections } = (main as Main).parts();
	const bytesOf = new Map(sections.map(({ name, bytes }) => [name, bytes]));
	const source = {
		state,
		sections: sections.map(({ name, bytes }) => ({ name, bytes: bytes.length })),
		read: (name: string, into: Uint8Array) => into.set(bytesOf.get(name) as Uint8Array),
	};
	const copy =
		main instanceof IvfIndex ? restoreIvf(source, { arena, reserve }) : restoreHnsw(source, { arena, reserve });
	const newSlots = new Uint32Array(generation.slotEnd).fill(0xffffffff);
	oldSlots.forEach((oldSlot, slot) => {
		newSlots[oldSlot] = slot;
	});
	copy.remove(copy.labels().filter((label) => newSlots[label] === 0xffffffff || newSlots[label] === undefined));
	copy.relabel((label) => newSlots[label] as number);
	copy.compact({ keepRoom: true });
	return copy;
}

/** Takes rows in step by step; more at a time where several threads share the work. */
export async function insert(
	main: Main,
	slots: Uint32Array,
	row: (slot: number) => Float32Array | Uint8Array,
	{ parallel, between, onProgress }: Pick<NextOptions, "parallel" | "between" | "onProgress">,
): Promise<void> {
	const step = parallel.lanes > 1 ? Math.max(STEP * parallel.lanes, LEAST_PARALLEL) : STEP;
	for (let from = 0; from < slots.length; from += step) {
		const labels = slots.slice(from, from + step);
		await main.insertMany(gather(labels, row), {
			labels,
			stored: true,
			...(parallel.lanes > 1 && { parallel }),
			...(parallel.lanes === 1 && main instanceof HnswIndex && { together: LINKED_TOGETHER }),
		});
		onProgress(Math.min(slots.length, from + step), slots.length);
		await between();
	}
}

function gather(slots: Uint32Array, row: (slot: number) => Float32Array | Uint8Array): Float32Array | Uint8Array {
	const first = row(slots[0] as number);
	const all =
		first instanceof Uint8Array
			? new Uint8Array(slots.length * first.length)
			: new Float32Array(slots.length * first.length);
	slots.forEach((slot, i) => {
		all.set(row(slot), i * first.length);
	});
	return all;
}

/** A fixed order that has nothing to do with that of the rows. */
function shuffle(slots: Uint32Array): void {
	let state = 0x9e3779b9;
	for (let i = slots.length - 1; i > 0; i--) {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		const j = Math.floor((state / 2 ** 32) * (i + 1));
		const slot = slots[i] as number;
		slots[i] = slots[j] as number;
		slots[j] = slot;
	}
}
