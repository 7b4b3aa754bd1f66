import { type Collection, type Database, isNighError, NighError } from "@nigh/contract";
import { open } from "../open.ts";
import { alternatives, hint } from "../terminal/arguments.ts";

/**
 * What a verb does with a database. Readers work beside a process that writes, and change nothing; `write` needs a database that is there;
 * `create` makes one.
 */
export type Access = "read" | "write" | "create";

/**
 * Opens a database, works with it and closes it, whatever happens.
 *
 * @throws NighError `NOT_FOUND`, `LOCKED` and what else `open` throws, and what the work throws.
 */
export async function withDatabase<T>(
	folder: string,
	access: Access,
	work: (database: Database) => Promise<T>,
): Promise<T> {
	const database = await openData(folder, access);
	let result: T;
	try {
		result = await work(database);
	} catch (error) {
		// What went wrong first is the one to be told.
		await database.close().catch(() => undefined);
		throw error;
	}
	await database.close();
	return result;
}

/** {@link withDatabase} for a collection that is there. */
export async function withCollection<T>(
	folder: string,
	name: string,
	access: Exclude<Access, "create">,
	work: (collection: Collection, database: Database) => Promise<T>,
): Promise<T> {
	return withDatabase(folder, access, async (database) => {
		await checkIsThere(database, folder, name);
		return work(await database.collection(name), database);
	});
}

/** @throws NighError `NOT_FOUND`, with the nearest name, where a database has no such collection. */
export async function checkIsThere(database: Database, folder: string, name: string): Promise<void> {
	const names = await database.collections();
	if (!names.includes(name)) throw noCollection(folder, name, names);
}

function openData(folder: string, access: Access): Promise<Database> {
	const options = access === "read" ? { readOnly: true } : { create: access === "create" };
	return inWordsOfTheCommand(folder, open(folder, options));
}

/** The opening of a folder, whose messages speak of what somebody can type rather than of the library's options. */
export async function inWordsOfTheCommand<T>(folder: string, opening: Promise<T>): Promise<T> {
	try {
		return await opening;
	} catch (error) {
		throw reworded(error, folder);
	}
}

function reworded(error: unknown, folder: string): unknown {
	if (isNighError(error, "CORRUPT_RECORDS")) {
		const message = error.message.replace("repairFolder() (nigh repair)", "nigh repair");
		return new NighError(error.code, message, { ...error.details, folder }, { cause: error });
	}
	if (isNighError(error, "NOT_FOUND")) {
		return new NighError(
			"NOT_FOUND",
			`There is no database in the folder ${folder}: --data DIR, or NIGH_DATA, names its folder; nigh import makes one.`,
			{ folder },
			{ cause: error },
		);
	}
	if (isNighError(error, "LOCKED")) {
		const { pid } = error.details;
		const who = typeof pid === "number" ? `process ${pid}` : "another process";
		return new NighError(
			"LOCKED",
			`${folder} is open for writing in ${who}. Wait until that has ended; what only reads (search, get, export, stats) works meanwhile.`,
			{ ...error.details, folder },
			{ cause: error },
		);
	}
	return error;
}

function noCollection(folder: string, name: string, names: readonly string[]): NighError {
	const known = names.length === 0 ? "It has none yet." : `It has ${alternatives(names)}.`;
	return new NighError(
		"NOT_FOUND",
		`There is no collection ${JSON.stringify(name)} in ${folder}.${hint(name, names)} ${known}`,
		{ field: "COLLECTION", value: name, folder },
	);
}
