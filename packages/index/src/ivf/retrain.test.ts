import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { refusal, rejection } from "../refusal.test-support.ts";
import { built, clustered, flatOf, leavingNothing, rowAt, seen } from "./ivf.test-support.ts";
import type { IvfTrainOptions } from "./ivf.ts";
import { arena, base, cellsOf, D, fileOf, names, ONE, QUERIES, ROWS } from "./train.test-support.ts";

describe("M-8: training again", () => {
	for (const name of names) {
		test(`${name}: everything is put into the new cells, tombstones and all; answers stay exact in all of them`, () =>
			leavingNothing(arena, async () => {
				const { file, index } = await fileOf({ ...base(name), nlist: "adaptive" }, ROWS);
				const flat = await flatOf(base(name), ROWS);
				const gone = Array.from({ length: 200 }, (_, i) => 5 * i);
				for (const each of [index, flat]) each.remove(gone);
				const more = clustered(8, { n: 1_200, d: D, centers: 30, spread: 0.6 });
				const labels = Uint32Array.from({ length: 1_200 }, (_, i) => 2_000 + i);
				for (const each of [index, flat]) await each.insertMany(more, { labels });
				for (const rows of [undefined, more, ROWS]) {
					const report = await index.train(rows, rows === undefined ? { vectors: 1_500 } : {});
					assert.equal(index.effective().nlist, report.nlist.nlist);
					assert.equal(index.size, 2_000);
					const held = cellsOf(file).flatMap((cell) => cell.labels);
					assert.deepEqual(
						held.sort((a, b) => a - b),
						[...index.labels()].sort((a, b) => a - b),
					);
					const { nlist } = report.nlist;
					for (const query of QUERIES) {
						const all = index.search(query, 25, {
							nprobe: nlist,
							...(name.startsWith("ivf ") || name === "ivf" ? {} : { rerank: 16_000 }),
						});
						assert.deepEqual(all, flat.search(query, 25));
						assert.deepEqual(index.search(query, 25, { exact: true }), flat.search(query, 25));
					}
					assert.ok(index.validate().passed);
					assert.equal(index.explain(QUERIES[0] as Float32Array, 1, { nprobe: nlist }).report.rows, 2_000);
				}
				assert.equal(index.remove(index.labels()), 2_000);
				index.dispose();
				flat.dispose();
			}));

		test(`${name}: one that fails leaves size, memory and answers as they were, and is remembered until one succeeds`, () =>
			leavingNothing(arena, async () => {
				const index = await built({ ...base(name), nlist: 20 }, ROWS);
				const before = seen(index, QUERIES);
				const report = index.trainingReport;
				const used = arena.usedBytes;
				const same = () => {
					assert.deepEqual(seen(index, QUERIES), before);
					assert.equal(arena.usedBytes, used);
					assert.equal(index.trainingReport, report);
				};
				assert.ok(!index.needsRetraining);
				await rejection("NOT_TRAINED", index.train(ONE));
				assert.ok(index.needsRetraining);
				same();
				await rejection("ABORTED", index.train(ROWS, { signal: AbortSignal.abort() }));
				assert.ok(index.needsRetraining);
				same();
				await index.train(ROWS);
				assert.ok(!index.needsRetraining);
				assert.notEqual(index.trainingReport, report);
				assert.deepEqual(seen(index, QUERIES).answers, before.answers);
				index.dispose();
			}));

		test(`${name}: what is refused before it begins is no failure of training`, () =>
			leavingNothing(arena, async () => {
				const index = await built({ ...base(name), nlist: 20 }, ROWS);
				await rejection("DIMENSION_MISMATCH", index.train(new Float32Array(D + 1)));
				await rejection("INVALID_VECTOR", index.train(new Float32Array(D).fill(Number.NaN)));
				for (const options of [{ vectors: 0 }, { capacity: 1.5 }, { rounds: 3 }] as IvfTrainOptions[]) {
					await rejection("INVALID_OPTION", index.train(ROWS, options));
				}
				assert.ok(!index.needsRetraining);
				index.dispose();
			}));

		test(`${name}: a signal ends it between two iterations; meanwhile searches go on and writes are LOCKED`, () =>
			leavingNothing(arena, async () => {
				const index = await built({ ...base(name), nlist: 20 }, ROWS);
				const answers = QUERIES.map((query) => index.search(query, 10));
				const controller = new AbortController();
				const iterations: number[] = [];
				const error = await rejection(
					"ABORTED",
					index.train(ROWS, {
						signal: controller.signal,
						onProgress: (iteration) => {
							iterations.push(iteration);
							assert.deepEqual(
								QUERIES.map((query) => index.search(query, 10)),
								answers,
							);
							refusal("LOCKED", () => index.insert(1, rowAt(ROWS, D, 1)));
							refusal("LOCKED", () => index.remove([1]));
							refusal("LOCKED", () => index.compact());
							if (iteration === 2) controller.abort();
						},
					}),
				);
				assert.deepEqual(iterations, [1, 2]);
				assert.equal(error.details.iterations, 2);
				assert.deepEqual(
					QUERIES.map((query) => index.search(query, 10)),
					answers,
				);
				index.insert(1, rowAt(ROWS, D, 1));
				index.dispose();
			}));
	}
});
