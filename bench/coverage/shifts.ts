import { HEARD_WITHIN, type Random, randomBelow, randomFrom, shuffle } from "@nigh/recall";
import { type RecallMatrix, trueMeans } from "./matrix.ts";

/** Draws the recall of one audit. */
export type Audits = (random: Random) => number;

/** Audits after which a drop that has not been heard is given up. */
export const LONGEST = 5_000;

/** Of the parts that are drawn. */
const PARTS_SEED = 1;

/** Queries that a part of a pool must have to be one. */
const LEAST_PART = 20;

/** Audits of a rung as it was certified: queries of the pool. */
export function unshifted({ k, hits }: RecallMatrix, rung: number): Audits {
	const own = hits[rung] as Uint8Array;
	return (random) => (own[randomBelow(random, own.length)] as number) / k;
}

/**
 * Ways in which the mean of a served rung falls to `goal`, each made from what was measured, and `undefined` where that cannot be.
 *
 * A mean alone does not say how a drop shows: queries that each lose a little are seen soon, and a few that lose everything late. Hits that are missed at
 * random, and the worst tenth that stands in for a part, are what a detector is set by as well (`settingsFor`); the others it has never seen.
 */
export const SHIFTS = {
	/**
	 * More and more queries come from one part of the pool: from that which the rung serves worst. Where no part is bad enough, from the tenth of
	 * all queries that it serves worst.
	 */
	"queries from another cluster": (matrix: RecallMatrix, groups: Uint8Array, rung: number, goal: number) => {
		const own = matrix.hits[rung] as Uint8Array;
		const part = worstPart(own, groups).map((query) => own[query] as number);
		return mixed(matrix.k, own, part, goal) ?? mixed(matrix.k, own, own.toSorted().subarray(0, own.length / 10), goal);
	},
	/** Deleting has torn the graph, or emptied cells. Nothing is deleted here: each hit of each query is missed as likely as any other. */
	"hits missed at random, as after deletions": (
		matrix: RecallMatrix,
		_: Uint8Array,
		rung: number,
		goal: number,
	): Audits | undefined => {
		const { k } = matrix;
		const own = matrix.hits[rung] as Uint8Array;
		const kept = goal / (trueMeans(matrix)[rung] as number);
		return (random) => {
			let hits = 0;
			for (let left = own[randomBelow(random, own.length)] as number; left > 0; left--) if (random() < kept) hits++;
			return hits / k;
		};
	},
	/** Many more vectors are in the index than when it was certified: all queries fare as on a cheaper rung. */
	"a mass insert": (matrix: RecallMatrix, _: Uint8Array, rung: number, goal: number): Audits | undefined => {
		const cheaper = trueMeans(matrix).findIndex((mean, i) => i > rung && mean <= goal);
		if (cheaper < 0) return undefined;
		return mixed(matrix.k, matrix.hits[rung] as Uint8Array, matrix.hits[cheaper] as Uint8Array, goal);
	},
	/**
	 * The same where all that came is about a few things: queries of half of the parts, drawn at random, fare as on a much cheaper rung, and the others as
	 * before. Imports are of one source more often than of everything.
	 */
	"a mass insert into half of the parts": (
		matrix: RecallMatrix,
		groups: Uint8Array,
		rung: number,
		goal: number,
	): Audits | undefined => {
		const own = matrix.hits[rung] as Uint8Array;
		const parts = shuffle(
			[...new Set(groups)].sort((a, b) => a - b),
			randomFrom(PARTS_SEED),
		);
		const hit = new Set(parts.slice(0, Math.ceil(parts.length / 2)));
		for (const hits of matrix.hits.slice(rung + 1)) {
			const changed = own.map((each, query) => (hit.has(groups[query] as number) ? (hits[query] as number) : each));
			const audits = mixed(matrix.k, own, changed, goal);
			if (audits !== undefined) return audits;
		}
		return undefined;
	},
	/**
	 * More and more queries find nothing at all: what they are near to cannot be reached any more (a part of the graph has come off), or is of another
	 * model than they are. No drop shows later, as each audit tells either nothing or everything.
	 */
	"queries that find nothing": (matrix: RecallMatrix, _: Uint8Array, rung: number, goal: number): Audits | undefined =>
		mixed(matrix.k, matrix.hits[rung] as Uint8Array, [0], goal),
} as const satisfies Readonly<
	Record<string, (matrix: RecallMatrix, groups: Uint8Array, rung: number, goal: number) => Audits | undefined>
>;

export type ShiftName = keyof typeof SHIFTS;

/**
 * Audits within which a drop is to be heard. Of queries that find nothing, ln(10,000) over the relative entropy of 0.90 and 0.95 are 450 audits: no
 * valid watch hears that within 100, so that it only has to be heard at all.
 */
export function toBeHeardWithin(shift: ShiftName): number {
	return shift === "queries that find nothing" ? LONGEST : HEARD_WITHIN;
}

/** Draws from `bad` just as often as brings the mean to `goal`; `undefined` where not even all of them would. */
function mixed(k: number, own: Uint8Array, bad: ArrayLike<number>, goal: number): Audits | undefined {
	const [from, to] = [meanOf(own, k), meanOf(bad, k)];
	if (!(to <= goal)) return undefined;
	const share = (from - goal) / (from - to);
	return (random) => {
		const source = random() < share ? bad : own;
		return (source[randomBelow(random, source.length)] as number) / k;
	};
}

/** The queries of the part whose mean is the lowest. */
function worstPart(own: Uint8Array, groups: Uint8Array): number[] {
	const parts = new Map<number, number[]>();
	for (const [query, group] of groups.entries()) {
		const part = parts.get(group);
		if (part === undefined) parts.set(group, [query]);
		else part.push(query);
	}
	const meanOfPart = (part: readonly number[]) =>
		part.reduce((sum, query) => sum + (own[query] as number), 0) / part.length;
	return (
		[...parts.values()].filter(({ length }) => length >= LEAST_PART).sort((a, b) => meanOfPart(a) - meanOfPart(b))[0] ??
		[]
	);
}

function meanOf(hits: ArrayLike<number>, k: number): number {
	let sum = 0;
	for (let i = 0; i < hits.length; i++) sum += hits[i] as number;
	return sum / (k * hits.length);
}
