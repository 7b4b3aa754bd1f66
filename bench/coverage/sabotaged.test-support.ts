// Procedures that are wrong in ways that look right: what does not catch them checks nothing.
import { BettingTest, RecallCounts } from "@nigh/recall";
import { asCertified, certified, type Procedure, type Sample } from "./procedures.ts";

/** Serves the cheapest of all rungs that pass the test, each at the full delta: of many that should not, one or the other passes by chance. */
export const cheapestThatClears: Procedure = (sample, targets, delta) =>
	asCertified(
		targets.map((target) => {
			const passes = (rung: number) => {
				const test = new BettingTest(target, delta);
				for (let query = 0; query < sample.queries && !test.passed; query++) test.add(sample.recall(rung, query));
				return test.passed;
			};
			let rung = sample.rungs - 1;
			while (rung >= 0 && !passes(rung)) rung--;
			return rung;
		}),
	);

/** In a fixed sequence, but by the interval of a normal distribution: recalls near 1 are nothing like one. */
export const tInterval: Procedure = (sample, targets) =>
	asCertified(
		targets.map((target) => {
			let rung = -1;
			while (rung + 1 < sample.rungs && tBound(countsOf(sample, rung + 1)) >= target) rung++;
			return rung;
		}),
	);

/** The right procedure at another delta than it says. */
export const atDelta =
	(other: number): Procedure =>
	(sample, targets) =>
		certified(sample, targets, other);

/** The right procedure, that leaves out queries which find nothing: those take long, and are likely the ones that were interrupted. */
export const withoutInterrupted: Procedure = (sample, targets, delta) => {
	const asked = Array.from({ length: sample.queries }, (_, query) => query).filter(
		(query) => sample.recall(0, query) > 0,
	);
	return certified(
		{ ...sample, queries: asked.length, recall: (rung, query) => sample.recall(rung, asked[query] as number) },
		targets,
		delta,
	);
};

/** A t interval that is looked at after every 50 queries, until it says what was hoped for. */
export const peekedInterval: Procedure = (sample, targets) =>
	asCertified(
		targets.map((target) => {
			const clears = (rung: number) => {
				const counts = new RecallCounts();
				for (let query = 0; query < sample.queries; query++) {
					counts.add(sample.recall(rung, query));
					if (counts.size % 50 === 0 && tBound(counts) >= target) return true;
				}
				return false;
			};
			let rung = -1;
			while (rung + 1 < sample.rungs && clears(rung + 1)) rung++;
			return rung;
		}),
	);

/** mean - 1.645 s / sqrt(n): 95 %, were the mean normal. */
function tBound(counts: RecallCounts): number {
	return counts.mean - 1.645 * Math.sqrt(counts.variance / counts.size);
}

function countsOf(sample: Sample, rung: number): RecallCounts {
	const counts = new RecallCounts();
	for (let query = 0; query < sample.queries; query++) counts.add(sample.recall(rung, query));
	return counts;
}
