import { isNighError, NighError } from "@nigh/contract";
import { mostRecords } from "../memory/sizes.ts";
import { isOnDisk } from "../records/catalogue.ts";
import { damagedRows, ROWS_DAMAGED } from "./chores.ts";
import { collectGarbageSoon } from "./collect-garbage.ts";
import { askByHeldOut } from "./held-out.ts";
import type { IndexedCollection, IndexerSurroundings } from "./indexed-collection.ts";
import { idBytesIn } from "./limits.ts";
import type { MainIndex } from "./main-index.ts";
import { boundsWithin, isPlanned } from "./memory-plan.ts";
import { type Next, nextGeneration, wantedFor } from "./next-generation.ts";
import { ARRANGING } from "./optimize.ts";
import { outgrown } from "./outgrown.ts";
import { MOST_TRIES } from "./parameters.ts";
import { hasRoom, NO_ROOM, type Room } from "./room.ts";
import { Task } from "./task.ts";
import { turn } from "./turn.ts";

export interface ReplaceOptions {
	/** The main index is built anew, not copied. */
	readonly fresh: boolean;
	/** Its nodes, or the rows of its cells, are laid out anew. */
	readonly arrange: boolean;
	readonly room?: Room;
	/** Everything stays in the tail, whatever index is wanted. */
	readonly isFlat?: boolean;
	readonly task?: Task;
}

/** Lets one generation of a collection follow the other. */
export class Replacing {
	/** How much of the next one there is, 0 to 1; `null` where none is being built. */
	building: number | null = null;
	readonly #collection: IndexedCollection;
	readonly #around: IndexerSurroundings;
	#isUntrainable = false;
	/** Tasks that wait until what is being built is there. */
	#followers: Task[] = [];

	constructor(collection: IndexedCollection, around: IndexerSurroundings) {
		this.#collection = collection;
		this.#around = around;
	}

	/** What there is could not be learnt from: it takes more, or others. */
	get isUntrainable(): boolean {
		return this.#isUntrainable;
	}

	/** Whether the next generation is to come from another process, in a snapshot. */
	get isWriters(): boolean {
		if (this.#around.keepsSnapshots) return false;
		const { owned, generation } = this.#collection;
		const isWantedOnDisk = isOnDisk(this.#collection.wanted(generation.live));
		if (owned.main !== undefined) return isWantedOnDisk || isOnDisk(owned.main);
		const { slotEnd, ringFree, size } = generation;
		// Without a snapshot everything is compared, as long as the memory holds it.
		const isFull = size.ringRows < size.capacity && slotEnd - ringFree >= size.ringRows;
		return isWantedOnDisk && !isFull;
	}

	/** Builds the next generation and lets it take over. What goes wrong leaves the old one as it is. */
	async replace({ fresh, arrange, room = NO_ROOM, isFlat = false, task: given }: ReplaceOptions): Promise<void> {
		const task = given ?? new Task();
		const collection = this.#collection;
		const { owned } = collection;
		const { live, slotEnd, deleted } = owned.generation;
		this.building = 0;
		try {
			const wanted = isFlat ? null : wantedFor(collection.wanted(live), slotEnd - deleted);
			const plannedMB = isPlanned(collection, live) ? collection.spec.memory?.maxMB : undefined;
			const next = await nextGeneration(owned, owned.generation.size.rowBytes, {
				wanted,
				...boundsWithin(collection, wanted, Math.max(live, collection.expected)),
				fresh,
				arrange,
				room: this.#roomFor(room, wanted),
				place: this.#around.placeOf(collection.key),
				parallel: this.#around.parallel,
				between: async () => {
					await turn();
					task.check();
				},
				examine: (index, heldOut) =>
					askByHeldOut(this.#around, collection, index, heldOut, {
						// Who waits for nothing that this does waits no longer than it has to.
						isPressed: () => this.#isWaitedFor || (given === undefined && this.#around.isAwaited(collection.key)),
						between: async () => {
							await turn();
							task.check();
						},
					}),
				onProgress: (done, total) => {
					this.building = done / total;
					// The nodes are laid out afterwards, all at once.
					for (const each of [task, ...this.#followers]) each.advance(done, total * (1 + ARRANGING));
				},
			});
			await this.#install(next, { arrange, task }).catch((error) => {
				next.owned.rows?.discard();
				throw error;
			});
			collection.plannedMB = plannedMB;
		} catch (error) {
			// What was half built is a large memory.
			collectGarbageSoon();
			if (collection.hasLost(error)) collection.problems.set(ROWS_DAMAGED, damagedRows(error));
			// Writers need not wait for it any more.
			owned.generation.ceiling = 0;
			this.#around.freed(collection.key);
			throw error;
		} finally {
			this.building = null;
			this.#followers = [];
		}
	}

	/** Whether writers wait before what the next generation would have no room for. */
	get #isWaitedFor(): boolean {
		const { ceiling, slotEnd } = this.#collection.generation;
		return ceiling > 0 && slotEnd >= ceiling;
	}

	/** Room for what is asked for and, where that waits for an index, for all that is on its way. */
	#roomFor({ slots, idBytes }: Room, wanted: MainIndex): Room {
		const { generation, expected, awaitsIndex } = this.#collection;
		if (!awaitsIndex) return { slots, idBytes };
		const kept = generation.slotEnd - generation.deleted;
		const most = mostRecords(generation.size.rowBytes, wanted === null || isOnDisk(wanted));
		const more = Math.max(slots, Math.min(expected, most) - kept);
		return { slots: more, idBytes: Math.max(idBytes, more * idBytesIn(generation)) };
	}

	/** Lets a generation that has been built take over. */
	async #install(next: Next, { arrange, task }: { readonly arrange: boolean; readonly task: Task }): Promise<void> {
		task.check();
		const { key, choice } = this.#collection;
		const { generation, areas, main } = next.owned;
		const installed = { key, generation: generation.handle, areas, isBuilt: arrange, choice };
		if (!(await this.#around.install(installed, next))) throw overtaken();
		if (main !== undefined) this.#isUntrainable = false;
		this.#collection.goOnWith(next.owned, arrange);
	}

	/** Where an index is being built that a task has to wait for, that counts as this share of it. */
	follow(task: Task, share: number): void {
		if (this.building === null) return;
		task.plan(1);
		task.begin(share);
		this.#followers.push(task);
	}

	/**
	 * Has room for so much more when this resolves, if need be in another generation.
	 *
	 * @throws NighError `MEMORY_LIMIT` where no memory holds it, what {@link outgrown} makes in a process that only reads; everything is as it was.
	 */
	async makeRoom(room: Room): Promise<void> {
		const collection = this.#collection;
		collection.expected = Math.max(collection.expected, collection.generation.live + room.slots);
		for (let tries = 1; !hasRoom(collection.generation, room); tries++) {
			if (this.isWriters) throw outgrown(collection.name);
			const count = collection.generation.live;
			try {
				await this.replace({ fresh: false, arrange: false, room, isFlat: this.#isUntrainable });
			} catch (error) {
				if (isNighError(error, "UNAVAILABLE") && tries < MOST_TRIES) continue;
				if (this.noteUntrainable(error)) continue;
				collection.expected = 0;
				if (!isNighError(error, "MEMORY_LIMIT")) throw error;
				throw noRoom(collection.name, count, room.slots, error);
			}
		}
	}

	/** Whether the first index could not be built, which was not known yet, because of the vectors that there are. */
	noteUntrainable(error: unknown): boolean {
		const isFirst = this.#collection.owned.main === undefined;
		if (this.#isUntrainable || !isFirst || !isNighError(error, "NOT_TRAINED")) return false;
		this.#isUntrainable = true;
		return true;
	}
}

function noRoom(name: string, count: number, more: number, cause: NighError): NighError {
	return new NighError(
		"MEMORY_LIMIT",
		`the index of ${JSON.stringify(name)} has ${count} records and no memory for ${more} more: ${cause.message}`,
		{ ...cause.details, count, more },
		{ cause },
	);
}

function overtaken(): NighError {
	return new NighError("UNAVAILABLE", "more was written while the next generation was built than it has room for");
}
