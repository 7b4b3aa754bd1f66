import { type FilterNode, predicateOf } from "@nigh/contract";
import type { RecordReader } from "../records/reader.ts";

/** What the reader worker has found to match a filter. */
export interface Matched {
	readonly labels: Uint32Array;
	readonly node: FilterNode;
	/** A change that the reader had seen by then, at least. */
	readonly seen: number;
}

/**
 * The labels of those that match still. A record keeps its label when its metadata changes, so an update that came between the look-up and
 * the write would otherwise be acknowledged and then lose its record to a filter that does not match it. To be called inside the
 * transaction that writes.
 */
export function stillMatching(reader: RecordReader, key: number, { labels, node, seen }: Matched): Uint32Array {
	const touched = new Set(reader.touched(key, seen));
	if (touched.size === 0) return labels;
	const doubtful = labels.filter((label) => touched.has(label));
	const matches = predicateOf(node);
	const now = reader.byLabels(key, doubtful, { metadata: true });
	const others = new Set(doubtful.filter((_, i) => !matches(now[i]?.metadata)));
	return others.size === 0 ? labels : labels.filter((label) => !others.has(label));
}
