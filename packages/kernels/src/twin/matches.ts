/** What a bitmap of labels lets through, as places. What the arguments mean is told in assembly/matches.ts. */
import type { Eligibility } from "./eligibility.ts";
import type { TwinMemory } from "./memory.ts";

/** The label of a place that has none. */
const NO_LABEL = 0xffffffff;

/** 1 + the place of a label; 0 for none. */
function placeOf(m: TwinMemory, places: number, first: number, count: number, label: number): number {
	const at = (label - first) >>> 0;
	return at < count ? m.loadU32(places + 4 * at) : 0;
}

/** The labels of one word of a bitmap, ascending. */
function* labelsIn(m: TwinMemory, bitmap: number, word: number): Generator<number> {
	for (let rest = m.loadU32(bitmap + 4 * word); rest !== 0; rest &= rest - 1) {
		yield 32 * word + 31 - Math.clz32(rest & -rest);
	}
}

/**
 * Writes the labels of the bitmap's words from the one numbered `cursor` (a u32 in memory) to `words`, and their places, until there is
 * no room for all of another word; moves the cursor on. Returns how many there are. `room` is at least 32.
 */
export function listMatches(
	m: TwinMemory,
	bitmap: number,
	cursor: number,
	words: number,
	places: number,
	first: number,
	count: number,
	room: number,
	labels: number,
	nodes: number,
): number {
	let n = 0;
	let word = m.loadU32(cursor);
	for (; word < words && n + 32 <= room; word++) {
		for (const label of labelsIn(m, bitmap, word)) {
			const place = placeOf(m, places, first, count, label);
			if (place === 0) continue;
			m.storeU32(labels + 4 * n, label);
			m.storeU32(nodes + 4 * n, place - 1);
			n++;
		}
	}
	m.storeU32(cursor, word);
	return n;
}

/**
 * Writes the places of at most `most` eligible labels, spread over the bitmap's words: the first in each of `most` equal parts. Returns
 * how many there are.
 */
export function sampleMatches(
	eligible: Eligibility,
	bitmap: number,
	words: number,
	places: number,
	first: number,
	count: number,
	eligibility: number,
	most: number,
	nodes: number,
): number {
	const { m } = eligible;
	eligible.open(eligibility);
	let n = 0;
	const firstIn = (from: number, end: number): number => {
		for (let word = from; word < end; word++) {
			for (const label of labelsIn(m, bitmap, word)) {
				const place = placeOf(m, places, first, count, label);
				if (place !== 0 && eligible.admits(label)) return place;
			}
		}
		return 0;
	};
	for (let part = 0; part < most; part++) {
		const place = firstIn(Math.floor((words * part) / most), Math.floor((words * (part + 1)) / most));
		if (place === 0) continue;
		m.storeU32(nodes + 4 * n, place - 1);
		n++;
	}
	return n;
}

/** Of `n` labels, those that may be answered, moved together, and their numbers; returns how many there are. */
export function listEligible(
	eligible: Eligibility,
	labels: number,
	n: number,
	eligibility: number,
	rows: number,
	kept: number,
): number {
	const { m } = eligible;
	eligible.open(eligibility);
	let used = 0;
	for (let i = 0; i < n; i++) {
		const label = m.loadU32(labels + 4 * i);
		if (label === NO_LABEL || (eligibility !== 0 && !eligible.admits(label))) continue;
		m.storeU32(rows + 4 * used, i);
		m.storeU32(kept + 4 * used, label);
		used++;
	}
	return used;
}
