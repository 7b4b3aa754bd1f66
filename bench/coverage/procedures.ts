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

/**
 * Certifies as a database's examiner does: each query is asked once, on all rungs that are worth it then, until none is. What is measured ahead of
 * the rung that is tested counts when it is tested, and rungs that look hopeless are given up.
 */
export function certify(sample: Sample, targets: readonly number[], delta: number): Certification {
	const certification = new Certification({ rungs: sample.rungs, targets, delta });
	for (let query = 0; query < sample.queries && ask(certification, sample, query); query++);
	return certification;
}

/** Measures one query on the rungs that are worth it. Returns whether there are any: where not, nothing more can pass. */
function ask(certification: Certification, sample: Sample, query: number): boolean {
	const rungs = certification.worthwhile;
	if (rungs.length === 0) return false;
	const recalls = rungs.map((rung) => sample.recall(rung, query));
	certification.recordQuery(rungs, recalls);
	return true;
}

/** The code that serves: asked until there are no more queries, or nothing more can pass. */
export const certified: Procedure = (sample, targets, delta) => {
	const certification = certify(sample, targets, delta);
	return targets.map((target) => ({
		certified: certification.certificate(target).rung,
		serves: servingRung(certification, target),
	}));
};

/** Resumptions of {@link peeking}. */
const RESUMED_EVERY = 97;

/**
 * The same code, by someone who cannot wait: every certificate looked at after every query, the second target added after a tenth of the
 * queries and the third after a half (which opens again what had come to its end), stopped and resumed from its recalls now and then. The rung is the
 * cheapest that any look has shown.
 */
export const peeking: Procedure = (sample, targets, delta) => {
	const options = { rungs: sample.rungs, delta };
	let certification = new Certification({ ...options, targets: targets.slice(0, 1) });
	const served = targets.map(() => -1);
	// A query that nothing asks for waits, for a target that is still to come.
	let query = 0;
	for (let looks = 1; looks <= sample.queries; looks++) {
		if (looks === Math.ceil(sample.queries / 10))
			for (const target of targets.slice(1, 2)) certification.addTarget(target);
		if (looks === Math.ceil(sample.queries / 2)) for (const target of targets.slice(2)) certification.addTarget(target);
		if (looks % RESUMED_EVERY === 0) {
			const { recalls, exact } = certification;
			certification = Certification.from({ ...options, targets: certification.targets }, recalls, exact);
		}
		if (ask(certification, sample, query)) query++;
		for (const [i, target] of certification.targets.entries()) {
			served[i] = Math.max(served[i] as number, certification.certificate(target).rung);
		}
	}
	return asCertified(served);
};
