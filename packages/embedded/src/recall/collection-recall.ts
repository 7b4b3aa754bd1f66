import { randomInt } from "node:crypto";
import type { RecallStatement } from "@nigh/contract";
import { type Arm, armsFor, type Bandit, type Random, randomFrom, Tuner } from "@nigh/recall";
import { churnOf, type Generation } from "../memory/generation.ts";
import type { StoredSpec } from "../records/catalogue.ts";
import { Sampling, type Sink } from "./sampling.ts";
import { changedSince, type ServedCell, type ServedTable, STALE_FROM } from "./served.ts";
import { type Asked, nameOf, type Service, Serving } from "./serving.ts";
import { cellOf, cellStatement } from "./statement.ts";

/** Searches at a time that are exact for want of a certificate: the thread that compares everything does one after the other. */
const MOST_EXACT = 4;

/** A cell that an approximate search serves, and what chooses which. */
export interface TunedCell {
	readonly cell: ServedCell;
	readonly bandit: Bandit;
}

/** What a search is served by, as the thread that searches sees it. */
export class CollectionRecall {
	readonly serving = new Serving();
	readonly sampling: Sampling;
	/** Exact searches under way that nobody has asked to be exact. */
	exactRunning = 0;
	#settings: StoredSpec["tuner"];
	#tuner: Tuner | undefined;
	readonly #tuned = new Map<string, TunedCell>();
	readonly #random: Random = randomFrom(randomInt(2 ** 32));

	constructor(settings: StoredSpec["tuner"], sink: Sink | undefined) {
		this.#settings = settings;
		this.sampling = new Sampling(sink, this.#random);
	}

	/** What has been learned; `undefined` as long as there is nothing to choose from. */
	get tuner(): Tuner | undefined {
		return this.#tuner;
	}

	/** What searches have taught the tuner by themselves, as it is to be written down; `undefined` where they teach it nothing. */
	get learned(): unknown {
		return this.#settings.live ? this.#tuner?.state : undefined;
	}

	/** Other settings are in force: what has been learned stays. */
	configure(settings: StoredSpec["tuner"]): void {
		if (JSON.stringify(settings) === JSON.stringify(this.#settings)) return;
		this.#settings = settings;
		const { table } = this.serving;
		if (table !== undefined && this.#tuner !== undefined) this.#restrict({ ...table, tuned: this.#tuner.state });
	}

	/** The examiner has found something out. */
	take(table: ServedTable): void {
		const before = this.serving.table;
		this.serving.table = table;
		if (before !== undefined && table.purges > before.purges) this.sampling.restart();
		if (table.auditMs > 0) this.sampling.auditMs = table.auditMs;
		this.#restrict(table);
	}

	/** Another generation serves. What was found out about its index while it was built holds from now on. */
	follow({ handle: { identity } }: Generation): void {
		const { table } = this.serving;
		if (table?.next === undefined || table.next.identity !== identity?.id) return;
		const { next, tuned: _, ...rest } = table;
		this.take({ ...rest, ...next });
	}

	/** The tuner chooses from what is certified, and from nothing else. */
	#restrict({ identity, cells, tuned, isFlatQuick = false }: ServedTable): void {
		const options = { index: identity, settings: this.#settings, random: this.#random };
		const isKnown = this.#tuner?.index === identity && tuned === undefined;
		const tuner = isKnown ? (this.#tuner as Tuner) : (Tuner.from(tuned, options) ?? new Tuner(options));
		this.#tuner = tuner;
		const names = new Set(cells.map(({ k, selectivity, target }) => nameOf(k, selectivity, target)));
		// Of a cell that nothing is known of any more no arm is certified.
		for (const [name, { bandit }] of this.#tuned) if (!names.has(name)) bandit.restrict([]);
		this.#tuned.clear();
		for (const cell of cells) {
			const arms = cell.rung === null ? [] : armsFor(cell.rungs).filter(({ rung }) => rung !== null || isFlatQuick);
			const bandit = tuner.restrict(cellOf([cell]), arms);
			if (cell.rung !== null) this.#tuned.set(nameOf(cell.k, cell.selectivity, cell.target), { cell, bandit });
		}
	}

	/** Whether something that holds is known of the index of a generation. */
	isKnown(generation: Generation): boolean {
		const { table } = this.serving;
		if (table === undefined || table.identity !== generation.handle.identity?.id) return false;
		return table.cells.some((cell) => changedSince(cell, churnOf(generation)) <= STALE_FROM);
	}

	/** What is known of each cell of the index of a generation. */
	statements(generation: Generation | undefined): RecallStatement[] {
		const { table } = this.serving;
		if (generation === undefined || table?.identity !== generation.handle.identity?.id) return [];
		return (table?.cells ?? []).map((cell) => cellStatement(cell, changedSince(cell, churnOf(generation))));
	}

	serviceFor(asked: Asked, generation: Generation): Service {
		return this.serving.serviceFor(asked, generation);
	}

	/** The cells that there is something to choose for. */
	get tunedCells(): readonly TunedCell[] {
		return [...this.#tuned.values()];
	}

	/** The tuner's choice for a search of one cell; between two bands of k the stricter certificate serves, and there is nothing to choose. */
	armFor({ cells, rung }: Service): { readonly bandit: Bandit; readonly arm: Arm } | undefined {
		const [cell, ...others] = cells;
		if (cell === undefined || others.length > 0 || rung === null) return undefined;
		const bandit = this.#tuned.get(nameOf(cell.k, cell.selectivity, cell.target))?.bandit;
		const arm = bandit?.serve();
		return bandit === undefined || arm === undefined ? undefined : { bandit, arm };
	}

	/** Whether one more search may be exact for want of a certificate. */
	get mayBeExact(): boolean {
		return this.exactRunning < MOST_EXACT;
	}
}
