import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Parallel, serial } from "../parallel.ts";
import { refusal, rejection } from "../refusal.test-support.ts";
import { randomRows } from "../vectors.test-support.ts";
import { createFile, type IvfOptions } from "./create-file.ts";
import { built, leavingNothing, rowAt } from "./ivf.test-support.ts";
import { createIvf, IvfIndex, type IvfTrainOptions } from "./ivf.ts";
import { arena, base, cellsOf, D, fileOf, N, names, QUERIES, ROWS } from "./train.test-support.ts";

describe("C-1: an index that has not been trained", () => {
	for (const name of names) {
		test(`${name}: refuses vectors with NOT_TRAINED, says isTrained false; train, then insert works`, () =>
			leavingNothing(arena, async () => {
				const index = createIvf({ ...base(name), nlist: 20 });
				assert.equal(index.isTrained, false);
				assert.equal(index.effective().isTrained, false);
				assert.equal(index.trainingReport, undefined);
				refusal("NOT_TRAINED", () => index.insert(0, rowAt(ROWS, D, 0)));
				await rejection("NOT_TRAINED", index.insertMany(ROWS));
				await index.insertMany(new Float32Array(0));
				assert.equal(index.size, 0);
				assert.deepEqual(index.search(rowAt(ROWS, D, 0), 5), []);
				await rejection("NOT_TRAINED", index.train());
				await rejection("INVALID_OPTION", index.train(ROWS, { stored: "yes" as unknown as boolean }));
				await rejection("NOT_TRAINED", index.train(new Float32Array(0)));
				assert.ok(!index.isTrained && !index.needsRetraining);
				const report = await index.train(ROWS);
				assert.ok(index.isTrained && index.effective().isTrained);
				assert.equal(index.trainingReport, report);
				assert.equal(index.size, 0);
				await index.insertMany(ROWS);
				index.insert(
					5_000,
					rowAt(ROWS, D, 1).map((x) => x + 1e-3),
				);
				assert.equal(index.size, N + 1);
				index.dispose();
			}));
	}
});

describe("N-3 and M-4: the cells that are asked for are those that are made", () => {
	test("200 are 200: in the report, in what is in force, in the cells", () =>
		leavingNothing(arena, async () => {
			const { file, index } = await fileOf({ ...base("ivf"), nlist: 200, nprobe: 17 }, ROWS);
			const { nlist } = index.trainingReport as NonNullable<IvfIndex["trainingReport"]>;
			assert.deepEqual(nlist, { rule: "given", n: N, nlist: 200, vectorsPerCell: 5 });
			const effective = index.effective();
			assert.deepEqual(
				[effective.nlist, effective.nlistRule, effective.nprobe, effective.trainedFor],
				[200, "given", 17, N],
			);
			assert.equal(cellsOf(file).length, 200);
			assert.equal(index.explain(rowAt(ROWS, D, 0), 1, { nprobe: 200 }).report.cells, 200);
			index.dispose();
		}));

	test("fewer vectors than cells: there are fewer, and it says so", () =>
		leavingNothing(arena, async () => {
			for (const [rows, options, made, said] of [
				[ROWS.subarray(0, 150 * D), {}, 15, /200.*150 vectors.*15/],
				[ROWS.subarray(0, 150 * D), { vectors: 10_000 }, 150, /200.*150.*150/],
			] as [Float32Array, IvfTrainOptions, number, RegExp][]) {
				const index = createIvf({ ...base("ivf"), nlist: 200 });
				const { nlist, warnings } = await index.train(rows, options);
				assert.equal(nlist.nlist, made);
				assert.equal(index.effective().nlist, made);
				const warning = warnings.find(({ code }) => code === "fewer-rows-than-cells");
				assert.match(warning?.message ?? "", said);
				assert.doesNotMatch(warning?.message ?? "", /10000/);
				index.dispose();
			}
		}));

	test("every training says by which rule, for how many vectors, how many cells and vectors a cell", () =>
		leavingNothing(arena, async () => {
			const index = await built(base("ivf"), ROWS);
			assert.deepEqual(index.trainingReport?.nlist, { rule: "adaptive", n: N, nlist: 25, vectorsPerCell: 40 });
			const planned = await index.train(ROWS, { vectors: 5_000 });
			assert.deepEqual(planned.nlist, { rule: "adaptive", n: 5_000, nlist: 128, vectorsPerCell: 5_000 / 128 });
			const own = await index.train();
			assert.deepEqual(own.nlist, { rule: "adaptive", n: N, nlist: 25, vectorsPerCell: 40 });
			assert.equal(own.rows, N);
			index.dispose();
		}));

	test("M-5: growing by a quarter asks for just one training", () =>
		leavingNothing(arena, async () => {
			const index = await built(base("ivf"), ROWS);
			let trainings = 0;
			for (let i = 0; i < 400; i++) {
				index.insert(N + i, rowAt(ROWS, D, i));
				if (!index.hasDrifted()) continue;
				trainings++;
				await index.train();
				assert.ok(!index.hasDrifted());
			}
			assert.equal(trainings, 1);
			assert.equal(index.fill(), "OPTIMAL");
			index.dispose();
		}));
});

describe("C-2: what is in force is what was configured", () => {
	test("read back before and after training", () =>
		leavingNothing(arena, async () => {
			const cases: IvfOptions[] = [
				{
					...base("ivf"),
					nlist: 30,
					nprobe: 4,
					budget: 700,
					seed: 7,
					maxElements: 2_000,
					codes: "sq7",
					rotation: "none",
				},
				{ ...base("ivfpq"), nlist: 25, nprobe: 25, M: 3, bits: 6, residual: false, rerank: 40, rotation: "opq" },
				{ ...base("ivfrabitq"), nlist: 25, nprobe: 1, bits: 3, epsilon: 2.5, rerank: 0 },
				{ ...base("ivfpq"), metric: "cosine", weights: Array.from({ length: D }, (_, i) => 1 + i), nlist: 20 },
			];
			for (const options of cases) {
				const index = createIvf(options);
				for (const trained of [false, true]) {
					if (trained) await index.train(ROWS);
					const effective = index.effective();
					for (const [name, value] of Object.entries(options)) {
						if (name !== "arena") assert.deepEqual(effective[name], value, `${name}, trained ${trained}`);
					}
				}
				index.dispose();
			}
		}));
});

describe("C-4: too few rows", () => {
	const cases: [n: number, nlist: number, codes: string[]][] = [
		[300, 10, ["few-rows-for-cells", "few-rows-for-codes"]],
		[300, 4, ["few-rows-for-codes"]],
		[700, 20, ["few-rows-for-cells"]],
		[390, 10, ["few-rows-for-codes"]],
		[624, 16, []],
		[623, 15, ["few-rows-for-codes"]],
		[1_000, 10, []],
	];
	for (const [n, nlist, codes] of cases) {
		test(`${n} rows for ${nlist} cells and 16 entries: ${codes.length === 0 ? "no warning" : codes.join(" and ")}, and it trains`, () =>
			leavingNothing(arena, async () => {
				const index = createIvf({ ...base("ivfpq"), nlist });
				const { warnings, product } = await index.train(ROWS.subarray(0, n * D));
				assert.deepEqual(warnings.map(({ code }) => code).sort(), codes);
				assert.equal(product?.recommendedRows, 624);
				for (const { message } of warnings) assert.match(message, /39/);
				await index.insertMany(ROWS.subarray(0, n * D));
				assert.ok(index.validate().passed);
				index.dispose();
			}));
	}

	test("of 8 bits, 9,984 rows are recommended (X2)", () =>
		leavingNothing(arena, async () => {
			const index = createIvf({ ...base("ivfpq"), bits: 8, nlist: 10, M: 4 });
			const { warnings, product } = await index.train(ROWS);
			assert.equal(product?.recommendedRows, 9_984);
			assert.deepEqual([product?.M, product?.bits, product?.width, product?.entries, product?.rows], [4, 8, 3, 256, N]);
			assert.match(warnings.find(({ code }) => code === "few-rows-for-codes")?.message ?? "", /1000.*9984/);
			index.dispose();
		}));
});

describe("C-5: train, insert and search see vectors in one way", () => {
	test("weights: an index with weights and one of rows that were scaled beforehand have the same cells, to the bit", () =>
		leavingNothing(arena, async () => {
			const factors = Array.from({ length: D }, (_, i) => 2 ** ((i % 4) - 1));
			const scaled = ROWS.map((x, i) => x * (factors[i % D] as number));
			for (const name of names) {
				for (const metric of ["l2", "cosine", "ip"] as const) {
					const options = { ...base(name), metric, nlist: 20 };
					const weighted = await fileOf({ ...options, weights: factors.map((factor) => factor * factor) }, ROWS);
					const plain = await fileOf(options, scaled);
					assert.deepEqual(cellsOf(weighted.file), cellsOf(plain.file), `${name} ${metric}`);
					for (const query of QUERIES) {
						const other = query.map((x, i) => x * (factors[i] as number));
						for (const settings of [{}, { nprobe: 1 }, { exact: true }]) {
							assert.deepEqual(weighted.index.search(query, 20, settings), plain.index.search(other, 20, settings));
						}
					}
					weighted.index.dispose();
					plain.index.dispose();
				}
			}
		}));

	test("cosine: the length of a vector says nothing, in training, in the cells and in a search", () =>
		leavingNothing(arena, async () => {
			const stretched = ROWS.map((x, i) => x * 2 ** ((Math.floor(i / D) % 9) - 4));
			for (const name of names) {
				const options: IvfOptions = { ...base(name), metric: "cosine", nlist: 20 };
				const [a, b] = [await fileOf(options, ROWS), await fileOf(options, stretched)];
				assert.deepEqual(cellsOf(a.file), cellsOf(b.file), name);
				for (const query of QUERIES) {
					assert.deepEqual(
						a.index.search(query, 20),
						b.index.search(
							query.map((x) => 8 * x),
							20,
						),
					);
				}
				a.index.dispose();
				b.index.dispose();
			}
		}));

	test("a row lies in the cell in which a search for it begins, whichever way it was inserted", () =>
		leavingNothing(arena, async () => {
			for (const name of names) {
				for (const metric of ["l2", "cosine"] as const) {
					const weights = Array.from({ length: D }, (_, i) => 0.5 + i);
					const options = { ...base(name), metric, weights, nlist: 20 };
					const many = await fileOf(options, ROWS);
					const single = new IvfIndex(createFile(options));
					await single.train(ROWS);
					for (let i = 0; i < N; i++) single.insert(i, rowAt(ROWS, D, i));
					for (let i = 0; i < N; i += 13) {
						for (const index of [many.index, single]) {
							const { neighbors, report } = index.explain(rowAt(ROWS, D, i), 1, { nprobe: 1 });
							assert.equal(neighbors[0]?.label, i, `${name} ${metric}`);
							assert.equal(report.cells, 1);
						}
					}
					for (const query of QUERIES) assert.deepEqual(single.search(query, 30), many.index.search(query, 30));
					single.dispose();
					many.index.dispose();
				}
			}
		}));

	test("vectors that the index holds teach it what they taught it as rows", () =>
		leavingNothing(arena, async () => {
			for (const name of names) {
				const weights = Array.from({ length: D }, (_, i) => 0.5 + i);
				const { file, index } = await fileOf({ ...base(name), metric: "cosine", weights, nlist: 20 }, ROWS);
				const before = cellsOf(file);
				await index.train();
				assert.deepEqual(cellsOf(file), before, name);
				index.dispose();
			}
		}));

	test("the same rows, options and seed give the same cells; another seed gives others", () =>
		leavingNothing(arena, async () => {
			for (const name of names) {
				const made = [];
				for (const seed of [1, 1, 2]) {
					const { file, index } = await fileOf({ ...base(name), seed, nlist: 20 }, ROWS);
					made.push(cellsOf(file));
					index.dispose();
				}
				assert.deepEqual(made[0], made[1]);
				assert.notDeepEqual(made[0], made[2]);
			}
		}));
});

test("training takes any rows: one, two, many of few kinds", () =>
	leavingNothing(arena, async () => {
		const one = createIvf({ ...base("ivf") });
		assert.equal((await one.train(rowAt(ROWS, D, 0).slice())).nlist.nlist, 1);
		await one.insertMany(ROWS);
		assert.equal(one.search(rowAt(ROWS, D, 5), 1)[0]?.label, 5);
		one.dispose();
		for (const n of [2, 9, 11, 40]) {
			for (const name of names) {
				const rows = randomRows(n, n, D) as Float32Array;
				const index = await built(base(name), rows);
				assert.equal(index.search(rowAt(rows, D, n - 1), 1)[0]?.label, n - 1, `${name}, ${n} rows`);
				index.dispose();
			}
		}
	}));

test("several threads over memory that only one sees are refused before anything is touched", async () => {
	const index = await built({ kind: "ivfpq", dimensions: D, metric: "l2", nlist: 10 }, ROWS.subarray(0, 100 * D));
	const before = index.search(QUERIES[0] as Float32Array, 100);
	const parallel = { lanes: 2, run: () => assert.fail("nothing is to be run") };
	const some = ROWS.subarray(0, 50 * D);
	const labels = Uint32Array.from({ length: 50 }, (_, i) => i);
	for (const refused of [() => index.train(some, { parallel }), () => index.insertMany(some, { labels, parallel })]) {
		assert.equal((await rejection("INVALID_OPTION", refused())).details.field, "parallel");
	}
	assert.equal(index.needsRetraining, false);
	assert.deepEqual(index.search(QUERIES[0] as Float32Array, 100), before);
	index.dispose();
});

test("a signal ends the search for axes between two steps, on whatever threads it runs", () =>
	leavingNothing(arena, async () => {
		const rows = randomRows(3, 200, 64) as Float32Array;
		for (const last of [1, 5, 20]) {
			const index = createIvf({ kind: "ivfpq", dimensions: 64, metric: "l2", arena });
			const used = arena.usedBytes;
			const controller = new AbortController();
			const kernels: string[] = [];
			const parallel: Parallel = {
				lanes: 1,
				async run(arena_, kernel, args) {
					await serial.run(arena_, kernel, args);
					if (kernels.push(kernel) === last) controller.abort();
				},
			};
			await rejection("ABORTED", index.train(rows, { parallel, signal: controller.signal }));
			assert.deepEqual(new Set(kernels), new Set(["distanceTiles"]));
			assert.equal(kernels.length, last, "nothing is done after it");
			assert.equal(arena.usedBytes, used);
			index.dispose();
		}
	}));
