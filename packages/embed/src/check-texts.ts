import { NighError } from "@nigh/contract";

/** A copy of `texts`, which the caller may go on changing. Throws `INVALID_RECORD`, with the row, unless all are strings. */
export function checkTexts(texts: readonly string[]): string[] {
	if (Array.isArray(texts)) return Array.from(texts, (text, row) => checkText(`texts[${row}]`, text, row));
	throw new NighError("INVALID_RECORD", `texts is ${kindOf(texts)}; it must be an array of strings.`, {
		field: "texts",
	});
}

/** The text. Throws `INVALID_RECORD`, with the row where there is one, unless it is a string. */
export function checkText(field: string, text: unknown, row?: number): string {
	if (typeof text === "string") return text;
	throw new NighError("INVALID_RECORD", `${field} is ${kindOf(text)}; it must be a string.`, {
		field,
		...(row !== undefined && { row }),
	});
}

function kindOf(value: unknown): string {
	if (value === null || value === undefined) return String(value);
	return Array.isArray(value) ? "an array" : `of type ${typeof value}`;
}
