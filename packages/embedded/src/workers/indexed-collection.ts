import { isNighError } from "@nigh/contract";
import type { Parallel } from "@nigh/index";
import { churnOf, type Generation } from "../memory/generation.ts";
import { chosenIndex, type IndexChoice, type StoredSpec } from "../records/catalogue.ts";
import { type Built, builtNow, carriedOver } from "./built.ts";
import { type Chore, faultOf, ROWS_DAMAGED, UNEXAMINED, unexamined } from "./chores.ts";
import { collectGarbageSoon } from "./collect-garbage.ts";
import { due, dueIn, heldOutOf, isExaminationDue, isStuck, isTailHot } from "./due.ts";
import { Folding } from "./folding.ts";
import { askByHeldOut } from "./held-out.ts";
import { drawn } from "./hold-out.ts";
import type { RowPlace } from "./kept-rows.ts";
import type { MainIndex } from "./main-index.ts";
import { indexWithin } from "./memory-plan.ts";
import type { IndexProblem, Installed } from "./messages.ts";
import type { Next, Owned } from "./next-generation.ts";
import { type OptimizeOptions, optimize, SAVING } from "./optimize.ts";
import { outgrown } from "./outgrown.ts";
import { RETRY_MS } from "./parameters.ts";
import { type ReplaceOptions, Replacing } from "./replacing.ts";
import type { Room } from "./room.ts";
import { Task } from "./task.ts";
import { turn } from "./turn.ts";
import { withoutWrittenAgain } from "./written-again.ts";

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
	/** Asks the recall of an index by vectors that it has not taken in; resolves when that is done, or the task was aborted. */
	examine(
		collection: Pick<IndexedCollection, "key" | "name" | "spec" | "noteExaminable">,
		index: Owned,
		slots: Uint32Array,
		task: Task,
	): Promise<void>;
	/** A generation cannot be examined. To be told once, however often somebody would ask. */
	unexamined(
		collection: Pick<IndexedCollection, "key" | "noteUnexamined">,
		generation: Generation,
		reason: unknown,
	): void;
	/** Whether somebody waits for other work than that of the optimize() of a collection: who waits for that is to have an index of which something is known. */
	isAwaited(key: number): boolean;
	/** Gives the space of older snapshots back. */
	keepNewest(collection: IndexedCollection): Promise<void>;
}

/**
 * A collection as the indexer owns it: what there is of it, and its chores one at a time. What is due is told by {@link due}; {@link Folding} takes
 * the tail in, {@link Replacing} lets one generation follow the other.
 */
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
	/** Records that there will be once what is on its way has come, where that is known: an index is chosen, and room made, for these. */
	expected = 0;
	/** The cap that the index was chosen for, which may be none; `undefined` where no cap has chosen. */
	plannedMB: number | undefined;
	/** The main index's end when its nodes were last laid out. */
	arrangedUpTo = -1;
	/** What had come and gone in the index when its recall was last asked; `undefined`: it was not. */
	examinedChurn: number | undefined;
	/** Whether that was ended before it had come to its end: who waits for it may have it asked again. */
	wasPressed = false;
	/** The index as it was built; `undefined` until it has taken in what was written meanwhile. */
	built: Built | undefined;
	readonly problems = new Map<string, IndexProblem>();
	readonly #around: IndexerSurroundings;
	readonly #folding: Folding;
	readonly #replacing: Replacing;
	readonly #failedAt = new Map<Chore, number>();
	/** It is about to be begun anew from the records. */
	#isMending = false;
	/** The number of the last generation that could not be examined. */
	#unexamined: number | undefined;

	constructor(key: number, name: string, spec: StoredSpec, owned: Owned, around: IndexerSurroundings) {
		this.key = key;
		this.name = name;
		this.spec = spec;
		this.choice = chosenIndex(spec);
		this.owned = owned;
		this.#around = around;
		this.#folding = new Folding(this, around);
		this.#replacing = new Replacing(this, around);
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
	get awaitsIndex(): boolean {
		const { size } = this.generation;
		return this.owned.main === undefined && size.ringRows < size.capacity;
	}

	/** @see Replacing.building */
	get building(): number | null {
		return this.#replacing.building;
	}

	/** @see Replacing.isUntrainable */
	get isUntrainable(): boolean {
		return this.#replacing.isUntrainable;
	}

	/** @see Folding.leavingSince */
	get leavingSince(): number | undefined {
		return this.#folding.leavingSince;
	}

	/** Whether there can be snapshots: not where another process writes. */
	get keepsSnapshots(): boolean {
		return this.#around.keepsSnapshots;
	}

	/** The most urgent work in the background; `undefined` where there is none. `wait`: ms until there may be some. */
	chore(now: number): { chore: Chore } | { wait: number } | undefined {
		this.#folding.freeRows();
		let wait = dueIn(this, now);
		for (const chore of due(this, now)) {
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
		if (chore === "fold" || !this.#replacing.isWriters) return false;
		this.#failedAt.set(chore, now);
		this.#around.outgrown(this.key);
		if (this.#givesRows(chore)) this.#around.stalled(this.key, outgrown(this.name));
		return true;
	}

	async run(chore: Chore): Promise<void> {
		await this.#do(chore);
		this.#failedAt.delete(chore);
		this.problems.delete(`${chore}-failed`);
	}

	async #do(chore: Chore): Promise<void> {
		switch (chore) {
			case "fold":
				return this.fold(this.#leaves);
			case "examine":
				return this.examineByTail();
			case "snapshot":
				return this.#around.saveSnapshot(this);
			case "build":
			case "train":
				return this.replace({ fresh: true, arrange: true });
			case "room":
				return this.replace({ fresh: false, arrange: false, isFlat: this.isUntrainable });
			default:
				return this.replace({ fresh: false, arrange: false });
		}
	}

	/** Rows that a fold leaves in the tail, so that they can ask. Where no more than those are left they have asked, or cannot. */
	get #leaves(): number {
		const leaves = heldOutOf(this);
		return isTailHot(this) || this.tail <= leaves || !isExaminationDue(this) ? 0 : leaves;
	}

	/**
	 * Before the tail is taken in, its rows ask the recall of the index.
	 *
	 * @param task Of who waits for it; left out where nobody does, so that whoever waits for something else ends it.
	 */
	async examineByTail(task?: Task): Promise<void> {
		const { generation, tail, owned } = this;
		const from = generation.mainEnd;
		const before = this.examinedChurn;
		this.examinedChurn = churnOf(generation) + tail;
		this.wasPressed = false;
		try {
			const between = async () => {
				await turn();
				task?.check();
			};
			const asking = await withoutWrittenAgain(owned, drawn(from, from + tail), between);
			if (asking.length === 0) return;
			await askByHeldOut(this.#around, this, owned, asking, {
				isPressed: () => {
					const isPressed = task === undefined && (this.#around.isAwaited(this.key) || isTailHot(this));
					this.wasPressed ||= isPressed;
					return isPressed;
				},
				between,
			});
		} catch (error) {
			this.examinedChurn = before;
			throw error;
		}
	}

	/** The recall of an index was found out when so much had come and gone in it. Here more may be known: that it was asked since, however much that told. */
	noteExamined(identity: string, churn: number): void {
		if (this.generation.handle.identity?.id !== identity) return;
		this.examinedChurn = Math.max(churn, this.examinedChurn ?? churn);
	}

	/** Notes what keeps everybody from finding out how good the answers of a generation are. Returns whether that was not known of it yet. */
	noteUnexamined({ handle: { number } }: Generation, reason: unknown): boolean {
		const isNew = this.#unexamined !== number;
		this.#unexamined = number;
		this.problems.set(UNEXAMINED, unexamined(reason));
		return isNew;
	}

	/** There is room for whoever finds that out. */
	noteExaminable(): void {
		this.problems.delete(UNEXAMINED);
	}

	/** @see Folding.fold */
	fold(leave?: number): Promise<void> {
		return this.#folding.fold(leave);
	}

	/** @see Folding.foldAll */
	foldAll(task: Task, leave?: number): Promise<void> {
		return this.#folding.foldAll(task, leave);
	}

	/** @see Replacing.replace */
	replace(options: ReplaceOptions): Promise<void> {
		return this.#replacing.replace(options);
	}

	/** @see Replacing.makeRoom */
	makeRoom(room: Room): Promise<void> {
		return this.#replacing.makeRoom(room);
	}

	/** @see Replacing.follow */
	follow(task: Task, share: number): void {
		this.#replacing.follow(task, share);
	}

	/** Notes what the index is, for comparing with it later. */
	noteBuilt(): void {
		if (this.built === undefined && this.owned.main !== undefined && this.tail === 0) {
			this.built = builtNow(this.generation);
		}
	}

	/** Another generation has taken over, its index laid out anew or as the one before left it. */
	goOnWith(next: Owned, isArranged: boolean): void {
		const { owned } = this;
		const before = owned.generation;
		const { generation, main } = next;
		// It has neither what died nor a trace of it.
		this.changedBefore += Math.abs(before.slotEnd - this.snapshotMain) + before.dead;
		this.snapshotMain = generation.mainEnd;
		this.owned = next;
		const isOther = before.handle.identity?.id !== generation.handle.identity?.id;
		// Whoever builds an index has asked it.
		if (isOther) this.examinedChurn = generation.handle.identity === undefined ? undefined : churnOf(generation);
		// As long as the one on disk is of the generation before, the rows of both are there.
		if (owned.rows !== undefined) this.snapshotChange = null;
		owned.rows?.close();
		// Where everything is compared there is no index that could have aged.
		const isAsBuilt = !isArranged && main !== undefined;
		this.built = isAsBuilt && this.built !== undefined ? carriedOver(this.built, before, generation) : undefined;
		this.noteBuilt();
		collectGarbageSoon();
		this.#folding.reset();
		this.#failedAt.clear();
		for (const chore of ["build", "room", "codes", "train", "dead"]) this.problems.delete(`${chore}-failed`);
		this.problems.delete(ROWS_DAMAGED);
		// Known of it already where it was to be examined before it takes over.
		if (this.#unexamined !== generation.handle.number) this.problems.delete(UNEXAMINED);
	}

	/** Notes what went wrong in the background. The chore is tried again later. */
	fault(chore: Chore, error: unknown): void {
		this.#failedAt.set(chore, performance.now());
		if (this.hasLost(error)) {
			this.#mend();
			return;
		}
		this.#replacing.noteUntrainable(error);
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
		return chore === "room" && isStuck(this, performance.now());
	}

	/** Whether an error means that rows on disk are lost, which only the records have then: no generation can be made of this one. */
	hasLost(error: unknown): boolean {
		return this.owned.rows !== undefined && this.keepsSnapshots && isNighError(error, "CORRUPT_SNAPSHOT");
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
}
