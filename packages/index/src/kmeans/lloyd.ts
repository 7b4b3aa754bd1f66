import type { Draws } from "./draws.ts";
import type { Iteration, Pass } from "./iteration.ts";
import { repairEmpty } from "./repair.ts";
import type { TrainingState } from "./state.ts";

/** Lloyd's k-means (1982): all rows to their nearest centroids, then all centroids to the means of their rows. */
export class Lloyd implements Iteration {
	readonly #state: TrainingState;
	readonly #draws: Draws;
	#labels: Uint32Array | undefined;
	#repaired = 0;

	constructor(state: TrainingState, draws: Draws) {
		this.#state = state;
		this.#draws = draws;
	}

	async run(): Promise<Pass> {
		const state = this.#state;
		const all = { from: 0, count: state.n };
		await state.assign(all);
		const before = this.#labels;
		this.#labels = state.labels.slice();
		state.group(all);
		await state.means();
		const inertia = state.inertia();
		// Centroids that were just put beside a mean are none themselves, whatever the cells say.
		if (this.#repaired === 0 && before !== undefined && isSame(before, this.#labels))
			return { converged: true, settled: true, inertia };
		this.#repaired = repairEmpty(state, this.#draws).length;
		state.normalize(state.next);
		const moved = state.advance();
		return { converged: this.#repaired === 0 && moved < state.parameters.tolerance, settled: false, inertia };
	}
}

function isSame(a: Uint32Array, b: Uint32Array): boolean {
	return a.every((label, i) => label === b[i]);
}
