import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { refusal, rejection } from "../refusal.test-support.ts";
import { built, leavingNothing, rowAt, seen } from "./ivf.test-support.ts";
import { createIvf } from "./ivf.ts";
import type { Learnt } from "./learnt.ts";
import { arena, base, cellsOf, D, fileOf, N, names, ONE, QUERIES, ROWS } from "./train.test-support.ts";

describe("M-1: a training that has collapsed", () => {
	for (const name of names) {
		test(`${name}: one vector a hundred times is NOT_TRAINED, with 1 distinct centroid and 1 cell that holds something`, () =>
			leavingNothing(arena, async () => {
				for (const nlist of [undefined, 100, 2] as const) {
					const index = createIvf({ ...base(name), ...(nlist === undefined ? {} : { nlist }) });
					const { details, message } = await rejection("NOT_TRAINED", index.train(ONE));
					assert.equal(details.distinctCentroids, 1);
					assert.equal(details.nonEmptyCells, 1);
					assert.equal(details.nlist, nlist ?? 10);
					assert.match(message, /collapsed/);
					assert.ok(!index.isTrained);
					index.dispose();
				}
			}));

		test(`${name}: validation fails where all vectors have come to lie in one cell, although each finds itself`, () =>
			leavingNothing(arena, async () => {
				const { file, index } = await fileOf({ ...base(name), nlist: 20 }, ROWS);
				assert.ok(index.validate().passed);
				const [kept] = cellsOf(file).sort((a, b) => b.labels.length - a.labels.length);
				const stays = new Set(kept?.labels);
				assert.ok(stays.size > 5);
				index.remove([...index.labels()].filter((label) => !stays.has(label)));
				for (const compacted of [false, true]) {
					if (compacted) index.compact();
					const found = index.validate();
					assert.equal(found.accuracy, 1, "self-lookup alone sees nothing");
					assert.deepEqual([found.nonEmptyCells, found.collapsed, found.passed], [1, true, false]);
				}
				index.dispose();
			}));
	}
});

describe("M-2: validation", () => {
	for (const name of names) {
		test(`${name}: five probes, each found first; nothing changes`, () =>
			leavingNothing(arena, async () => {
				const index = await built({ ...base(name), nlist: 20 }, ROWS);
				const before = seen(index, QUERIES);
				const used = arena.usedBytes;
				const found = index.validate();
				assert.deepEqual(found, {
					probes: 5,
					found: 5,
					accuracy: 1,
					distinctCentroids: 20,
					nonEmptyCells: 20,
					nlist: 20,
					collapsed: false,
					passed: true,
				});
				assert.equal(index.validate(1_000).found, 1_000);
				assert.equal(index.validate(5_000).probes, N);
				assert.deepEqual(seen(index, QUERIES), before);
				assert.equal(arena.usedBytes, used);
				for (const probes of [0, 10_001, 1.5]) {
					assert.equal(refusal("INVALID_OPTION", () => index.validate(probes)).details.field, "probes");
				}
				index.dispose();
			}));
	}

	test("a sound index passes by every metric, with weights, zero vectors and duplicates", () =>
		leavingNothing(arena, async () => {
			const rows = ROWS.slice();
			for (let i = 0; i < N; i += 50) rows.fill(0, i * D, (i + 1) * D);
			for (let i = 1; i < N; i += 50) rows.set(rowAt(rows, D, 1), i * D);
			for (const name of names) {
				for (const metric of ["l2", "cosine", "ip"] as const) {
					for (const weights of [undefined, Array.from({ length: D }, (_, i) => i)]) {
						const options = { ...base(name), metric, nlist: 20, ...(weights === undefined ? {} : { weights }) };
						const index = await built(options, rows);
						const { found, passed } = index.validate(200);
						assert.ok(
							passed && found >= 190,
							`${name}, ${metric}, ${weights === undefined ? "plain" : "weighted"}: ${found} of 200`,
						);
						index.dispose();
					}
				}
			}
		}));

	test("it fails where vectors are not found", () =>
		leavingNothing(arena, async () => {
			const { file, index } = await fileOf({ ...base("ivf"), nlist: 20, nprobe: 1 }, ROWS);
			const { coarse } = file.learnt as Learnt;
			// Every centroid comes to lie where another was, so that searches begin in the wrong cells.
			const centroids = arena.f32(coarse.centroids, (20 * coarse.bytes) / 4);
			centroids.set(
				Float32Array.from([...centroids.subarray(coarse.bytes / 4), ...centroids.slice(0, coarse.bytes / 4)]),
			);
			const { accuracy, collapsed, passed } = index.validate(100);
			assert.ok(accuracy < 0.9 && !collapsed && !passed, `${accuracy}`);
			index.dispose();
		}));
});
