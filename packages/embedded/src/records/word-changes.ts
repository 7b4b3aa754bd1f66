import type { Place, WriteStatements } from "./write-statements.ts";

/**
 * What a write changes in the full-text index, held back to its end. FTS5 gathers new words in memory for as long as row ids grow and writes
 * a segment when one does not, so deletes and inserts by turns would write a segment for each record.
 */
export class WordChanges {
	readonly #gone: number[] = [];
	readonly #labels: number[] = [];
	readonly #texts: string[] = [];

	/** Takes away the words of a record, where it has any. Not twice. */
	remove([label, , hasWords]: Place): void {
		if (hasWords === 1) this.#gone.push(label);
	}

	/** Gives words to a label that has none, or whose words are removed. Labels come in ascending order. */
	add(label: number, text: string | null): void {
		if (text === null || text === "") return;
		this.#labels.push(label);
		this.#texts.push(text);
	}

	write({ deleteWords, insertWords }: WriteStatements): void {
		this.#gone.sort((a, b) => a - b);
		for (const label of this.#gone) deleteWords.run(label);
		for (let i = 0; i < this.#labels.length; i++) {
			insertWords.run(this.#labels[i] as number, this.#texts[i] as string);
		}
	}
}
