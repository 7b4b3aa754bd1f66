import type { Draws } from "./draws.ts";
import type { Iteration, Pass } from "./iteration.ts";
import { repairEmpty } from "./repair.ts";
import type { TrainingState } from "./state.ts";

/**
 * Mini-batch k-means (Sculley 2010, algorithm 1): the rows of a batch are assigned together, and every centroid goes towards the mean of
 * its rows by the share that they have among all it was ever given, which is where its learning rate of 1 / count takes it row by row. An
 * iteration is a pass over all rows in a new order; empty cells are looked for at its end.
 */
export class MiniBatch implements Iteration {
	readonly #state: TrainingState;
	readonly #draws: Draws;
	readonly #batch: number;
	readonly #beforeBatch: () => void;
	/** Address of k rows: the centroids at the beginning of a pass. */
	readonly #before: number;
	/** How many rows each centroid was given by now. */
	readonly #counts: Float64Array;

	constructor(
		state: TrainingState,
		draws: Draws,
		{
			batch,
			before,
			beforeBatch,
		}: { readonly batch: number; readonly before: number; readonly beforeBatch: () => void },
	) {
		this.#state = state;
		this.#draws = draws;
		this.#batch = batch;
		this.#before = before;
		this.#beforeBatch = beforeBatch;
		this.#counts = new Float64Array(state.parameters.k);
	}

	async run(): Promise<Pass> {
		const state = this.#state;
		this.#copy(state.centroids, this.#before);
		this.#draws.shuffle(state.rows);
		let inertia = 0;
		for (let from = 0; from < state.n; from += this.#batch) {
			this.#beforeBatch();
			inertia += await this.#runBatch(from);
		}
		const repaired = this.#repair();
		const moved = state.movement(this.#before, state.centroids);
		return { converged: repaired === 0 && moved < state.parameters.tolerance, settled: false, inertia };
	}

	async #runBatch(from: number): Promise<number> {
		const state = this.#state;
		const places = { from, count: Math.min(this.#batch, state.n - from) };
		await state.assign(places);
		state.group(places);
		await state.means();
		this.#blend();
		state.normalize(state.next);
		state.advance();
		return state.inertia();
	}

	/** Turns the means of a batch, in `next`, into where the centroids go. */
	#blend(): void {
		const state = this.#state;
		const { offsets } = state;
		for (let cell = 0; cell < state.parameters.k; cell++) {
			const given = (offsets[cell + 1] as number) - (offsets[cell] as number);
			if (given === 0) continue;
			const count = (this.#counts[cell] as number) + given;
			this.#counts[cell] = count;
			const rate = given / count;
			const old = state.row(state.centroids, cell);
			const mean = state.row(state.next, cell);
			for (let i = 0; i < mean.length; i++) {
				const x = old[i] as number;
				mean[i] = rate === 1 ? (mean[i] as number) : x + rate * ((mean[i] as number) - x);
			}
		}
	}

	/** Looks for cells that no row of the whole pass went to. Both halves of a split cell go on with half of its count. */
	#repair(): number {
		const state = this.#state;
		state.group({ from: 0, count: state.n });
		this.#copy(state.centroids, state.next);
		const repairs = repairEmpty(state, this.#draws);
		if (repairs.length === 0) return 0;
		for (const { empty, split } of repairs) {
			if (split === undefined) {
				this.#counts[empty] = 0;
				continue;
			}
			const half = Math.floor((this.#counts[split] as number) / 2);
			this.#counts[split] = half;
			this.#counts[empty] = half;
		}
		state.normalize(state.next);
		state.advance();
		return repairs.length;
	}

	#copy(from: number, to: number): void {
		const bytes = this.#state.parameters.k * this.#state.bytes;
		this.#state.arena.u8(to, bytes).set(this.#state.arena.u8(from, bytes));
	}
}
