import {
	BOUNDS,
	checkBound,
	checkId,
	checkOptions,
	type Metadata,
	parseFilter,
	type ScanOptions,
	type StoredRecord,
} from "@nigh/contract";
import type { CollectionCore } from "../core.ts";
import type { Page, PageOptions } from "../records/page.ts";
import { checkAborted } from "./check-aborted.ts";
import { includeOf, storedRecord } from "./get.ts";

/** Records that are read at a time: to take more of them over from the reader worker would take the calling thread longer than 2 ms. */
const PAGE = 256;

/** Pages by key: no read stays open between two pages, however slow the caller is. */
export async function* scan<M extends Metadata>(
	core: CollectionCore,
	options: ScanOptions<M>,
): AsyncGenerator<StoredRecord<M>, void, undefined> {
	core.checkOpen();
	checkOptions(options, ["filter", "after", "limit", "include", "signal"] satisfies (keyof ScanOptions)[], "scan");
	const { filter, limit, signal } = options;
	const node = filter === undefined ? undefined : parseFilter(filter);
	const include = includeOf(options.include, {});
	let after = options.after === undefined ? undefined : checkId(options.after);
	let left = limit === undefined ? Number.POSITIVE_INFINITY : checkBound("limit", limit, BOUNDS.scanLimit);
	do {
		checkAborted(signal);
		core.checkOpen();
		const page = { after, limit: Math.min(PAGE, left), node, include, now: core.now };
		const { records, next } = await readPage(core, page);
		for (const record of records) yield storedRecord<M>(core, record);
		left -= records.length;
		after = next;
	} while (after !== undefined && left > 0);
}

async function readPage(core: CollectionCore, options: PageOptions): Promise<Page> {
	try {
		return await core.database.threads.reader.call("page", { key: core.key, options });
	} catch (error) {
		throw core.failureOf(error);
	}
}
