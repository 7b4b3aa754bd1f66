import type { HealthReason } from "@nigh/contract";
import type { CellAnalysis } from "@nigh/index";

/** An index as it is, beside what it was when it was built. */
export interface IndexFacts {
	/** Records there are, and those that there were when it was built. */
	readonly records: number;
	readonly builtRecords: number;
	/** Of those that there were then or came since: how many have been deleted or replaced. */
	readonly died: number;
	/** The 95th percentile of the searches after the build and of the last ones, in ms; `undefined`: too few to tell. */
	readonly searchP95: { readonly built: number; readonly now: number } | undefined;
	/** The parameters that are asked for by name, and those that it was built with. */
	readonly asked: Readonly<Record<string, unknown>>;
	readonly used: Readonly<Record<string, unknown>>;
}

/** From where on building an index anew is advised. */
export const ADVISED_FROM = {
	/** The 95th percentile of the searches, as a multiple of what it was after the build. */
	slower: 1.3,
	/** Records, as a multiple of those it was built with. */
	grown: 2,
	/** Records deleted or replaced since, as a share of those it was built with: from more than this on. */
	churned: 0.2,
} as const;

/** Reasons to build an index anew. Its answers stay what they are; how fast it finds them, and how many, is what it is built for. */
export function indexAdvice(facts: IndexFacts): HealthReason[] {
	return [slower(facts), outgrown(facts), churned(facts), otherParameters(facts)].filter((each) => each !== undefined);
}

/** What the number of cells means for the vectors there are: with the word for it, as `analyze()` tells it. */
export function cellAdvice({ fill, nlist, rule, trainedFor }: CellFacts, records: number): HealthReason[] {
	const perCell = nlist === 0 ? 0 : Math.round(records / nlist);
	const cells = `${nlist} cells (${rule ?? "none"}, trained for ${trainedFor} records) for ${records} records, ${perCell} a cell`;
	// Any other rule, or a number, would come to what there is again.
	const call = rule === "adaptive" ? "rebuild()" : 'rebuild({ nlist: "adaptive" })';
	const advice = `${call} trains as many as suit the records there are; the old ones answer meanwhile.`;
	if (fill === "DEGRADED")
		return [reason("cells-degraded", `DEGRADED: ${cells}: searches scan more than they have to.`, advice)];
	if (fill !== "INEFFICIENT") return [];
	return [reason("cells-inefficient", `INEFFICIENT: ${cells}: finding cells takes longer than scanning them.`, advice)];
}

type CellFacts = Pick<CellAnalysis, "fill" | "nlist" | "rule" | "trainedFor">;

function slower({ searchP95 }: IndexFacts): HealthReason | undefined {
	if (searchP95 === undefined || searchP95.now < searchP95.built * ADVISED_FROM.slower) return undefined;
	const { built, now } = searchP95;
	return reason(
		"index-slower",
		`the 95th percentile of the last searches is ${milliseconds(now)}; after the index was built it was ${milliseconds(built)}.`,
		"optimize() lays the index out anew. Where larger k, other filters or a busier machine are the cause, nothing has to be done.",
	);
}

function outgrown({ records, builtRecords }: IndexFacts): HealthReason | undefined {
	if (builtRecords === 0 || records < builtRecords * ADVISED_FROM.grown) return undefined;
	return reason(
		"index-outgrown",
		`the index was built for ${builtRecords} records and has ${records}.`,
		"optimize() lays it out anew, and rebuild() builds it from nothing; the old one answers meanwhile.",
	);
}

function churned({ died, builtRecords }: IndexFacts): HealthReason | undefined {
	if (died <= builtRecords * ADVISED_FROM.churned) return undefined;
	return reason(
		"index-churned",
		`${died} records have been deleted or replaced since the index was built with ${builtRecords}.`,
		"optimize() leaves them out and lays the index out anew; the old one answers meanwhile.",
	);
}

function otherParameters({ asked, used }: IndexFacts): HealthReason | undefined {
	const other = Object.keys(asked).filter((name) => asked[name] !== undefined && asked[name] !== used[name]);
	if (other.length === 0) return undefined;
	const told = (values: Readonly<Record<string, unknown>>) => other.map((name) => `${name} ${values[name]}`).join(", ");
	return reason(
		"index-parameters",
		`the spec asks for an index with ${told(asked)}, and it was built with ${told(used)}.`,
		"rebuild() builds it as it is asked for; the old one answers meanwhile.",
	);
}

function reason(code: string, message: string, recommendation: string): HealthReason {
	return { code, status: "degraded", message, recommendation };
}

function milliseconds(ms: number): string {
	return `${Number(ms.toPrecision(3))} ms`;
}
