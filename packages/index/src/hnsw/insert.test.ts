import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Arena, FREE_LEVEL } from "@nigh/kernels";
import { serial } from "../parallel.ts";
import { refusal, rejection } from "../refusal.test-support.ts";
import type { SearchOptions, VectorRows } from "../vector-index.ts";
import { CHEBYSHEV } from "../vectors.test-support.ts";
import {
	type Built,
	build,
	checkGraph,
	create,
	imageOf,
	inOrder,
	mixture,
	pick,
	range,
	reachable,
	recall,
	reload,
	rowOf,
	takingTurns,
	truthOf,
} from "./graphs.test-support.ts";

const N = 3_000;
const D = 32;

const { rows: ROWS, clusters: CLUSTERS } = mixture(N, D, 11);
const { rows: QUERIES } = mixture(150, D, 12);

const searching =
	({ index }: Built) =>
	(query: VectorRows, k: number, options: SearchOptions) =>
		index.search(query, k, options);

const sameBytes = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

describe("insertMany", () => {
	for (const codes of ["none", "sq7"] as const) {
		test(`gives the same bytes for the same rows, order and seed, and others for another seed, codes ${codes}`, async () => {
			const options = { dimensions: D, metric: "l2", codes } as const;
			const [first, second, other] = await Promise.all(
				[{}, {}, { seed: 43 }].map(async (more) => imageOf((await build(ROWS, { ...options, ...more })).index)),
			);
			assert.ok(sameBytes(first as Uint8Array, second as Uint8Array));
			assert.ok(!sameBytes(first as Uint8Array, other as Uint8Array));
		});

		test(`gives the same bytes on three lanes as on one, whatever they get to do first, codes ${codes}`, async () => {
			const lanes = {
				"one after the other": inOrder([0, 1, 2]),
				"the last first": inOrder([2, 0, 1]),
				"taking turns": takingTurns(3),
			};
			const images = new Map<string, Uint8Array>();
			for (const [name, parallel] of Object.entries({ "this thread": undefined, ...lanes })) {
				const { index, graph } = create({ dimensions: D, metric: "l2", codes, shared: true });
				const share = parallel === undefined ? {} : { parallel };
				await index.insertMany(ROWS.subarray(0, 1_000 * D), share);
				// Into an index that is not empty, and with labels that have to be replaced.
				await index.insertMany(ROWS.subarray(1_000 * D, 2_000 * D), { ...share, labels: range(500, 1_500) });
				checkGraph(graph);
				images.set(name, imageOf(index));
			}
			const expected = images.get("this thread") as Uint8Array;
			for (const [name, image] of images) assert.ok(sameBytes(image, expected), name);
		});
	}

	test("lanes never work in the memory that searches use", async () => {
		const { index, graph } = create({ dimensions: D, metric: "l2", shared: true });
		index.insert(9_999, rowOf(ROWS, 0, D));
		index.search(rowOf(QUERIES, 0, D), 5);
		const searched = graph.scratch(0, 1).address;
		const used = new Set<number>();
		await index.insertMany(ROWS.subarray(0, 100 * D), {
			parallel: {
				lanes: 2,
				async run(arena, kernel, args) {
					for (const list of args) used.add(list[1] as number);
					assert.equal(index.search(rowOf(QUERIES, 0, D), 5).length, Math.min(5, index.size));
					await inOrder([1, 0]).run(arena, kernel, args);
				},
			},
		});
		assert.ok(used.size === 2 && !used.has(searched));
		checkGraph(graph);
	});

	test("rows in the order of their clusters are found as well as shuffled ones, within 0.02", async () => {
		const order = [...range(0, N)].sort((a, b) => (CLUSTERS[a] as number) - (CLUSTERS[b] as number));
		const given = await build(ROWS, { dimensions: D, metric: "l2", codes: "none" });
		const sorted = await build(pick(ROWS, D, order), { dimensions: D, metric: "l2", codes: "none" });
		const truth = truthOf(given.index);
		for (const ef of [10, 20, 80]) {
			const [a, b] = [given, sorted].map((built) => recall(searching(built), truth, QUERIES, { ef })) as [
				number,
				number,
			];
			assert.ok(b >= a - 0.02, `ef ${ef}: ${b} sorted, ${a} as given`);
		}
	});

	test("into an index that is not empty, many times, finds as much as all at once, within 0.01", async () => {
		const whole = await build(ROWS, { dimensions: D, metric: "l2", codes: "none" });
		const parts = create({ dimensions: D, metric: "l2", codes: "none" });
		for (let from = 0; from < N; ) {
			const to = Math.min(N, from + 1 + (from % 397));
			await parts.index.insertMany(ROWS.subarray(from * D, to * D));
			from = to;
		}
		checkGraph(parts.graph);
		const truth = truthOf(whole.index);
		const [a, b] = [whole, parts].map((built) => recall(searching(built), truth, QUERIES, { ef: 40 })) as [
			number,
			number,
		];
		assert.ok(b >= a - 0.01, `${b} in parts, ${a} at once`);
	});

	test("onProgress rises, and ends with the number of rows", async () => {
		const calls: [number, number][] = [];
		const { index } = create({ dimensions: D, metric: "l2" });
		await index.insertMany(ROWS, { onProgress: (done, total) => calls.push([done, total]) });
		assert.ok(calls.length > 10);
		assert.deepEqual(calls.at(-1), [N, N]);
		calls.forEach(([done, total], i) => {
			assert.equal(total, N);
			assert.ok(done > (calls[i - 1]?.[0] ?? 0));
		});
		await index.insertMany(new Float32Array(0), { onProgress: (done, total) => calls.push([done, total]) });
		assert.deepEqual(calls.at(-1), [0, 0]);
	});
});

describe("an insertMany that is stopped", () => {
	/** What is in must be whole and found, what is not in must be gone, and the rest can be taken in afterwards. */
	async function checkPart({ index, graph }: Built, labels: Uint32Array, done: number): Promise<void> {
		assert.equal(index.size, done);
		checkGraph(graph);
		const taken = labels.filter((label) => index.has(label));
		assert.equal(taken.length, done);
		for (const label of taken.subarray(0, 300)) {
			const [nearest] = index.search(index.vector(label) as Float32Array, 1, { ef: 100 });
			assert.equal(nearest?.label, label);
		}
		const left = labels.filter((label) => !index.has(label));
		for (const label of left) assert.equal(index.vector(label), undefined);
		await index.insertMany(pick(ROWS, D, left), { labels: left });
		assert.equal(index.size, labels.length);
		checkGraph(graph);
		assert.ok(recall(searching({ index, graph }), truthOf(index), QUERIES, { ef: 80 }) >= 0.98);
	}

	for (const codes of ["none", "sq7"] as const) {
		for (const after of [0, 1, 1_000]) {
			test(`by a signal after ${after} rows keeps those it took in, and no other, codes ${codes}`, async () => {
				const built = create({ dimensions: D, metric: "l2", codes });
				const stop = new AbortController();
				let done = 0;
				if (after === 0) queueMicrotask(() => stop.abort("enough"));
				const inserting = built.index.insertMany(ROWS, {
					signal: stop.signal,
					onProgress: (count) => {
						done = count;
						if (count >= after) stop.abort("enough");
					},
				});
				const error = await rejection("ABORTED", inserting);
				assert.equal(error.details.done, done);
				assert.equal(error.cause, "enough");
				await checkPart(built, range(0, N), done);
			});
		}
	}

	test("by an error of onProgress or of a lane keeps what was linked by then", async () => {
		for (const lane of [false, true]) {
			const built = create({ dimensions: D, metric: "l2" });
			let done = 0;
			const boom = new Error("boom");
			const inserting = built.index.insertMany(ROWS, {
				onProgress: (count) => {
					done = count;
					if (!lane && count > 500) throw boom;
				},
				parallel: {
					lanes: 1,
					async run(arena, kernel, args) {
						await serial.run(arena, kernel, args);
						// When the links back have been made, and before the batch counts as done.
						if (lane && done > 500 && kernel === "linkRange") throw boom;
					},
				},
			});
			await assert.rejects(inserting, (error) => error === boom);
			assert.ok(done > 500);
			assert.equal(built.index.size, done);
			checkGraph(built.graph, { connected: !lane });
			// Cutting the links to a batch can leave nodes out of reach: the next insert looks.
			const label = range(0, N).find((one) => !built.index.has(one)) as number;
			if (lane) built.index.insert(label, rowOf(ROWS, label, D));
			assert.equal(built.graph.unchecked, 0);
			await checkPart(built, range(0, N), done + (lane ? 1 : 0));
		}
	});

	test("before the first row of an empty index leaves it empty", async () => {
		const { index, graph } = create({ dimensions: D, metric: "l2" });
		const parallel = { lanes: 1, run: () => Promise.reject(new Error("no thread")) };
		await assert.rejects(index.insertMany(ROWS, { parallel }), /no thread/);
		assert.equal(index.size, 0);
		checkGraph(graph);
		assert.deepEqual(index.search(rowOf(QUERIES, 0, D), 3), []);
		await index.insertMany(ROWS.subarray(0, 50 * D), { labels: range(0, 50) });
		checkGraph(graph);
	});
});

describe("while insertMany runs", () => {
	/** An insertMany that waits in the middle until it is told to go on. */
	async function paused(): Promise<Built & { readonly inserting: Promise<void>; readonly goOn: () => void }> {
		const built = create({ dimensions: D, metric: "l2", codes: "none" });
		const gate = Promise.withResolvers<void>();
		const waiting = Promise.withResolvers<void>();
		let steps = 0;
		const inserting = built.index.insertMany(ROWS.subarray(0, 500 * D), {
			parallel: {
				lanes: 1,
				async run(arena, kernel, args) {
					if (++steps === 40) {
						waiting.resolve();
						await gate.promise;
					}
					await serial.run(arena, kernel, args);
				},
			},
		});
		await Promise.race([waiting.promise, inserting]);
		assert.ok(steps === 40, "it waits");
		return { ...built, inserting, goOn: gate.resolve };
	}

	test("every other write is refused with LOCKED, and changes nothing", async () => {
		const { index, graph, inserting, goOn } = await paused();
		const row = rowOf(ROWS, 0, D);
		for (const write of [
			() => index.insert(7, row),
			() => index.remove([1]),
			() => index.compact(),
			() => index.rebalance(),
			() => index.optimize(),
			() => index.analyze(),
			() => index.serialize(),
		]) {
			assert.match(refusal("LOCKED", write).message, /insertMany is still running/);
		}
		await rejection("LOCKED", index.insertMany(row));
		assert.equal(index.search(row, 5).length, 5);
		goOn();
		await inserting;
		checkGraph(graph);
		const plain = await build(ROWS.subarray(0, 500 * D), { dimensions: D, metric: "l2", codes: "none" });
		assert.ok(sameBytes(imageOf(index), imageOf(plain.index)));
		index.insert(7, row);
	});

	test("disposing ends it with CLOSED, and gives the memory back when it has ended", async () => {
		const { index, inserting, goOn } = await paused();
		index.dispose();
		assert.ok(index.arena.usedBytes > 0);
		refusal("CLOSED", () => index.search(rowOf(ROWS, 0, D), 5));
		goOn();
		await rejection("CLOSED", inserting);
		assert.equal(index.arena.usedBytes, 0);
	});
});

describe("insert", () => {
	test("one by one finds as much as insertMany, within 0.01, with at most one node in a hundred out of reach", async () => {
		for (const codes of ["none", "sq7"] as const) {
			const many = await build(ROWS, { dimensions: D, metric: "l2", codes });
			const single = create({ dimensions: D, metric: "l2", codes });
			for (let label = 0; label < N; label++) single.index.insert(label, rowOf(ROWS, label, D));
			checkGraph(single.graph, { connected: false });
			assert.ok(single.index.analyze().connectivityPercentage >= 99);
			const truth = truthOf(many.index);
			const [a, b] = [many, single].map((built) => recall(searching(built), truth, QUERIES, { ef: 40 })) as [
				number,
				number,
			];
			assert.ok(b >= a - 0.01, `codes ${codes}: ${b} one by one, ${a} at once`);
		}
	});

	test("one by one sees to it, whenever an eighth has come, that all can be reached, even where lists are short and vectors equal", () => {
		const { index, graph } = create({ dimensions: D, metric: "l2", M: 2 });
		let looked = 0;
		let lost = 0;
		for (let label = 0; label < 800; label++) {
			index.insert(label, rowOf(ROWS, label % 5 === 0 ? label : 0, D));
			assert.ok(graph.unchecked <= index.size / 8);
			const missing = index.size - reachable(graph).size;
			lost = Math.max(lost, missing);
			if (graph.unchecked > 0) continue;
			looked++;
			assert.equal(missing, 0);
		}
		assert.ok(looked > 30 && lost > 0, "some were out of reach for a while");
	});

	test("takes no memory with every call", () => {
		const { index } = create({ dimensions: D, metric: "l2" });
		for (let label = 0; label < 200; label++) index.insert(label, rowOf(ROWS, label, D));
		index.remove(range(100, 200));
		const before = index.arena.usedBytes;
		for (let label = 100; label < 200; label++) index.insert(label, rowOf(ROWS, label, D));
		assert.equal(index.arena.usedBytes, before);
	});

	test("a loaded index goes on exactly as the saved one", async () => {
		const saved = await build(ROWS.subarray(0, 1_000 * D), { dimensions: D, metric: "l2" });
		saved.index.remove(range(0, 1_000).filter((label) => label % 3 === 0));
		saved.index.insert(0, rowOf(ROWS, 0, D));
		const loaded = reload(imageOf(saved.index), new Arena());
		for (const { index, graph } of [saved, loaded]) {
			await index.insertMany(ROWS.subarray(0, 30 * D), { labels: range(3_000, 3_030) });
			index.remove([1, 2, 4, 5]);
			await index.insertMany(ROWS.subarray(1_000 * D, 1_500 * D));
			index.remove(range(1_100, 1_300));
			for (let label = 0; label < 100; label += 3) index.insert(label, rowOf(ROWS, label, D));
			checkGraph(graph, { connected: false });
		}
		assert.ok(sameBytes(imageOf(saved.index), imageOf(loaded.index)));
	});
});

describe("levels", () => {
	for (const [name, options, share] of [
		["1 / ln 16, the default of M 16", { M: 16 }, 1 - 1 / 16],
		["1 / ln 2", { M: 16, mL: 1 / Math.log(2) }, 1 / 2],
		["1 / ln 4", { M: 4 }, 3 / 4],
	] as const) {
		test(`fall off by the factor that mL says: ${name}`, async () => {
			const { graph } = await build(mixture(8_000, 4, 3).rows, { dimensions: 4, metric: "l2", ...options });
			const levels = [...graph.levels()].filter((level) => level !== FREE_LEVEL);
			for (const layer of [0, 1, 2]) {
				const reaching = levels.filter((level) => level >= layer).length;
				const here = levels.filter((level) => level === layer).length;
				// Four standard deviations of a binomial share.
				const tolerance = 4 * Math.sqrt((share * (1 - share)) / reaching);
				assert.ok(Math.abs(here / reaching - share) <= tolerance, `layer ${layer}: ${here} of ${reaching}`);
			}
		});
	}

	test("a node has links on every layer that it shares with another", async () => {
		for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
			const { index, graph } = await build(ROWS.subarray(0, 1_000 * D), { dimensions: D, metric: "l2", M: 2, seed });
			const { layers } = index.analyze();
			const reaching = layers.map((_, layer) => layers.slice(layer).reduce((sum, count) => sum + count, 0));
			for (const node of graph.nodes()) {
				for (let layer = 0; layer <= graph.levelOf(node); layer++) {
					if ((reaching[layer] as number) > 1)
						assert.ok(graph.links(node, layer).length > 0, `node ${node}, layer ${layer}`);
				}
			}
		}
	});

	test("the entry point is on the top layer after every insert and remove", () => {
		const { index, graph } = create({ dimensions: D, metric: "l2", M: 2 });
		for (let label = 0; label < 300; label++) {
			index.insert(label, rowOf(ROWS, label, D));
			assert.equal(graph.levelOf(graph.entry), Math.max(...[...graph.nodes()].map((node) => graph.levelOf(node))));
		}
		const tops = new Set<number>();
		while (index.size > 0) {
			tops.add(graph.topLevel);
			// The entry point itself, again and again.
			assert.equal(index.remove([graph.labelOf(graph.entry)]), 1);
			checkGraph(graph);
		}
		assert.ok(tops.size > 3, "the graph had several layers to lose");
	});
});

describe("an arena that is full", () => {
	test("refuses vectors with MEMORY_LIMIT; what is in stays whole and is found", async () => {
		for (const codes of ["none", "sq7"] as const) {
			const arena = new Arena({ maxBytes: 16 * 65_536 });
			const { index, graph } = create({ dimensions: D, metric: "l2", codes, arena });
			let label = 0;
			for (; label < N; label++) {
				try {
					index.insert(label, rowOf(ROWS, label, D));
				} catch {
					break;
				}
			}
			assert.ok(label > 300 && label < N, `${label}`);
			assert.match(refusal("MEMORY_LIMIT", () => index.insert(label, rowOf(ROWS, label, D))).message, /arena ends at/);
			await rejection("MEMORY_LIMIT", index.insertMany(ROWS));
			assert.equal(index.size, label);
			checkGraph(graph, { connected: false });
			assert.ok(recall(searching({ index, graph }), truthOf(index), QUERIES, { ef: 80 }) >= 0.98);
			const gone = range(0, label).filter((other) => other % 2 === 0);
			assert.equal(index.remove(gone), gone.length);
			for (const again of gone.subarray(0, 50)) index.insert(again, rowOf(ROWS, again, D));
			checkGraph(graph, { connected: false });
			index.dispose();
			assert.equal(arena.usedBytes, 0);
		}
	});
});

describe("a metric of the user's own that fails in the middle", () => {
	const failing = () => {
		let calls = Number.POSITIVE_INFINITY;
		const metric = {
			...CHEBYSHEV,
			distance: (a: Float32Array, b: Float32Array) => (calls-- > 0 ? CHEBYSHEV.distance(a, b) : Number.NaN),
		};
		return { metric, failAfter: (count: number) => (calls = count) };
	};

	test("leaves an index that is whole, without the vector, and the error names the metric", () => {
		const { metric, failAfter } = failing();
		const { index, graph } = create({ dimensions: 4, metric, M: 4 });
		const rows = mixture(200, 4, 1).rows;
		let failures = 0;
		let last = 0;
		for (let label = 0; label < 200; label++) {
			failAfter((label * 37) % 400);
			try {
				index.insert(label, rowOf(rows, label, 4));
			} catch {
				failures++;
				assert.equal(index.has(label), false);
				failAfter(0);
				if (index.size > 0) {
					const error = refusal("INVALID_VECTOR", () => index.insert(label, rowOf(rows, label, 4)));
					assert.match(error.message, /"chebyshev" has returned NaN/);
				}
			}
			// What a failure left out of reach, the next insert that succeeds has linked again.
			checkGraph(graph, { connected: failures > last && index.has(label) });
			if (index.has(label)) last = failures;
		}
		assert.ok(failures > 20 && index.size > 20, `${failures} failures, ${index.size} vectors`);
		failAfter(Number.POSITIVE_INFINITY);
		index.rebalance();
		checkGraph(graph);
	});

	test("leaves insertMany's earlier batches in, and removing undone", async () => {
		const { metric, failAfter } = failing();
		const { index, graph } = create({ dimensions: 4, metric, M: 4 });
		const rows = mixture(300, 4, 1).rows;
		failAfter(60_000);
		await rejection("INVALID_VECTOR", index.insertMany(rows));
		assert.ok(index.size > 50 && index.size < 300, `${index.size}`);
		checkGraph(graph, { connected: false });
		const before = index.size;
		failAfter(0);
		refusal("INVALID_VECTOR", () => index.remove(index.labels().subarray(0, 40)));
		assert.equal(index.size, before);
		checkGraph(graph, { connected: false });
		failAfter(Number.POSITIVE_INFINITY);
		index.rebalance();
		checkGraph(graph);
	});
});
