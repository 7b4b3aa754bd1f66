import type { Distance } from "@nigh/contract";
import { checkAborted, writeEligibility } from "../eligibility.ts";
import { BoundSearch, type CodedRows } from "../rows/bound-search.ts";
import type { Label, Neighbor, SearchOptions, VectorRows } from "../vector-index.ts";
import type { FlatRows } from "./rows.ts";
import { CHUNK_ROWS, FlatScratch } from "./scratch.ts";

/** Queries that go over the rows together. More would not stay in the first-level cache beside a tile of rows. */
const GROUP = 16;
/** A filter that keeps less than this share is answered row by row instead of by a scan. */
const FEW = 1 / 8;
/** Codes exclude next to nothing when this share of all rows is asked for. */
const MANY = 1 / 8;

/** The k nearest of one query. */
export function searchFlat(rows: FlatRows, query: VectorRows, k: number, options: SearchOptions): Neighbor[] {
	return searchGroup(rows, [query], k, options)[0] as Neighbor[];
}

/** The k nearest of `n` queries, equal to those of single searches: the same keys, only more queries to each row that is read. */
export function searchManyFlat(
	rows: FlatRows,
	queries: VectorRows,
	n: number,
	k: number,
	options: SearchOptions,
): Neighbor[][] {
	const answers: Neighbor[][] = [];
	for (let from = 0; from < n; from += GROUP) {
		const group = Array.from({ length: Math.min(GROUP, n - from) }, (_, i) => rows.format.rowOf(queries, from + i));
		answers.push(...searchGroup(rows, group, k, options));
	}
	return answers;
}

function searchGroup(
	rows: FlatRows,
	queries: readonly VectorRows[],
	asked: number,
	options: SearchOptions,
): Neighbor[][] {
	const k = Math.min(asked, rows.size);
	if (k === 0) return queries.map(() => []);
	const scratch = new FlatScratch(rows, queries.length, k);
	try {
		queries.forEach((query, i) => {
			rows.format.write(query as Float32Array | Uint8Array, scratch.query(i));
		});
		const { allow } = options;
		const eligibility = writeEligibility(rows.arena, scratch.eligibility, allow);
		let sizes: number[];
		if (allow !== undefined && allow.size < rows.size * FEW) sizes = scanFew(rows, scratch, k, allow, options);
		else if (rows.codes !== undefined && rows.codes.trainedOn > 0 && options.exact !== true && k < rows.size * MANY) {
			sizes = scanByBounds(rows, scratch, k, eligibility, options);
		} else sizes = scan(rows, scratch, k, eligibility, options);
		return sizes.map((size, i) => answer(rows, scratch.pool(i), size));
	} finally {
		scratch.dispose();
	}
}

/** Every row by exact keys. */
function scan(
	rows: FlatRows,
	scratch: FlatScratch,
	k: number,
	eligibility: number,
	{ abort }: SearchOptions,
): number[] {
	const { kernels } = rows.arena;
	const { metricCode, bytes } = rows.format;
	const sizes = Array.from({ length: scratch.queries }, () => 0);
	for (let first = 0; first < rows.size; first += CHUNK_ROWS) {
		checkAborted(abort);
		const n = Math.min(CHUNK_ROWS, rows.size - first);
		const { queries, queryStride, keys } = scratch;
		if (queries === 1) kernels.distanceBlock(metricCode, scratch.query(0), rows.vectorOf(first), bytes, bytes, n, keys);
		else {
			const row = rows.vectorOf(first);
			kernels.distanceTiles(
				metricCode,
				scratch.query(0),
				queryStride,
				queries,
				row,
				bytes,
				bytes,
				n,
				keys,
				CHUNK_ROWS * 4,
			);
		}
		for (let i = 0; i < queries; i++) {
			const at = keys + i * CHUNK_ROWS * 4;
			sizes[i] = kernels.topk(at, rows.labels + first * 4, n, k, scratch.pool(i), sizes[i] as number, eligibility);
		}
	}
	return sizes;
}

/** All rows by their codes, then the few that the codes cannot exclude by exact keys: the same answer. */
function scanByBounds(
	rows: FlatRows,
	scratch: FlatScratch,
	k: number,
	eligibility: number,
	{ abort }: SearchOptions,
): number[] {
	const searches = Array.from(
		{ length: scratch.queries },
		(_, i) => new BoundSearch(rows as FlatRows & CodedRows, scratch.ofBounds(i), k),
	);
	for (let first = 0; first < rows.size; first += CHUNK_ROWS) {
		checkAborted(abort);
		const n = Math.min(CHUNK_ROWS, rows.size - first);
		for (const search of searches) search.scan(first, n, eligibility);
	}
	return searches.map((search, i) => rank(rows, scratch, i, k, search.survivors()));
}

/** The rows of the allowed labels alone. */
function scanFew(
	rows: FlatRows,
	scratch: FlatScratch,
	k: number,
	allow: Iterable<Label>,
	{ abort }: SearchOptions,
): number[] {
	checkAborted(abort);
	const matches: number[] = [];
	for (const label of allow) {
		const row = rows.table.get(label);
		if (row !== undefined) matches.push(row);
	}
	return Array.from({ length: scratch.queries }, (_, i) => rank(rows, scratch, i, k, matches));
}

/** Ranks some rows by exact keys to query i; returns how many answers stand in its pool. */
function rank(rows: FlatRows, scratch: FlatScratch, i: number, k: number, chosen: readonly number[]): number {
	const { arena, format } = rows;
	let size = 0;
	for (let from = 0; from < chosen.length; from += CHUNK_ROWS) {
		const part = chosen.slice(from, from + CHUNK_ROWS);
		const ids = arena.u32(scratch.ids, part.length);
		ids.set(part);
		arena.kernels.distanceMany(
			format.metricCode,
			scratch.query(i),
			rows.vectors,
			format.bytes,
			format.bytes,
			scratch.ids,
			part.length,
			scratch.keys,
		);
		const labels = arena.u32(rows.labels, rows.size);
		part.forEach((row, j) => {
			ids[j] = labels[row] as number;
		});
		size = arena.kernels.topk(scratch.keys, scratch.ids, part.length, k, scratch.pool(i), size, 0);
	}
	return size;
}

function answer(rows: FlatRows, pool: number, size: number): Neighbor[] {
	const keys = rows.arena.f32(pool, 2 * size);
	const labels = rows.arena.u32(pool, 2 * size);
	return Array.from({ length: size }, (_, i) => ({
		label: labels[2 * i + 1] as number,
		distance: rows.format.distanceOf(keys[2 * i] as number) as Distance,
	}));
}
