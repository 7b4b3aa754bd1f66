import type { Collection, Distance, RecallStatement, Score, SearchPlan } from "@nigh/contract";
import { recallInWords } from "../terminal/recall-in-words.ts";
import type { PassageMetadata } from "./database.ts";
import { excerpt } from "./questions.ts";

/** A passage that answers a question, and how near it is. */
export interface AnsweringPassage {
	readonly file: string;
	readonly line: number;
	readonly score: Score;
	readonly distance: Distance;
	readonly excerpt: string;
}

/** Passages, nearest first, with the evidence that the database gives for them. */
export interface Answer {
	readonly question: string;
	readonly hits: readonly AnsweringPassage[];
	readonly recall: RecallStatement;
	readonly plan: SearchPlan;
}

const HITS = 3;

/** Asks by likeness and by words together. */
export async function answer(collection: Collection<PassageMetadata>, question: string): Promise<Answer> {
	const include = { metadata: true, text: true };
	const { hits, recall, plan } = await collection.search({ embed: question, text: question, k: HITS, include });
	return {
		question,
		hits: hits.map(({ metadata, text = "", score, distance }) => {
			const { file = "", line = 0, heading = "" } = metadata ?? {};
			return { file, line, score, distance, excerpt: excerpt(withoutHeading(text, heading), question) };
		}),
		recall,
		plan,
	};
}

/** `exact; plan: scan (flat), 1.2 ms` */
export function evidenceLine({ recall, plan }: Pick<Answer, "recall" | "plan">): string {
	const width = plan.ef === undefined ? "" : `, ef ${plan.ef}`;
	return `${recallInWords(recall)}; plan: ${plan.strategy} (${plan.index}${width}), ${plan.durationMs.toFixed(1)} ms`;
}

/** The heading was put before the passage, so that it is found by it too. */
function withoutHeading(text: string, heading: string): string {
	return heading === "" ? text : text.slice(heading.length + 1);
}
