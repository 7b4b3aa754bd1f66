// Records to fill collections with.
import type { Collection } from "../collection.ts";
import type { IndexSpec } from "../index-spec.ts";
import type { Metadata } from "../metadata.ts";
import type { RecordInput } from "../records.ts";
import type { Vector } from "../vectors.ts";
import { Model } from "./model.ts";
import type { Space } from "./oracle.ts";
import { createRandom, type Random } from "./random.ts";
import type { Setting } from "./setting.ts";

const LETTERS = ["a", "b", "z", "Z", "0", "-", "é", "\uffff", "\u{1f600}"];

/** Ids that do not come in their own order, with letters whose UTF-8 and UTF-16 orders differ. */
export function anyIds(random: Random, count: number): string[] {
	const ids = new Set<string>();
	while (ids.size < count) ids.add(Array.from({ length: 1 + random.below(6) }, () => random.pick(LETTERS)).join(""));
	return random.shuffle([...ids]);
}

/**
 * A vector of a kind that makes trouble now and then: the zero vector (1 in 40), one of few small whole numbers, so that distances tie
 * (1 in 4), or a normally distributed one.
 */
export function anyVector(random: Random, { metric, dimensions }: Space): Vector {
	if (metric === "hamming") return Uint8Array.from({ length: dimensions / 8 }, () => random.below(256));
	const kind = random.next();
	if (kind < 1 / 40) return new Float32Array(dimensions);
	const isSmall = kind < 1 / 4;
	return Float32Array.from({ length: dimensions }, () => (isSmall ? random.below(3) - 1 : random.normal()));
}

/** Metadata over few keys and values, some of it missing. */
export function anyMetadata(random: Random): Metadata | undefined {
	if (random.below(10) === 0) return undefined;
	return {
		kind: random.pick(["lesson", "skill", "note"]),
		stars: random.below(100),
		...(random.below(2) === 0 && { tags: random.shuffle(["x", "y", "z"]).slice(random.below(3)) }),
		...(random.below(3) === 0 && {
			author: { name: random.pick(["Ada", "Émilie", "王貞儀"]), born: random.pick([1815, null]) },
		}),
	};
}

export function anyRecords(random: Random, count: number, space: Space): RecordInput[] {
	return anyIds(random, count).map((id) => {
		const metadata = anyMetadata(random);
		return { id, vector: anyVector(random, space), ...(metadata !== undefined && { metadata }) };
	});
}

/** A collection with some records, its model, and what they are made with. */
export interface Filled {
	readonly collection: Collection;
	readonly model: Model;
	readonly space: Space;
	readonly random: Random;
}

/** Fills a new collection with `count` records, in batches of different sizes. */
export async function fill(
	setting: Setting,
	seed: number,
	count: number,
	space: Space,
	index: IndexSpec = "auto",
): Promise<Filled> {
	const random = createRandom(seed);
	const collection = await createIn(setting, space, index);
	const model = new Model(setting.clock);
	const records = anyRecords(random, count, space);
	for (let from = 0; from < count; ) {
		const batch = records.slice(from, from + 1 + random.below(count));
		from += batch.length;
		await collection.upsert(batch);
		model.upsert(batch);
	}
	return { collection, model, space, random };
}

export function createIn(
	setting: Setting,
	{ metric, dimensions, weights }: Space,
	index: IndexSpec = "auto",
): Promise<Collection> {
	return setting.create({
		dimensions,
		metric,
		index,
		...(metric === "hamming" && { type: "bit" }),
		...(weights !== undefined && { weights }),
	});
}
