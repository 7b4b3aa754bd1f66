/**
 * An inverted file: cells of rows, each a chain of blocks of 32 rows. Blocks are named by number and lie `blockStride` bytes apart. A
 * place is the number by which the index knows a row; its label stands in a table.
 *
 * The cells struct:
 *
 * | byte | what                                                                    |
 * |------|-------------------------------------------------------------------------|
 * | 0    | u32 address of the cell table                                            |
 * | 4    | u32 address of block 0                                                   |
 * | 8    | u32 bytes from one block to the next                                     |
 * | 12   | u32 address of the labels, u32 a place                                   |
 *
 * An entry of the cell table (16 bytes): u32 first block, u32 last block, u32 rows, u32 rows that have been removed; no block is NONE.
 *
 * A block:
 *
 * | byte | what                                                                    |
 * |------|-------------------------------------------------------------------------|
 * | 0    | u32 next block of the cell, or NONE                                      |
 * | 4    | u32 rows in it; written last, so that who reads beside it finds them whole |
 * | 8    | u32 its cell                                                             |
 * | 12   | u32 0                                                                    |
 * | 16   | u32 place of each of the 32 rows; NONE where there is none (yet, any more) |
 * | 144  | what is scanned: see the kernel of the kind                              |
 *
 * A search over cells:
 *
 * | byte | what                                                                    |
 * |------|-------------------------------------------------------------------------|
 * | 0    | u32 address of the probed cells, nearest first: {u32 cell, f32 bias}     |
 * | 4    | i32 how many there are                                                   |
 * | 8    | i32 the next one to scan                                                 |
 * | 12   | i32 rows that may be scanned; the cell in which they run out is finished  |
 * | 16   | i32 rows scanned                                                         |
 * | 20   | u32 address of the pool of candidates: sorted pairs {f32 key, u32 place}  |
 * | 24   | i32 candidates in it                                                     |
 * | 28   | i32 candidates it has room for                                           |
 * | 32   | u32 address of the abort word (0: none)                                  |
 * | 36   | u32 1 + the block at which a listing goes on; 0: with the next cell        |
 * | 40   | 24 bytes of padding                                                      |
 * | 64   | 64 bytes for the sums of a block; zero after a scan                       |
 */
export const NONE: u32 = 0xffffffff;
/** Rows of a block. */
export const ROWS: i32 = 32;
/** Where the places of a block stand, and what is scanned. */
export const PLACES: usize = 16;
export const PAYLOAD: usize = 144;
/** Where a search has room for the sums of a block. */
export const SUMS: usize = 64;

let table: usize = 0;
let blocks: usize = 0;
let blockStride: usize = 0;
export let labels: usize = 0;

export function openCells(at: usize): void {
	table = load<u32>(at);
	blocks = load<u32>(at, 4);
	blockStride = load<u32>(at, 8);
	labels = load<u32>(at, 12);
}

@inline
export function firstBlock(cell: u32): u32 {
	return atomic.load<u32>(table + (<usize>cell << 4));
}

@inline
export function blockAt(block: u32): usize {
	return blocks + <usize>block * blockStride;
}

@inline
export function nextBlock(block: usize): u32 {
	return atomic.load<u32>(block);
}

@inline
export function rowsIn(block: usize): i32 {
	return atomic.load<i32>(block, 4);
}

@inline
export function placeIn(block: usize, row: i32): u32 {
	return load<u32>(block + (<usize>row << 2), PLACES);
}

@inline
export function labelOf(place: u32): u32 {
	return load<u32>(labels + (<usize>place << 2));
}

let probes: usize = 0;
let count: i32 = 0;
let next: i32 = 0;
let budget: i32 = 0;
export let scanned: i32 = 0;
export let pool: usize = 0;
export let size: i32 = 0;
export let room: i32 = 0;
let abort: usize = 0;

export function openSearch(at: usize): void {
	probes = load<u32>(at);
	count = load<i32>(at, 4);
	next = load<i32>(at, 8);
	budget = load<i32>(at, 12);
	scanned = load<i32>(at, 16);
	pool = load<u32>(at, 20);
	size = load<i32>(at, 24);
	room = load<i32>(at, 28);
	abort = load<u32>(at, 32);
}

/** Gives the state back; returns whether the search was aborted. */
export function closeSearch(at: usize): bool {
	store<i32>(at, next, 8);
	store<i32>(at, scanned, 16);
	store<i32>(at, size, 24);
	return aborted();
}

@inline
function aborted(): bool {
	return abort != 0 && atomic.load<i32>(abort) != 0;
}

/** The address of the next probed cell, or 0 where the scan is over: all cells done, the budget used up, or aborted. */
export function nextProbe(): usize {
	if (next == count || scanned >= budget || aborted()) return 0;
	const probe = probes + (<usize>next << 3);
	next++;
	return probe;
}

@inline
export function countRows(rows: i32): void {
	scanned += rows;
}

@inline
export function resized(to: i32): void {
	size = to;
}

/** The largest key that may still become a candidate. */
@inline
export function worstKey(): f32 {
	return size < room ? <f32>Infinity : load<f32>(pool + (<usize>(room - 1) << 3));
}
