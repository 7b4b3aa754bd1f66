/**
 * How the bench speaks with an engine: a process of its own, whatever it is written in, told on its command line what to load and on
 * its standard input, a line at a time, what to do. It answers each line with one line of JSON.
 *
 * Command line: `BASE N DIMENSIONS QUERIES COUNT METRIC M EF_CONSTRUCTION K`, the two files being float32, little-endian, row-major,
 * without a header.
 *
 * | line                      | what it does, and its answer                                                                    |
 * |---------------------------|--------------------------------------------------------------------------------------------------|
 * | `build`                   | builds over the base: {@link BuildAnswer}                                                        |
 * | `search SETTING COUNT OUT` | asks the first COUNT queries one at a time, with the knobs as `settingWord` of ./setting.ts writes them: {@link SearchAnswer}. Writes to OUT first COUNT x K int32 labels (-1 where there is none), nearest first, then COUNT float32: microseconds of each query |
 * | end of input              | ends the process                                                                                 |
 *
 * An answer `{"error": "..."}` says what went wrong in words.
 */
export interface BuildAnswer {
	readonly seconds: number;
	/** Bytes of the index, vectors included: what it says of itself, or of its files. */
	readonly bytes: number;
	/** Version and build: compiler and flags, or the package's version. */
	readonly version: string;
}

export interface SearchAnswer {
	/** Wall time of all queries together. */
	readonly seconds: number;
}

/** What the command line says. */
export interface Job {
	readonly basePath: string;
	readonly n: number;
	readonly dimensions: number;
	readonly queriesPath: string;
	readonly queryCount: number;
	readonly metric: "l2" | "cosine";
	readonly M: number;
	readonly efConstruction: number;
	readonly k: number;
}

export function jobArguments(job: Job): string[] {
	const { basePath, n, dimensions, queriesPath, queryCount, metric, M, efConstruction, k } = job;
	return [basePath, n, dimensions, queriesPath, queryCount, metric, M, efConstruction, k].map(String);
}

export function parseJob(args: readonly string[]): Job {
	const [basePath, n, dimensions, queriesPath, queryCount, metric, M, efConstruction, k] = args as string[];
	if (
		args.length !== 9 ||
		basePath === undefined ||
		queriesPath === undefined ||
		(metric !== "l2" && metric !== "cosine")
	) {
		throw new Error("usage: BASE N DIMENSIONS QUERIES COUNT l2|cosine M EF_CONSTRUCTION K");
	}
	return {
		basePath,
		n: positive("N", n),
		dimensions: positive("DIMENSIONS", dimensions),
		queriesPath,
		queryCount: positive("COUNT", queryCount),
		metric,
		M: positive("M", M),
		efConstruction: positive("EF_CONSTRUCTION", efConstruction),
		k: positive("K", k),
	};
}

function positive(name: string, word: string | undefined): number {
	const value = Number(word);
	if (Number.isSafeInteger(value) && value > 0) return value;
	throw new Error(`${name} is ${word}: it has to be a whole number from 1 up.`);
}
