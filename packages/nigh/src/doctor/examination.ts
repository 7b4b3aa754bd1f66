import type { Filter, IndexKind } from "@nigh/contract";
import type { Clock } from "../eval/measure.ts";

/** What a search is asked for beside the query, by the names that a search has for it: `{ ef: 40 }`. Empty: nothing, as most searches are. */
export type SearchSetting = Readonly<Record<string, number>>;

/** What an examination is at. */
export type Phase = "exact answers" | "pilot" | "measuring" | "timing";

export interface ExamineOptions {
	/** Whether the back end takes `ef`, `nprobe` and `rerank`: the feature `searchWidth`. Without it searches are measured as they are by default. */
	readonly searchWidth: boolean;
	/** Of the targets of `@nigh/recall`: above 0, below 1. Default: 0.95. */
	readonly target?: number;
	/** 1 - delta, 0.5 to 0.9999, default 0.95. */
	readonly confidence?: number;
	/** Hits of a search, 1 to 10,000, default 10. */
	readonly k?: number;
	/** Of every query. */
	readonly filter?: Filter | undefined;
	/** Queries below which recall are counted, 0 to 1. Default: the target less 0.1. */
	readonly floor?: number;
	/** Queries to take, the pilot's among them: drawn from those that are given, where they are more. Default: 5,000. */
	readonly maxQueries?: number;
	/** Of the draw, a whole number. Default: 1. */
	readonly seed?: number;
	readonly onProgress?: (phase: Phase, done: number, total: number) => void;
	readonly signal?: AbortSignal;
	readonly clock?: Clock;
}

/**
 * What the queries say of one setting: that its mean recall is at least the target, that it is below (either is wrong with probability at most
 * 1 - confidence), or neither.
 */
export type Outcome = "passes" | "fails" | "undecided";

export interface ExaminedSetting {
	readonly setting: SearchSetting;
	/** Queries that were measured. */
	readonly queries: number;
	/** Their plain mean recall, which describes them and promises nothing. */
	readonly mean: number;
	/** The means of all settings of the ladder are above their lower bounds, all together, with the confidence. */
	readonly lowerBound: number;
	/** How many of the searches compared everything, as the back end says. */
	readonly answeredExactly: number;
	readonly queriesPerSecond: number;
	readonly outcome: Outcome;
	/** Of one that is undecided: about how many queries a file should hold to see it pass, if more of them are as these. `null`: more will hardly do. */
	readonly queriesNeeded: number | null;
}

/**
 * - `exact`: every search compares everything.
 * - `kept`: a setting short of exact keeps the target.
 * - `missed`: not even the dearest setting that was measured does.
 * - `undecided`: the queries are too few to tell.
 */
export type Verdict = "exact" | "kept" | "missed" | "undecided";

/** What was found out about the recall of a collection. All of it speaks of queries that are drawn as these were. */
export interface Examination {
	readonly verdict: Verdict;
	/** Why everything is compared; `null` where it is not. */
	readonly exactBecause: string | null;
	readonly index: {
		readonly kind: IndexKind;
		readonly parameters: Readonly<Record<string, number | string | boolean>>;
	};
	/** Whether settings could be chosen; if not, there is one, which says nothing. */
	readonly searchWidth: boolean;
	readonly k: number;
	readonly target: number;
	readonly confidence: number;
	readonly seed: number;
	readonly queries: {
		readonly given: number;
		/** Not drawn, since there were more than wanted. */
		readonly notDrawn: number;
		/** Drawn, and left out since no record matches. */
		readonly withoutMatch: number;
		/** That have placed the ladder, and were not used again. */
		readonly pilot: number;
		/** That could be measured. */
		readonly measured: number;
		/** Of all that were asked, those that a stored vector is equal to: where they are many, these are hardly the queries of users. */
		readonly equalToStored: number;
		/** That were timed. */
		readonly timed: number;
	};
	/** Settings of the ladder, the measured ones and those that were not: testing ends at the first that does not pass. */
	readonly ladder: number;
	/** Whether no search can be wider than the dearest of them; if not, the pilot has found that one wide enough. */
	readonly isWidest: boolean;
	/** Those that were measured, the dearest first. */
	readonly settings: readonly ExaminedSetting[];
	/** Which of {@link settings} is the cheapest that passes; `null`: none does. */
	readonly cheapest: number | null;
	/** A search that says nothing of how wide it is to be; `null` where every search compares everything. */
	readonly byDefault: ExaminedSetting | null;
	/** Queries of which {@link cheapest} finds less than `floor`, and the most that their share is among all queries, with the confidence. */
	readonly below: {
		readonly floor: number;
		readonly queries: number;
		readonly of: number;
		readonly upperBound: number;
	} | null;
	/** Of searches that compare everything. */
	readonly exactQueriesPerSecond: number;
	/** The states of the collection that were searched: two where it was written to meanwhile. */
	readonly changeNumbers: { readonly first: number; readonly last: number };
}
