import { NighError } from "@nigh/contract";
import type { Parallel } from "@nigh/index";
import type { Generation } from "../memory/generation.ts";
import { chosenIndex, type StoredSpec } from "../records/catalogue.ts";
import { collectGarbageSoon } from "./collect-garbage.ts";
import type { IndexChoice, IndexProblem, Installed } from "./messages.ts";
import { insert, type MainIndex, type Next, nextGeneration, type Owned, rowOf } from "./next-generation.ts";
import {
	DEAD_SHARE,
	GRAPH_FROM,
	HOT_TAIL_SHARE,
	IDLE_MS,
	LEAST_DEAD,
	LEAST_GRAPH,
	LEAST_WAIT_MS,
	RETRY_MS,
	ROOM_SHARE,
	SMALL_CHANGE,
	SNAPSHOT_LEAST,
	SNAPSHOT_SHARE,
	STUCK_MS,
} from "./parameters.ts";
import { turn } from "./turn.ts";

/** What a collection needs of the worker around it. */
export interface IndexerSurroundings {
	readonly parallel: Parallel;
	/** Asks the writer to let a generation take over. */
	install(installed: Installed, next: Pick<Next, "oldSlots" | "fromSlot">): Promise<boolean>;
	/** Tells the writer that rows of the tail have become free. */
	freed(key: number): void;
	folded(key: number, vectors: number, durationMs: number, tail: number): void;
	/** Whether there can be snapshots: not where another process writes. */
	readonly keepsSnapshots: boolean;
	/** Of a collection without an index, what there is goes. */
	saveSnapshot(collection: IndexedCollection): Promise<void>;
	/** Gives the space of older snapshots back. */
	keepNewest(collection: IndexedCollection): Promise<void>;
}

/** A piece of background work. */
export type Chore = "build" | "room" | "codes" | "dead" | "fold" | "snapshot";

/** A collection as the indexer owns it: takes the tail in, and lets one generation follow the other. */
export class IndexedCollection {
	readonly key: number;
	readonly name: string;
	spec: StoredSpec;
	/** What `convert` has asked for beside the spec. */
	choice: IndexChoice;
	owned: Owned;
	/** `performance.now()` of the last write, fold and snapshot. */
	writtenAt = 0;
	foldedAt: number | null = null;
	snapshotAt: number | null = null;
	/** The change and the main index's end that the last snapshot has. */
	snapshotChange: number | null = null;
	snapshotMain = 0;
	/** The change of the oldest snapshot on disk. */
	oldestSnapshot: number | null = null;
	/** Snapshots on disk that are of no use; the next one takes their place. */
	damaged: readonly string[] = [];
	building: number | null = null;
	/** The main index's end when its nodes were last laid out. */
	arrangedUpTo = -1;
	/** Whether the index is only built to its end before it is used: until then everything is compared. */
	mustGrow = false;
	readonly problems = new Map<string, IndexProblem>();
	readonly #around: IndexerSurroundings;
	/** Rows of the tail that will be free when readers have left. */
	#leaving: { end: number; turns: Int32Array; since: number } | undefined;
	readonly #failedAt = new Map<Chore, number>();

	constructor(key: number, name: string, spec: StoredSpec, owned: Owned, around: IndexerSurroundings) {
		this.key = key;
		this.name = name;
		this.spec = spec;
		const chosen = chosenIndex(spec);
		this.choice = chosen.kind === "ivf" ? { kind: "auto" } : chosen;
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

	/** The main index that so many records are to have. */
	wanted(records: number): MainIndex {
		return mainIndexFor(this.choice, records);
	}

	/** The most urgent work in the background; `undefined` where there is none. `wait`: ms until there may be some. */
	chore(now: number): { chore: Chore } | { wait: number } | undefined {
		let wait: number | undefined = this.#soon(now);
		for (const chore of this.#due(now)) {
			// What has failed is tried again, but not at once and for ever.
			const pause = (this.#failedAt.get(chore) ?? Number.NEGATIVE_INFINITY) + RETRY_MS - now;
			if (pause <= 0) return { chore };
			wait = Math.min(wait ?? pause, pause);
		}
		return wait === undefined ? undefined : { wait };
	}

	/** What there is to do, the most urgent first. */
	*#due(now: number): Generator<Chore> {
		const { generation, owned, tail } = this;
		const { live, slotEnd, size, dead } = generation;
		const isIdle = now - this.writtenAt >= IDLE_MS;
		const isStuck = this.#leaving !== undefined && now - this.#leaving.since > STUCK_MS && tail > size.ringRows / 2;
		if (this.mustGrow || isStuck || slotEnd > size.capacity * ROOM_SHARE) yield "room";
		if (owned.main === undefined && this.wanted(live) !== null) yield "build";
		if (owned.main?.codesAreStale() === true) yield "codes";
		if (dead >= LEAST_DEAD && dead > slotEnd * DEAD_SHARE) yield "dead";
		if (owned.main === undefined) return;
		if (tail > 0 && (isIdle || tail > size.ringRows * HOT_TAIL_SHARE)) yield "fold";
		if (tail === 0 && isIdle && this.#isSnapshotDue()) yield "snapshot";
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
		switch (chore) {
			case "fold":
				return this.fold();
			case "snapshot":
				return this.#around.saveSnapshot(this);
			case "build":
				return this.replace({ fresh: true, arrange: true });
			default:
				return this.replace({ fresh: false, arrange: false });
		}
	}

	/** Takes some rows of the tail into the main index. */
	async fold(most = 4_096): Promise<void> {
		this.#freeRows();
		const { generation, owned } = this;
		const { main } = owned;
		const from = generation.mainEnd;
		const end = Math.min(generation.slotEnd, from + most);
		if (main === undefined || end === from) return turn();
		const start = performance.now();
		const slots = Uint32Array.from({ length: end - from }, (_, i) => from + i);
		const between = async () => {
			await turn();
			this.#freeRows();
		};
		await insert(main, slots, (slot) => rowOf(owned, slot), { ...this.#around, between, onProgress: () => {} });
		generation.mainEnd = end;
		generation.countDeadInMain(slots.filter((slot) => generation.died[slot] !== Number.POSITIVE_INFINITY).length);
		this.#leaving = { end, turns: generation.readerTurns(), since: performance.now() };
		this.#freeRows();
		this.foldedAt = performance.now();
		this.#around.folded(this.key, end - from, this.foldedAt - start, this.tail);
	}

	/** Takes the whole tail in, as it is now. */
	async foldAll(onProgress: (done: number, total: number) => void = () => {}): Promise<void> {
		const from = this.generation.mainEnd;
		const end = this.generation.slotEnd;
		while (this.owned.main !== undefined && this.generation.mainEnd < end) {
			await this.fold();
			onProgress(this.generation.mainEnd - from, end - from);
		}
	}

	/** Builds the next generation and lets it take over. What goes wrong leaves the old one as it is. */
	async replace({ fresh, arrange }: { fresh: boolean; arrange: boolean }): Promise<void> {
		const { owned } = this;
		this.building = 0;
		try {
			const next = await nextGeneration(owned, owned.generation.size.rowBytes, {
				wanted: this.wanted(owned.generation.live),
				fresh,
				arrange,
				parallel: this.#around.parallel,
				between: turn,
				onProgress: (done, total) => {
					this.building = done / total;
				},
			});
			const installed = { key: this.key, generation: next.owned.generation.handle, areas: next.owned.areas };
			if (!(await this.#around.install(installed, next))) throw overtaken();
			this.owned = next.owned;
			collectGarbageSoon();
			this.#leaving = undefined;
			this.mustGrow = false;
			this.#failedAt.clear();
			for (const chore of ["build", "room", "codes", "dead"]) this.problems.delete(`${chore}-failed`);
		} finally {
			this.building = null;
		}
	}

	/** Notes what went wrong in the background. The chore is tried again later. */
	fault(chore: Chore, error: unknown): void {
		this.#failedAt.set(chore, performance.now());
		const reason = error instanceof Error ? error.message : String(error);
		this.problems.set(`${chore}-failed`, { code: `${chore}-failed`, message: `${FAULTS[chore]}: ${reason}` });
	}

	/** Takes everything in, leaves out what has died, and lays the graph out anew; then writes a snapshot and removes those before it. */
	async optimize({ fresh, index }: { fresh: boolean; index: IndexChoice | undefined }): Promise<void> {
		if (index !== undefined) this.choice = index;
		this.problems.clear();
		await this.foldAll();
		const isGraph = this.wanted(this.generation.live) !== null;
		const isAsWanted = isGraph === (this.owned.main !== undefined);
		const hasChanged = this.generation.dead > 0 || this.arrangedUpTo !== this.generation.mainEnd;
		if (fresh || !isAsWanted || hasChanged) {
			await this.replace({ fresh: fresh || !isAsWanted, arrange: true });
			await this.foldAll();
			this.arrangedUpTo = this.generation.mainEnd;
		}
		await this.snapshotNow();
		await this.#around.keepNewest(this);
	}

	async snapshotNow(): Promise<void> {
		const { owned, damaged, snapshotChange, oldestSnapshot, generation } = this;
		const isSaved = owned.main === undefined ? oldestSnapshot === null : snapshotChange === generation.change;
		if (isSaved && damaged.length === 0) return;
		await this.#around.saveSnapshot(this);
		this.problems.delete("snapshot-failed");
	}

	/** Whether closing without a snapshot would cost much on opening. */
	get isWorthSaving(): boolean {
		const { generation, owned, snapshotChange, snapshotMain } = this;
		if (owned.main === undefined || generation.mainEnd < SNAPSHOT_LEAST) return false;
		if (snapshotChange === null) return true;
		return Math.abs(generation.mainEnd - snapshotMain) + generation.deadInMain > SMALL_CHANGE;
	}

	/** Rows of the tail are free again when every reader that did not know that they were taken in has left. */
	#freeRows(): void {
		if (this.#leaving === undefined || !this.generation.haveLeft(this.#leaving.turns)) return;
		this.generation.ringFree = this.#leaving.end;
		this.#leaving = undefined;
		this.#around.freed(this.key);
	}

	#isSnapshotDue(): boolean {
		const { generation, owned, snapshotChange, snapshotMain, damaged } = this;
		if (!this.#around.keepsSnapshots) return false;
		if (damaged.length > 0) return true;
		if (owned.main === undefined || generation.mainEnd < SNAPSHOT_LEAST) return false;
		if (snapshotChange === null) return true;
		const changed = Math.abs(generation.mainEnd - snapshotMain) + generation.deadInMain;
		return changed > generation.mainEnd * SNAPSHOT_SHARE;
	}
}

const FAULTS: Readonly<Record<Chore, string>> = {
	build: "the index could not be built; everything is compared instead",
	room: "no room could be made for more records",
	codes: "the codes could not be learnt anew; the old ones go on",
	dead: "dead slots could not be given up",
	fold: "the tail could not be taken in; it is compared instead",
	snapshot: "the snapshot could not be written; opening will take longer",
};

function overtaken(): NighError {
	return new NighError(
		"UNAVAILABLE",
		"more was written while the next generation was built than it has room for: it is tried again",
	);
}

/** The main index for so many records under a choice; `null`: everything is compared. */
export function mainIndexFor(choice: IndexChoice, records: number): MainIndex {
	if (choice.kind === "flat" || records < (choice.kind === "auto" ? GRAPH_FROM : LEAST_GRAPH)) return null;
	const { M, efConstruction } = choice;
	return { ...(M !== undefined && { M }), ...(efConstruction !== undefined && { efConstruction }) };
}
