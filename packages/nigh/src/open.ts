import { type Database, NighError } from "@nigh/contract";
import type { OpenOptions } from "@nigh/embedded";

/** What a location starts with that names another back end than the database in a folder. */
const OTHER_BACK_ENDS: ReadonlyMap<string, string> = new Map([
	["postgres:", "PostgreSQL"],
	["postgresql:", "PostgreSQL"],
	["http:", "HTTP"],
	["https:", "HTTP"],
]);

/**
 * Opens a database by where it is: the path of a folder (made where there is none), or `":memory:"` for one that is gone when it is
 * closed.
 *
 * @example
 * const db = await open("./data");
 * const notes = await db.collection("notes", { dimensions: 384, metric: "cosine" });
 *
 * @throws NighError `UNSUPPORTED` for `postgres://` and `http(s)://`, which this version has no back end for; `INVALID_OPTION`;
 * `LOCKED` with the pid of the process that writes in the folder; `NOT_FOUND`, `READ_ONLY`, `NEWER_VERSION`, `CORRUPT_RECORDS`.
 */
export async function open(location: string, options: OpenOptions = {}): Promise<Database> {
	const scheme = typeof location === "string" ? /^([a-z][a-z0-9+.-]*:)\/\//i.exec(location)?.[1] : undefined;
	if (scheme !== undefined) throw notAFolder(scheme.toLowerCase());
	// On demand: who only indexes in memory does not pay for a database.
	const { openFolder } = await import("@nigh/embedded");
	return openFolder(location, options);
}

/** The location itself is not repeated: it may hold a password. */
function notAFolder(scheme: string): NighError {
	const name = OTHER_BACK_ENDS.get(scheme);
	const advice = 'Open the path of a folder, or ":memory:".';
	if (name === undefined) {
		return new NighError("INVALID_OPTION", `open knows no location that starts with ${scheme}//. ${advice}`, {
			field: "location",
			value: scheme,
		});
	}
	return new NighError("UNSUPPORTED", `The ${name} back end (${scheme}//) is not part of this version. ${advice}`, {
		field: "location",
		value: scheme,
	});
}
