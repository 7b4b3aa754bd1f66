import { IvfIndex, type Neighbor, type VectorIndex } from "@nigh/index";
import { NIGH } from "../report/report.ts";
import { lessIsBetter, recallText } from "../report/rounding.ts";
import { recallOf } from "../run/recall.ts";
import type { BenchSet } from "../sets/load.ts";
import type { BuiltKind } from "./built-kind.ts";
import { type Check, K, type TablePart } from "./table.ts";
import { eachRow, labelsOf, timeSearches } from "./time-searches.ts";

/** A named setting of a product quantiser beside what it is compared with (check C-7). */
export interface ProfileRow {
	readonly set: string;
	readonly profile: string;
	readonly codeBytes: number;
	readonly indexBytes: number;
	readonly totalBytes: number;
	/** Milliseconds of a query with {@link CANDIDATES} ranked by their vectors. */
	readonly p50Ms: number;
	readonly recall: number;
	/** The share of the nearest {@link K} that is among the candidates at all. */
	readonly recallInCandidates: number;
}

const CANDIDATES = 200;
const COMPARED = ["flat", "hnsw", "ivfpq, memory", "ivfpq, accuracy", "ivfpq, speed"];
const PASSES = 3;
const LEAST_RECALL = 0.93;

/** The three profiles with exact re-ranking of 200 candidates, beside HNSW and flat. */
export function measureProfiles(set: BenchSet, built: readonly BuiltKind[]): { rows: ProfileRow[]; checks: Check[] } {
	const kinds = COMPARED.map((name) => built.find((kind) => kind.name === name) as BuiltKind);
	const queries = eachRow(set.queries, set.dimensions);
	const times = timeSearches({
		settings: kinds,
		queries,
		search: (query, { index }) => search(index, query, K, CANDIDATES),
		passes: PASSES,
	});
	const rows = kinds.map(({ index, name, codeBytes, memory }, at): ProfileRow => {
		const { answers, p50Us } = times[at] as (typeof times)[number];
		const candidates = queries.map((query) => search(index, query, CANDIDATES, 0));
		return {
			set: set.name,
			profile: name,
			codeBytes,
			indexBytes: memory.index / set.n,
			totalBytes: memory.total / set.n,
			p50Ms: p50Us / 1_000,
			recall: recallOf(set, labelsOf(answers, K), K),
			recallInCandidates: shareAmong(set, candidates),
		};
	});
	const memory = rows.find(({ profile }) => profile === "ivfpq, memory") as ProfileRow;
	return {
		rows,
		checks: [
			{
				promise: `C-7: the memory profile with exact re-ranking of ${CANDIDATES} has recall@${K} of at least ${LEAST_RECALL}`,
				holds: memory.recall >= LEAST_RECALL,
			},
		],
	};
}

export function profilePart(set: BenchSet, rows: readonly ProfileRow[]): TablePart {
	const right = (title: string) => ({ title, align: "right" as const });
	return {
		title: `Profiles over ${set.name}`,
		about: [
			`Profiles as they are but for exact re-ranking of ${CANDIDATES} candidates; hnsw and flat as they are. "In ${CANDIDATES}" is the share of the nearest ${K} that is among the first ${CANDIDATES} by codes alone (of hnsw and flat: among the ${CANDIDATES} that they answer): re-ranking can find no more.`,
		],
		cells: {
			columns: [
				{ title: "index", align: "left" },
				...["code bytes", "index bytes", "bytes", "ms", `recall@${K}`, `in ${CANDIDATES}`].map(right),
			],
			rows: rows.map((row) => [
				row.profile,
				...[row.codeBytes, row.indexBytes, row.totalBytes].map((bytes) => lessIsBetter(NIGH, bytes, 1)),
				lessIsBetter(NIGH, row.p50Ms, 3),
				recallText(row.recall),
				recallText(row.recallInCandidates),
			]),
		},
	};
}

function search(index: VectorIndex, query: Float32Array, k: number, rerank: number): Neighbor[] {
	return index instanceof IvfIndex ? index.search(query, k, { rerank }) : index.search(query, k);
}

/** The share of the nearest K of all queries that is among the candidates. */
function shareAmong({ truth: { ids, width } }: BenchSet, candidates: readonly (readonly Neighbor[])[]): number {
	let found = 0;
	candidates.forEach((hits, query) => {
		const labels = new Set(hits.map(({ label }) => label));
		for (let rank = 0; rank < K; rank++) if (labels.has(ids[query * width + rank] as number)) found++;
	});
	return found / (candidates.length * K);
}
