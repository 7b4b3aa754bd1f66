import type { IndexedCollection, IndexerSurroundings } from "./indexed-collection.ts";
import { insert, rowsOf, vectorsOf } from "./next-generation.ts";
import { Task } from "./task.ts";
import { turn } from "./turn.ts";

/** Rows of the tail that are taken in before something more urgent gets its turn. */
const MOST_AT_ONCE = 4_096;

/** Takes the tail of a collection into its main index, and gives rows free that have been taken in. */
export class Folding {
	readonly #collection: IndexedCollection;
	readonly #around: IndexerSurroundings;
	/** Rows of the tail that will be free when readers have left. */
	#leaving: { end: number; turns: Int32Array; since: number } | undefined;

	constructor(collection: IndexedCollection, around: IndexerSurroundings) {
		this.#collection = collection;
		this.#around = around;
	}

	/** `performance.now()` when those rows were taken in that wait for readers to leave; `undefined` where none do. */
	get leavingSince(): number | undefined {
		return this.#leaving?.since;
	}

	/** Rows of the tail are free again when every reader that did not know that they were taken in has left. */
	freeRows(): void {
		const { generation, key } = this.#collection;
		if (this.#leaving === undefined || !generation.haveLeft(this.#leaving.turns)) return;
		generation.ringFree = this.#leaving.end;
		this.#leaving = undefined;
		this.#around.freed(key);
	}

	/** Another generation has taken over: nobody reads in its tail what has been taken in before. */
	reset(): void {
		this.#leaving = undefined;
	}

	/**
	 * Takes some rows in. Where it is ended early, those that it has taken are in.
	 *
	 * @param leave Rows at the end of the tail that stay there.
	 */
	async fold(leave = 0, task: Task = new Task(), onTaken: (done: number) => void = () => {}): Promise<void> {
		this.freeRows();
		const { generation, owned, key } = this.#collection;
		const { main } = owned;
		const from = generation.mainEnd;
		const end = Math.min(generation.slotEnd - leave, from + MOST_AT_ONCE);
		if (main === undefined || end <= from) return turn();
		const start = performance.now();
		const slots = Uint32Array.from({ length: end - from }, (_, i) => from + i);
		const { parallel } = this.#around;
		const between = async () => {
			await turn();
			this.freeRows();
			task.check();
		};
		let taken = 0;
		const onProgress = (done: number) => {
			taken = done;
			onTaken(done);
		};
		try {
			await insert(main, slots, (some) => this.#vectors(some), { parallel, between, onProgress });
		} catch (error) {
			if (!task.isAborted) this.#around.foldFailed(key, performance.now() - start, error);
			throw error;
		} finally {
			if (taken > 0) this.#takenIn(from, from + taken, start);
		}
	}

	/** Takes the whole tail in, as it is now, but for so many rows at its end. */
	async foldAll(task: Task, leave = 0): Promise<void> {
		const collection = this.#collection;
		const from = collection.generation.mainEnd;
		const all = collection.generation.slotEnd;
		const end = all - leave;
		while (collection.owned.main !== undefined && collection.generation.mainEnd < end) {
			const before = collection.generation.mainEnd - from;
			// What comes meanwhile stays too.
			const left = collection.generation.slotEnd - end;
			await this.fold(left, task, (done) => task.advance(before + done, all - from));
		}
	}

	/** Rows that the index will not hold are kept before it takes them in. */
	#vectors(slots: Uint32Array): Float32Array | Uint8Array {
		const { owned } = this.#collection;
		owned.rows?.keep(slots[0] as number, rowsOf(owned, slots));
		return vectorsOf(owned, slots);
	}

	#takenIn(from: number, end: number, start: number): void {
		const collection = this.#collection;
		const { generation } = collection;
		generation.mainEnd = end;
		generation.countDeadInMain(from, end);
		this.#leaving = { end, turns: generation.readerTurns(), since: performance.now() };
		this.freeRows();
		const now = performance.now();
		collection.foldedAt = now;
		collection.noteBuilt();
		this.#around.folded(collection.key, end - from, now - start, collection.tail);
	}
}
