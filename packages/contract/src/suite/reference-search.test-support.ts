import type { EffectiveSettings } from "../collection-spec.ts";
import { compareIds } from "../ids.ts";
import { type Distance, scoreOf } from "../metric.ts";
import type { RecallStatement } from "../recall.ts";
import type { Hit, SearchRequest } from "../search.ts";
import type { Vector } from "../vectors.ts";
import type { Row } from "./reference-checks.test-support.ts";

type Found = Row & Pick<Hit, "distance" | "score" | "fusedScore">;

/** The rows that an answer has, in its order. `rows` are those that match the filter. */
export function answer(
	rows: readonly Row[],
	query: Vector,
	request: SearchRequest,
	settings: EffectiveSettings,
): Found[] {
	const { text, fusion, k = 10, minScore, maxDistance } = request;
	const dimensions = settings.dimensions ?? query.length;
	const found: Found[] = rows.map((row) => {
		const distance = distanceOf(settings, query, row.vector);
		return { ...row, distance, score: scoreOf(settings.metric, distance, dimensions) };
	});
	const matches = found
		.filter(({ score, distance }) => score >= (minScore ?? -Infinity) && distance <= (maxDistance ?? Infinity))
		.sort((a, b) => a.distance - b.distance || compareIds(a.id, b.id));
	if (text === undefined) return matches.slice(0, k);
	const { rrfK = 60, weights } = fusion ?? {};
	const byText = rankByText(matches, text);
	const fused = matches.map((match, i) => {
		const place = byText.indexOf(match.id);
		const textScore = place < 0 ? 0 : (weights?.text ?? 1) / (rrfK + place + 1);
		return { ...match, fusedScore: (weights?.vector ?? 1) / (rrfK + i + 1) + textScore };
	});
	return fused.sort((a, b) => b.fusedScore - a.fusedScore).slice(0, k);
}

function distanceOf({ metric, weights }: EffectiveSettings, a: Vector, b: Vector): Distance {
	const pairs = Array.from(a, (left, i) => ({ left, right: b[i] as number, weight: weights?.[i] ?? 1 }));
	const sum = (term: (pair: (typeof pairs)[number]) => number) => pairs.reduce((total, pair) => total + term(pair), 0);
	const product = () => sum(({ left, right, weight }) => weight * left * right);
	switch (metric) {
		case "l2":
			return Math.sqrt(sum(({ left, right, weight }) => weight * (left - right) ** 2)) as Distance;
		case "l1":
			return sum(({ left, right, weight }) => weight * Math.abs(left - right)) as Distance;
		case "ip":
			return -product() as Distance;
		case "cosine": {
			const squares = sum(({ left, weight }) => weight * left ** 2) * sum(({ right, weight }) => weight * right ** 2);
			return (squares === 0 ? 1 : 1 - product() / Math.sqrt(squares)) as Distance;
		}
		case "hamming":
			return sum(({ left, right }) => (left ^ right).toString(2).replaceAll("0", "").length) as Distance;
	}
}

function wordsOf(text: string): string[] {
	return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** The ids of the rows that have one of the words, those with the largest share of them first. */
function rankByText(rows: readonly Row[], query: string): string[] {
	const wanted = new Set(wordsOf(query));
	const scored = rows.map(({ id, text = "" }) => {
		const words = wordsOf(text);
		return { id, score: words.filter((word) => wanted.has(word)).length / Math.max(1, words.length) };
	});
	return scored
		.filter(({ score }) => score > 0)
		.sort((a, b) => b.score - a.score)
		.map(({ id }) => id);
}

export function exactStatement(target: number): RecallStatement {
	const unknown = { basis: null, confidence: null, cell: null, changeNumber: null, certifiedAt: null };
	return { target, state: "exact", estimate: 1, queries: 0, ...unknown };
}
