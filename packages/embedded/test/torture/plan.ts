import type { Random } from "@nigh/contract/suite";
import type { Call, CollectionName } from "./calls.ts";
import type { Lane } from "./history.ts";
import { GROUPS, idOf } from "./records.ts";

/**
 * Ids that a collection draws from: enough for snapshots, for `auto` to become a graph and, after large deletes, a scan again, and for cells to be
 * trained anew as they grow and shrink.
 */
const POOL: Readonly<Record<CollectionName, number>> = {
	graph: 2_600,
	auto: 6_000,
	cells: 3_000,
	disk: 3_000,
	dropped: 1_400,
};
/** The first write of a collection. */
const FIRST: Readonly<Record<CollectionName, number>> = {
	graph: 1_200,
	auto: 4_200,
	cells: 1_200,
	disk: 1_200,
	dropped: 1_100,
};

/** What is done next in a collection: calls that are made at once, or work on its index. */
export type Step = { readonly calls: readonly Call[] } | { readonly maintain: "optimize" | "rebuild" | "close" };

/** The next step, chosen by what is there. */
export function nextStep({ name, model, issued }: Lane, random: Random, now: number): Step {
	// Every call has a version of its own.
	const version = issued + 1;
	if (model === undefined) return { calls: [{ verb: "create" }] };
	const there = model.list().map(({ id }) => id);
	if (there.length === 0) return one({ verb: "upsert", ids: someIds(random, POOL[name], FIRST[name]), version });
	const some = (most: number) => random.shuffle(there).slice(0, 1 + random.below(most));
	const dice = random.below(100);
	if (dice < 20) return { calls: burst(random, POOL[name], version, now) };
	if (dice < 35) return one({ verb: "upsert", ids: someIds(random, POOL[name], 50 + random.below(600)), version });
	if (dice < 40)
		return one({
			verb: "upsert",
			ids: someIds(random, POOL[name], 100),
			version,
			expiresAt: now + 1 + random.below(200),
		});
	if (dice < 50) return one({ verb: "update metadata", ids: some(300), version });
	if (dice < 60) return one({ verb: "update vectors", ids: some(300), version });
	if (dice < 70) return one({ verb: "delete", ids: some(200) });
	if (dice < 75) return one({ verb: "delete group", group: random.below(GROUPS) });
	if (dice < 80) return one({ verb: "prune", maxAgeMs: 200 + random.below(2_000) });
	if (dice < 82 && name === "dropped") return one({ verb: "drop" });
	if (dice < 94) return { maintain: "optimize" };
	return { maintain: random.pick(["rebuild", "close"]) };
}

function one(call: Call): Step {
	return { calls: [call] };
}

/** Small writes of different records at the same time: they share commits. */
function burst(random: Random, pool: number, version: number, now: number): Call[] {
	const ids = someIds(random, pool, 40);
	return Array.from({ length: 8 }, (_, i): Call => {
		const own = ids.slice(5 * i, 5 * i + 1 + random.below(5));
		const expires = random.below(8) === 0 ? { expiresAt: now + 1 + random.below(200) } : {};
		return { verb: "upsert", ids: own, version: version + i, ...expires };
	});
}

/** Different ids of the pool. */
function someIds(random: Random, pool: number, count: number): string[] {
	const ids = new Set<number>();
	while (ids.size < Math.min(count, pool)) ids.add(random.below(pool));
	return [...ids].map(idOf);
}
