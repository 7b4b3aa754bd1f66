/** Characters of the normalised text that count; what follows is not looked at. A character is a Unicode code point. */
export const MAX_CHARACTERS = 512;

/** Code units that are normalised at a time, so that a long file costs no more than its beginning. */
const WINDOW = 2_048;

/** Letters and digits of every script, the marks that belong to them (vowel signs, accents), and `_ . - /`. */
const KEPT = /[\p{L}\p{M}\p{N}_.\-/]+/gu;

/**
 * The text as the features see it: compatibility-composed (NFKC, so that é is é however it was typed, and full-width
 * letters are letters), lower-case, every run of other characters one space, none at the ends, and at most
 * {@link MAX_CHARACTERS} code points. Half a surrogate pair is one of the other characters.
 */
export function normaliseText(text: string): string {
	const runs: string[] = [];
	let units = 0;
	// Twice the length in code units is enough for the length in code points.
	for (let from = 0; from < text.length && units < 2 * MAX_CHARACTERS; ) {
		// A space ends every composition and every word, so text cut there normalises as it does in one piece.
		const space = text.indexOf(" ", from + WINDOW);
		const end = space === -1 ? text.length : space;
		for (const [run] of text.slice(from, end).normalize("NFKC").toLowerCase().matchAll(KEPT)) {
			runs.push(run);
			units += run.length;
			if (units >= 2 * MAX_CHARACTERS) break;
		}
		from = end;
	}
	return firstCharacters(runs.join(" "), MAX_CHARACTERS).trimEnd();
}

function firstCharacters(text: string, count: number): string {
	if (text.length <= count) return text;
	let units = 0;
	for (let seen = 0; seen < count && units < text.length; seen++) {
		units += (text.codePointAt(units) as number) > 0xffff ? 2 : 1;
	}
	return text.slice(0, units);
}
