import { isNighError, NighError } from "@nigh/contract";
import { HnswIndex, IvfIndex, type Parallel } from "@nigh/index";
import type { Generation } from "../memory/generation.ts";
import { givesRoom, mostRecords } from "../memory/sizes.ts";
import { chosenIndex, type IndexChoice, isOnDisk, type StoredSpec } from "../records/catalogue.ts";
import { type Built, builtNow, carriedOver } from "./built.ts";
import { type Chore, damagedRows, faultOf, ROWS_DAMAGED } from "./chores.ts";
import { collectGarbageSoon } from "./collect-garbage.ts";
import type { RowPlace } from "./kept-rows.ts";
import { idBytesIn } from "./limits.ts";
import type { MainIndex } from "./main-index.ts";
import { boundsWithin, indexWithin, isAnotherWanted, isPlanned, leastDead } from "./memory-plan.ts";
import type { IndexProblem, Installed } from "./messages.ts";
import { insert, type Next, nextGeneration, type Owned, rowsOf, vectorsOf, wantedFor } from "./next-generation.ts";
import { ARRANGING, type OptimizeOptions, optimize, SAVING } from "./optimize.ts";
import { outgrown } from "./outgrown.ts";
import {
	DEAD_SHARE,
	HOT_TAIL_SHARE,
	IDLE_MS,
	LEAST_WAIT_MS,
	MANY_FILES,
	MOST_TRIES,
	RETRY_MS,
	ROOM_SHARE,
	SMALL_CHANGE,
	SNAPSHOT_LEAST,
	SNAPSHOT_SHARE,
	STUCK_MS,
} from "./parameters.ts";
import { hasRoom, NO_ROOM, type Room } from "./room.ts";
import { Task } from "./task.ts";
import { turn } from "./turn.ts";

/** What a collection needs of the worker around it. */
export interface IndexerSurroundings {
	readonly parallel: Parallel;
	/** Where a collection keeps rows that its index does not hold. */
	placeOf(key: number): RowPlace;
	/** Asks the writer to let a generation take over. */
	install(installed: Installed, next: Pick<Next, "oldSlots" | "fromSlot">): Promise<boolean>;
	/** Tells the writer that rows of the tail have become free. */
	freed(key: number): void;
	/** Tells the writer why they do not become free for the time being. */
	stalled(key: number, reason: unknown): void;
	/** Tells the writer that the index of this process, which only reads, is to be followed by the next snapshot there is. */
	outgrown(key: number): void;
	/** Has the writer begin the collection anew from its records. Not to be waited for in the turn of a job. */
	reindex(key: number): Promise<void>;
	folded(key: number, vectors: number, durationMs: number, tail: number): void;
	/** What `folded` would have told could not be done. */
	foldFailed(key: number, durationMs: number, error: unknown): void;
	/** Whether there can be snapshots: not where another process writes. */
	readonly keepsSnapshots: boolean;
	/** Of a collection without an index, what there is goes. */
	saveSnapshot(collection: IndexedCollection, task?: Task): Promise<void>;
	/** Gives the space of older snapshots back. */
	keepNewest(collection: IndexedCollection): Promise<void>;
}

/** A collection as the indexer owns it: takes the tail in, and lets one generation follow the other. */
export class IndexedCollection {
	readonly key: number;
	readonly name: string;
	spec: StoredSpec;
	/** The index that is asked for: by the spec, or by the `convert` or `rebuild` that is under way. */
	choice: IndexChoice;
	owned: Owned;
	/** `performance.now()` of the last write, fold and snapshot. */
	writtenAt = 0;
	foldedAt: number | null = null;
	snapshotAt: number | null = null;
	/** The change and the main index's end that the last snapshot has. */
	snapshotChange: number | null = null;
	snapshotMain = 0;
	/** Vectors that had come and gone since the last snapshot when the generation took over. */
	changedBefore = 0;
	/** The change of the oldest snapshot on disk. */
	oldestSnapshot: number | null = null;
	/** Snapshots on disk that are of no use; the next one takes their place. */
	damaged: readonly string[] = [];
	building: number | null = null;
	/** Records that there will be once what is on its way has come, where that is known: an index is chosen, and room made, for these. */
	expected = 0;
	/** The cap that the index was chosen for, which may be none; `undefined` where no cap has chosen. */
	plannedMB: number | undefined;
	/** The main index's end when its nodes were last laid out. */
	arrangedUpTo = -1;
	/** The index as it was built; `undefined` until it has taken in what was written meanwhile. */
	built: Built | undefined;
	readonly problems = new Map<string, IndexProblem>();
	readonly #around: IndexerSurroundings;
	/** Rows of the tail that will be free when readers have left. */
	#leaving: { end: number; turns: Int32Array; since: number } | undefined;
	readonly #failedAt = new Map<Chore, number>();
	/** It is about to be begun anew from the records. */
	#isMending = false;
	/** What there is could not be learnt from: it takes more, or others. */
	#isUntrainable = false;
	/** Tasks that wait until what is being built is there. */
	#followers: Task[] = [];

	constructor(key: number, name: string, spec: StoredSpec, owned: Owned, around: IndexerSurroundings) {
		this.key = key;
		this.name = name;
		this.spec = spec;
		this.choice = chosenIndex(spec);
		this.owned = owned;
		this.#around = around;
	}

	get generation(): Generation {
		return this.owned.generation;
	}

	get installed(): Installed {
		return { key: this.key, generation: this.generation.handle, areas: this.owned.areas };
	}

	get tail(): number {
		return this.generation.slotEnd - this.generation.mainEnd;
	}

	/** Another spec is in force. An index that is being converted is asked for by its `optimize`, as long as the spec has no other. */
	respec(spec: StoredSpec): void {
		const isOther = JSON.stringify(chosenIndex(spec)) !== JSON.stringify(chosenIndex(this.spec));
		this.spec = spec;
		if (isOther) this.choice = chosenIndex(spec);
	}

	/** The main index that so many records are to have. */
	wanted(records: number): MainIndex {
		return indexWithin(this, records, this.expected);
	}

	/** Whether what comes has to wait for an index to be built: there is none, and the tail is not to have all that there is. */
	get #awaitsIndex(): boolean {
		const { size } = this.generation;
		return this.owned.main === undefined && size.ringRows < size.capacity;
	}

	/** The most urgent work in the background; `undefined` where there is none. `wait`: ms until there may be some. */
	chore(now: number): { chore: Chore } | { wait: number } | undefined {
		let wait: number | undefined = this.#soon(now);
		for (const chore of this.#due(now)) {
			// What has failed is tried again, but not at once and for ever.
			const pause = (this.#failedAt.get(chore) ?? Number.NEGATIVE_INFINITY) + RETRY_MS - now;
			if (pause <= 0 && !this.#leavesToWriter(chore, now)) return { chore };
			const left = pause > 0 ? pause : RETRY_MS;
			wait = Math.min(wait ?? left, left);
		}
		return wait === undefined ? undefined : { wait };
	}

	/** A process that only reads makes no copy of the rows on disk: it takes in what is new, and leaves the rest to the one that writes. */
	#leavesToWriter(chore: Chore, now: number): boolean {
		if (chore === "fold" || !this.#isWriters) return false;
		this.#failedAt.set(chore, now);
		this.#around.outgrown(this.key);
		if (this.#givesRows(chore)) this.#around.stalled(this.key, outgrown(this.name));
		return true;
	}

	/** Whether the next generation is to come from another process, in a snapshot. */
	get #isWriters(): boolean {
		if (this.#around.keepsSnapshots) return false;
		const { owned, generation } = this;
		const isWantedOnDisk = isOnDisk(this.wanted(generation.live));
		if (owned.main !== undefined) return isWantedOnDisk || isOnDisk(owned.main);
		const { slotEnd, ringFree, size } = generation;
		// Without a snapshot everything is compared, as long as the memory holds it.
		const isFull = size.ringRows < size.capacity && slotEnd - ringFree >= size.ringRows;
		return isWantedOnDisk && !isFull;
	}

	/** What there is to do, the most urgent first. */
	*#due(now: number): Generator<Chore> {
		const { generation, owned, tail } = this;
		const { live, slotEnd, size, deleted } = generation;
		const isIdle = now - this.writtenAt >= IDLE_MS;
		// Whether they have been taken in or not: no rows are free for writers.
		const isFull = slotEnd - generation.ringFree > size.ringRows / 2;
		if (this.#isStuck(now) || this.#isRoomDue()) yield "room";
		if (isAnotherWanted(this, live, this.expected)) yield "build";
		// From what there is none can be built: more of it has to come.
		if (this.#awaitsIndex && isFull && (this.wanted(live) === null || this.#isUntrainable)) yield "room";
		if (owned.main instanceof HnswIndex && owned.main.codesAreStale()) yield "codes";
		if (owned.main instanceof IvfIndex && owned.main.hasDrifted()) yield "train";
		const isScattered = (owned.rows?.segments.length ?? 0) > MANY_FILES;
		if (isScattered || (deleted >= leastDead(this) && deleted > slotEnd * DEAD_SHARE)) yield "dead";
		if (owned.main === undefined) {
			// Where a cap has left no index, the one on disk would be taken for it on opening.
			if (this.plannedMB !== undefined && this.oldestSnapshot !== null && this.#around.keepsSnapshots) yield "snapshot";
			return;
		}
		if (tail > 0 && (isIdle || tail > size.ringRows * HOT_TAIL_SHARE)) yield "fold";
		if (tail === 0 && isIdle && this.#isSnapshotDue()) yield "snapshot";
	}

	#isStuck(now: number): boolean {
		const { slotEnd, ringFree, size } = this.generation;
		// Whether they have been taken in or not: no rows are free for writers.
		const isFull = slotEnd - ringFree > size.ringRows / 2;
		return this.#leaving !== undefined && now - this.#leaving.since > STUCK_MS && isFull;
	}

	#isRoomDue(): boolean {
		const { deleted, slotEnd, size, idStarts } = this.generation;
		if (slotEnd <= size.capacity * ROOM_SHARE) return false;
		return givesRoom({ slots: slotEnd, kept: slotEnd - deleted, idBytes: idStarts[slotEnd] as number }, size);
	}

	/** ms until there may be something to do, where that is known. */
	#soon(now: number): number | undefined {
		if (this.owned.main === undefined) return undefined;
		if (this.#leaving !== undefined) {
			this.#freeRows();
			if (this.#leaving !== undefined) return LEAST_WAIT_MS;
		}
		const isIdle = now - this.writtenAt >= IDLE_MS;
		return !isIdle && (this.tail > 0 || this.#isSnapshotDue()) ? IDLE_MS : undefined;
	}

	async run(chore: Chore): Promise<void> {
		await this.#do(chore);
		this.#failedAt.delete(chore);
		this.problems.delete(`${chore}-failed`);
	}

	async #do(chore: Chore): Promise<void> {
		switch (chore) {
			case "fold":
				return this.fold();
			case "snapshot":
				return this.#around.saveSnapshot(this);
			case "build":
			case "train":
				return this.replace({ fresh: true, arrange: true });
			case "room":
				return this.replace({ fresh: false, arrange: false, isFlat: this.#isUntrainable });
			default:
				return this.replace({ fresh: false, arrange: false });
		}
	}

	/** Takes some rows of the tail into the main index. Where it is ended early, those that it has taken are in. */
	async fold(task: Task = new Task(), onTaken: (done: number) => void = () => {}): Promise<void> {
		this.#freeRows();
		const { generation, owned } = this;
		const { main } = owned;
		const from = generation.mainEnd;
		const end = Math.min(generation.slotEnd, from + MOST_AT_ONCE);
		if (main === undefined || end === from) return turn();
		const start = performance.now();
		const slots = Uint32Array.from({ length: end - from }, (_, i) => from + i);
		const between = async () => {
			await turn();
			this.#freeRows();
			task.check();
		};
		let taken = 0;
		const onProgress = (done: number) => {
			taken = done;
			onTaken(done);
		};
		try {
			await insert(main, slots, (some) => this.#foldedVectors(some), { ...this.#around, between, onProgress });
		} catch (error) {
			if (!task.isAborted) this.#around.foldFailed(this.key, performance.now() - start, error);
			throw error;
		} finally {
			if (taken > 0) this.#takenIn(from, from + taken, start);
		}
	}

	/** Rows that the index will not hold are kept before it takes them in. */
	#foldedVectors(slots: Uint32Array): Float32Array | Uint8Array {
		const { owned } = this;
		owned.rows?.keep(slots[0] as number, rowsOf(owned, slots));
		return vectorsOf(owned, slots);
	}

	#takenIn(from: number, end: number, start: number): void {
		const { generation } = this;
		generation.mainEnd = end;
		generation.countDeadInMain(from, end);
		this.#leaving = { end, turns: generation.readerTurns(), since: performance.now() };
		this.#freeRows();
		this.foldedAt = performance.now();
		this.#noteBuilt();
		this.#around.folded(this.key, end - from, this.foldedAt - start, this.tail);
	}

	/** Notes what the index is, for comparing with it later. */
	#noteBuilt(): void {
		if (this.built === undefined && this.owned.main !== undefined && this.tail === 0) {
			this.built = builtNow(this.generation);
		}
	}

	/** Takes the whole tail in, as it is now. */
	async foldAll(task: Task): Promise<void> {
		const from = this.generation.mainEnd;
		const end = this.generation.slotEnd;
		while (this.owned.main !== undefined && this.generation.mainEnd < end) {
			const before = this.generation.mainEnd - from;
			await this.fold(task, (done) => task.advance(before + done, end - from));
		}
	}

	/** Builds the next generation and lets it take over. What goes wrong leaves the old one as it is. */
	async replace({ fresh, arrange, room = NO_ROOM, isFlat = false, task = new Task() }: ReplaceOptions): Promise<void> {
		const { owned } = this;
		const { live, slotEnd, deleted } = owned.generation;
		this.building = 0;
		try {
			const wanted = isFlat ? null : wantedFor(this.wanted(live), slotEnd - deleted);
			const plannedMB = isPlanned(this, live) ? this.spec.memory?.maxMB : undefined;
			const next = await nextGeneration(owned, owned.generation.size.rowBytes, {
				wanted,
				...boundsWithin(this, wanted, Math.max(live, this.expected)),
				fresh,
				arrange,
				room: this.#roomFor(room, wanted),
				place: this.#around.placeOf(this.key),
				parallel: this.#around.parallel,
				between: async () => {
					await turn();
					task.check();
				},
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
			this.plannedMB = plannedMB;
		} catch (error) {
			// What was half built is a large memory.
			collectGarbageSoon();
			if (this.hasLost(error)) this.problems.set(ROWS_DAMAGED, damagedRows(error));
			// Writers need not wait for it any more.
			owned.generation.ceiling = 0;
			this.#around.freed(this.key);
			throw error;
		} finally {
			this.building = null;
			this.#followers = [];
		}
	}

	/** Room for what is asked for and, where that waits for an index, for all that is on its way. */
	#roomFor({ slots, idBytes }: Room, wanted: MainIndex): Room {
		if (!this.#awaitsIndex) return { slots, idBytes };
		const { generation, expected } = this;
		const kept = generation.slotEnd - generation.deleted;
		const most = mostRecords(generation.size.rowBytes, wanted === null || isOnDisk(wanted));
		const more = Math.max(slots, Math.min(expected, most) - kept);
		return { slots: more, idBytes: Math.max(idBytes, more * idBytesIn(generation)) };
	}

	/** Lets a generation that has been built take over. */
	async #install(next: Next, { arrange, task }: { readonly arrange: boolean; readonly task: Task }): Promise<void> {
		task.check();
		const { owned } = this;
		const before = this.generation;
		const { generation, areas } = next.owned;
		const installed = { key: this.key, generation: generation.handle, areas, isBuilt: arrange, choice: this.choice };
		if (!(await this.#around.install(installed, next))) throw overtaken();
		// It has neither what died nor a trace of it.
		this.changedBefore += Math.abs(before.slotEnd - this.snapshotMain) + before.dead;
		this.snapshotMain = generation.mainEnd;
		this.owned = next.owned;
		if (next.owned.main !== undefined) this.#isUntrainable = false;
		// As long as the one on disk is of the generation before, the rows of both are there.
		if (owned.rows !== undefined) this.snapshotChange = null;
		owned.rows?.close();
		// Where everything is compared there is no index that could have aged.
		const isAsBuilt = !arrange && next.owned.main !== undefined;
		this.built = isAsBuilt && this.built !== undefined ? carriedOver(this.built, before, generation) : undefined;
		this.#noteBuilt();
		collectGarbageSoon();
		this.#leaving = undefined;
		this.#failedAt.clear();
		for (const chore of ["build", "room", "codes", "train", "dead"]) this.problems.delete(`${chore}-failed`);
		this.problems.delete(ROWS_DAMAGED);
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
		this.expected = Math.max(this.expected, this.generation.live + room.slots);
		for (let tries = 1; !hasRoom(this.generation, room); tries++) {
			if (this.#isWriters) throw outgrown(this.name);
			const count = this.generation.live;
			try {
				await this.replace({ fresh: false, arrange: false, room, isFlat: this.#isUntrainable });
			} catch (error) {
				if (isNighError(error, "UNAVAILABLE") && tries < MOST_TRIES) continue;
				if (this.#noteUntrainable(error)) continue;
				this.expected = 0;
				if (!isNighError(error, "MEMORY_LIMIT")) throw error;
				throw noRoom(this.name, count, room.slots, error);
			}
		}
	}

	/** Notes what went wrong in the background. The chore is tried again later. */
	fault(chore: Chore, error: unknown): void {
		this.#failedAt.set(chore, performance.now());
		if (this.hasLost(error)) {
			this.#mend();
			return;
		}
		this.#noteUntrainable(error);
		const problem = faultOf(chore, error);
		this.problems.set(problem.code, problem);
		// One that was overtaken comes to its end the next time, and what could not be learnt from may be with more of it.
		const isPassing = isNighError(error, "UNAVAILABLE") || isNighError(error, "NOT_TRAINED");
		if (this.#givesRows(chore) && !isPassing) this.#around.stalled(this.key, error);
	}

	/** Whether that is what frees rows of the tail, which writers may wait for. */
	#givesRows(chore: Chore): boolean {
		if (chore === "fold") return true;
		// Without a main index only another generation has rows that are free.
		if (this.owned.main === undefined) return chore === "build" || chore === "room";
		return chore === "room" && this.#isStuck(performance.now());
	}

	/** Whether an error means that rows on disk are lost, which only the records have then: no generation can be made of this one. */
	hasLost(error: unknown): boolean {
		return this.owned.rows !== undefined && this.#around.keepsSnapshots && isNighError(error, "CORRUPT_SNAPSHOT");
	}

	#mend(): void {
		if (this.#isMending) return;
		this.#isMending = true;
		const ended = () => {
			this.#isMending = false;
		};
		// What has kept it from being mended keeps the chore from its end as well: it is tried again with that.
		this.#around.reindex(this.key).then(ended, ended);
	}

	/** Whether the first index could not be built, which was not known yet, because of the vectors that there are. */
	#noteUntrainable(error: unknown): boolean {
		if (this.#isUntrainable || this.owned.main !== undefined || !isNighError(error, "NOT_TRAINED")) return false;
		this.#isUntrainable = true;
		return true;
	}

	/** @see optimize */
	optimize(options: OptimizeOptions): Promise<void> {
		return optimize(this, this.#around, options);
	}

	async snapshotNow(task: Task = new Task()): Promise<void> {
		const { owned, damaged, snapshotChange, oldestSnapshot, generation } = this;
		const isSaved = owned.main === undefined ? oldestSnapshot === null : snapshotChange === generation.change;
		if (isSaved && damaged.length === 0) return;
		task.begin(generation.live * SAVING);
		await this.#around.saveSnapshot(this, task);
		this.problems.delete("snapshot-failed");
	}

	/** Whether closing without a snapshot would cost much on opening. */
	get isWorthSaving(): boolean {
		const { generation, owned, snapshotChange } = this;
		if (owned.main === undefined || generation.mainEnd < SNAPSHOT_LEAST) return false;
		return snapshotChange === null || this.#changed > SMALL_CHANGE;
	}

	/** About how many vectors have come and gone since the last snapshot. */
	get #changed(): number {
		const { generation, snapshotMain, changedBefore } = this;
		return changedBefore + Math.abs(generation.mainEnd - snapshotMain) + generation.deadInMain;
	}

	/** Rows of the tail are free again when every reader that did not know that they were taken in has left. */
	#freeRows(): void {
		if (this.#leaving === undefined || !this.generation.haveLeft(this.#leaving.turns)) return;
		this.generation.ringFree = this.#leaving.end;
		this.#leaving = undefined;
		this.#around.freed(this.key);
	}

	#isSnapshotDue(): boolean {
		const { generation, owned, snapshotChange, damaged } = this;
		if (!this.#around.keepsSnapshots) return false;
		if (damaged.length > 0) return true;
		if (owned.main === undefined || generation.mainEnd < SNAPSHOT_LEAST) return false;
		return snapshotChange === null || this.#changed > generation.mainEnd * SNAPSHOT_SHARE;
	}
}

interface ReplaceOptions {
	readonly fresh: boolean;
	readonly arrange: boolean;
	readonly room?: Room;
	/** Everything stays in the tail, whatever index is wanted. */
	readonly isFlat?: boolean;
	readonly task?: Task;
}

/** Rows of the tail that are taken in before something more urgent gets its turn. */
const MOST_AT_ONCE = 4_096;

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
