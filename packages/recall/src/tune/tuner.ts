import {
	BOUNDS,
	type CellTuning,
	type RecallCell,
	type TuneReport,
	type TunerSpec,
	type TuneStats,
} from "@nigh/contract";
import type { Random } from "../random.ts";
import type { Arm } from "./arms.ts";
import { Bandit, type BanditState } from "./bandit.ts";
import { keepsLatency, smallestAbove } from "./latency-target.ts";
import { keyOf, readTunerState, TUNER_STATE_VERSION, type TunerState } from "./tuner-state.ts";

export interface TunerOptions {
	/** What tells the index from any other that the collection has had or will have: what is learned of one says nothing of the next. */
	readonly index: string;
	/** Within their bounds. What is given goes before what was stored, and that before the defaults. */
	readonly settings?: TunerSpec;
	readonly random: Random;
}

/**
 * The tuner of a collection: a {@link Bandit} for each cell of recall, that is, for each band of k, band of selectivity and target. Nothing finer is told
 * apart: a certificate speaks of all searches of its cell, and who chose by the query among settings would serve each to other queries
 * than it was certified with.
 *
 * It knows no certificate by itself: a cell has no arm until {@link restrict} has given it some, whatever a state holds.
 */
export class Tuner {
	readonly index: string;
	/** Those in force. */
	readonly settings: Required<TunerSpec>;
	readonly #random: Random;
	readonly #cells = new Map<string, { readonly cell: RecallCell; readonly bandit: Bandit }>();

	/** @param state As {@link readTunerState} has let it through. */
	constructor({ index, settings = {}, random }: TunerOptions, state?: TunerState) {
		this.index = index;
		this.settings = {
			algorithm: settings.algorithm ?? state?.settings.algorithm ?? "epsilon-greedy",
			epsilon: settings.epsilon ?? state?.settings.epsilon ?? BOUNDS.epsilonGreedy.default,
			decay: settings.decay ?? state?.settings.decay ?? BOUNDS.epsilonDecay.default,
			live: settings.live ?? state?.settings.live ?? false,
		};
		this.#random = random;
		for (const { cell, ...known } of state?.cells ?? []) this.#add(cell, known);
	}

	/**
	 * Goes on where another stopped.
	 *
	 * @param state Any JSON value.
	 * @returns `undefined` where it is no state of a tuner, or one of another version or of another index.
	 */
	static from(state: unknown, options: TunerOptions): Tuner | undefined {
		const read = readTunerState(state, options.index);
		return read && new Tuner(options, read);
	}

	#add(cell: RecallCell, known?: BanditState): Bandit {
		const bandit = new Bandit(this.settings, this.#random, known);
		this.#cells.set(keyOf(cell), { cell, bandit });
		return bandit;
	}

	/**
	 * Says which arms are certified for a cell from now on; see {@link Bandit.restrict}. Where a certificate is void: those that may serve without,
	 * or none.
	 *
	 * @returns The cell's bandit, the same one every time. Who searches often keeps it, rather than ask {@link of} each time.
	 */
	restrict(cell: RecallCell, arms: readonly Arm[]): Bandit {
		const bandit = this.of(cell) ?? this.#add(cell);
		bandit.restrict(arms);
		return bandit;
	}

	/** The bandit of a cell; `undefined` where nothing is known of it. */
	of(cell: RecallCell): Bandit | undefined {
		return this.#cells.get(keyOf(cell))?.bandit;
	}

	/** Forgets what was learned; which arms are certified stays. */
	reset(): void {
		for (const { bandit } of this.#cells.values()) bandit.reset();
	}

	/** All that has to be kept to go on later, as plain JSON. */
	get state(): TunerState {
		const cells = [...this.#cells.values()].map(({ cell, bandit }) => ({ cell, ...bandit.state }));
		return { version: TUNER_STATE_VERSION, index: this.index, settings: this.settings, cells };
	}

	/**
	 * What is known of every cell that has arms.
	 *
	 * @param latencyMs The target for the mean latency; `null`: none.
	 */
	stats(latencyMs: number | null): TuneStats {
		const cells = this.#certified().map(({ cell, bandit }): CellTuning => {
			const arms = bandit.records.map((record) => record.stats);
			return { cell, arms, serving: bandit.best()?.name as string, keepsLatency: keepsLatency(bandit, latencyMs) };
		});
		const totalPulls = cells.flatMap(({ arms }) => arms).reduce((sum, { pulls }) => sum + pulls, 0);
		return { ...this.settings, totalPulls, latencyMs, cells };
	}

	/** The cells whose recall and latency cannot both be kept: every arm has been tried, and even the fastest takes longer on average. */
	tooSlow(latencyMs: number): TuneReport["tooSlow"] {
		return this.#certified().flatMap(({ cell, bandit }) => {
			const meanMs = smallestAbove(bandit, latencyMs);
			return meanMs === undefined ? [] : [{ cell, meanMs }];
		});
	}

	#certified() {
		return [...this.#cells.values()].filter(({ bandit }) => bandit.records.length > 0);
	}
}
