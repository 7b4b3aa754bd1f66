import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Arena, FREE_LEVEL } from "@nigh/kernels";
import { restoreHnsw } from "../load.ts";
import { refusal } from "../refusal.test-support.ts";
import { CHEBYSHEV } from "../vectors.test-support.ts";
import { type Built, build, checkGraph, imageOf, mixture, range, rowOf } from "./graphs.test-support.ts";
import type { HnswIndex, HnswOptions } from "./hnsw.ts";
import type { HnswSource } from "./parts.ts";

const N = 500;
const D = 16;
const { rows: ROWS } = mixture(N + 100, D, 17);

const built = (options: Partial<HnswOptions> = {}) =>
	build(ROWS.subarray(0, N * D), { dimensions: D, metric: "l2", M: 4, ...options });

interface Saved {
	readonly source: HnswSource;
	readonly state: Record<string, unknown>;
	readonly bytes: ReadonlyMap<string, Uint8Array>;
}

/** The parts of an index as they come from wherever they were written: the state as JSON, each section a copy that can be damaged. */
function saved(index: HnswIndex): Saved {
	const parts = index.parts();
	const bytes = new Map(parts.sections.map((section) => [section.name, section.bytes.slice()]));
	const state = JSON.parse(JSON.stringify(parts.state));
	const sections = parts.sections.map((section) => ({ name: section.name, bytes: section.bytes.length }));
	const read = (name: string, into: Uint8Array) => into.set(bytes.get(name) as Uint8Array);
	return { source: { state, sections, read }, state, bytes };
}

const words = (bytes: Uint8Array | undefined) => {
	assert.ok(bytes !== undefined);
	return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
};

describe("an index restored from its parts is the one that was saved", () => {
	const shapes: [string, Partial<HnswOptions>][] = [
		["codes", { codes: "sq7" }],
		["no codes", { codes: "none" }],
		["weights, cosine", { metric: "cosine", weights: Array.from({ length: D }, (_, i) => 0.5 + i / D) }],
		["settings of its own", { metric: "ip", M: 9, efConstruction: 77, ef: 33, seed: 5, mL: 0.7, maxElements: 900 }],
	];
	for (const [name, options] of shapes) {
		for (const shared of [false, true]) {
			test(`${name}, ${shared ? "shared" : "unshared"}`, async () => {
				const { index } = await built(options);
				index.remove([3, 77, 250]);
				const arena = new Arena({ shared });
				const restored = restoreHnsw(saved(index).source, { arena });
				assert.deepEqual(imageOf(restored), imageOf(index));
				assert.deepEqual(restored.effective(), { ...index.effective(), shared });
				assert.deepEqual([restored.size, restored.nextLabel], [N - 3, N]);
				const query = rowOf(ROWS, N + 1, D);
				assert.deepEqual(restored.search(query, 10), index.search(query, 10));
				for (const one of [index, restored]) for (let i = 0; i < 20; i++) one.insert(N + i, rowOf(ROWS, N + i, D));
				assert.deepEqual(imageOf(restored), imageOf(index));
				restored.dispose();
				assert.equal(arena.usedBytes, 0);
			});
		}
	}

	test("a metric of one's own has to be given again", async () => {
		const { index } = await built({ metric: CHEBYSHEV });
		const { source } = saved(index);
		refusal("SPEC_CONFLICT", () => restoreHnsw(source));
		assert.deepEqual(imageOf(restoreHnsw(source, { metric: CHEBYSHEV })), imageOf(index));
	});

	test("an empty one, in a memory of its own", async () => {
		const { index } = await built();
		index.remove(index.labels());
		const empty = restoreHnsw(saved(index).source);
		assert.equal(empty.size, 0);
		empty.insert(9, rowOf(ROWS, 0, D));
		assert.deepEqual([...empty.labels()], [9]);
	});
});

test("sections are read in order, each once, straight to where they stay", async () => {
	const { index } = await built();
	const { source } = saved(index);
	const arena = new Arena({ shared: true });
	const asked: string[] = [];
	restoreHnsw(
		{
			...source,
			read(name, into) {
				asked.push(name);
				assert.equal(into.buffer, arena.memory.buffer);
				source.read(name, into);
			},
		},
		{ arena },
	);
	assert.deepEqual(
		asked,
		source.sections.map(({ name }) => name),
	);
});

test("with room for more from the start nothing moves: not on reserving, not on inserting", async () => {
	const { index } = await built();
	const arena = new Arena({ shared: true });
	const read = new Map<string, number>();
	const { source } = saved(index);
	const restored = restoreHnsw(
		{
			...source,
			read(name, into) {
				read.set(name, into.byteOffset);
				source.read(name, into);
			},
		},
		{ arena, reserve: N + 100 },
	);
	const before = arena.usedBytes;
	restored.reserve(N + 100);
	assert.equal(arena.usedBytes - before, Math.ceil((4 * (N + 100)) / 64) * 64, "only the places of the labels");
	assert.equal(restored.room, 100);
	await restored.insertMany(ROWS.subarray(N * D), { labels: range(N, N + 100) });
	for (const { name, bytes } of restored.parts().sections) assert.equal(bytes.byteOffset, read.get(name), name);
});

/** What would lead a search or a write out of the graph, or is no graph at all. */
const DAMAGES: Readonly<Record<string, (saved: Saved, built: Built) => void>> = {
	"a link beyond the last node": ({ bytes }, { graph }) => {
		words(bytes.get("blocks"))[graph.blockWords().count + 1] = N;
	},
	"a link whose highest bit has flipped": ({ bytes }, { graph }) => {
		const blocks = words(bytes.get("blocks"));
		const at = 7 * graph.blockWords().stride + graph.blockWords().count + 1;
		blocks[at] = ((blocks[at] as number) ^ 0x80000000) >>> 0;
	},
	"a link of the last place beyond the last node": ({ bytes }, { graph }) => {
		const { stride, count } = graph.blockWords();
		const blocks = words(bytes.get("blocks"));
		blocks[(N - 1) * stride + count + (blocks[(N - 1) * stride + count] as number)] = 0xffffffff;
	},
	"more links than a list holds": ({ bytes }, { graph }) => {
		words(bytes.get("blocks"))[graph.blockWords().count] = graph.M0 + 1;
	},
	"a link to a place that is free": ({ bytes }, { graph }) => {
		const level = bytes.get("levels") as Uint8Array;
		level[graph.links(7, 0)[0] as number] = FREE_LEVEL;
	},
	"a label twice": ({ bytes }, { graph }) => {
		const { stride, label } = graph.blockWords();
		words(bytes.get("blocks"))[9 * stride + label] = graph.labelOf(8);
	},
	"a label that is none": ({ bytes }, { graph }) => {
		words(bytes.get("blocks"))[graph.blockWords().label] = 0xffffffff;
	},
	"an upper link beyond the last node": ({ bytes }) => {
		words(bytes.get("upper"))[1] = N;
	},
	"more upper links than a list holds": ({ bytes }, { graph }) => {
		words(bytes.get("upper"))[0] = graph.M + 1;
	},
	"upper records beyond the last": ({ bytes }, { graph }) => {
		const tall = [...graph.nodes()].find((node) => graph.levelOf(node) > 0) as number;
		words(bytes.get("upperOf"))[tall] = 0xffffffff;
	},
	"a level that no records are there for": ({ bytes }) => {
		(bytes.get("levels") as Uint8Array)[7] = 254;
	},
	"more places than the sections hold": ({ state }) => Object.assign(state, { slots: N + 1 }),
	"so many places that no memory could hold them": ({ state }) => Object.assign(state, { slots: 2 ** 40 }),
	"fewer places than the sections hold": ({ state }) => Object.assign(state, { slots: N - 1 }),
	"more upper records than there are": ({ state }) => Object.assign(state, { upperRecords: 2 ** 30 }),
	"places that are no number": ({ state }) => Object.assign(state, { slots: "500" }),
	"a negative count": ({ state }) => Object.assign(state, { upperRecords: -1 }),
	"more labels than there can be": ({ state }) => Object.assign(state, { nextLabel: 2 ** 33 }),
	"codes without a step": ({ state }) => Object.assign(state, { unit: 0 }),
	"an entry point beyond the last node": ({ state }) => Object.assign(state, { entry: N }),
	"a top level that is not the highest": ({ state }) => Object.assign(state, { topLevel: 0 }),
	"settings that cannot be": ({ state }) => Object.assign(state, { M: 1_000_000 }),
	"other settings than the sections were made with": ({ state }) => Object.assign(state, { M: 5 }),
};

describe("parts that make no graph are refused with CORRUPT_SNAPSHOT, and take no memory", () => {
	for (const [name, damage] of Object.entries(DAMAGES)) {
		test(name, async () => {
			const whole = await built();
			const parts = saved(whole.index);
			damage(parts, whole);
			const arena = new Arena();
			refusal("CORRUPT_SNAPSHOT", () => restoreHnsw(parts.source, { arena }));
			assert.equal(arena.usedBytes, 0);
		});
	}

	test("sections that are missing, too many, in another order or of another length", async () => {
		const { source } = saved((await built()).index);
		const [first, second, ...rest] = source.sections as [
			HnswSource["sections"][number],
			HnswSource["sections"][number],
		];
		const arena = new Arena();
		for (const sections of [
			[],
			[second, first, ...rest],
			[first, second],
			[...source.sections, first],
			[{ ...first, bytes: first.bytes - 64 }, second, ...rest],
			[{ ...first, bytes: 2 ** 40 }, second, ...rest],
			[{ ...first, name: "block" }, second, ...rest],
		]) {
			const read = () => assert.fail("nothing is read of sections that do not fit");
			refusal("CORRUPT_SNAPSHOT", () => restoreHnsw({ ...source, sections, read }, { arena }));
			assert.equal(arena.usedBytes, 0);
		}
	});

	test("what reading throws comes through", async () => {
		const arena = new Arena();
		const { source } = saved((await built()).index);
		const broken = {
			...source,
			read() {
				throw new RangeError("the disk is gone");
			},
		};
		assert.throws(() => restoreHnsw(broken, { arena }), /the disk is gone/);
		assert.equal(arena.usedBytes, 0);
	});
});

describe("laying nodes out anew can keep the room that was taken", () => {
	for (const verb of ["compact", "optimize"] as const) {
		test(verb, async () => {
			const { index, graph } = await built();
			index.reserve(N + 100);
			index.remove(range(0, 50));
			const capacity = graph.capacity;
			const addresses = () => [graph.blocks, graph.vectors, graph.levelsAddress, graph.upperOfAddress];
			const before = addresses();
			const plain = restoreHnsw(saved(index).source);
			index[verb]({ keepRoom: true });
			plain[verb]();
			assert.deepEqual([graph.capacity, graph.slots, ...addresses()], [capacity, N - 50, ...before]);
			assert.deepEqual(imageOf(index), imageOf(plain));
			assert.ok(plain.memory().total < index.memory().total, "without the option the room is given back");
			checkGraph(graph);
			refusal("INVALID_OPTION", () => index[verb]({ keepRooms: true } as object));
			refusal("INVALID_OPTION", () => index[verb]({ keepRoom: 1 as unknown as boolean }));
		});
	}
});

test("every vector gets the label it is given, and its place goes with it", async () => {
	const { index, graph } = await built();
	index.remove([0, 1, 250]);
	const vectors = new Map([...index.labels()].map((label) => [label, index.vector(label)]));
	index.relabel((label) => 3 * (N - label));
	assert.equal(index.nextLabel, 3 * (N - 2) + 1);
	assert.equal(index.size, N - 3);
	for (const [label, vector] of vectors) assert.deepEqual(index.vector(3 * (N - label)), vector);
	checkGraph(graph);
	const before = imageOf(index);
	refusal("INVALID_RECORD", () => index.relabel(() => 7));
	refusal("INVALID_RECORD", () => index.relabel(() => 0xffffffff));
	assert.deepEqual(imageOf(index), before);
});
