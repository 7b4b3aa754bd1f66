import type { Rung } from "@nigh/recall";
import { recallOf } from "@nigh/recall";
import { isExactWay } from "../memory/main-search.ts";
import type { Matches, Searcher, SlotQuery } from "../memory/searcher.ts";
import { widthsOf } from "../recall/rung-query.ts";
import { Slices } from "../workers/slices.ts";

/** What the exact answer to a query is like. */
export interface Truth {
	/** Distances of the first and the last of the exact answers. */
	readonly nearest: number;
	readonly kth: number;
	/** How many there are: min(k, matches). */
	readonly wanted: number;
}

export interface SubjectOptions {
	/** The state that is searched. Default: the newest. */
	readonly change?: number;
	/** Leave out what the main index has not taken in. Default: false. */
	readonly mainOnly?: boolean;
	/** What a filter lets through, at that state. */
	readonly matches?: Matches | undefined;
}

/** Raised between two steps where the index is not the one any more that is asked, or the work is not wanted. */
export class Interrupted extends Error {}

/** One index at one state, to be asked exactly and approximately. */
export class Subject {
	readonly searcher: Searcher;
	readonly change: number;
	readonly #mainOnly: boolean;
	readonly #matches: Matches | undefined;
	readonly #check: () => void;
	readonly #slices = new Slices();

	/** @param check Throws {@link Interrupted} where the work is to end. */
	constructor(searcher: Searcher, check: () => void, { change, mainOnly = false, matches }: SubjectOptions = {}) {
		this.searcher = searcher;
		this.change = change ?? searcher.generation.change;
		this.#mainOnly = mainOnly;
		this.#matches = matches;
		this.#check = check;
	}

	/** The exact answers to some queries; `undefined` of one that nothing matches. */
	async truths(vectors: readonly SlotQuery["vector"][], k: number): Promise<(Truth | undefined)[]> {
		const { manyRoom } = this.searcher;
		const truths: (Truth | undefined)[] = [];
		if (this.#matches !== undefined || k > manyRoom.k || manyRoom.queries === 0) {
			for (const vector of vectors) truths.push(await this.#truth(vector, k));
			return truths;
		}
		for (let from = 0; from < vectors.length; from += manyRoom.queries) {
			truths.push(...(await this.#together(vectors.slice(from, from + manyRoom.queries), k)));
		}
		return truths;
	}

	async #together(vectors: readonly SlotQuery["vector"][], k: number): Promise<(Truth | undefined)[]> {
		const steps = this.searcher.exactMany(vectors, { k, change: this.change, mainOnly: this.#mainOnly });
		for (let step = steps.next(); ; step = steps.next()) {
			if (step.done === true) return step.value.map((distances) => truthOf(distances));
			await this.pause();
		}
	}

	async #truth(vector: SlotQuery["vector"], k: number): Promise<Truth | undefined> {
		const { searcher } = this;
		const query = this.#query(vector, k, { exact: true });
		const steps = searcher.steps(query);
		while (steps.next().done !== true) {
			const due = this.#slices.pause();
			if (due === undefined) continue;
			await due;
			this.#check();
		}
		// Of few matches each is named, and its row is still to be read.
		if (searcher.unranked.length > 0) rankFromDisk(searcher, query);
		return truthOf(searcher.distances);
	}

	/** The recall of a query on a rung; `undefined` where the search has compared everything by itself. */
	async recallAt(
		rung: Rung,
		vector: SlotQuery["vector"],
		k: number,
		{ kth, wanted }: Truth,
	): Promise<number | undefined> {
		this.search(rung, vector, k);
		const { way, distances } = this.searcher;
		const recall = isExactWay(way) ? undefined : recallOf(distances, kth, wanted);
		await this.pause();
		return recall;
	}

	/** Searches to the end; the searcher has the answers. */
	search(rung: Rung, vector: SlotQuery["vector"], k: number): void {
		const { searcher } = this;
		const query = this.#query(vector, k, { exact: false, ...widthsOf(rung, k) });
		const steps = searcher.steps(query);
		while (steps.next().done !== true);
		if (searcher.unranked.length > 0) rankFromDisk(searcher, query);
	}

	/** Lets the thread do what else there is to do. */
	async pause(): Promise<void> {
		const due = this.#slices.pause();
		if (due === undefined) return;
		await due;
		this.#check();
	}

	#query(vector: SlotQuery["vector"], k: number, how: Pick<SlotQuery, "exact"> & Partial<SlotQuery>): SlotQuery {
		return { vector, k, change: this.change, mainOnly: this.#mainOnly, matches: this.#matches, ...how };
	}
}

function truthOf(distances: readonly number[]): Truth | undefined {
	const wanted = distances.length;
	if (wanted === 0) return undefined;
	const nearest = distances.reduce((least, each) => Math.min(least, each));
	return { nearest, kth: distances.reduce((most, each) => Math.max(most, each)), wanted };
}

/** Reads the rows that decide the answer, and ranks them. Nobody else waits for this thread. */
function rankFromDisk(searcher: Searcher, query: SlotQuery): void {
	const { unranked, slots, distances } = searcher;
	const rows = new Uint8Array(unranked.length * searcher.generation.size.rowBytes);
	searcher.files?.readManySync(unranked, rows);
	searcher.rank(query, unranked, rows, { slots: [...slots], distances: [...distances] });
}
