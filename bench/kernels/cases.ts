import type { KernelName } from "@nigh/kernels";
import { BOUND_CASES } from "./bound-cases.ts";
import { CELL_CASES } from "./cell-cases.ts";
import { CODE_CASES } from "./code-cases.ts";
import { FLOAT_CASES } from "./float-cases.ts";
import type { KernelCase } from "./kernel-case.ts";
import { KMEANS_CASES } from "./kmeans-cases.ts";
import { POOL_CASES } from "./pool-cases.ts";
import { RABITQ_CASES } from "./rabitq-cases.ts";
import { ROW_CASES } from "./row-cases.ts";

/** In an order that fills the measured region as rarely as can be; the rows that normalizeRow leaves behind are its own. */
export const KERNEL_CASES: readonly KernelCase[] = [
	...FLOAT_CASES,
	...KMEANS_CASES,
	...CODE_CASES,
	...BOUND_CASES,
	...RABITQ_CASES,
	...ROW_CASES,
	...POOL_CASES,
	...CELL_CASES,
];

/** Kernels without a case here, and why. */
export const WITHOUT_CASE: Readonly<Partial<Record<KernelName, string>>> = {
	searchMatching: "a filtered search depends on the graph and the filter: npm run bench:db measures it",
	boundMany: "as bounds, one query at a time: npm run bench:db measures it with filters",
	listMatches: "a pass over a bitmap: npm run bench:db measures it with filters",
	sampleMatches: "a few looks at a bitmap: npm run bench:db measures it with filters",
	listEligible: "a look at a label a row, once for many queries",
	encodeMany: "once a row for many queries; far less than the comparison for which it is done",
	nearestMany: "what codes exclude depends on rows and queries, and on what the pools hold by then",
	putFastCodes: "a few bytes each time a row is added to a cell",
	rabitqCells: "what rabitqScan does, block by block, and distanceMany for what that leaves",
	listCells: "copies of numbers, before a scan that costs more",
	productEncode: "part of adding rows to an index of product codes",
	productDecode: "a few copies a row",
	productTables: "once a query; far less than the scan for which it is done",
	quantizeTables: "once a query; far less than the scan for which it is done",
	searchGraph: "a search depends on the graph: npm run bench measures it on real ones",
	searchRange: "searches shared out among threads: npm run bench:tables -- threads measures them",
	insertRange: "depends on the graph: the build time of npm run bench",
	linkRange: "depends on the graph: the build time of npm run bench",
	repairRange: "depends on the graph and on what was removed from it",
	meanRange: "a small part of an iteration: npm run bench:tables -- kmeans times these",
	bfs: "depends on the graph: part of optimize, in the build time of npm run bench",
	permuteRows: "depends on the order: part of optimize, in the build time of npm run bench",
	remapLinks: "depends on the graph: part of optimize, in the build time of npm run bench",
};

/** Names of kernels that have neither a case nor a reason to have none. */
export function unmeasured(kernels: readonly string[]): string[] {
	const measured = new Set<string>(KERNEL_CASES.map(({ kernel }) => kernel));
	return kernels.filter((name) => !measured.has(name) && !Object.hasOwn(WITHOUT_CASE, name));
}
