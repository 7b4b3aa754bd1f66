/** Records from which on `auto` builds a graph: comparing fewer takes about as long as walking one. */
export const GRAPH_FROM = 4_096;

/** Records from which on a graph that was asked for is built: codes learnt from fewer vectors tell them apart badly. */
export const LEAST_GRAPH = 256;

/** Records from which on cells that were asked for are trained, or more where their number or their codes need more. */
export const LEAST_CELLS = 1_024;
/** Vectors of a collection that cells and codes are learnt from, at most. */
export const TRAINING_VECTORS = 131_072;

/** Writes have paused when there was none for so long; then the whole tail is taken in. */
export const IDLE_MS = 20;
/** While writes go on, the tail is taken in from this share of its room on: until then they have the processor for themselves. */
export const HOT_TAIL_SHARE = 1 / 8;

/** A new generation is begun when this share of the slots is taken, */
export const ROOM_SHARE = 0.75;
/** or so many slots, and this share of them, are dead: they cost every search time. */
export const LEAST_DEAD = 1_024;
export const DEAD_SHARE = 0.2;

/** Files that the rows of a generation may lie in: each session adds one. With more they are written into one. */
export const MANY_FILES = 64;

/** Smaller indexes are built again faster than a snapshot is read. */
export const SNAPSHOT_LEAST = 1_000;
/** A snapshot is written when so much has changed since the last. */
export const SNAPSHOT_SHARE = 0.25;
/** Snapshots that are kept: the newest, and one before it should that be damaged. `optimize` reads the newest again and keeps it alone. */
export const SNAPSHOTS_KEPT = 2;

/** Changes since the last snapshot that are not worth writing one on closing: they are applied in a moment on opening. */
export const SMALL_CHANGE = 1_000;

/** Times that a generation which somebody waits for is built while others write. */
export const MOST_TRIES = 5;

/** What has failed in the background is tried again after so long. */
export const RETRY_MS = 5_000;

/**
 * A reader that has not left for so long has ended in the middle of a search, or stands still: writers would wait for it for ever. The next
 * generation does not have it among its readers.
 */
export const STUCK_MS = 10_000;

/** Between two looks for work at least. */
export const LEAST_WAIT_MS = 5;
