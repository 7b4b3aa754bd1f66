/**
 * What a bitmap of labels lets through, as places: `places` holds a u32 for each of `count` labels from `first` on, 1 + the place of its
 * row, 0 where there is none. Labels without a place are passed over.
 */
import { eligible, openEligibility } from "./eligibility";

/** 1 + the place of a label; 0 for none. */
@inline
function placeOf(places: usize, first: u32, count: u32, label: u32): u32 {
	const at = label - first;
	return at < count ? load<u32>(places + (<usize>at << 2)) : 0;
}

/**
 * Writes the labels of the bitmap's words from the one numbered `cursor` (a u32 in memory) to `words`, and their places, until there is
 * no room for all of another word; moves the cursor on. Returns how many there are. `room` is at least 32.
 */
export function listMatches(
	bitmap: usize,
	cursor: usize,
	words: u32,
	places: usize,
	first: u32,
	count: u32,
	room: i32,
	labels: usize,
	nodes: usize,
): i32 {
	let n: i32 = 0;
	let word = load<u32>(cursor);
	for (; word < words && n + 32 <= room; word++) {
		for (let rest = load<u32>(bitmap + (<usize>word << 2)); rest != 0; rest &= rest - 1) {
			const label = (word << 5) + <u32>ctz(rest);
			const place = placeOf(places, first, count, label);
			if (place == 0) continue;
			store<u32>(labels + (<usize>n << 2), label);
			store<u32>(nodes + (<usize>n << 2), place - 1);
			n++;
		}
	}
	store<u32>(cursor, word);
	return n;
}

/**
 * Writes the places of at most `most` eligible labels, spread over the bitmap's words: the first in each of `most` equal parts. Returns
 * how many there are.
 */
export function sampleMatches(
	bitmap: usize,
	words: u32,
	places: usize,
	first: u32,
	count: u32,
	eligibility: usize,
	most: i32,
	nodes: usize,
): i32 {
	openEligibility(eligibility);
	let n: i32 = 0;
	for (let part: i32 = 0; part < most; part++) {
		const end = <u32>((<u64>words * <u64>(part + 1)) / <u64>most);
		let word = <u32>((<u64>words * <u64>part) / <u64>most);
		for (let found = false; word < end && !found; word++) {
			for (let rest = load<u32>(bitmap + (<usize>word << 2)); rest != 0 && !found; rest &= rest - 1) {
				const label = (word << 5) + <u32>ctz(rest);
				const place = placeOf(places, first, count, label);
				if (place == 0 || !eligible(label)) continue;
				store<u32>(nodes + (<usize>n << 2), place - 1);
				n++;
				found = true;
			}
		}
	}
	return n;
}

/** A label that a place without one has: it is never eligible here. */
const NO_LABEL: u32 = 0xffffffff;

/**
 * Of `n` labels, moves those that may be answered together to `kept` and writes their numbers to `rows`; returns how many there are.
 * 0xffffffff is passed over. `kept` may be `labels`.
 */
export function listEligible(labels: usize, n: i32, eligibility: usize, rows: usize, kept: usize): i32 {
	openEligibility(eligibility);
	let used: i32 = 0;
	for (let i: i32 = 0; i < n; i++) {
		const label = load<u32>(labels + (<usize>i << 2));
		if (label == NO_LABEL || (eligibility != 0 && !eligible(label))) continue;
		store<u32>(rows + (<usize>used << 2), i);
		store<u32>(kept + (<usize>used << 2), label);
		used++;
	}
	return used;
}
