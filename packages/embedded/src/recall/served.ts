import type { RecallBasis } from "@nigh/contract";
import type { Rung, SelectivityBand } from "@nigh/recall";

/** What the examiner has found out about one cell. */
export interface ServedCell {
	/** The k that it was measured at. */
	readonly k: number;
	readonly selectivity: SelectivityBand;
	/** The certification that has found it out; empty where one is breached. */
	readonly process: string;
	/** Of the grid. */
	readonly target: number;
	/** `refused`: no rung short of exact keeps the target, as far as is known. */
	readonly state: "certified" | "provisional" | "breached" | "refused";
	/** What serves; `null`: the exact search. */
	readonly rung: Rung | null;
	/** Every rung that is certified for the target, the dearest first; the last one is `rung`. */
	readonly rungs: readonly Rung[];
	readonly estimate: number;
	readonly basis: RecallBasis;
	readonly confidence: number;
	readonly queries: number;
	readonly changeNumber: number;
	/** ms since 1970. */
	readonly certifiedAt: number;
	/** What had come and gone in the index by then, and what there was in it. */
	readonly churn: number;
	readonly vectors: number;
	/** When a watch has told that the target was not kept, and why; only of a cell that is breached. */
	readonly breach?: Breach;
	/** Where nothing is certified: the dearest rung there was, which answers, and promises nothing, where the exact search would take too long. */
	readonly widest?: Rung;
	/** The mean recall of the dearest rung that was refused, where there are enough queries to say that none will do. */
	readonly plateau?: number;
}

/** That live audits have found a drop. */
export interface Breach {
	/** ms since 1970. */
	readonly at: number;
	/** Audits until the alarm, and the mean recall of the last of them. */
	readonly audits: number;
	readonly mean: number;
	/** The dearest rung of what was certified. */
	readonly widest?: Rung;
}

/** Everything that searches of a collection go by. */
export interface ServedTable {
	readonly key: number;
	/** The index that it is of. */
	readonly identity: string;
	readonly cells: readonly ServedCell[];
	/** Counts the purges of logged queries: from each on, queries are drawn anew. */
	readonly purges: number;
	/** ms that an audit takes, about; 0: not known yet. */
	readonly auditMs: number;
	/** What serves as soon as the index does that is being built: its recall has been asked already. */
	readonly next?: Pick<ServedTable, "identity" | "cells">;
	/** Whether comparing everything is quick enough for a tuner to try it. */
	readonly isFlatQuick?: boolean;
	/** What a tuner had learned, as it was written down; only of what has been read. */
	readonly tuned?: unknown;
}

/** Share of the vectors that may have come or gone before a certificate is stale, and before it is none any more. */
export const STALE_FROM = 0.1;
export const VOID_FROM = 0.5;

/** How much has changed since a cell was certified, as a share of what there was. */
export function changedSince({ churn, vectors }: Pick<ServedCell, "churn" | "vectors">, churnNow: number): number {
	return Math.abs(churnNow - churn) / Math.max(1, vectors);
}

/**
 * Bytes that a search may compare where nobody has asked it to: about 50 ms. For want of a certificate, where one that promises nothing answers beyond and says
 * so; and to find out whether that is faster, which it will not be.
 */
export const MOST_EXACT_BYTES = 2 ** 30;
