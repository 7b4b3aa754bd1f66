/** Queries that a certification begins with at least: fewer can certify next to nothing. */
export const LEAST_QUERIES = 200;
/** One query in so many places the ladder, and never certifies. */
export const PILOT_ONE_IN = 8;
/** Queries that place a ladder at least, and at most. */
export const LEAST_PILOT = 16;
export const MOST_PILOT = 128;

/** Queries that one certification compares with exact answers at most, unless more are asked for. */
export const MOST_MEASURED = 5_000;
/** A certification goes on when there are so many queries that it has not seen, as a share of those it has, and at least so many. */
export const MORE_SHARE = 0.25;
export const MORE_LEAST = 128;

/** From so many queries on, that they have certified nothing goes before what held-out vectors have. */
export const LEAST_TO_TAKE_OVER = 500;

/** The k that held-out vectors are asked for: what has not been searched for yet. */
export const HELD_OUT_K: readonly number[] = [1, 10, 100];
/** Vectors that an index has at least, for each of k, to be asked by held-out ones: of fewer, what was held out would be missed. */
export const LEAST_VECTORS_PER_K = 128;
/** ms that held-out vectors may take, while the index waits for them. */
export const HELD_OUT_MS = 30_000;

/** Queries whose exact answers are looked for in one pass: more cost less each, and audits wait until a pass is done. */
export const TOGETHER = 128;
/** Answers of each that there is room for; where more are asked for, it is one query at a time. */
export const TOGETHER_K = 128;

/** Widths beyond which a ladder does not go: wider ones take longer than comparing everything. */
export const MOST_EF = 4_000;

/** Queries of all bands together that are kept. */
export const MOST_QUERIES = 10_000;

/** Bytes that their vectors may take together. */
export const MOST_QUERY_BYTES = 64 * 2 ** 20;

/** ms after which what has been found out is written down. */
export const SAVE_AFTER_MS = 2_000;
/** ms after which audits are that have found nothing: everything is written anew, and losing them makes the watch forget a little. */
export const SAVE_AUDITS_AFTER_MS = 300_000;
