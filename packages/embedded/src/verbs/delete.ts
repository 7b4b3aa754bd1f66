import {
	type CallOptions,
	checkId,
	checkOptions,
	type DeleteResult,
	type DeleteTarget,
	type Filter,
	type Id,
	type Metadata,
	NighError,
	parseFilter,
} from "@nigh/contract";
import type { CollectionCore } from "../core.ts";
import { publish } from "../watch/events.ts";
import { checkAborted } from "./check-aborted.ts";
import { checkIds } from "./check-ids.ts";
import { findMatched } from "./find-matched.ts";

export async function deleteRecords<M extends Metadata>(
	core: CollectionCore,
	target: DeleteTarget<M>,
	options: CallOptions,
): Promise<DeleteResult> {
	core.checkWritable();
	checkOptions(options, ["signal"], "delete");
	checkAborted(options.signal);
	const start = performance.now();
	const { writer } = core.database.threads;
	const { key, now } = core;
	const { ids: checked, node } = targetOf(target);
	const ids = checked instanceof Promise ? await checked : checked;
	const matched = node === undefined ? undefined : await findMatched(core, node, now);
	checkAborted(options.signal);
	const { change, deleted } = await writer.call("delete", { key, ids: ids?.join("\u0000"), matched, now });
	core.acknowledge(change);
	const durationMs = performance.now() - start;
	core.latency.write.record(durationMs);
	publish("nigh:delete", () => ({ collection: core.name, durationMs, deleted, changeNumber: change }));
	return { deleted, changeNumber: change };
}

function targetOf(target: unknown) {
	if (typeof target === "string") return { ids: [checkId(target)] as readonly Id[], node: undefined };
	if (Array.isArray(target)) {
		return { ids: checkIds(target), node: undefined };
	}
	if (typeof target === "object" && target !== null && "filter" in target) {
		checkOptions(target, ["filter"], "what to delete");
		const { filter } = target as { filter: Filter };
		return { ids: undefined, node: parseFilter(filter) };
	}
	throw new NighError(
		"INVALID_OPTION",
		"delete takes an id, an array of ids, or { filter }; to delete everything say { filter: {} }.",
		{ field: "target" },
	);
}
