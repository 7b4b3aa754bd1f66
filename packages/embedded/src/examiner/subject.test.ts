import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Metric } from "@nigh/contract";
import { recallOf } from "@nigh/recall";
import { distanceBetween } from "../memory/generations.test-support.ts";
import type { MainIndex } from "../workers/main-index.ts";
import type { Owned } from "../workers/next-generation.ts";
import { type Examined, examined, examinersSearcher, HNSW, type StoredVector } from "./examined.test-support.ts";
import { Interrupted, Subject, type Truth } from "./subject.ts";

type Kind = Exclude<MainIndex, null>;

const CELLS: readonly Kind[] = (["memory", "disk"] as const).flatMap((storage) => [
	{ kind: "ivf", storage },
	{ kind: "ivfpq", storage },
	{ kind: "ivfrabitq", storage },
]);

const SUBJECTS: readonly { readonly wanted: Kind; readonly metric: Metric; readonly dimensions: number }[] = [
	{ wanted: HNSW, metric: "l2", dimensions: 16 },
	{ wanted: HNSW, metric: "cosine", dimensions: 16 },
	{ wanted: HNSW, metric: "l1", dimensions: 16 },
	{ wanted: HNSW, metric: "ip", dimensions: 32 },
	{ wanted: HNSW, metric: "hamming", dimensions: 64 },
	...CELLS.map((wanted) => ({ wanted, metric: "l2" as const, dimensions: 32 })),
];

function nameOf({ wanted, metric }: (typeof SUBJECTS)[number]): string {
	return `${wanted.kind}${wanted.kind === "hnsw" ? "" : ` (${wanted.storage})`}, ${metric}`;
}

/** By the definition, in float64, over the slots that may be found. */
function oracle(
	metric: Metric,
	vectors: readonly StoredVector[],
	query: StoredVector,
	k: number,
	may: (slot: number) => boolean,
) {
	const distances = vectors.flatMap((vector, slot) => (may(slot) ? [distanceBetween(metric, vector, query)] : []));
	distances.sort((a, b) => a - b);
	const nearest = distances.slice(0, k);
	if (nearest.length === 0) return undefined;
	return { nearest: nearest[0] as number, kth: nearest.at(-1) as number, wanted: nearest.length };
}

function checkTruth(found: Truth | undefined, expected: Truth | undefined): void {
	assert.equal(found?.wanted, expected?.wanted);
	if (found === undefined || expected === undefined) return;
	// What is next to nothing is mostly rounding.
	for (const [which, slack] of [
		["nearest", 1e-3],
		["kth", 1e-4],
	] as const) {
		const [distance, wanted] = [found[which], expected[which]];
		assert.ok(Math.abs(distance - wanted) <= slack * Math.max(1, Math.abs(wanted)), `${which}: ${distance}, ${wanted}`);
	}
}

async function withTail(t: TestContext, shape: (typeof SUBJECTS)[number]): Promise<Examined & { mainEnd: number }> {
	const all = await examined(t, { ...shape, n: 1_100 });
	const { generation } = all.owned;
	for (const vector of all.queries(40)) all.append(vector);
	for (const slot of [3, 700, 1_110]) generation.kill(slot, 2);
	generation.publish(2);
	return { ...all, mainEnd: 1_100 };
}

for (const shape of SUBJECTS) {
	test(`exact answers of ${nameOf(shape)} are those of the definition`, async (t) => {
		const { collection, owned, vectors, queries, mainEnd } = await withTail(t, shape);
		const { generation } = owned;
		const alive = (slot: number) => generation.isAlive(slot, generation.change);
		const asked = queries(6);
		const check = async (subject: Subject, k: number, may: (slot: number) => boolean) => {
			const truths = await subject.truths(asked, k);
			assert.equal(truths.length, asked.length);
			for (const [i, query] of asked.entries()) checkTruth(truths[i], oracle(shape.metric, vectors, query, k, may));
		};
		// Together, and one by one, where there are too many answers for that.
		for (const k of [1, 10, 200]) {
			await check(new Subject(collection.searcher, () => {}), k, alive);
			await check(
				new Subject(collection.searcher, () => {}, { mainOnly: true }),
				k,
				(slot) => alive(slot) && slot < mainEnd,
			);
		}
		// A filter that lets few through, many, and none: of few each is looked at, wherever its row is.
		for (const matching of [(slot: number) => slot % 97 === 0, (slot: number) => slot % 2 === 0, () => false]) {
			const matches = await matchesFor(collection, matching);
			await check(
				new Subject(collection.searcher, () => {}, { matches, change: matches.change }),
				10,
				(slot) => alive(slot) && matching(slot),
			);
		}
	});

	test(`what a search of ${nameOf(shape)} finds is compared with them as its user would`, async (t) => {
		const { collection, owned, vectors, queries } = await withTail(t, shape);
		const subject = new Subject(collection.searcher, () => {});
		const rung =
			shape.wanted.kind === "hnsw"
				? ({ kind: "graph", ef: 20 } as const)
				: ({ kind: "cells", nprobe: 4, ...(shape.wanted.kind !== "ivf" && { rerank: 60 }) } as const);
		const asked = queries(12);
		const truths = await subject.truths(asked, 10);
		for (const [i, query] of asked.entries()) {
			const truth = truths[i] as Truth;
			const recall = await subject.recallAt(rung, query, 10, truth);
			const { slots, distances } = collection.searcher;
			assert.ok(slots.length <= 10 && new Set(slots).size === slots.length);
			assert.equal(recall, recallOf(distances, truth.kth, truth.wanted));
			for (const [at, slot] of slots.entries()) {
				assert.ok(owned.generation.isAlive(slot, 2));
				const distance = distanceBetween(shape.metric, vectors[slot] as StoredVector, query);
				assert.ok(Math.abs(distance - (distances[at] as number)) < 1e-4 * Math.max(1, Math.abs(distance)));
			}
		}
	});
}

/** As by a writer that has waited for it: what the main index has by now is written over. */
function overwrite({ owned: { generation } }: Examined, from: number): void {
	for (let slot = from; slot < generation.slotEnd; slot++)
		generation.ringBytes(slot % generation.size.ringRows).fill(0);
}

test("what is taken in while many queries are answered, or just before, is neither missed nor read where it was", async (t) => {
	const all = await withTail(t, SUBJECTS[0] as (typeof SUBJECTS)[number]);
	const { collection, owned, vectors, mainEnd } = all;
	const { generation } = collection.searcher;
	const { slotEnd } = generation;
	const asked = vectors.slice(mainEnd + 20, mainEnd + 30);
	const check = async () => {
		const truths = await new Subject(collection.searcher, () => {}).truths(asked, 5);
		const alive = (slot: number) => generation.isAlive(slot, 2);
		for (const [i, query] of asked.entries()) checkTruth(truths[i], oracle("l2", vectors, query, 5, alive));
	};
	const labels = Uint32Array.from({ length: slotEnd - mainEnd }, (_, i) => mainEnd + i);
	const rows = new Float32Array(labels.length * 16);
	for (const [i, slot] of labels.entries()) rows.set(vectors[slot] as Float32Array, i * 16);
	await owned.main?.insertMany(rows, { labels, stored: true });
	const { enter, leave } = generation;
	const taken = () => {
		owned.generation.mainEnd = slotEnd;
		overwrite(all, mainEnd);
	};
	const left = t.mock.method(generation, "leave", (reader: number) => {
		leave.call(generation, reader);
		taken();
	});
	await check();
	assert.ok(left.mock.callCount() > 0);
	left.mock.restore();
	owned.generation.mainEnd = mainEnd;
	const entered = t.mock.method(generation, "enter", (reader: number) => {
		taken();
		enter.call(generation, reader);
	});
	await check();
	assert.ok(entered.mock.callCount() > 0);
});

async function matchesFor(collection: Examined["collection"], matching: (slot: number) => boolean) {
	const { generation, area } = collection.searcher;
	const words = new Uint32Array(generation.handle.memory.buffer, area.bitmaps, area.bitmapBytes / 4).fill(0);
	let count = 0;
	for (let slot = 0; slot < generation.slotEnd; slot++) {
		if (!matching(slot) || !generation.isAlive(slot, generation.change)) continue;
		words[slot >>> 5] = (words[slot >>> 5] as number) | (1 << (slot & 31));
		count++;
	}
	return { bitmap: area.bitmaps, count, change: generation.change };
}

for (const wanted of [HNSW, ...CELLS]) {
	const name = wanted.kind === "hnsw" ? wanted.kind : `${wanted.kind} (${wanted.storage})`;
	test(`what ${name} has not taken in yet is no answer, and finds no answer in itself`, async (t) => {
		let looked = 0;
		const all = await examined(t, {
			wanted,
			dimensions: 32,
			n: 3_200,
			onHeldOut: async (index: Owned, slots, rows) => {
				const vectorsAt = (some: readonly number[]) => some.map((slot) => rows[slot] as StoredVector);
				const held = new Set(slots);
				assert.ok(slots.length >= 256);
				for (const slot of slots) assert.ok(index.main?.has(slot) !== true);
				const searcher = examinersSearcher(index);
				const subject = new Subject(searcher, () => {}, { mainOnly: true });
				const some = [...slots.slice(0, 8)];
				for (const k of [1, 10, 150]) {
					const asked = vectorsAt(some);
					const truths = await subject.truths(asked, k);
					for (const [i, query] of asked.entries()) {
						checkTruth(
							truths[i],
							oracle("l2", rows, query, k, (each) => !held.has(each)),
						);
						looked++;
					}
				}
				searcher.close();
			},
		});
		assert.equal(looked, 24);
		assert.equal(all.owned.main?.size, 3_200);
	});
}

test("work that is not wanted any more ends between two steps", async (t) => {
	const { collection, queries } = await examined(t, { n: 600 });
	let isWanted = true;
	const check = () => {
		if (!isWanted) throw new Interrupted("enough");
	};
	const subject = new Subject(collection.searcher, check);
	await subject.truths(queries(4), 10);
	isWanted = false;
	await assert.rejects(async () => {
		for (;;) await subject.truths(queries(64), 10);
	}, Interrupted);
});
