import { Certification, servingRung } from "@nigh/recall";

/** What a procedure may look at: recalls of queries in an order that was drawn beforehand. */
export interface Sample {
	readonly rungs: number;
	readonly queries: number;
	/** Recall of the i-th query on a rung, 0 to 1. */
	recall(rung: number, query: number): number;
}

/** What a procedure says of one target; -1 is the exact search. */
export interface Served {
	/** The cheapest rung that is certified. All that are dearer count as certified with it. */
	readonly certified: number;
	/** The one that serves, which is one of them. */
	readonly serves: number;
}

/** What is certified for each target. */
export type Procedure = (sample: Sample, targets: readonly number[], delta: number) => Served[];

/** A procedure that serves what it has certified. */
export function asCertified(rungs: readonly number[]): Served[] {
	return rungs.map((rung) => ({ certified: rung, serves: rung }));
}

/** The code that serves: asked until it has no more to ask. */
export const certified: Procedure = (sample, targets, delta) => {
	const certification = new Certification({ rungs: sample.rungs, targets, delta });
	for (let ask = certification.next(sample.queries); ask !== undefined; ask = certification.next(sample.queries)) {
		certification.record(ask, sample.recall(ask.rung, ask.query));
	}
	return targets.map((target) => ({
		certified: certification.certificate(target).rung,
		serves: servingRung(certification, target),
	}));
};

/** Resumptions of {@link peeking}. */
const RESUMED_EVERY = 97;

/**
 * The same code, by someone who cannot wait: one query more at a time, every certificate looked at after every measurement, the second
 * target added after a tenth of the queries and the third after a half, stopped and resumed from its recalls now and then. The rung is the cheapest that any look has
 * shown.
 */
export const peeking: Procedure = (sample, targets, delta) => {
	const options = { rungs: sample.rungs, delta };
	let certification = new Certification({ ...options, targets: targets.slice(0, 1) });
	const served = targets.map(() => -1);
	for (let queries = 1; queries <= sample.queries; queries++) {
		if (queries === Math.ceil(sample.queries / 10))
			for (const target of targets.slice(1, 2)) certification.addTarget(target);
		if (queries === Math.ceil(sample.queries / 2))
			for (const target of targets.slice(2)) certification.addTarget(target);
		if (queries % RESUMED_EVERY === 0) {
			certification = Certification.from({ ...options, targets: certification.targets }, certification.recalls);
		}
		for (let ask = certification.next(queries); ask !== undefined; ask = certification.next(queries)) {
			certification.record(ask, sample.recall(ask.rung, ask.query));
			for (const [i, target] of certification.targets.entries()) {
				served[i] = Math.max(served[i] as number, certification.certificate(target).rung);
			}
		}
	}
	return asCertified(served);
};
