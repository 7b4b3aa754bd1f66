/**
 * What a search says about its own recall.
 *
 * - `exact`: everything was compared; the recall is 1.
 * - `certified`: a certificate from real queries holds for the target.
 * - `provisional`: a certificate from held-out vectors holds, since there have not been enough real queries yet.
 * - `stale`: there is a certificate, but too much has changed since.
 * - `breached`: watching showed that the target was no longer kept; a conservative or exact search answers until it is certified anew.
 * - `uncertified`: no certificate, or an explicit `ef` or `nprobe`, or a search that was cut short.
 */
export const RECALL_STATES = ["exact", "certified", "provisional", "stale", "breached", "uncertified"] as const;

export type RecallState = (typeof RECALL_STATES)[number];

/** Where the queries of a certificate came from: users, or vectors that waited outside the index until they had served as queries. */
export type RecallBasis = "queries" | "heldout";

/** Numbers from `from` to `to`, both included. */
export interface Band {
	readonly from: number;
	readonly to: number;
}

/** The searches that one certificate speaks of, all together: it says nothing about a single one. */
export interface RecallCell {
	readonly k: Band;
	/** Share of the records that the filter matches, 0 to 1. */
	readonly selectivity: Band;
	readonly target: number;
}

/**
 * The evidence that comes with every answer: for the cell of this search, the mean recall over the distribution its calibration
 * queries were drawn from is at least `target`; a certificate is wrong with probability at most 1 - `confidence`.
 *
 * What is not known is `null`, so that a statement is the same after a trip through JSON.
 */
export interface RecallStatement {
	/** The mean recall asked for, 0.5 to 1. */
	readonly target: number;
	readonly state: RecallState;
	/** Plain mean recall of the calibration queries: a description, not a promise. 1 where exact. */
	readonly estimate: number | null;
	readonly basis: RecallBasis | null;
	/** 1 - delta of the certificate. */
	readonly confidence: number | null;
	/** How many queries the certificate rests on. */
	readonly queries: number;
	readonly cell: RecallCell | null;
	/** The state of the collection that the certificate speaks of. */
	readonly changeNumber: number | null;
	/** Milliseconds since 1970. */
	readonly certifiedAt: number | null;
}
