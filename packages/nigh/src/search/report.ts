import type { Hit, SearchPlan, SearchResult } from "@nigh/contract";
import { jsonText } from "../terminal/json.ts";
import { countText, durationText, numberText, oneLine } from "../terminal/quantities.ts";
import { recallInWords } from "../terminal/recall-in-words.ts";
import { type Column, grouped, tableRows } from "../terminal/table.ts";

const MOST = { id: 40, metadata: 80, text: 120, vector: 80 } as const;

/** A table of hits: their distances, ids, and what was read with them. */
export function hitRows(hits: readonly Hit[]): string[] {
	if (hits.length === 0) return [];
	const isHybrid = hits.some(({ fusedScore }) => fusedScore !== undefined);
	const cells = hits.map(({ id, distance, score, fusedScore, metadata, text, vector }) => [
		fusedScore === undefined ? "" : numberText(fusedScore),
		numberText(distance),
		numberText(score),
		oneLine(id, MOST.id),
		metadata === undefined ? "" : oneLine(jsonText(metadata), MOST.metadata),
		text === undefined ? "" : oneLine(text, MOST.text),
		vector === undefined ? "" : oneLine(jsonText(vector), MOST.vector),
	]);
	const titles = ["fused", "distance", "score", "id", "metadata", "text", "vector"];
	// What no hit has needs no column; a hybrid answer begins with what it is ordered by.
	const shown = titles
		.map((_, at) => at)
		.filter((at) => (at === 0 ? isHybrid : at < 4 || cells.some((row) => row[at] !== "")));
	const columns = shown.map(
		(at): Column => ({
			title: titles[at] as string,
			align: at < 3 ? "right" : "left",
			width: Math.max(0, ...cells.map((row) => (row[at] as string).length)),
		}),
	);
	const { header, row } = tableRows(columns);
	return [header, ...cells.map((each) => row(shown.map((at) => each[at] as string)))];
}

/** `3 hits in 0.42 ms: index (hnsw, ef 40), uncertified: recall of 0.95 asked for` */
export function planText({ hits, plan, recall }: SearchResult): string {
	const { strategy, index, ef, matches, durationMs } = plan;
	const how = [
		index,
		ef && `ef ${ef}`,
		...cellsTexts(plan),
		matches !== undefined && `of ${countText(matches, "record")}`,
	];
	return `${countText(hits.length, "hit")} in ${durationText(durationMs)}: ${strategy} (${how.filter(Boolean).join(", ")}), ${recallInWords(recall)}`;
}

/** `nprobe 8`, `1,024 rows`, `60 re-ranked`, where a search looked into cells. */
function cellsTexts({ nprobe, cells, rows, rerank }: SearchPlan): (string | undefined)[] {
	// Fewer than were asked for: the budget has run out.
	const looked = cells !== undefined && cells !== nprobe ? `${countText(cells, "cell")} scanned` : undefined;
	return [
		nprobe === undefined ? undefined : `nprobe ${nprobe}`,
		looked,
		rows === undefined ? undefined : countText(rows, "row"),
		rerank === undefined ? undefined : `${grouped(rerank)} re-ranked`,
	];
}
