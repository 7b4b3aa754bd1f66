const LONGEST_QUOTE = 60;

/** A value the way an error message shows it: short, on one line, whatever it is. */
export function describe(value: unknown): string {
	if (typeof value === "string") return quote(value);
	if (typeof value === "object" && value !== null) return describeObject(value);
	return typeof value === "symbol" || typeof value === "function" ? `a ${typeof value}` : String(value);
}

function quote(text: string): string {
	if (text.length <= LONGEST_QUOTE) return JSON.stringify(text);
	return `${JSON.stringify(text.slice(0, LONGEST_QUOTE))}... (${text.length} characters)`;
}

function describeObject(value: object): string {
	if (Array.isArray(value)) return `an array of ${value.length}`;
	const kind = Object.prototype.toString.call(value).slice("[object ".length, -1);
	return /^[AEIOU]/.test(kind) ? `an ${kind}` : `a ${kind}`;
}
