const LONGEST_QUOTE = 60;

/** A value the way an error message shows it: short, on one line, and never failing, whatever it is. */
export function describe(value: unknown): string {
	switch (typeof value) {
		case "string":
			return quote(value);
		case "bigint":
			return `${value}n`;
		case "function":
		case "symbol":
			return `a ${typeof value}`;
		case "object":
			return value === null ? "null" : describeObject(value);
		default:
			return Object.is(value, -0) ? "-0" : String(value);
	}
}

/** A value as `details` keeps it: primitives as they are, anything else described, so that an error can cross to another thread. */
export function detailOf(value: unknown): unknown {
	const type = typeof value;
	return type === "symbol" || type === "function" || (type === "object" && value !== null) ? describe(value) : value;
}

function quote(text: string): string {
	return text.length <= LONGEST_QUOTE
		? JSON.stringify(text)
		: `${JSON.stringify(text.slice(0, LONGEST_QUOTE))}... (${text.length} characters)`;
}

function describeObject(value: object): string {
	const kind = Object.prototype.toString.call(value).slice("[object ".length, -1);
	if (Array.isArray(value)) return `an array of ${value.length}`;
	if (ArrayBuffer.isView(value) && "length" in value) return `a ${kind} of ${value.length}`;
	return /^[AEIOU]/.test(kind) ? `an ${kind}` : `a ${kind}`;
}
