import { kBandsFor, type Random, ReservoirCoin, type SelectivityBand, selectivityBand } from "@nigh/recall";
import type { Audit, DrawnQuery, LoggedQuery } from "./queries.ts";

/** Queries that are kept of each band. */
export const QUERIES_KEPT = 6_000;
/** Queries that are handed over together at most. */
const MOST_TOGETHER = 64;
/** ms after which they are handed over, however few. */
const LONGEST_WAIT = 100;
/** Share of one core that audits may take. */
export const AUDIT_SHARE = 0.02;
/** What an audit takes as long as nobody knows, in ms. */
const LIKELY_AUDIT_MS = 5;
/** ms over which searches are counted. */
const WINDOW_MS = 1_000;

/** Where queries go. */
export interface Sink {
	queries(queries: readonly DrawnQuery[]): void;
	audit(audit: Audit): void;
}

/**
 * Which searches are kept as queries, and which are audited. Both are drawn by coins that depend on what was searched for before, and on neither
 * the answer nor the time that it took: what is drawn is a fair sample of what is asked.
 */
export class Sampling {
	/** ms that an audit takes, about. */
	auditMs = 0;
	readonly #sink: Sink | undefined;
	readonly #random: Random;
	readonly #coins = new Map<string, ReservoirCoin>();
	/** Whether any have been handed over. */
	#isBegun = false;
	#waiting: DrawnQuery[] = [];
	#timer: NodeJS.Timeout | undefined;
	#windowEnd = 0;
	#inWindow = 0;
	/** Searches a second, in the window before. */
	#rate = 0;

	/** @param sink Left out where nobody examines: nothing is drawn. */
	constructor(sink: Sink | undefined, random: Random) {
		this.#sink = sink;
		this.#random = random;
	}

	/** Queries from before are not kept any more, nor are those that wait: all that come are wanted again. */
	restart(): void {
		this.#coins.clear();
		this.#waiting = [];
	}

	/** Takes in a query where the coins of its cells say so: one for each, so that every search of a cell is as likely to be kept as any other. */
	offer(query: Omit<LoggedQuery, "vector">, vector: LoggedQuery["vector"]): void {
		if (this.#sink === undefined) return;
		const selectivity = selectivityBand(query.share);
		const bands = kBandsFor(query.k).filter((band) => this.#coin(band, selectivity).toss());
		if (bands.length === 0) return;
		// A copy: the caller may change the vector once it has been answered.
		this.#waiting.push({ ...query, bands, vector: vector.slice() });
		if (this.#waiting.length >= MOST_TOGETHER) this.flush();
		else this.#timer ??= setTimeout(() => this.flush(), LONGEST_WAIT).unref();
	}

	#coin(band: number, selectivity: SelectivityBand): ReservoirCoin {
		const name = `${band}/${selectivity}`;
		let coin = this.#coins.get(name);
		if (coin === undefined) {
			coin = new ReservoirCoin(QUERIES_KEPT, this.#random);
			this.#coins.set(name, coin);
		}
		return coin;
	}

	/** Hands over what waits. */
	flush(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		if (this.#waiting.length === 0) return;
		const queries = this.#waiting;
		this.#waiting = [];
		this.#isBegun = true;
		this.#sink?.queries(queries);
	}

	/**
	 * Nothing is searched for any more. What waits is handed over to an examiner that has had queries before: to begin one for the few of a program that ends
	 * would take longer than they did.
	 *
	 * @param isGone Nobody keeps queries of what is gone.
	 */
	close(isGone: boolean): void {
		if (isGone || !this.#isBegun) this.#waiting = [];
		this.flush();
	}

	/** Whether the search that begins at `now` (`performance.now()`) is to be audited. */
	tossForAudit(now: number): boolean {
		if (this.#sink === undefined) return false;
		if (now >= this.#windowEnd) {
			// A window that nobody has closed for long has had few searches.
			const length = this.#windowEnd === 0 ? WINDOW_MS : now - this.#windowEnd + WINDOW_MS;
			this.#rate = (this.#inWindow * 1_000) / length;
			this.#inWindow = 0;
			this.#windowEnd = now + WINDOW_MS;
		}
		this.#inWindow++;
		// In the first window nothing is known but what has come so far.
		const rate = Math.max(this.#rate, this.#inWindow, 1);
		const chance = (AUDIT_SHARE * 1_000) / (rate * (this.auditMs || LIKELY_AUDIT_MS));
		return this.#random() < chance;
	}

	audit(audit: Audit): void {
		this.#sink?.audit(audit);
	}
}
