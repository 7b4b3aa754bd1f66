import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Collection } from "./collections.ts";
import type { RecallMatrix } from "./matrix.ts";
import { sourcesHash } from "./sources.ts";

/** Raised when the file is laid out otherwise. */
const VERSION = 1;
/** Of the sources as they were when they were loaded. */
const SOURCES = sourcesHash();

/** What was measured of one collection. */
export interface Measured {
	readonly matrices: readonly RecallMatrix[];
	/** By query of the pool: the part of it that it lies in. */
	readonly groups: Uint8Array;
	/** Seconds that building and measuring took. */
	readonly seconds: number;
}

/**
 * The file of a collection's matrices: a line of JSON, then the hits of each rung, then the groups, a byte a query. Its name holds a hash of all that
 * they depend on, the code by which they are measured included: figures that are published are of the code that there is.
 *
 * @param sources A hash of that code. Default: {@link sourcesHash}.
 */
export function matrixPath(folder: string, collection: Collection, pool: number, sources = SOURCES): string {
	const { name, ...rest } = collection;
	const hash = createHash("sha256")
		.update(JSON.stringify([VERSION, sources, pool, rest]))
		.digest("hex")
		.slice(0, 12);
	return join(folder, `${name}-${hash}.matrix`);
}

export function readMeasured(path: string): Measured | undefined {
	if (!existsSync(path)) return undefined;
	const bytes = readFileSync(path);
	const end = bytes.indexOf("\n");
	const { matrices, pool, seconds } = JSON.parse(bytes.toString("utf8", 0, end)) as {
		matrices: Omit<RecallMatrix, "hits">[];
		pool: number;
		seconds: number;
	};
	let at = end + 1;
	const take = () => {
		const some = Uint8Array.from(bytes.subarray(at, at + pool));
		at += pool;
		return some;
	};
	const read = matrices.map((matrix) => ({ ...matrix, hits: matrix.rungs.map(take) }));
	const groups = take();
	if (groups.length !== pool || at !== bytes.length) throw new Error(`${path} is cut off: remove it, to measure anew`);
	return { matrices: read, groups, seconds };
}

/** Writes the file as a whole: one that is there is complete. */
export function writeMeasured(path: string, folder: string, { matrices, groups, seconds }: Measured): void {
	mkdirSync(folder, { recursive: true });
	const headers = matrices.map(({ hits: _, ...header }) => header);
	const parts = [
		Buffer.from(`${JSON.stringify({ matrices: headers, pool: groups.length, seconds })}\n`),
		...matrices.flatMap(({ hits }) => hits),
		groups,
	];
	writeFileSync(`${path}.part`, Buffer.concat(parts));
	renameSync(`${path}.part`, path);
}
