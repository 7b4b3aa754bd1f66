import assert from "node:assert/strict";
import { test } from "node:test";
import { isNighError, METRICS, type Metric, type NighError } from "@nigh/contract";
import fc from "fast-check";
import { leastPlanned, mostPlanned, type PlannedMemory, type PlanOptions, planMemory } from "./plan-memory.ts";
import { neededFor, type PlannedChoice } from "./plan-memory-bytes.ts";

const MB = 2 ** 20;

/** The kinds from the most wanted to the least, as they were asked for. */
const ORDER: readonly PlannedChoice[] = [
	{ kind: "hnsw" },
	{ kind: "ivf" },
	{ kind: "ivf", storage: "disk" },
	{ kind: "ivfpq", storage: "disk" },
	{ kind: "ivfrabitq", bits: 1, storage: "disk" },
	{ kind: "flat" },
];
const WITH_CODES = ORDER.slice(0, 5);

function placeOf(index: PlannedChoice): number {
	return ORDER.findIndex((each) => JSON.stringify(each) === JSON.stringify(index));
}

function refusal(options: PlanOptions): NighError | undefined {
	try {
		planMemory(options);
	} catch (error) {
		if (isNighError(error, "MEMORY_LIMIT")) return error;
		throw error;
	}
	return undefined;
}

const SPACES = fc
	.record({
		metric: fc.constantFrom<Metric>(...METRICS),
		dimensions: fc.integer({ min: 1, max: 260 }).map((eighths) => 8 * eighths),
		idBytes: fc.integer({ min: 1, max: 60 }),
	})
	.map(({ dimensions, ...rest }) => ({
		...rest,
		dimensions: rest.metric === "hamming" ? 8 * dimensions : dimensions - 3,
	}))
	.map((space) => (space.metric === "hamming" ? space : { ...space, dimensions: Math.max(1, space.dimensions) }));
const CAPS = fc.integer({ min: 1, max: 160 }).map((step) => Math.floor(MB * 1.08 ** step));
const COUNTS = fc.integer({ min: 1, max: 210 }).map((step) => Math.floor(1.075 ** step));

test("a plan fits its cap, or is refused with numbers that are right", () => {
	fc.assert(
		fc.property(SPACES, CAPS, COUNTS, (space, maxBytes, vectors) => {
			const options = { ...space, maxBytes, vectors };
			const error = refusal(options);
			if (error === undefined) {
				const plan = planMemory(options);
				assert.ok(plan.bytes <= maxBytes, `${plan.bytes} of ${maxBytes}`);
				assert.deepEqual(neededFor(plan.index, vectors, space, maxBytes).bytes, plan.bytes);
				assert.ok(plan.considered.some(({ index, fits }) => fits && placeOf(index) === placeOf(plan.index)));
				return;
			}
			const { needed, mostVectors, ...rest } = error.details as { needed?: number; mostVectors: number };
			assert.deepEqual(rest, { maxBytes, vectors });
			assert.ok(mostVectors < vectors, `${mostVectors} of ${vectors}`);
			if (mostVectors > 0) planMemory({ ...options, vectors: mostVectors });
			assert.ok(refusal({ ...options, vectors: mostVectors + 1 }), "one more vector");
			if (needed === undefined) return assert.ok(refusal({ ...options, maxBytes: 2 ** 50 }), "whatever the cap");
			assert.ok(needed > maxBytes && refusal({ ...options, maxBytes: needed - 1 }), "a byte less");
			planMemory({ ...options, maxBytes: needed });
		}),
		{ numRuns: 60 },
	);
});

test("more memory never gives a kind that is wanted less", () => {
	fc.assert(
		fc.property(SPACES, CAPS, COUNTS, fc.double({ min: 1, max: 4, noNaN: true }), (space, maxBytes, vectors, more) => {
			const options = { ...space, maxBytes, vectors };
			const larger = { ...options, maxBytes: Math.floor(maxBytes * more) };
			if (refusal(options) !== undefined) return;
			const [less, plenty] = [planMemory(options), planMemory(larger)];
			assert.ok(placeOf(plenty.index) <= placeOf(less.index), `${less.reason} | ${plenty.reason}`);
		}),
		{ numRuns: 150 },
	);
});

test("every kind is chosen by some cap, in the order in which they are wanted", () => {
	const space = { metric: "l2", dimensions: 128, vectors: 1_000_000, idBytes: 8 } as const;
	const kinds = [4_096, 2_560, 1_024, 512].map((maxMB) => planMemory({ ...space, maxBytes: maxMB * MB }).index);
	assert.deepEqual(kinds, ORDER.slice(0, 4));
	// Bits need no axes: where there are few vectors, they take less than product codes do.
	const few = { metric: "l2", dimensions: 1_024, vectors: 30_000 } as const;
	const { index, considered } = planMemory({ ...few, maxBytes: leastPlanned(few) as number });
	assert.deepEqual(index, ORDER[4]);
	assert.deepEqual(
		considered.map((each) => each.index),
		WITH_CODES,
	);
});

test("metrics have what they can have: l1 a graph or cells in memory, hamming a graph, both a comparison of all", () => {
	const space = { dimensions: 64, vectors: 10_000, maxBytes: 256 * MB } as const;
	const indexes = (metric: Metric) => planMemory({ ...space, metric }).considered.map(({ index }) => index);
	assert.deepEqual(indexes("l1"), [ORDER[0], ORDER[1], ORDER[5]]);
	assert.deepEqual(indexes("hamming"), [ORDER[0], ORDER[5]]);
	assert.deepEqual(indexes("cosine"), WITH_CODES);
	const bits = { metric: "hamming", dimensions: 1_024, vectors: 1_000_000, maxBytes: 600 * MB } as const;
	assert.deepEqual(planMemory(bits).index, { kind: "flat" });
});

test("what is asked of a graph is counted, and is part of the plan", () => {
	const space = { metric: "l2", dimensions: 64, vectors: 100_000, maxBytes: 2 ** 40 } as const;
	const graph = { kind: "hnsw", M: 64 } as const;
	const [plain, dense] = [planMemory(space), planMemory({ ...space, graph })];
	assert.deepEqual(dense.index, graph);
	assert.ok(dense.bytes > plain.bytes + 2 * 100_000 * 4 * 96 * 0.9, `${dense.bytes} and ${plain.bytes}`);
});

/** The plans of a collection that has so many vectors, one after the other, each knowing the one before. */
function course(counts: readonly number[], space: Omit<PlanOptions, "vectors">): PlannedMemory[] {
	const plans: PlannedMemory[] = [];
	for (const vectors of counts) {
		const current = plans.at(-1)?.index;
		plans.push(planMemory({ ...space, vectors, ...(current !== undefined && { current }) }));
	}
	return plans;
}

test("a collection that grows leaves an index before it does not fit, and each kind at most once", () => {
	const space = { metric: "cosine", dimensions: 128, maxBytes: 512 * MB } as const;
	const most = mostPlanned(space);
	const counts = Array.from({ length: 200 }, (_, i) => Math.ceil((most * (i + 1)) / 200));
	const plans = course(counts, space);
	let changes = 0;
	plans.forEach((plan, i) => {
		const before = plans[i - 1];
		if (before === undefined || before.index === plan.index) return;
		changes++;
		assert.ok(placeOf(plan.index) > placeOf(before.index), plan.reason);
		const old = neededFor(before.index, counts[i] as number, space, space.maxBytes).bytes;
		assert.ok(old <= space.maxBytes, "the old one still fits while the new one is built");
		assert.ok(plan.bytes <= old, "and the new one takes less");
	});
	assert.ok(changes >= 2, `${changes} changes`);
	assert.throws(() => planMemory({ ...space, vectors: most + 1 }), { code: "MEMORY_LIMIT" });
});

test("a collection whose size goes up and down stays with the index that it has", () => {
	fc.assert(
		fc.property(fc.array(fc.double({ min: 0.5, max: 1, noNaN: true }), { minLength: 4, maxLength: 12 }), (shares) => {
			const space = { metric: "l2", dimensions: 96, maxBytes: 128 * MB } as const;
			const most = mostPlanned(space) * 0.75;
			const places = course(
				shares.map((share) => Math.ceil(share * most)),
				space,
			).map(({ index }) => placeOf(index));
			assert.deepEqual(
				places,
				places.toSorted((a, b) => a - b),
				"it never goes back",
			);
		}),
		{ numRuns: 20 },
	);
	const space = { metric: "l2", dimensions: 128, vectors: 50_000 } as const;
	const current = { kind: "ivf", nlist: 100, storage: "disk" } as const;
	const kept = planMemory({ ...space, maxBytes: 4_096 * MB, current });
	assert.equal(kept.index, current, "with what was asked for");
	assert.match(
		kept.reason,
		/^ivf with vectors on disk stays: it takes up to [0-9.]+ MB of 4,096 MB for 50,000 vectors/,
	);
	assert.deepEqual(
		planMemory({ ...space, maxBytes: 4_096 * MB }).index,
		ORDER[0],
		"under another cap it is chosen anew",
	);
});

test("the reason tells the numbers of what was chosen, and of all that was wanted more", () => {
	const space = { metric: "l2", dimensions: 128, idBytes: 8, maxBytes: 1_024 * MB } as const;
	assert.match(
		planMemory({ ...space, vectors: 3_400_000 }).reason,
		/^ivfpq with vectors on disk takes up to [0-9.]+ MB of 1,024 MB for 3,400,000 vectors and [0-9,.]+ MB for a quarter more\. For these, hnsw [0-9,.]+ MB, ivf [0-9,.]+ MB, ivf with vectors on disk [0-9,.]+ MB would be needed\.$/,
	);
	assert.match(
		planMemory({ ...space, vectors: 4_000_000, maxBytes: 2 ** 36 }).reason,
		/ a quarter more\. One memory, which ends at 4 GiB, does not hold so many with hnsw, ivf\.$/,
	);
	const full = planMemory({ ...space, vectors: mostPlanned(space) });
	assert.match(full.reason, /nothing holds a quarter more: raise memory\.maxMB/);
	assert.ok(full.bytes <= full.maxBytes && full.bytesAhead > full.maxBytes);
});

test("what one memory cannot hold is refused whatever the cap", () => {
	const space = { metric: "hamming", dimensions: 1_024, maxBytes: 2 ** 50 } as const;
	const most = mostPlanned(space);
	assert.ok(most > 1_000_000 && most < 100_000_000, `${most}`);
	planMemory({ ...space, vectors: most });
	const error = refusal({ ...space, vectors: most + 1 });
	assert.equal(error?.details.mostVectors, most);
	assert.match(error?.message ?? "", /one memory, which ends at 4 GiB, holds fewer/);
});
