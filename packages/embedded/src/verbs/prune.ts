import {
	BOUNDS,
	checkBound,
	checkOptions,
	type Metadata,
	type PruneOptions,
	type PruneReport,
	parseFilter,
} from "@nigh/contract";
import type { CollectionCore } from "../core.ts";
import { checkFlag } from "../options.ts";
import { publish } from "../watch/events.ts";
import { checkAborted } from "./check-aborted.ts";
import { findMatched } from "./find-matched.ts";

const NAMES = [
	"maxAgeMs",
	"maxRecords",
	"filter",
	"dryRun",
	"signal",
] as const satisfies readonly (keyof PruneOptions)[];

export async function prune<M extends Metadata>(core: CollectionCore, options: PruneOptions<M>): Promise<PruneReport> {
	core.checkWritable();
	checkOptions(options, NAMES, "prune");
	const { maxAgeMs, maxRecords, filter, dryRun = false, signal } = options;
	checkFlag("dryRun", dryRun);
	checkAborted(signal);
	const start = performance.now();
	const { key, now } = core;
	const { writer } = core.database.threads;
	const node = filter === undefined ? undefined : parseFilter(filter);
	const limits = {
		maxAgeMs: maxAgeMs === undefined ? undefined : checkBound("maxAgeMs", maxAgeMs, BOUNDS.ageMs),
		maxRecords:
			maxRecords === undefined ? undefined : checkBound("maxRecords", maxRecords, { ...BOUNDS.maxRecords, min: 0 }),
	};
	const among = node === undefined ? undefined : await findMatched(core, node, now);
	const { change, expired, tooOld, tooMany } = await writer.call("prune", { key, now, ...limits, among, dryRun });
	const report = { expired, tooOld, tooMany, changeNumber: change };
	if (dryRun) return report;
	core.acknowledge(change);
	const durationMs = performance.now() - start;
	publish("nigh:prune", () => ({ collection: core.name, durationMs, ...report }));
	return report;
}
