import { type CountOptions, checkOptions, type Metadata, parseFilter } from "@nigh/contract";
import type { CollectionCore } from "../core.ts";
import { checkAborted } from "./check-aborted.ts";

export async function count<M extends Metadata>(core: CollectionCore, options: CountOptions<M>): Promise<number> {
	core.checkOpen();
	checkOptions(options, ["filter", "signal"] satisfies (keyof CountOptions)[], "count");
	checkAborted(options.signal);
	const node = options.filter === undefined ? undefined : parseFilter(options.filter);
	return core.database.threads.reader.call("count", { key: core.key, node, now: core.now });
}
