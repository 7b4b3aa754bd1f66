import type { RecallCell, RecallState, RecallStatement } from "@nigh/contract";
import { sharesOf } from "@nigh/recall";
import { type ServedCell, STALE_FROM, VOID_FROM } from "./served.ts";
import type { Service } from "./serving.ts";

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

/** The cell that a search belongs to, as statements tell it: of the bands of k that it was held to. */
export function cellOf(cells: readonly [ServedCell, ...ServedCell[]]): RecallCell {
	const ks = cells.map(({ k }) => k);
	const { selectivity } = cells[0];
	const target = Math.min(...cells.map((cell) => cell.target));
	return { k: { from: Math.min(...ks), to: Math.max(...ks) }, selectivity: sharesOf(selectivity), target };
}

/** What is said of an answer that certificates speak of: of two bands, what holds for both, with what was measured of the one that is known less well. */
export function certifiedRecall(
	target: number,
	state: RecallState,
	cells: readonly [ServedCell, ...ServedCell[]],
): RecallStatement {
	const least = (field: "confidence" | "changeNumber" | "certifiedAt") => Math.min(...cells.map((cell) => cell[field]));
	const { estimate, basis, queries } = cells.reduce((one, other) => (isKnownLess(other, one) ? other : one));
	return {
		target,
		state,
		estimate,
		basis,
		confidence: least("confidence"),
		queries,
		cell: cellOf(cells),
		changeNumber: least("changeNumber"),
		certifiedAt: least("certifiedAt"),
	};
}

/** Held-out vectors say less than queries, and fewer less than more. */
function isKnownLess(cell: ServedCell, than: ServedCell): boolean {
	if (cell.basis !== than.basis) return cell.basis === "heldout";
	return cell.queries < than.queries;
}

/** What is said of one answer: by what it was served, and whether everything was compared in the end. */
export function statementFor(
	service: Service | undefined,
	target: number,
	isExact: boolean,
	changeNumber: number,
): RecallStatement {
	const [first, ...others] = service?.cells ?? [];
	if (service?.state === "breached" && first !== undefined) {
		const breached = { ...uncertifiedRecall(target), state: "breached", cell: cellOf([first, ...others]) } as const;
		return isExact ? { ...breached, estimate: 1, changeNumber } : breached;
	}
	if (isExact) return exactRecall(target, changeNumber);
	const { state } = service ?? {};
	const isKnown = state === "certified" || state === "provisional" || state === "stale";
	return isKnown && first !== undefined
		? certifiedRecall(target, state, [first, ...others])
		: uncertifiedRecall(target);
}

/** What is said of one cell by itself. */
export function cellStatement(cell: ServedCell, changed = 0): RecallStatement {
	const { target, state } = cell;
	const isVoid = changed > VOID_FROM;
	if (state === "certified" || state === "provisional") {
		if (!isVoid) return certifiedRecall(target, changed > STALE_FROM ? "stale" : state, [cell]);
	}
	const unknown = { ...uncertifiedRecall(target), cell: cellOf([cell]), queries: cell.queries };
	return state === "breached" ? { ...unknown, state, estimate: cell.estimate } : unknown;
}
