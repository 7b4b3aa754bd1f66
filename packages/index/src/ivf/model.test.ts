import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Arena, LabelSet } from "@nigh/kernels";
import fc from "fast-check";
import { isOrdered, randomNumbers, trueNeighbors } from "../vectors.test-support.ts";
import type { IvfOptions } from "./create-file.ts";
import { createIvf, type IvfIndex } from "./ivf.ts";

const arena = new Arena();
const D = 8;
const LABELS = 160;

/** Few directions and whole steps, so that equal distances and equal vectors are common. */
function vectorOf(seed: number): Float32Array {
	const random = randomNumbers(seed);
	return Float32Array.from({ length: D }, () => Math.round(3 * (2 * random() - 1)) / 2);
}

function rowsOf(seed: number, n: number): Float32Array {
	return Float32Array.from(Array.from({ length: n }, (_, i) => [...vectorOf(1_000 * seed + i)]).flat());
}

/** What the index should hold. */
interface Model {
	readonly vectors: Map<number, Float32Array>;
}

interface Real {
	readonly index: IvfIndex;
	readonly options: IvfOptions;
}

type Step = fc.AsyncCommand<Model, Real>;

class Insert implements Step {
	readonly label: number;
	readonly seed: number;
	constructor(label: number, seed: number) {
		this.label = label;
		this.seed = seed;
	}
	check = () => true;
	async run({ vectors }: Model, { index }: Real) {
		index.insert(this.label, vectorOf(this.seed));
		vectors.set(this.label, vectorOf(this.seed));
		assert.equal(index.size, vectors.size);
	}
	toString = () => `insert(${this.label}, ${this.seed})`;
}

class InsertMany implements Step {
	readonly from: number;
	readonly n: number;
	readonly seed: number;
	constructor(from: number, n: number, seed: number) {
		this.from = from;
		this.n = n;
		this.seed = seed;
	}
	check = () => true;
	async run({ vectors }: Model, { index }: Real) {
		const rows = rowsOf(this.seed, this.n);
		const labels = Uint32Array.from({ length: this.n }, (_, i) => (this.from + 3 * i) % LABELS);
		await index.insertMany(rows, { labels });
		for (const [i, label] of labels.entries()) vectors.set(label, rows.slice(i * D, (i + 1) * D));
		assert.equal(index.size, vectors.size);
	}
	toString = () => `insertMany(${this.from}, ${this.n}, ${this.seed})`;
}

class Remove implements Step {
	readonly labels: readonly number[];
	constructor(labels: readonly number[]) {
		this.labels = labels;
	}
	check = () => true;
	async run({ vectors }: Model, { index }: Real) {
		let gone = 0;
		for (const label of this.labels) if (vectors.delete(label)) gone++;
		assert.equal(index.remove(this.labels), gone);
	}
	toString = () => `remove([${this.labels}])`;
}

class Compact implements Step {
	readonly keepRoom: boolean;
	constructor(keepRoom: boolean) {
		this.keepRoom = keepRoom;
	}
	check = () => true;
	async run({ vectors }: Model, { index }: Real) {
		assert.equal(index.compact({ keepRoom: this.keepRoom }).totalNodes, vectors.size);
		assert.equal(index.compact({ keepRoom: this.keepRoom }).removedNodes, 0);
	}
	toString = () => `compact(${this.keepRoom})`;
}

class Train implements Step {
	readonly seed: number;
	constructor(seed: number) {
		this.seed = seed;
	}
	check = () => true;
	async run({ vectors }: Model, { index }: Real) {
		// Too few or too equal vectors of its own may collapse; what served goes on serving then.
		if (this.seed % 2 === 0) await index.train(rowsOf(this.seed, 80));
		else {
			const before = index.effective();
			await index.train().catch((error) => {
				assert.equal(error.code, "NOT_TRAINED");
				assert.ok(index.needsRetraining);
				assert.deepEqual(index.effective(), before);
			});
		}
		assert.equal(index.size, vectors.size);
	}
	toString = () => `train(${this.seed})`;
}

class Search implements Step {
	readonly seed: number;
	readonly k: number;
	readonly every: number;
	constructor(seed: number, k: number, every: number) {
		this.seed = seed;
		this.k = k;
		this.every = every;
	}
	check = () => true;
	async run({ vectors }: Model, { index, options }: Real) {
		assert.deepEqual(
			[...index.labels()].sort((a, b) => a - b),
			[...vectors.keys()].sort((a, b) => a - b),
		);
		const query = vectorOf(this.seed);
		const { metric, kind } = options;
		const matches = new Map([...vectors].filter(([label]) => label % this.every === 0));
		const allow = new LabelSet(
			arena,
			Array.from({ length: 1_400 }, (_, i) => i * this.every),
		);
		const filter = this.every === 1 ? {} : { allow };
		const nprobe = index.effective().nlist as number;
		try {
			const truth = trueNeighbors(metric, query, matches);
			const deep = kind === "ivf" ? {} : { rerank: 16_000 };
			for (const settings of [{ nprobe, ...deep }, { exact: true }]) {
				const hits = index.search(query, this.k, { ...settings, ...filter });
				assert.equal(hits.length, Math.min(this.k, matches.size));
				assert.ok(isOrdered(hits));
				for (const [rank, { label, distance }] of hits.entries()) {
					const best = truth[rank] as (typeof truth)[number];
					assert.ok(
						Math.abs(distance - best.distance) <= best.tolerance,
						`rank ${rank}: ${distance}, ${best.distance}`,
					);
					const own = truth.find((each) => each.label === label);
					assert.ok(own !== undefined && Math.abs(own.distance - distance) <= own.tolerance, `${label}`);
				}
			}
			// Whatever it finds otherwise, there is as much of it, and all of it exists.
			for (const settings of [{}, { nprobe: 1 }]) {
				const hits = index.search(query, this.k, { ...settings, ...filter });
				assert.equal(hits.length, Math.min(this.k, matches.size));
				assert.ok(hits.every(({ label }) => matches.has(label)));
			}
		} finally {
			allow.dispose();
		}
	}
	toString = () => `search(${this.seed}, ${this.k}, every ${this.every})`;
}

const label = fc.integer({ min: 0, max: LABELS - 1 });
const seed = fc.integer({ min: 1, max: 500 });

const COMMANDS = [
	fc.tuple(label, seed).map(([at, from]) => new Insert(at, from)),
	fc.tuple(label, fc.integer({ min: 0, max: 50 }), seed).map((all) => new InsertMany(...all)),
	fc.array(label, { maxLength: 60 }).map((labels) => new Remove(labels)),
	fc.boolean().map((keepRoom) => new Compact(keepRoom)),
	seed.map((from) => new Train(from)),
	fc.tuple(seed, fc.constantFrom(1, 3, 10, 100, 1_000), fc.constantFrom(1, 1, 2, 7)).map((all) => new Search(...all)),
];

const VARIANTS: readonly Omit<IvfOptions, "dimensions" | "arena">[] = [
	{ kind: "ivf", codes: "none", metric: "l2" },
	{ kind: "ivf", codes: "sq7", metric: "cosine", rotation: "opq" },
	{ kind: "ivf", codes: "none", metric: "l1" },
	{ kind: "ivfpq", metric: "l2" },
	{ kind: "ivfpq", bits: 5, metric: "ip", rotation: "opq" },
	{ kind: "ivfrabitq", metric: "l2" },
	{ kind: "ivfrabitq", bits: 3, metric: "cosine" },
];

describe("beside a Map and an exact scan, whatever is done to it", () => {
	for (const variant of VARIANTS) {
		test(Object.values(variant).join(", "), async () => {
			await fc.assert(
				fc.asyncProperty(fc.commands(COMMANDS, { maxCommands: 30, size: "max" }), async (commands) => {
					const options: IvfOptions = { ...variant, dimensions: D, arena, nlist: 9 };
					const index = createIvf(options);
					try {
						await index.train(rowsOf(1, 120));
						await fc.asyncModelRun(() => ({ model: { vectors: new Map() }, real: { index, options } }), commands);
					} finally {
						index.dispose();
					}
					assert.equal(arena.usedBytes, 0);
				}),
				{ numRuns: 25 },
			);
		});
	}
});
