import type { IndexKind } from "@nigh/contract";
import type { CollectionCore } from "../core.ts";
import type { Generation } from "../memory/generation.ts";
import { vectorOf } from "../memory/rows.ts";
import type { SlotQuery } from "../memory/searcher.ts";
import type { ReadRecord } from "../records/row.ts";

const SAMPLE = 256;
/** A wide search: what is asked is whether a vector is there, not how quickly it is found, or what the index is told to find by default. */
const WIDE: Readonly<Record<IndexKind, Pick<SlotQuery, "ef" | "breadth" | "rerank">>> = {
	flat: {},
	hnsw: { ef: 512 },
	ivf: { breadth: 16 },
	ivfpq: { breadth: 16, rerank: 512 },
	ivfrabitq: { breadth: 16, rerank: 512 },
};
/** Relative, and absolute near zero: the kernels compute with floats of 32 bits. */
const TOLERANCE = 1e-4;

export interface SampleReport {
	/** Records that were looked up. */
	readonly looked: number;
	/** Those that the index missed, and comparing everything has found. */
	readonly missed: number;
	/** Ids of those that nothing has found: their vectors in memory are not those of the records. */
	readonly lost: readonly string[];
}

/**
 * Asks for stored records by their own vectors. The nearest has to be as near as the vector is to itself, be it another record with the same
 * vector. The searches run on the reader's thread.
 *
 * @param checkpoint Called between two look-ups; ends them by throwing.
 */
export async function lookUpSample(core: CollectionCore, checkpoint: () => void): Promise<SampleReport> {
	const lost: string[] = [];
	let looked = 0;
	let missed = 0;
	const { searcher } = core;
	for (const label of searcher === undefined ? [] : labelsOf(searcher.generation)) {
		checkpoint();
		const record = recordOf(core, label);
		if (record === undefined) continue;
		looked++;
		const vector = vectorOf(record.vector as Uint8Array, core.spec);
		if (await isFound(core, vector, false)) continue;
		if (await isFound(core, vector, true)) missed++;
		// Unless it has been deleted or written over meanwhile.
		else if (recordOf(core, label) !== undefined) lost.push(record.id);
	}
	return { looked, missed, lost };
}

/** Labels of live slots, spread evenly. */
function labelsOf(generation: Generation): number[] {
	const { slotEnd } = generation;
	const step = Math.max(1, slotEnd / SAMPLE);
	const labels: number[] = [];
	for (let at = step / 2; at < slotEnd; at += step) {
		const slot = Math.floor(at);
		if (generation.died[slot] === Number.POSITIVE_INFINITY) labels.push(generation.labels[slot] as number);
	}
	return labels;
}

function recordOf(core: CollectionCore, label: number): ReadRecord | undefined {
	const [record] = core.database.records.byLabels(core.key, [label], { vector: true, metadata: false });
	if (record?.vector === undefined || (record.expiresAt ?? Number.POSITIVE_INFINITY) <= core.now) return undefined;
	return record;
}

async function isFound(core: CollectionCore, vector: Float32Array | Uint8Array, exact: boolean): Promise<boolean> {
	const dimensions = core.spec.metric === "hamming" ? vector.length * 8 : vector.length;
	core.checkOpen();
	for (;;) {
		const { searcher } = core;
		if (searcher === undefined) return true;
		const { generation } = searcher;
		const query: SlotQuery = {
			vector,
			k: 1,
			change: generation.change,
			exact,
			...WIDE[searcher.mainKind ?? "flat"],
		};
		const found = await core.database.threads.reader.call("scan", {
			key: core.key,
			generation: generation.handle.number,
			query,
			deadline: undefined,
			abort: undefined,
		});
		core.checkOpen();
		// Otherwise another generation has taken over.
		if (found === undefined) continue;
		const self = core.rowsFor(dimensions).distance(vector, vector);
		const nearest = found.distances[0] ?? Number.POSITIVE_INFINITY;
		return nearest <= self + TOLERANCE * Math.max(1, Math.abs(self));
	}
}
