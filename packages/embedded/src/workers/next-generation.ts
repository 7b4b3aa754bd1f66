import { randomUUID } from "node:crypto";
import { HnswIndex, IvfIndex, type Parallel, restoreHnsw, restoreIvf } from "@nigh/index";
import type { Arena } from "@nigh/kernels";
import {
	allocateTables,
	churnOf,
	Generation,
	type GenerationHandle,
	type IndexIdentity,
	type VectorFormat,
} from "../memory/generation.ts";
import { allocateArea } from "../memory/reader-area.ts";
import { vectorBytes } from "../memory/rows.ts";
import { flatSize, generationSize } from "../memory/sizes.ts";
import { allocateTailCodes } from "../memory/tail-codes.ts";
import { asMemoryLimit, newArena, withinMemory } from "../memory/within-memory.ts";
import { isOnDisk } from "../records/catalogue.ts";
import { collectGarbageSoon } from "./collect-garbage.ts";
import { type HeldOut, holdOut } from "./hold-out.ts";
import { KeptRows, type RowPlace } from "./kept-rows.ts";
import {
	type CellsWanted,
	choiceOf,
	createMain,
	isOtherKind,
	type Main,
	type MainIndex,
	mainSpec,
} from "./main-index.ts";
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
	/** The rows of slots that the main index has taken in, where it does not hold them. */
	readonly rows: KeptRows | undefined;
	readonly areas: ReaderAreas;
}

/** Rows that are taken in between two looks at what else there is to do. */
const STEP = 512;
/** Bytes of rows that are copied to a file between two of them. */
const KEPT_AT_ONCE = 2 ** 20;
/** Nodes that do not see one another while they are linked: rows that belong together often come one after the other. */
export const LINKED_TOGETHER = 32;

/** Threads beside this one that work on an index of so many rows or more. */
const LEAST_PARALLEL = 2_048;

/**
 * An empty generation with room for so many records.
 *
 * @param mostTailRows Rows that its tail may have room for. Default: as ever; without a main index, all.
 * @throws NighError `MEMORY_LIMIT`, as all that makes one: details hold count (records) and limit (records or bytes).
 */
export function emptyGeneration(
	number: number,
	format: VectorFormat,
	rowBytes: number,
	records: number,
	wanted: MainIndex,
	mostTailRows?: number,
): Owned {
	return withinMemory(records, () =>
		finish(begin(format, rowBytes, { records, idBytes: 0, mostTailRows }, wanted), number, format, wanted),
	);
}

/** What a generation is to have room for. */
export interface GenerationRoom {
	readonly records: number;
	readonly idBytes: number;
	/** Rows that its tail may have room for. Default: as ever; without a main index, all. */
	readonly mostTailRows?: number | undefined;
}

/** A generation that is filled by the caller: its slots in the view, and the main index in the arena. */
export function ownGeneration(
	number: number,
	format: VectorFormat,
	rowBytes: number,
	room: GenerationRoom,
	wanted: MainIndex,
	fill: (
		arena: Arena,
		view: Generation,
	) => { readonly main: Main; readonly rows: KeptRows | undefined; readonly identity: IndexIdentity },
): Owned {
	return withinMemory(room.records, () => {
		const building = begin(format, rowBytes, room, wanted);
		const { main, rows, identity } = fill(building.arena, building.view);
		building.main = main;
		building.rows = rows;
		building.identity = identity;
		try {
			return finish(building, number, format, wanted);
		} catch (error) {
			rows?.discard();
			throw error;
		}
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
	/** Rows that its tail may have room for, and vectors that cells are learnt from at most. Default: as ever. */
	readonly mostTailRows?: number | undefined;
	readonly mostTrainingRows?: number | undefined;
	/** Where rows are kept that the index does not hold. */
	readonly place: RowPlace;
	readonly parallel: Parallel;
	/** Called between two steps: other work may be done there. */
	readonly between: () => Promise<void>;
	readonly onProgress: (done: number, total: number) => void;
	/**
	 * Asks the recall of an index that is not in use yet, by vectors that it has not taken in; where this is left out, all are taken in at once. Resolves
	 * when it has been asked as much as there is time for.
	 */
	readonly examine?: ((index: Owned, heldOut: Uint32Array) => Promise<void>) | undefined;
}

/**
 * Builds the generation that follows, from what is alive in the old one: records that have gone are left out, and slots are dense again.
 * The old one goes on meanwhile.
 */
export async function nextGeneration(old: Owned, rowBytes: number, options: NextOptions): Promise<Next> {
	const { generation } = old;
	const { format, number } = generation.handle;
	const { room = NO_ROOM, mostTailRows } = options;
	const fromSlot = generation.slotEnd;
	const oldSlots = liveSlots(generation, fromSlot);
	// What dies from here on dies in the next one too, when it takes over.
	const identity = carriedOver(old, oldSlots.length);
	const wanted = wantedFor(options.wanted, oldSlots.length);
	const idBytes = oldSlots.reduce(
		(sum, slot) => sum + (generation.idStarts[slot + 1] as number) - (generation.idStarts[slot] as number),
		0,
	);
	const records = oldSlots.length + room.slots;
	const building = withinMemory(records, () =>
		begin(format, rowBytes, { records, idBytes: idBytes + room.idBytes, mostTailRows }, wanted),
	);
	// What is written from here on is carried over into the tail of the next one.
	const { ringRows, capacity } = building.view.size;
	if (wanted !== null) generation.ceiling = fromSlot + ringRows;
	else if (ringRows < capacity) generation.ceiling = fromSlot + Math.max(0, ringRows - oldSlots.length);
	try {
		// Copies have checksums of their own: what is damaged must not become right by that.
		await old.rows?.verify(options.between);
		await copySlots(generation, oldSlots, building.view);
		let heldOut: Uint32Array = NONE;
		if (wanted === null) copyTail(old, oldSlots, building.view);
		else {
			if (isOnDisk(wanted)) building.rows = await keepRows(old, oldSlots, options);
			heldOut = await buildMain(old, oldSlots, building, { ...options, identity });
			building.view.mainEnd = oldSlots.length;
			building.view.ringFree = oldSlots.length;
		}
		building.view.publish(generation.change);
		const owned = finish(building, number + 1, format, wanted);
		if (heldOut.length > 0) await takeInLater(old, oldSlots, { owned, heldOut }, options);
		return { owned, oldSlots, fromSlot };
	} catch (error) {
		generation.ceiling = 0;
		building.rows?.discard();
		throw asMemoryLimit(error, records);
	}
}

/** Keeps the rows of all that the next generation begins with, in the order of its slots. */
async function keepRows(old: Owned, oldSlots: Uint32Array, { place, between }: NextOptions): Promise<KeptRows> {
	const { rowBytes } = old.generation.size;
	const kept = new KeptRows(place, rowBytes);
	try {
		const step = Math.max(1, Math.floor(KEPT_AT_ONCE / rowBytes));
		for (let from = 0; from < oldSlots.length; from += step) {
			kept.keep(from, rowsOf(old, oldSlots.subarray(from, from + step)));
			await between();
		}
		return kept;
	} catch (error) {
		kept.discard();
		throw error;
	}
}

/** Cells are learnt: where everything has been deleted since they were asked for, there is nothing to learn them from. */
export function wantedFor(wanted: MainIndex, records: number): MainIndex {
	return records === 0 && wanted?.kind !== "hnsw" ? null : wanted;
}

const NONE = new Uint32Array(0);

/** Takes in what was held out, once it has served: from then on the index knows it, and it can ask no more. */
async function takeInLater(
	old: Owned,
	oldSlots: Uint32Array,
	{ owned, heldOut }: { readonly owned: Owned; readonly heldOut: Uint32Array },
	options: NextOptions,
): Promise<void> {
	await options.examine?.(owned, heldOut);
	await insert(owned.main as Main, heldOut, (slots) => vectorsAt(old, oldSlots, slots), options);
}

interface Building {
	readonly arena: Arena;
	readonly handle: GenerationHandle;
	readonly view: Generation;
	main: Main | undefined;
	/** Of the main index; left out: it is a new one. */
	identity?: IndexIdentity;
	rows?: KeptRows | undefined;
}

function begin(
	format: VectorFormat,
	rowBytes: number,
	{ records, idBytes, mostTailRows }: GenerationRoom,
	wanted: MainIndex,
): Building {
	const options = { isOnDisk: isOnDisk(wanted), ...(mostTailRows !== undefined && { mostTailRows }) };
	const size =
		wanted === null
			? flatSize(records, idBytes, rowBytes, mostTailRows)
			: generationSize(records, idBytes, rowBytes, options);
	const arena = newArena({ shared: true });
	const tables = allocateTables(arena, size);
	const { memory, engine } = arena;
	const none = { tailCodes: null, rowFiles: null };
	const handle: GenerationHandle = { number: 0, memory, engine, format, size, tables, ...none };
	return { arena, handle, view: new Generation(handle), main: undefined };
}

function finish(building: Building, number: number, format: VectorFormat, wanted: MainIndex): Owned {
	const { arena, rows } = building;
	// Cells have to be trained: without anything to train them on there are none.
	const main = building.main ?? (wanted?.kind === "hnsw" ? createMain(arena, format, wanted) : undefined);
	if (main !== undefined) {
		reserveSlots(main, building.handle.size.capacity);
		if (main instanceof HnswIndex) main.holdCodes();
	}
	const codes = main?.codes;
	const tailCodes = codes === undefined ? null : allocateTailCodes(arena, building.handle, codes);
	const identity = building.identity ?? { id: randomUUID(), offset: 0 };
	const index = main === undefined ? {} : { index: choiceOf(main), identity };
	const handle = { ...building.handle, ...index, number, tailCodes, rowFiles: rows?.at ?? null };
	const area = (reader: number) => allocateArea(arena, reader, handle, mainSpec(main));
	const areas: ReaderAreas = { caller: area(0), worker: area(1) };
	return { arena, generation: new Generation(handle), main, wanted, rows, areas };
}

/** Room for all slots there may be. They are its labels, of which the smallest may be the last to come: it was held out. */
function reserveSlots(main: Main, capacity: number): void {
	main.reserve(capacity, { from: 0, count: capacity });
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

/** The rows of slots, padding included, wherever they are now. */
export function rowsOf({ generation, main, rows }: Owned, slots: Uint32Array): Uint8Array {
	const { rowBytes, ringRows } = generation.size;
	const mainEnd = main === undefined ? 0 : generation.mainEnd;
	// All at once: in the order in which they lie on disk.
	const kept = rows?.read(slots.filter((slot) => slot < mainEnd));
	if (kept?.length === slots.length * rowBytes) return kept;
	const all = new Uint8Array(slots.length * rowBytes);
	let next = 0;
	const rowAt = (slot: number): ArrayBufferView => {
		if (slot >= mainEnd) return generation.ringBytes(slot % ringRows);
		if (kept === undefined) return main?.vector(slot) as Float32Array | Uint8Array;
		return kept.subarray(rowBytes * next, rowBytes * ++next);
	};
	slots.forEach((slot, i) => {
		const { buffer, byteOffset, byteLength } = rowAt(slot);
		all.set(new Uint8Array(buffer, byteOffset, byteLength), i * rowBytes);
	});
	return all;
}

/** The vectors of slots as an index takes them: floats, or packed bits, without padding. */
export function vectorsOf(owned: Owned, slots: Uint32Array): Float32Array | Uint8Array {
	return unpadded(owned.generation, rowsOf(owned, slots));
}

function unpadded({ handle, size: { rowBytes } }: Generation, rows: Uint8Array): Float32Array | Uint8Array {
	const bytes = vectorBytes(handle.format);
	const n = rows.length / rowBytes;
	let all = rows;
	if (bytes < rowBytes) {
		all = new Uint8Array(n * bytes);
		for (let i = 0; i < n; i++) all.set(rows.subarray(i * rowBytes, i * rowBytes + bytes), i * bytes);
	}
	return handle.format.metric === "hamming" ? all : new Float32Array(all.buffer, all.byteOffset, (n * bytes) / 4);
}

function copyTail(old: Owned, slots: Uint32Array, to: Generation): void {
	const { rowBytes } = to.size;
	for (let from = 0; from < slots.length; from += STEP) {
		const rows = rowsOf(old, slots.subarray(from, from + STEP));
		for (let i = 0; i * rowBytes < rows.length; i++) {
			to.ringBytes(from + i).set(rows.subarray(i * rowBytes, (i + 1) * rowBytes));
			to.ringSlots[from + i] = from + i;
		}
	}
}

/** Vectors by the slots of the next generation. */
function vectorsAt(old: Owned, oldSlots: Uint32Array, slots: Uint32Array): Float32Array | Uint8Array {
	return vectorsOf(
		old,
		slots.map((slot) => oldSlots[slot] as number),
	);
}

/** Builds the main index. Returns the slots that it has not taken in: those that its recall is to be asked by before. */
async function buildMain(
	old: Owned,
	oldSlots: Uint32Array,
	building: Building,
	options: NextOptions & { readonly identity: IndexIdentity | undefined },
): Promise<Uint32Array> {
	const wanted = options.wanted as Exclude<MainIndex, null>;
	const { format, size } = building.handle;
	const isCopied =
		!options.fresh && old.main !== undefined && old.main.size > 0 && !isOtherKind(old.main, options.wanted);
	const { heldOut, rest }: HeldOut =
		isCopied || options.examine === undefined ? { heldOut: NONE, rest: undefined } : holdOut(oldSlots.length);
	const main = isCopied
		? copied(old, oldSlots, building.arena, size.capacity)
		: wanted.kind === "hnsw"
			? createMain(building.arena, format, wanted)
			: await trained(old, rest === undefined ? oldSlots : rest.map((slot) => oldSlots[slot] as number), building, {
					...options,
					vectors: oldSlots.length,
				});
	building.main = main;
	if (isCopied && options.identity !== undefined) building.identity = options.identity;
	// All that it will ever have in this memory, so that nothing moves: what has moved leaves a hole as large as itself.
	reserveSlots(main, size.capacity);
	const missing = (rest ?? oldSlots.map((_, slot) => slot)).filter((slot) => !main.has(slot));
	// Cells do not depend on the order, and rows on disk are read in theirs.
	if (!isCopied && main instanceof HnswIndex) shuffle(missing);
	await insert(main, missing, (slots) => vectorsAt(old, oldSlots, slots), options);
	// Where nothing had to be inserted, a copied graph has the codes of the old one still.
	const isStale = main instanceof HnswIndex && main.codesAreStale();
	if (options.arrange || !isCopied || isStale) arrange(main);
	return heldOut;
}

/** The same index in the next generation: it has taken in what was in the tail, and does not count what it has left out. */
function carriedOver({ generation }: Owned, kept: number): IndexIdentity | undefined {
	const { identity } = generation.handle;
	if (identity === undefined) return undefined;
	const tail = generation.slotEnd - generation.mainEnd;
	// They are among those that are kept, and are counted there as well.
	const expired = generation.dead - generation.deleted;
	return { id: identity.id, offset: churnOf(generation) + tail - kept - expired };
}

/** Lays nodes, or the rows of cells, out anew; keeps the room for what is still to come. */
function arrange(main: Main): void {
	if (main instanceof IvfIndex) main.compact({ keepRoom: true });
	else main.optimize({ keepRoom: true });
}

/** Cells that are learnt in a memory of their own: what a training works in would stay in that of the generation as long as this lives. */
async function trained(
	old: Owned,
	oldSlots: Uint32Array,
	building: Building,
	options: NextOptions & TrainedFor,
): Promise<Main> {
	const learning = createMain(newArena({ shared: true }), building.handle.format, options.wanted as CellsWanted);
	await train(learning as IvfIndex, old, oldSlots, options);
	const main = copyOf(learning, building.arena, building.handle.size.capacity);
	collectGarbageSoon();
	return main;
}

/** Vectors that there will be: more than cells may be learnt from. */
interface TrainedFor {
	readonly vectors: number;
}

/** Learns cells from some of the rows, at even distances. */
async function train(
	main: IvfIndex,
	old: Owned,
	oldSlots: Uint32Array,
	{ parallel, between, mostTrainingRows = TRAINING_VECTORS, vectors }: NextOptions & TrainedFor,
): Promise<void> {
	const n = Math.min(oldSlots.length, TRAINING_VECTORS, mostTrainingRows);
	const slots = Uint32Array.from({ length: n }, (_, i) => Math.floor((i * oldSlots.length) / n));
	const rows = vectorsOf(
		old,
		slots.map((slot) => oldSlots[slot] as number),
	);
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
	const copy = copyOf(main as Main, arena, reserve);
	const newSlots = new Uint32Array(generation.slotEnd).fill(0xffffffff);
	oldSlots.forEach((oldSlot, slot) => {
		newSlots[oldSlot] = slot;
	});
	copy.remove(copy.labels().filter((label) => newSlots[label] === 0xffffffff || newSlots[label] === undefined));
	copy.relabel((label) => newSlots[label] as number);
	copy.compact({ keepRoom: true });
	return copy;
}

/** The same index in another memory, with room for so many. */
function copyOf(main: Main, arena: Arena, reserve: number): Main {
	const { state, sections } = main.parts();
	const bytesOf = new Map(sections.map(({ name, bytes }) => [name, bytes]));
	const source = {
		state,
		sections: sections.map(({ name, bytes }) => ({ name, bytes: bytes.length })),
		read: (name: string, into: Uint8Array) => into.set(bytesOf.get(name) as Uint8Array),
	};
	return main instanceof IvfIndex ? restoreIvf(source, { arena, reserve }) : restoreHnsw(source, { arena, reserve });
}

/** Takes rows in step by step; more at a time where several threads share the work. */
export async function insert(
	main: Main,
	slots: Uint32Array,
	vectors: (slots: Uint32Array) => Float32Array | Uint8Array,
	{ parallel, between, onProgress }: Pick<NextOptions, "parallel" | "between" | "onProgress">,
): Promise<void> {
	const step = parallel.lanes > 1 ? Math.max(STEP * parallel.lanes, LEAST_PARALLEL) : STEP;
	for (let from = 0; from < slots.length; from += step) {
		const labels = slots.slice(from, from + step);
		await main.insertMany(vectors(labels), {
			labels,
			stored: true,
			...(parallel.lanes > 1 && { parallel }),
			...(parallel.lanes === 1 && main instanceof HnswIndex && { together: LINKED_TOGETHER }),
		});
		onProgress(Math.min(slots.length, from + step), slots.length);
		await between();
	}
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
