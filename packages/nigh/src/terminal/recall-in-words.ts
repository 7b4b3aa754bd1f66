import type { RecallCell, RecallStatement } from "@nigh/contract";
import { grouped } from "./table.ts";

/**
 * What is known of a recall, in words: `recall@10 of at least 0.95 certified (95 % confidence, 431 queries, mean 0.962, change 12,345)`. What is
 * not known is left out.
 */
export function recallInWords(statement: RecallStatement): string {
	const { state, target, cell } = statement;
	const promise = promiseText(target, cell);
	switch (state) {
		case "exact":
			return "exact";
		case "certified":
			return `${promise} certified${evidence(statement)}`;
		case "provisional":
			return `provisional: ${promise}${evidence(statement)}`;
		case "stale":
			return `stale: ${promise} was certified, and too much has changed since${evidence(statement)}`;
		case "breached":
			return `breached: ${promise} was certified, and is no longer kept; searches take the safe way until it is certified anew${evidence(statement)}`;
		case "uncertified":
			return `uncertified: recall${depthText(cell)} of ${target} asked for${matchesText(cell)}${evidence(statement)}`;
	}
}

/** `recall@10 of at least 0.95 where a filter matches 10 to 20 %` */
export function promiseText(target: number, cell: RecallCell | null): string {
	return `recall${depthText(cell)} of at least ${target}${matchesText(cell)}`;
}

/** `recall@10 where a filter matches 10 to 20 %`, whatever the target. */
export function recallText(cell: RecallCell | null): string {
	return `recall${depthText(cell)}${matchesText(cell)}`;
}

/** `@10`, `@10 to 100`, or nothing where no cell is named. */
function depthText(cell: RecallCell | null): string {
	return cell === null ? "" : `@${bandText(cell.k.from, cell.k.to)}`;
}

/** ` where a filter matches 10 to 20 %`, or nothing without a filter. */
function matchesText(cell: RecallCell | null): string {
	const text = cell === null ? undefined : selectivityText(cell);
	return text === undefined ? "" : ` where a filter matches ${text}`;
}

/** `10 to 20 %` of the records; `undefined` for searches without a filter. */
export function selectivityText({ selectivity: { from, to } }: RecallCell): string | undefined {
	if (from === 1 && to === 1) return undefined;
	return `${bandText(percentOf(from), percentOf(to))} %`;
}

/** `10`, or `10 to 100` */
export function bandText(from: number, to: number): string {
	const [first, last] = [from, to].map((each) => each.toLocaleString("en-US"));
	return from === to ? `${first}` : `${first} to ${last}`;
}

/** Whether a statement tells what its `queries` are: where it does not, vectors that were held out may be among them. What audits have found are queries. */
export function isBasisKnown({ basis, state }: Pick<RecallStatement, "basis" | "state">): boolean {
	return basis !== null || state === "breached";
}

function evidence(statement: RecallStatement): string {
	const { confidence, basis, estimate, changeNumber } = statement;
	const queries = isBasisKnown(statement) ? statement.queries : 0;
	const parts = [
		confidence === null ? undefined : `${percentText(confidence)} confidence`,
		queries === 0 ? undefined : basis === "heldout" ? vectorsText(queries) : queriesText(queries),
		estimate === null ? undefined : `mean ${cutText(estimate)}`,
		changeNumber === null ? undefined : `change ${grouped(changeNumber)}`,
	].filter((part) => part !== undefined);
	return parts.length === 0 ? "" : ` (${parts.join(", ")})`;
}

/** `1 query`, `2 queries` */
export function queriesText(count: number): string {
	return `${grouped(count)} ${count === 1 ? "query" : "queries"}`;
}

function vectorsText(count: number): string {
	return `${grouped(count)} held-out ${count === 1 ? "vector" : "vectors"}`;
}

/** `95 %`, `99.99 %` */
export function percentText(share: number): string {
	return `${percentOf(share)} %`;
}

function percentOf(share: number): number {
	return Number((share * 100).toPrecision(6));
}

/** Cut, not rounded, so that only exactly 1 reads 1.000. */
function cutText(share: number): string {
	return (Math.floor(share * 1_000 + 1e-6) / 1_000).toFixed(3);
}
