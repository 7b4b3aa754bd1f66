import { type Json, type Metadata, NighError } from "@nigh/contract";

/**
 * The metadata in a column.
 *
 * @throws NighError `CORRUPT_RECORDS` when it is not JSON.
 */
export function parseMetadata(json: string): Metadata {
	try {
		return json.includes("\\") ? parseEscaped(json) : (JSON.parse(json) as Metadata);
	} catch (cause) {
		throw damagedMetadata(cause);
	}
}

export function damagedMetadata(cause: unknown): NighError {
	const advice = "repairFolder() (nigh repair) saves what can be read; otherwise restore a backup.";
	const message = `The metadata of a record is not JSON: the file is damaged. ${advice}`;
	return new NighError("CORRUPT_RECORDS", message, {}, { cause });
}

/** A string of JSON, with the colon behind it where it is a key. */
const STRING = /"(?:[^"\\]|\\.)*"(\s*:)?/g;

/**
 * V8 gives an escaped key a wrong name where its escaped form begins like a key with a backslash that it has parsed before
 * (https://github.com/nodejs/node/issues/63785; seen on Node 24.21). So such keys are parsed under other names and get theirs afterwards.
 */
function parseEscaped(json: string): Metadata {
	const names = new Map<string, string>();
	const prefix = unusedPrefix(json);
	const renamed = json.replace(STRING, (string, colon: string | undefined) => {
		if (colon === undefined || !string.includes("\\")) return string;
		const standIn = `${prefix}${names.size}`;
		names.set(standIn, JSON.parse(string.slice(0, -colon.length)) as string);
		return `"${standIn}"${colon}`;
	});
	const parsed = JSON.parse(renamed) as Metadata;
	return names.size === 0 ? parsed : (named(parsed, names) as Metadata);
}

function unusedPrefix(json: string): string {
	let prefix = "key";
	while (json.includes(prefix)) prefix += "_";
	return prefix;
}

function named(value: Json | undefined, names: ReadonlyMap<string, string>): Json | undefined {
	if (typeof value !== "object" || value === null) return value;
	if (Array.isArray(value)) return value.map((element: Json) => named(element, names) as Json);
	// Entries, since an assignment to __proto__ would make no property.
	return Object.fromEntries(Object.entries(value).map(([key, inner]) => [names.get(key) ?? key, named(inner, names)]));
}
