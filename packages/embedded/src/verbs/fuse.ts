import { compareIds } from "@nigh/contract";
import type { CollectionCore } from "../core.ts";
import { vectorOf } from "../memory/rows.ts";
import type { WordHit } from "../records/find-words.ts";
import type { Checked } from "./check-request.ts";
import type { SearchState } from "./search-state.ts";

/** A record in an answer, before it is read. */
export interface Ranked {
	readonly label: number;
	readonly id: string;
	readonly distance: number;
	readonly fusedScore?: number;
}

/**
 * Reciprocal rank fusion (Cormack, Clarke & Buettcher, SIGIR 2009) of the nearest vectors and the best texts, best first. `undefined`: a
 * record that only the text found has been written over since.
 */
export async function fuse(
	core: CollectionCore,
	query: Float32Array | Uint8Array,
	near: readonly Ranked[],
	words: readonly WordHit[],
	{ rrfK, weights }: Pick<Checked, "rrfK" | "weights">,
	state: Pick<SearchState, "records">,
): Promise<Ranked[] | undefined> {
	const byLabel = new Map<number, Ranked>();
	near.forEach((hit, i) => {
		byLabel.set(hit.label, { ...hit, fusedScore: weights.vector / (rrfK + i + 1) });
	});
	const lone = words.filter(({ label }) => !byLabel.has(label));
	const distances = await distancesOf(core, query, lone, state);
	if (distances === undefined) return undefined;
	words.forEach(({ label, id }, i) => {
		const known = byLabel.get(label) ?? { label, id, distance: distances.get(label) as number, fusedScore: 0 };
		byLabel.set(label, { ...known, fusedScore: (known.fusedScore ?? 0) + weights.text / (rrfK + i + 1) });
	});
	return [...byLabel.values()].sort(
		(a, b) => (b.fusedScore ?? 0) - (a.fusedScore ?? 0) || a.distance - b.distance || compareIds(a.id, b.id),
	);
}

/** Distances of records that the vector leg did not find. */
async function distancesOf(
	core: CollectionCore,
	query: Float32Array | Uint8Array,
	hits: readonly WordHit[],
	state: Pick<SearchState, "records">,
) {
	const labels = hits.map(({ label }) => label);
	if (labels.length === 0) return new Map<number, number>();
	const records = await state.records(labels, { metadata: false, vector: true });
	const rows = core.rowsFor(core.spec.dimensions as number);
	const distances = new Map<number, number>();
	for (const record of records) {
		if (record?.vector === undefined) return undefined;
		distances.set(record.label, rows.distance(query, vectorOf(record.vector, core.spec)));
	}
	return distances;
}
