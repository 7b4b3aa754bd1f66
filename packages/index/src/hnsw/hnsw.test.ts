import assert from "node:assert/strict";
import { test } from "node:test";
import { Arena, LabelSet } from "@nigh/kernels";
import fc from "fast-check";
import type { VectorRows } from "../vector-index.ts";
import { isOrdered, randomNumbers, trueDistance, trueNeighbors } from "../vectors.test-support.ts";
import { type Built, checkGraph, create, imageOf, join, reload, rowOf } from "./graphs.test-support.ts";

const MOST_LABELS = 200;

const LABEL = fc.nat({ max: MOST_LABELS - 1 });
const SEED = fc.nat({ max: 1_000 });
const LABELS = fc.uniqueArray(LABEL, { maxLength: 60 });

/** What can be done to an index, and asked of it. Vectors are made from seeds; few seeds, so that some are equal. */
const OPERATION = fc.oneof(
	{ weight: 5, arbitrary: fc.record({ type: fc.constant("insert" as const), label: LABEL, seed: SEED }) },
	{ weight: 3, arbitrary: fc.record({ type: fc.constant("insertMany" as const), labels: LABELS, seed: SEED }) },
	{
		weight: 1,
		arbitrary: fc.record({ type: fc.constant("append" as const), count: fc.nat({ max: 40 }), seed: SEED }),
	},
	{ weight: 3, arbitrary: fc.record({ type: fc.constant("remove" as const), labels: LABELS }) },
	{ weight: 1, arbitrary: fc.record({ type: fc.constant("removeAll" as const) }) },
	{ weight: 1, arbitrary: fc.record({ type: fc.constant("compact" as const) }) },
	{ weight: 1, arbitrary: fc.record({ type: fc.constant("optimize" as const) }) },
	{ weight: 1, arbitrary: fc.record({ type: fc.constant("rebalance" as const) }) },
	{ weight: 1, arbitrary: fc.record({ type: fc.constant("reload" as const) }) },
	{
		weight: 3,
		arbitrary: fc.record({
			type: fc.constant("search" as const),
			seed: SEED,
			k: fc.integer({ min: 1, max: MOST_LABELS + 20 }),
			allowed: fc.option(LABELS, { nil: undefined }),
		}),
	},
);

const SCENE = fc.record({
	metric: fc.constantFrom("l2" as const, "cosine" as const, "ip" as const, "l1" as const, "hamming" as const),
	coded: fc.boolean(),
	dimensions: fc.integer({ min: 1, max: 20 }),
	M: fc.constantFrom(2, 3, 5, 16),
	/** Whether components are -1, 0 or 1, which makes for many equal vectors and distances, and for zero vectors. */
	coarse: fc.boolean(),
	operations: fc.array(OPERATION, { minLength: 1, maxLength: 30 }),
});

type Scene = typeof SCENE extends fc.Arbitrary<infer T> ? T : never;
type Operation = Scene["operations"][number];

/** An index and a map that should hold the same. */
class Pair {
	readonly #scene: Scene;
	readonly #arena: Arena;
	readonly #model = new Map<number, VectorRows>();
	/** One more than the largest label there ever was. */
	#next = 0;
	#built: Built;

	constructor(scene: Scene, arena: Arena) {
		const { metric, coded, M } = scene;
		const codes = coded && metric !== "l1" && metric !== "hamming" ? "sq7" : "none";
		this.#scene = scene;
		this.#arena = arena;
		const dimensions = this.#isBits ? 8 * scene.dimensions : scene.dimensions;
		this.#built = create({ dimensions, metric, codes, M, efConstruction: Math.max(4, 2 * M), ef: 10, arena });
	}

	get #isBits(): boolean {
		return this.#scene.metric === "hamming";
	}

	#vector(seed: number): VectorRows {
		const { dimensions, coarse } = this.#scene;
		const random = randomNumbers(coarse ? seed % 50 : seed);
		if (this.#isBits)
			return Uint8Array.from({ length: dimensions }, () => Math.floor(256 * random()) & (coarse ? 3 : 255));
		return Float32Array.from({ length: dimensions }, () => (coarse ? Math.floor(3 * random()) - 1 : 2 * random() - 1));
	}

	#rows(count: number, seed: number): VectorRows {
		const rows = Array.from({ length: count }, (_, i) => this.#vector(seed + 7 * i));
		return this.#isBits ? Uint8Array.from(rows.flatMap((row) => [...row])) : join(...(rows as Float32Array[]));
	}

	async run(operation: Operation): Promise<void> {
		const { index, graph } = this.#built;
		/** Whether what was done promises that all can be reached. */
		let connected = true;
		switch (operation.type) {
			case "insert":
				index.insert(operation.label, this.#vector(operation.seed));
				this.#put([operation.label], this.#vector(operation.seed));
				connected = false;
				break;
			case "insertMany": {
				const rows = this.#rows(operation.labels.length, operation.seed);
				await index.insertMany(rows, { labels: Uint32Array.from(operation.labels) });
				this.#put(operation.labels, rows);
				break;
			}
			case "append": {
				const rows = this.#rows(operation.count, operation.seed);
				const labels = Array.from({ length: operation.count }, (_, i) => this.#next + i);
				await index.insertMany(rows);
				this.#put(labels, rows);
				break;
			}
			case "remove":
				connected = this.#remove(operation.labels) > 0;
				break;
			case "removeAll":
				this.#remove([...this.#model.keys()]);
				break;
			case "compact": {
				const free = graph.slots - graph.size;
				const report = index.compact();
				assert.equal(report.removedNodes, free);
				assert.equal(report.totalNodes, this.#model.size);
				assert.equal(graph.slots, this.#model.size);
				break;
			}
			case "optimize":
				assert.equal(index.optimize().totalNodes, this.#model.size);
				break;
			case "rebalance":
				index.rebalance();
				break;
			case "reload":
				this.#reload();
				connected = false;
				break;
			case "search":
				this.#search(operation);
				return;
		}
		this.#check(connected);
	}

	#put(labels: readonly number[], rows: VectorRows): void {
		labels.forEach((label, i) => {
			this.#model.set(label, rowOf(rows, i, this.#scene.dimensions));
			this.#next = Math.max(this.#next, label + 1);
		});
	}

	#remove(labels: readonly number[]): number {
		const known = labels.filter((label) => this.#model.delete(label)).length;
		assert.equal(this.#built.index.remove(labels), known);
		return known;
	}

	/** The loaded index gives the same bytes and the same answers. */
	#reload(): void {
		const saved = this.#built;
		const image = imageOf(saved.index);
		const loaded = reload(image, this.#arena);
		assert.equal(Buffer.compare(imageOf(loaded.index), image), 0);
		for (const seed of [1, 2, 3]) {
			assert.deepEqual(loaded.index.search(this.#vector(seed), 7), saved.index.search(this.#vector(seed), 7));
		}
		saved.index.dispose();
		this.#built = loaded;
	}

	#check(connected: boolean): void {
		const { index, graph } = this.#built;
		assert.equal(index.size, this.#model.size);
		assert.deepEqual(new Set(index.labels()), new Set(this.#model.keys()));
		checkGraph(graph, { connected });
	}

	#search({ seed, k, allowed }: Operation & { type: "search" }): void {
		const { index } = this.#built;
		const { metric } = this.#scene;
		const query = this.#vector(seed);
		const allow = allowed === undefined ? undefined : new LabelSet(this.#arena, allowed);
		try {
			const model =
				allowed === undefined ? this.#model : new Map([...this.#model].filter(([label]) => allowed.includes(label)));
			const truth = trueNeighbors(metric, query, model);
			for (const exact of [true, false]) {
				const hits = index.search(query, k, allow === undefined ? { exact } : { exact, allow });
				assert.equal(hits.length, Math.min(k, model.size));
				assert.ok(isOrdered(hits));
				hits.forEach(({ label, distance }, rank) => {
					const vector = model.get(label);
					assert.ok(vector !== undefined, `label ${label} is not there, or not allowed`);
					const own = trueDistance(metric, query, vector);
					assert.ok(
						Math.abs(distance - own.distance) <= own.tolerance,
						`label ${label}: ${distance}, truth ${own.distance}`,
					);
					const nearest = truth[rank] as (typeof truth)[number];
					const tolerance = Math.max(own.tolerance, nearest.tolerance);
					if (exact) assert.ok(Math.abs(distance - nearest.distance) <= tolerance, `rank ${rank}`);
				});
			}
		} finally {
			allow?.dispose();
		}
	}

	dispose(): void {
		this.#built.index.dispose();
	}
}

test("whatever is done to it, the index holds what a map would, its graph stays sound, and it gives its memory back", async () => {
	const arena = new Arena();
	await fc.assert(
		fc.asyncProperty(SCENE, async (scene) => {
			const pair = new Pair(scene, arena);
			try {
				for (const operation of scene.operations) await pair.run(operation);
			} finally {
				pair.dispose();
			}
			assert.equal(arena.usedBytes, 0);
		}),
		{ numRuns: 500 },
	);
});
