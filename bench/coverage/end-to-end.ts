import type { Database } from "@nigh/contract";
import { openFolder, openShared } from "@nigh/embedded";
import { DISTRIBUTIONS, type DistributionName } from "./distributions.ts";
import { answersTo, type Judged, recallOfAnswers } from "./judge.ts";

/** Targets, each of which every seed attempts once. */
export const ATTEMPTED = [0.9, 0.95, 0.99] as const;
/** Seeds of a full run, and the wrong ones of each target that a sound product has with probability below 1/100 where hardly any is at the edge. */
export const SEEDS = 200;
export const MOST_WRONG_SEEDS = 4;

const K = 10;

/** The numbers of one attempt. */
export interface AttemptSize {
	/** Vectors of the database. */
	readonly n: number;
	/** Queries that it is certified by, of which one in eight places the ladder. */
	readonly queries: number;
	/** Fresh queries by which what it serves is judged. */
	readonly judged: number;
}

const FULL_ATTEMPT: AttemptSize = { n: 4_000, queries: 3_000, judged: 4_000 };

/** In turn. */
const KINDS: readonly { readonly rows: DistributionName; readonly dimensions: number; readonly M: number }[] = [
	{ rows: "mixture", dimensions: 32, M: 6 },
	{ rows: "clusters", dimensions: 16, M: 6 },
	{ rows: "gaussian", dimensions: 16, M: 8 },
	{ rows: "spectrum", dimensions: 48, M: 6 },
];

/** What became of one seed at one target. */
export interface Attempt extends Judged {
	readonly target: number;
	/** Queries that the certificate rests on; where there is none, those that were measured. */
	readonly queries: number;
}

/** A database for each target, of vectors and queries of its own: one is certified and judged by nothing that another was. */
export async function attempts(seed: number): Promise<Attempt[]> {
	const made: Attempt[] = [];
	for (const i of ATTEMPTED.keys()) made.push(await attempt(seed, i));
	return made;
}

/**
 * One database: written, certified once, and then asked by queries that nobody has seen, through nothing but what a user calls.
 *
 * They are searched for through a reader of the database, which serves what it serves and neither logs nor audits: so that they have no part in any
 * certificate, nor can an audit of them take it away, and the same certificate serves all of them.
 *
 * @param targetAt Of {@link ATTEMPTED}.
 * @param through What the fresh queries are searched for through.
 * @throws Error where they have had a part in the certificate after all.
 */
export async function attempt(
	seed: number,
	targetAt: number,
	size: AttemptSize = FULL_ATTEMPT,
	through: (database: Database) => Promise<Pick<Database, "collection" | "close">> = readerOf,
): Promise<Attempt> {
	const { rows, dimensions, M } = KINDS[seed % KINDS.length] as (typeof KINDS)[number];
	const target = ATTEMPTED[targetAt] as number;
	const draw = DISTRIBUTIONS[rows]({ n: size.n, dimensions, seed: seed * ATTEMPTED.length + targetAt });
	const base = draw(size.n);
	const asked = draw(size.queries);
	const fresh = draw(size.judged);
	const database = await openFolder(":memory:");
	try {
		const index = { kind: "hnsw", M, efConstruction: 60 } as const;
		const collection = await database.collection("seed", { dimensions, metric: "l2", recall: target, index });
		const vectors = rowsOf(base, dimensions);
		await collection.upsert(vectors.map((vector, i) => ({ id: String(i), vector })));
		await collection.optimize();
		const certify = (queries?: Float32Array[]) =>
			collection.certify({ k: K, target, maxQueries: size.queries, ...(queries && { queries }) });
		const before = await certify(rowsOf(asked, dimensions));
		const reader = await through(database);
		try {
			const answers = await answersTo(await reader.collection("seed"), rowsOf(fresh, dimensions), {
				k: K,
				recall: target,
			});
			const recall = recallOfAnswers(answers.labels, { base, queries: fresh, dimensions, k: K });
			// What had been logged would be measured now, on one rung or the other.
			const [measured, measuredAfter] = [before, await certify()].map(({ cells }) => JSON.stringify(cells));
			if (measured !== measuredAfter)
				throw new Error(`measured ${measured}, and after the fresh queries ${measuredAfter}`);
			const queries = before.statements[0]?.queries ?? 0;
			return { target, state: answers.state, setting: answers.setting, recall, queries };
		} finally {
			await reader.close();
		}
	} finally {
		await database.close();
	}
}

async function readerOf(database: Database): Promise<Database> {
	return openShared(await database.share());
}

function rowsOf(all: Float32Array, dimensions: number): Float32Array[] {
	return Array.from({ length: all.length / dimensions }, (_, i) => all.slice(i * dimensions, (i + 1) * dimensions));
}
