import type { InvertedFile } from "./inverted-file.ts";
import { viewOf } from "./owner-view.ts";
import { probeRows, probeSettings } from "./probe-rows.ts";
import type { IvfScratch } from "./scratch.ts";
import { searchIvf } from "./search.ts";
import { nearness, type StoredRows, unweighted, type Validation, validationOf } from "./validate.ts";

/** How vectors are looked up that the index does not hold. */
export interface Lookup {
	/** Labels whose vectors decide which is nearest. */
	probe(vector: Float32Array): Uint32Array;
	/** As near as the nearest is, at most or about, by codes alone. */
	best(vector: Float32Array): number;
}

/** Looks up vectors that are given, some at even distances: each is to be among the rows that decide what is nearest to it, or something is to be nearer. */
export function validateOnDisk(
	file: InvertedFile,
	probes: number,
	given: StoredRows | undefined,
	lookup: Lookup,
): Validation {
	const held = rowsHeld(file, given);
	const count = Math.min(probes, held.length);
	let found = 0;
	for (let i = 0; i < count; i++) {
		const { label, vector } = held[Math.floor((i * held.length) / count)] as Held;
		const query = unweighted(file, vector);
		const labels = lookup.probe(query);
		if (labels.includes(label) || hasNearer(file, vector, labels, held, query, lookup)) found++;
	}
	return validationOf(file, count, found);
}

interface Held {
	readonly label: number;
	readonly vector: Float32Array;
}

function rowsHeld({ rows, table }: InvertedFile, given: StoredRows | undefined): Held[] {
	if (given === undefined) return [];
	const all = Array.from(given.labels, (label, i) => ({
		label,
		vector: rows.rowOf(given.rows, i) as Float32Array,
	}));
	return all.filter(({ label }) => table.get(label) !== undefined);
}

/** Whether something is found that is no farther: a vector that is the same, or under a dot product a longer one. */
function hasNearer(
	file: InvertedFile,
	vector: Float32Array,
	labels: Uint32Array,
	held: readonly Held[],
	query: Float32Array,
	lookup: Lookup,
): boolean {
	const { arena, rows } = file;
	const row = arena.alloc(2 * rows.bytes);
	try {
		rows.writeStored(vector, row);
		const own = rows.distanceOf(arena.kernels.distance(rows.metricCode, row, row, rows.bytes));
		const most = own + nearness(file, row);
		if (rows.metric === "ip" && lookup.best(query) <= most) return true;
		const named = new Set(labels);
		const other = row + rows.bytes;
		return held.some(({ label, vector: found }) => {
			if (!named.has(label)) return false;
			rows.writeStored(found, other);
			return rows.distanceOf(arena.kernels.distance(rows.metricCode, row, other, rows.bytes)) <= most;
		});
	} finally {
		arena.free(row);
	}
}

/** The distance to the nearest of a checked query by codes alone: an upper bound by 7-bit codes, an estimate by others. */
export function bestBound(file: InvertedFile, scratch: IvfScratch, query: Float32Array): number {
	if (file.parameters.kind !== "ivf") {
		return searchIvf(file, scratch, query, 1, { rerank: 0 }).neighbors[0]?.distance ?? Number.POSITIVE_INFINITY;
	}
	const view = viewOf(file);
	file.rows.write(query, scratch.query);
	const { labels } = probeRows(view, scratch, {
		...probeSettings(view, 1, {}),
		k: 1,
		wanted: 1,
		eligibility: 0,
		abort: 0,
	});
	// Of a dot product the upper bounds are keys.
	return labels.length === 0 ? Number.POSITIVE_INFINITY : (file.arena.f32(scratch.boundPool, 1)[0] as number);
}
