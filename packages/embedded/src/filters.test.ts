import assert from "node:assert/strict";
import { test } from "node:test";
import { type FilterNode, type Metadata, parseFilter, predicateOf } from "@nigh/contract";
import type { CollectionCore, View } from "./core.ts";
import { FilterCache } from "./filters.ts";
import { type Small, smallGeneration } from "./memory/generations.test-support.ts";
import { BITMAPS } from "./memory/reader-area.ts";
import type { Matches } from "./memory/searcher.ts";

/** The reader worker, which evaluates what the records are when it comes to it. */
class Records {
	readonly byLabel = new Map<number, Metadata>();
	change = 1;
	evaluations = 0;
	/** Filters wait here until they are let through. */
	gate: Promise<void> = Promise.resolve();
	failure: Error | undefined;
	generation: Small;

	constructor(generation: Small) {
		this.generation = generation;
	}

	async call(_method: string, request: { generation: number; node: FilterNode; bitmap: number }) {
		await this.gate;
		this.evaluations++;
		if (this.failure !== undefined) throw this.failure;
		const { generation, bitmap: setBits, area } = this.generation;
		if (request.generation !== generation.handle.number) return undefined;
		const matches = predicateOf(request.node);
		const labels = [...this.byLabel].filter(([, metadata]) => matches(metadata)).map(([label]) => label);
		const slots = labels.map((label) => generation.slotOf(label)).filter((slot) => slot >= 0);
		setBits(slots, (request.bitmap - area.bitmaps) / area.bitmapBytes);
		return { matches: slots.length, change: this.change };
	}
}

function started(view: View = "writer") {
	const small = smallGeneration({ capacity: 128 });
	const records = new Records(small);
	const core = {
		database: { view, threads: { reader: records } },
		key: 1,
		searcher: small.searcher,
		now: 0,
		change: 1,
	};
	const cache = new FilterCache(core as unknown as CollectionCore);
	small.generation.publish(1);
	cache.clear();
	/** Commits, appends and publishes; acknowledging is up to the test. */
	const commit = (metadata: Metadata) => {
		const label = small.generation.slotEnd;
		records.byLabel.set(label, metadata);
		records.change++;
		small.add(new Float32Array(4), { label, born: records.change });
		small.generation.publish(records.change);
		return { label, metadata };
	};
	const acknowledge = (...written: { label: number; metadata: Metadata }[]) => {
		cache.written({
			labels: written.map(({ label }) => label),
			metadataOf: (row) => written[row]?.metadata,
		});
		core.change = records.change;
	};
	return { small, records, core, cache, commit, acknowledge };
}

function slotsIn({ area, handle }: Small, { bitmap }: Matches): number[] {
	const words = new Uint32Array(handle.memory.buffer, bitmap, area.bitmapBytes / 4);
	return Array.from({ length: handle.size.capacity }, (_, slot) => slot).filter(
		(slot) => ((words[slot >>> 5] as number) >>> (slot & 31)) & 1,
	);
}

const EVEN = parseFilter({ even: true });

async function ask({ cache, small }: ReturnType<typeof started>, node: FilterNode = EVEN) {
	return cache.with(node, async (matches) => ({ slots: slotsIn(small, matches), ...matches }));
}

test("a filter is evaluated once, and kept up to date as records are written", async () => {
	const all = started();
	for (let i = 0; i < 40; i++) all.acknowledge(all.commit({ even: i % 2 === 0 }));
	const even = (n: number) => Array.from({ length: n / 2 }, (_, i) => 2 * i);
	assert.deepEqual((await ask(all))?.slots, even(40));
	all.acknowledge(all.commit({ even: true }), all.commit({ even: false }));
	const found = await ask(all);
	assert.deepEqual(found?.slots, even(42));
	assert.equal(found?.count, 21);
	assert.equal(found?.change, all.records.change);
	assert.equal(all.records.evaluations, 1);
});

test("a record that is changed in place comes in or goes, and is counted so", async () => {
	const all = started();
	for (let i = 0; i < 4; i++) all.acknowledge(all.commit({ even: i % 2 === 0 }));
	await ask(all);
	all.acknowledge(
		{ label: 0, metadata: {} },
		{ label: 1, metadata: { even: true } },
		{ label: 2, metadata: { even: true } },
	);
	const found = await ask(all);
	assert.deepEqual([found?.slots, found?.count], [[1, 2], 2]);
	// A label that has no slot here is passed over.
	all.acknowledge({ label: 99, metadata: { even: true } });
	assert.deepEqual((await ask(all))?.slots, [1, 2]);
});

test("a write during the evaluation is not missed, whether the evaluation saw it or not", async () => {
	const all = started();
	all.acknowledge(all.commit({ even: true }));
	const { promise, resolve } = Promise.withResolvers<void>();
	all.records.gate = promise;
	const asked = ask(all);
	const seen = all.commit({ even: true });
	all.acknowledge(seen);
	all.acknowledge({ label: 0, metadata: { even: false } });
	all.records.byLabel.set(0, { even: true });
	resolve();
	const found = await asked;
	assert.deepEqual([found?.slots, found?.count], [[1], 1]);
});

test("two that ask at the same time share one evaluation", async () => {
	const all = started();
	all.acknowledge(all.commit({ even: true }));
	const answers = await Promise.all([ask(all), ask(all), ask(all)]);
	assert.deepEqual(
		answers.map((each) => each?.slots),
		[[0], [0], [0]],
	);
	assert.equal(all.records.evaluations, 1);
});

test("what is committed and not acknowledged yet is waited for: the bitmap is of that state", async () => {
	const all = started();
	all.acknowledge(all.commit({ even: true }));
	const written = all.commit({ even: true });
	assert.equal(await ask(all), undefined);
	all.acknowledge(written);
	assert.deepEqual((await ask(all))?.slots, [0, 1]);
	assert.equal(all.records.evaluations, 1);
});

test("the filter that was used the longest ago makes room; one in use never does", async () => {
	const all = started();
	all.acknowledge(all.commit({ n: 0 }), all.commit({ n: 1 }));
	const filter = (n: number) => parseFilter({ n });
	for (let n = 0; n < BITMAPS; n++) await ask(all, filter(n));
	await ask(all, filter(0));
	await ask(all, filter(BITMAPS));
	assert.equal(all.cache.size, BITMAPS);
	assert.equal(all.records.evaluations, BITMAPS + 1);
	await ask(all, filter(0));
	assert.equal(all.records.evaluations, BITMAPS + 1, "it was used after the others");
	assert.deepEqual((await ask(all, filter(1)))?.slots, [1]);
	assert.equal(all.records.evaluations, BITMAPS + 2, "it had made room");
});

test("while all bitmaps are lent, another filter has none, and gets one afterwards", async () => {
	const all = started();
	all.acknowledge(all.commit({ n: 3 }));
	const { promise, resolve } = Promise.withResolvers<void>();
	const lent = Array.from({ length: BITMAPS }, (_, n) =>
		all.cache.with(parseFilter({ n }), async (matches) => {
			await promise;
			return slotsIn(all.small, matches);
		}),
	);
	assert.equal(await ask(all), undefined);
	resolve();
	assert.deepEqual(
		await Promise.all(lent),
		Array.from({ length: BITMAPS }, (_, n) => (n === 3 ? [0] : [])),
	);
	assert.deepEqual((await ask(all))?.slots, []);
});

test("bitmaps that are lent while everything is forgotten are not given to others before they come back", async () => {
	const all = started("process");
	all.acknowledge(all.commit({ n: 3 }));
	const { promise, resolve } = Promise.withResolvers<void>();
	const lent = all.cache.with(parseFilter({ n: 3 }), async (matches) => {
		await promise;
		return slotsIn(all.small, matches);
	});
	await ask(all, parseFilter({ n: 9 }));
	all.cache.forget();
	for (let n = 10; n < 10 + 2 * BITMAPS; n++) assert.deepEqual((await ask(all, parseFilter({ n })))?.slots, []);
	assert.equal(all.cache.size, BITMAPS - 1);
	resolve();
	assert.deepEqual(await lent, [0]);
	await ask(all, parseFilter({ n: 99 }));
	assert.equal(all.cache.size, BITMAPS);
});

test("an evaluation that fails fails the one who asked, and is done again", async () => {
	const all = started();
	all.acknowledge(all.commit({ even: true }));
	all.records.failure = new Error("unreadable");
	for (let i = 0; i <= BITMAPS; i++) await assert.rejects(ask(all), /unreadable/);
	all.records.failure = undefined;
	assert.deepEqual((await ask(all))?.slots, [0]);
});

test("another generation has other slots: nothing is kept, and an evaluation for the old one is not used", async () => {
	const all = started();
	all.acknowledge(all.commit({ even: true }), all.commit({ even: true }));
	await ask(all);
	const { promise, resolve } = Promise.withResolvers<void>();
	all.records.gate = promise;
	const asked = ask(all, parseFilter({ even: { $ne: false } }));
	const next = smallGeneration();
	next.add(new Float32Array(4), { label: 1 });
	next.generation.publish(all.records.change);
	all.core.searcher = next.searcher;
	all.records.generation = next;
	all.cache.clear();
	resolve();
	assert.equal(await asked, undefined);
	assert.equal(all.cache.size, 0);
	const slots = await all.cache.with(EVEN, async (matches) => slotsIn(next, matches));
	assert.deepEqual(slots, [0]);
});

test("where writes are not acknowledged, a bitmap holds for its state alone", async () => {
	const all = started("shared");
	all.commit({ even: true });
	const first = await ask(all);
	assert.deepEqual([first?.slots, first?.change], [[0], 2]);
	await ask(all);
	assert.equal(all.records.evaluations, 1);
	all.commit({ even: true });
	assert.deepEqual((await ask(all))?.slots, [0, 1]);
	assert.equal(all.records.evaluations, 2);
});

test("a bitmap made of a state that had no slots in the memory yet is not used once it has", async () => {
	const all = started("shared");
	all.commit({ even: true });
	// Committed, and on its way into the memory.
	all.records.byLabel.set(1, { even: true });
	all.records.change = 3;
	assert.equal(await ask(all), undefined);
	all.small.add(new Float32Array(4), { label: 1, born: 3 });
	all.small.generation.publish(3);
	assert.deepEqual((await ask(all))?.slots, [0, 1]);
});

test("matches of another state than is known are not used where another process writes", async () => {
	const all = started("process");
	all.acknowledge(all.commit({ even: true }));
	const written = all.commit({ even: true });
	assert.equal(await ask(all), undefined);
	assert.equal(all.cache.has(EVEN), false);
	all.acknowledge(written);
	assert.deepEqual((await ask(all))?.slots, [0, 1]);
	assert.equal(all.cache.has(EVEN), true);
});

test("a bitmap that is lent once is not lent to others meanwhile, comes back afterwards, and is not another generation's", async () => {
	const all = started();
	const lent = new Set<number>();
	const { promise, resolve } = Promise.withResolvers<void>();
	const uses = Array.from({ length: BITMAPS }, () =>
		all.cache.once(async (bitmap) => {
			lent.add(bitmap);
			await promise;
		}),
	);
	assert.equal(lent.size, BITMAPS);
	assert.equal(await all.cache.once(async () => true), undefined);
	resolve();
	await Promise.all(uses);
	assert.equal(await all.cache.once(async () => true), true);
	await all.cache.once(async () => {
		all.core.searcher = smallGeneration({ capacity: 128 }).searcher;
		all.cache.clear();
	});
	for (let n = 0; n < BITMAPS; n++)
		await assert.rejects(
			all.cache.once(() => Promise.reject(new Error("lost"))),
			/lost/,
		);
	assert.equal(await all.cache.once(async () => true), true);
});

/** Many records of which every other one is even, as one batch. */
function manyChanges(count: number, isEven: (row: number) => boolean) {
	return {
		labels: Array.from({ length: count }, (_, row) => row % 100),
		metadataOf: (row: number) => ({ even: isEven(row) }),
	};
}

test("a filter that many records are still to be taken in of is lent when it has them all, in their order", async () => {
	const all = started();
	for (let i = 0; i < 100; i++) all.acknowledge(all.commit({ even: false }));
	assert.equal((await ask(all))?.count, 0);
	// Of each label the last counts; what is written meanwhile comes after it.
	all.cache.written(manyChanges(5_000, (row) => row >= 4_900 && row % 2 === 0));
	all.cache.written({ labels: [1], metadataOf: () => ({ even: true }) });
	all.cache.written({ labels: [2], metadataOf: () => ({ even: false }) });
	const found = await ask(all);
	assert.deepEqual(
		found?.slots,
		[...Array(100).keys()].filter((slot) => slot === 1 || (slot % 2 === 0 && slot !== 2)),
	);
	assert.equal(found?.count, 50);
	assert.equal(all.records.evaluations, 1);
});

test("a filter that is forgotten while it takes records in leaves the bitmap to the one that has it next", async () => {
	const all = started();
	for (let i = 0; i < 100; i++) all.acknowledge(all.commit({ even: i % 2 === 0, n: i }));
	await ask(all);
	all.cache.written(manyChanges(100_000, () => false));
	const waiting = ask(all);
	all.cache.forget();
	const other = parseFilter({ n: { $gte: 90 } });
	const found = await ask(all, other);
	assert.equal(await waiting, undefined);
	assert.equal(found?.count, 10);
	assert.deepEqual((await ask(all, other))?.slots, [90, 91, 92, 93, 94, 95, 96, 97, 98, 99]);
});
