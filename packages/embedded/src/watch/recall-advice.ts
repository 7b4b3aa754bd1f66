import { BOUNDS, type HealthReason, type IndexKind, type RecallCell, type TuneReport } from "@nigh/contract";
import type { ServedCell } from "../recall/served.ts";
import { cellOf } from "../recall/statement.ts";

/** What is known of the recall of an index. */
export interface RecallFacts {
	readonly cells: readonly ServedCell[];
	/** Cells whose recall takes longer than is wanted. */
	readonly tooSlow: TuneReport["tooSlow"];
	readonly latencyMs: number | null;
	readonly kind: IndexKind;
	/** Those of the index that serves. */
	readonly parameters: Readonly<Record<string, number | string | boolean>>;
}

/** What needs attention about the recall, cell by cell. */
export function recallAdvice({ cells, tooSlow, latencyMs, kind, parameters }: RecallFacts): HealthReason[] {
	return [
		...cells.flatMap((cell) => breached(cell) ?? unreachable(cell, kind, parameters) ?? []),
		...tooSlow.map(({ cell, meanMs }) => slow(cell, meanMs, latencyMs as number)),
	];
}

function breached(cell: ServedCell): HealthReason | undefined {
	const { breach, target } = cell;
	if (breach === undefined) return undefined;
	const at = new Date(breach.at).toISOString();
	return {
		code: "recall-breached",
		status: "degraded",
		message: `audits of ${inWords(cellOf([cell]))} found at ${at} that the recall of ${target} is not kept any more: the last of ${breach.audits} found ${breach.mean.toFixed(3)} on average. Until it is certified anew its searches compare everything, or where that would take too long, look as far as any that was measured.`,
		recommendation:
			"Nothing has to be done: it is certified anew as soon as there are enough queries from after the change; certify({ queries }) does so at once.",
	};
}

/** A plateau is the fault of the index, not of how wide it is searched. */
function unreachable(
	cell: ServedCell,
	kind: IndexKind,
	parameters: RecallFacts["parameters"],
): HealthReason | undefined {
	if (cell.plateau === undefined) return undefined;
	return {
		code: "recall-unreachable",
		status: "degraded",
		message: `no search of ${inWords(cellOf([cell]))} short of an exact one is known to keep a recall of ${cell.target}: the widest that was measured found ${cell.plateau.toFixed(3)} on average over ${cell.queries} queries. Its searches compare everything, or where that would take too long, look as far as that one.`,
		recommendation: `${betterIndex(kind, parameters)} A lower recall may be certified with the index there is.`,
	};
}

/** How to build one that finds more, with the parameters it would have. */
function betterIndex(kind: IndexKind, parameters: RecallFacts["parameters"]): string {
	const number = (name: string, usual: number) => (typeof parameters[name] === "number" ? parameters[name] : usual);
	if (kind === "hnsw") {
		const M = Math.min(BOUNDS.M.max, Math.ceil(number("M", BOUNDS.M.default) * 1.5));
		const efConstruction = Math.min(BOUNDS.efConstruction.max, Math.max(2 * number("efConstruction", 200), 4 * M));
		return `rebuild({ M: ${M}, efConstruction: ${efConstruction} }) builds a graph that finds more; the old one answers meanwhile.`;
	}
	if (kind === "ivfrabitq") {
		const bits = Math.min(BOUNDS.rabitqBits.max, number("bits", BOUNDS.rabitqBits.default) + 2);
		return `rebuild({ bits: ${bits} }) makes finer codes; the old index answers meanwhile.`;
	}
	if (kind === "ivfpq")
		return 'convert({ kind: "ivfrabitq", bits: 4 }) makes finer codes; the old index answers meanwhile.';
	return 'convert({ kind: "hnsw" }) builds a graph; the old index answers meanwhile.';
}

function slow(cell: RecallCell, meanMs: number, latencyMs: number): HealthReason {
	return {
		code: "recall-too-slow",
		status: "degraded",
		message: `the fastest search of ${inWords(cell)} that keeps a recall of ${cell.target} takes ${meanMs.toPrecision(3)} ms on average, and at most ${latencyMs} ms are wanted. The recall goes first.`,
		recommendation:
			"Ask for less recall or more time, or for an index that suits the machine: nigh estimate compares them.",
	};
}

/** A cell as it is talked about. */
export function inWords({ k, selectivity }: RecallCell): string {
	const ks = k.from === k.to ? `k = ${k.from}` : `k from ${k.from} to ${k.to}`;
	if (selectivity.from === 1) return `searches for ${ks}`;
	const share = (value: number) => `${Number((value * 100).toPrecision(3))} %`;
	return `searches for ${ks} with filters that match ${share(selectivity.from)} to ${share(selectivity.to)}`;
}
