import type { FilterNode } from "@nigh/contract";
import type { CollectionCore } from "../core.ts";
import type { Matched } from "../workers/still-matching.ts";

/** Looks up, away from the writer, what a write is about to work on. */
export async function findMatched(core: CollectionCore, node: FilterNode, now: number): Promise<Matched> {
	const { key, change: seen } = core;
	const labels = await core.database.threads.reader.call("matchLabels", { key, node, now });
	return { labels, node, seen };
}
