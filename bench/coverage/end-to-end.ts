import { openFolder } from "@nigh/embedded";
import { DISTRIBUTIONS, type DistributionName } from "./distributions.ts";
import { BruteForce, kthKeys } from "./truth.ts";

/** Targets, each of which every seed attempts once. */
export const ATTEMPTED = [0.9, 0.95, 0.99] as const;
/** Seeds of a full run, and the wrong ones of each target that a sound product has with probability below 1/100 where hardly any is at the edge. */
export const SEEDS = 200;
export const MOST_WRONG_SEEDS = 4;

const K = 10;
const N = 4_000;
/** Queries that certify, and as fresh ones by which what serves is judged. */
const QUERIES = 3_000;
const JUDGED = 4_000;
/** In turn. */
const KINDS: readonly { readonly rows: DistributionName; readonly dimensions: number; readonly M: number }[] = [
	{ rows: "mixture", dimensions: 32, M: 6 },
	{ rows: "clusters", dimensions: 16, M: 6 },
	{ rows: "gaussian", dimensions: 16, M: 8 },
	{ rows: "spectrum", dimensions: 48, M: 6 },
];

/** What became of one seed at one target. */
export interface Attempt {
	readonly target: number;
	/** What the answers said of themselves. */
	readonly state: string;
	/** Mean recall of fresh queries, judged in double precision. */
	readonly recall: number;
}

/** One database: written, certified once for each target, and asked by queries that nobody has seen, through nothing but what a user calls. */
export async function attempt(seed: number): Promise<Attempt[]> {
	const { rows, dimensions, M } = KINDS[seed % KINDS.length] as (typeof KINDS)[number];
	const draw = DISTRIBUTIONS[rows]({ n: N, dimensions, seed });
	const base = draw(N);
	const asked = draw(QUERIES);
	const fresh = draw(JUDGED);
	const rowOf = (all: Float32Array, i: number) => all.slice(i * dimensions, (i + 1) * dimensions);
	const database = await openFolder(":memory:");
	try {
		const spec = { dimensions, metric: "l2", index: { kind: "hnsw", M, efConstruction: 60 } } as const;
		const collection = await database.collection("seed", spec);
		await collection.upsert(Array.from({ length: N }, (_, i) => ({ id: String(i), vector: rowOf(base, i) })));
		await collection.optimize();
		const queries = Array.from({ length: QUERIES }, (_, i) => rowOf(asked, i));
		const attempts: Attempt[] = [];
		for (const [i, target] of ATTEMPTED.entries()) {
			// The first gives the queries; the others go on with them.
			await collection.certify({ k: K, target, maxQueries: QUERIES, ...(i === 0 && { queries }) });
			attempts.push({ target, ...(await judged(collection, target)) });
		}
		return attempts;
	} finally {
		await database.close();
	}

	async function judged(collection: Awaited<ReturnType<typeof database.collection>>, recall: number) {
		const truth = new BruteForce(base, dimensions, "l2");
		const found: Set<number>[] = [];
		let state = "";
		for (let i = 0; i < JUDGED; i++) {
			const answer = await collection.search({ vector: rowOf(fresh, i), k: K, recall, include: { metadata: false } });
			state = answer.recall.state;
			found.push(new Set(answer.hits.map(({ id }) => Number(id))));
		}
		let hits = 0;
		truth.eachQuery(fresh, (query, keys) => {
			const kth = kthKeys(keys, [K])[0] as number;
			for (const label of found[query] as Set<number>) if ((keys[label] as number) <= kth) hits++;
		});
		return { state, recall: hits / (K * JUDGED) };
	}
}
