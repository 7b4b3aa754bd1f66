import { NO_PLACE } from "@nigh/kernels";
import { BoundScan } from "./bound-scan.ts";
import { boundedDepth } from "./parameters.ts";
import { Probe } from "./probe.ts";
import { noCodes } from "./refusals.ts";
import { type IvfScratch, MOST_CANDIDATES } from "./scratch.ts";
import {
	type CellQuery,
	type CellScan,
	type CellSearchReport,
	cellSettings,
	lookIntoCells,
	ProductScan,
	RabitqScan,
} from "./search-cells.ts";
import type { IvfView } from "./view.ts";

/** The first half of a search whose vectors are elsewhere: which of them it needs. */
export interface Probed {
	/**
	 * Labels of the rows whose vectors decide the answer, the best by their codes first, each once. Of `"ivf"`, all that bounds do not exclude: the nearest of
	 * them are those of all rows in the cells. Of the others, the best by their estimates.
	 */
	readonly labels: Uint32Array;
	/** How it went; `ranked` are the vectors that are to be compared. */
	readonly report: Omit<CellSearchReport, "found">;
}

/** The settings of the first half of a search: as {@link cellSettings}, but that there is always a number of candidates where cells hold codes. */
export function probeSettings(
	view: Pick<IvfView, "parameters" | "nlist" | "product" | "rabitq" | "rows">,
	k: number,
	asked: Parameters<typeof cellSettings>[2],
): ReturnType<typeof cellSettings> {
	const settings = cellSettings(view, k, asked);
	if (view.parameters.kind === "ivf") return settings;
	const depth = settings.rerank ?? boundedDepth(k, view.rabitq?.codec.spec.bits ?? 1);
	return { ...settings, rerank: Math.min(MOST_CANDIDATES, Math.max(k, depth)) };
}

/** Which rows of the cells nearest to the query in the scratch decide the answer. */
export function probeRows(view: IvfView, scratch: IvfScratch, query: CellQuery): Probed {
	const probe = new Probe(view, scratch);
	probe.list(query.nprobe);
	const scan = scanOf(view, scratch, query, probe);
	const looked = lookIntoCells(view, scratch, query, probe, scan);
	const labels = scan instanceof BoundScan ? scan.candidates() : candidates(view, scratch, scan.found());
	return { labels, report: { ...looked, ranked: labels.length } };
}

function scanOf(view: IvfView, scratch: IvfScratch, query: CellQuery, probe: Probe): CellScan {
	if (view.product !== undefined) return new ProductScan(view, scratch, query, probe);
	if (view.rabitq !== undefined) return new RabitqScan(view, scratch, query, view.rabitq.codec);
	return boundScan(view, scratch, query);
}

/** @throws NighError `UNSUPPORTED` where rows have no codes. */
export function boundScan(view: IvfView, scratch: IvfScratch, query: Pick<CellQuery, "k" | "eligibility">): BoundScan {
	if (view.scalar === undefined) throw noCodes();
	return new BoundScan(view, view.scalar, scratch, query);
}

/** Labels of the first `n` candidates in the scratch. */
function candidates({ arena, labels, slots }: IvfView, scratch: IvfScratch, n: number): Uint32Array {
	const labelOf = arena.u32(labels, slots());
	const pairs = arena.u32(scratch.candidates, 2 * n);
	const named = new Uint32Array(n);
	for (let i = 0; i < n; i++) named[i] = labelOf[pairs[2 * i + 1] as number] as number;
	return named.filter((label) => label !== NO_PLACE);
}
