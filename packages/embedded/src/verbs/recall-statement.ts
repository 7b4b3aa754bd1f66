import type { RecallStatement } from "@nigh/contract";

/** What is said of an answer for which nothing has been certified. */
export function uncertifiedRecall(target: number): RecallStatement {
	return {
		target,
		state: "uncertified",
		estimate: null,
		basis: null,
		confidence: null,
		queries: 0,
		cell: null,
		changeNumber: null,
		certifiedAt: null,
	};
}

/** What is said of an answer for which everything was compared, at a state of the collection. */
export function exactRecall(target: number, changeNumber: number): RecallStatement {
	return { ...uncertifiedRecall(target), state: "exact", estimate: 1, changeNumber };
}
