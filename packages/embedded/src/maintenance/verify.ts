import { checkOptions, isNighError, type ProgressOptions, type VerifyReport } from "@nigh/contract";
import { Progress } from "../files/progress.ts";
import type { CatalogueEntry } from "../records/catalogue.ts";
import { bytesOf, recordsFinding } from "./check-files.ts";
import { checkIndex } from "./check-index.ts";
import type { Maintained } from "./maintained.ts";
import type { Finding } from "./messages.ts";
import { inThread } from "./thread.ts";

const NAMES = ["onProgress", "signal"] as const satisfies readonly (keyof ProgressOptions)[];

/**
 * Reads everything: the records, all snapshots, and of every collection its index in memory; one that is not open is opened for it, and closed
 * again. Works beside whatever else is going on, in other threads. Progress is in bytes.
 */
export async function verify(maintained: Maintained, options: ProgressOptions): Promise<VerifyReport> {
	checkOptions(options, NAMES, "verify");
	const { findings, bytes } = await findProblems(maintained, options, "verify()");
	return { ok: findings.length === 0, bytes, problems: findings.map(({ problem }) => problem) };
}

type NamedCollection = Pick<CatalogueEntry, "name" | "records">;

/** What of a database is read. One that nobody has open has no indexes in memory. */
export type Verified = Pick<Maintained, "paths"> & Partial<Pick<Maintained, "opened" | "stored" | "visiting">>;

/** @param doing Who asks, as it begins a sentence. */
export async function findProblems(
	verified: Verified,
	options: ProgressOptions,
	doing: string,
): Promise<{ findings: readonly Finding[]; bytes: number }> {
	const progress = new Progress(options, doing);
	progress.throwIfAborted();
	const { paths, visiting } = verified;
	const files = { records: paths.records, snapshots: paths.snapshots };
	const collections = collectionsIn(verified);
	progress.expect(bytesOf(files));
	for (const entry of collections) progress.expect(labelBytes(entry));
	const { findings, bytes } = await inThread("checkFiles", files, {
		signal: options.signal,
		advanced: (read) => progress.advance(read),
	});
	const all = [...findings];
	for (const entry of collections) {
		progress.throwIfAborted();
		all.push(
			...(await unlessDamaged(
				entry.name,
				visiting?.(entry.name, (core) => checkIndex(core, options.signal)),
			)),
		);
		progress.advance(labelBytes(entry));
	}
	progress.finish();
	return { findings: all, bytes };
}

/** Those that are open, where the list of all of them cannot be read. */
export function collectionsIn({ stored, opened }: Omit<Verified, "paths">): readonly NamedCollection[] {
	try {
		return stored?.() ?? [];
	} catch (error) {
		if (!isNighError(error, "CORRUPT_RECORDS")) throw error;
		return (opened?.() ?? []).map(({ name }) => ({ name, records: 0 }));
	}
}

/** Of the labels that are compared. */
function labelBytes({ records }: NamedCollection): number {
	return records * Uint32Array.BYTES_PER_ELEMENT;
}

/** One whose records cannot be read cannot be opened. One that is gone meanwhile has no problems. */
async function unlessDamaged(
	name: string,
	check: Promise<readonly Finding[] | undefined> | undefined,
): Promise<readonly Finding[]> {
	try {
		return (await check) ?? [];
	} catch (error) {
		if (isNighError(error, "CORRUPT_RECORDS")) return [recordsFinding(name, error.message)];
		throw error;
	}
}
