import { compareIds, type FilterNode } from "@nigh/contract";
import { matchingOf } from "./matching.ts";
import type { Statements } from "./read-statements.ts";
import { tablesOf } from "./schema.ts";
import { unexpired } from "./unexpired.ts";

/** A record whose text has words of the question. */
export interface WordHit {
	readonly label: number;
	readonly id: string;
	/** BM25 (Robertson & Zaragoza 2009, k1 1.2, b 0.75): larger is better. */
	readonly rank: number;
}

/** Different words of a text that are searched for; later ones are left out. Each costs a look through the records that have it. */
export const MAX_WORDS = 256;

/** Runs of what the tokenizer of the table, unicode61, takes for words: letters, digits, private use, and marks on them. */
const WORD = /[\p{L}\p{N}\p{Co}\p{M}]+/gu;

/**
 * Records whose text has any of the words, best first, equal ones by id: as many as there are, `limit` at most. With `allowed` only those
 * that match it. To be called inside a transaction.
 */
export function findWords(
	statements: Statements,
	key: number,
	text: string,
	limit: number,
	now: number,
	allowed?: FilterNode,
): WordHit[] {
	const question = questionOf(text);
	if (question === undefined) return [];
	const { records, words } = tablesOf(key);
	const { narrowing, accepts } = matchingOf(allowed);
	const living = unexpired(statements, key, now, "r");
	// CROSS JOIN: the words give the rows, in their order. From the records' side each row would be a search of its own.
	const sql = `
		SELECT r.label, r.id, -w.rank${accepts === undefined ? "" : ", r.metadata"}
		FROM ${words} w CROSS JOIN ${records} r ON r.label = w.rowid
		WHERE w.${words} MATCH ? AND ${narrowing.sql} AND ${living.sql} ORDER BY w.rank`;
	const hits: WordHit[] = [];
	if (limit < 1) return hits;
	for (const row of statements.get(sql).iterate(question, ...narrowing.parameters, ...living.parameters)) {
		const [label, id, rank, json] = row as unknown as [number, string, number, string | null];
		if (accepts !== undefined && !accepts(json)) continue;
		if (hits.push({ label, id, rank }) === limit) break;
	}
	return hits.sort((a, b) => b.rank - a.rank || compareIds(a.id, b.id));
}

/**
 * The words of a text as a query of FTS5 for any of them; `undefined` where it has none. Between quotes nothing has a meaning but a quote,
 * and words have none.
 */
function questionOf(text: string): string | undefined {
	const words = new Set<string>();
	for (const [word] of text.matchAll(WORD)) {
		words.add(word.toLowerCase());
		if (words.size === MAX_WORDS) break;
	}
	if (words.size === 0) return undefined;
	return Array.from(words, (word) => `"${word}"`).join(" OR ");
}
