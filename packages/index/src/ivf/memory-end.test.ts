import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Arena } from "@nigh/kernels";
import { refusal } from "../refusal.test-support.ts";
import { built, clustered, leavingNothing, rowAt, seen, withRefusal } from "./ivf.test-support.ts";
import { createIvf } from "./ivf.ts";
import { arena, base, D, names, QUERIES, ROWS } from "./train.test-support.ts";

describe("where the memory ends", () => {
	const rows = ROWS.subarray(0, 400 * D);

	for (const name of names) {
		test(`${name}: a first training that fails at any allocation leaves nothing behind`, () =>
			leavingNothing(arena, async () => {
				const index = createIvf({ ...base(name), nlist: 10 });
				const used = arena.usedBytes;
				for (let allowed = 0; ; allowed++) {
					const train = async () => {
						await index.train(rows);
					};
					const isRefused = await withRefusal(arena, allowed, () =>
						train().catch((error) => assert.equal(error.code, "MEMORY_LIMIT", error.stack)),
					);
					if (!isRefused) break;
					if (index.isTrained) continue;
					assert.equal(arena.usedBytes, used, `after allocation ${allowed}`);
				}
				assert.ok(index.isTrained);
				await index.insertMany(rows);
				assert.ok(index.validate().passed);
				index.dispose();
			}));

		test(`${name}: a training of a full index that fails at any allocation leaves it answering, and nothing behind`, () =>
			leavingNothing(arena, async () => {
				const index = await built({ ...base(name), nlist: 10 }, rows);
				const queries = QUERIES.slice(0, 2);
				const all = () => queries.map((query) => index.search(query, 400));
				const whole = all();
				const before = seen(index, queries);
				for (let allowed = 0; ; allowed++) {
					const used = arena.usedBytes;
					const isRefused = await withRefusal(arena, allowed, () =>
						index.train().catch((error) => assert.equal(error.code, "MEMORY_LIMIT", error.stack)),
					);
					if (!isRefused) break;
					assert.ok(index.needsRetraining, `after allocation ${allowed}`);
					assert.deepEqual(all(), whole, `after allocation ${allowed}`);
					assert.deepEqual(seen(index, queries), before, `after allocation ${allowed}`);
					assert.equal(arena.usedBytes, used, `after allocation ${allowed}`);
				}
				assert.ok(!index.needsRetraining);
				assert.equal(index.remove(index.labels()), 400);
				index.dispose();
			}));

		test(`${name}: inserting that fails at any allocation leaves whole vectors in the index, and only these`, () =>
			leavingNothing(arena, async () => {
				for (const inserting of ["many", "one"] as const) {
					const index = await built({ ...base(name), nlist: 10 }, rows);
					index.compact();
					const vectors = new Map([...index.labels()].map((label) => [label, index.vector(label)] as const));
					for (let allowed = 0; ; allowed++) {
						const vector = rowAt(ROWS, D, 600);
						const isRefused = await withRefusal(arena, allowed, async () => {
							try {
								// A new label, and one that is there.
								if (inserting === "one") for (const label of [3, 900]) index.insert(label, vector);
								else await index.insertMany(ROWS.subarray(600 * D, 602 * D), { labels: Uint32Array.of(3, 900) });
							} catch (error) {
								assert.equal((error as { code: string }).code, "MEMORY_LIMIT", (error as Error).stack);
							}
						});
						assert.ok(index.has(3), `${inserting} after allocation ${allowed}`);
						for (const label of index.labels()) {
							const held = index.vector(label) as Float32Array;
							const [hit] = index.search(held, 1);
							assert.ok((hit?.distance as number) < 1e-5, `${inserting}, ${label} after allocation ${allowed}`);
							if (label !== 3 && label !== 900) assert.deepEqual(held, vectors.get(label));
						}
						assert.equal(index.search(vector, 1_000).length, index.size, `${inserting} after allocation ${allowed}`);
						if (!isRefused) break;
						index.remove([900]);
						index.compact();
					}
					assert.ok(index.has(3) && index.has(900));
					assert.equal(index.remove(index.labels()), 401);
					index.dispose();
				}
			}));

		test(`${name}: compacting that fails at any allocation leaves the answers as they were`, () =>
			leavingNothing(arena, async () => {
				const index = await built({ ...base(name), nlist: 10 }, rows);
				index.remove(Array.from({ length: 100 }, (_, i) => 3 * i));
				const before = QUERIES.map((query) => index.search(query, 300, { nprobe: 10 }));
				// The blocks, then the rows; what is taken later on fits into what was given back before.
				for (const allowed of [0, 1, Number.POSITIVE_INFINITY]) {
					const isRefused = await withRefusal(arena, allowed, () => {
						try {
							index.compact();
						} catch (error) {
							assert.equal((error as { code: string }).code, "MEMORY_LIMIT", (error as Error).stack);
						}
					});
					assert.deepEqual(
						QUERIES.map((query) => index.search(query, 300, { nprobe: 10 })),
						before,
						`after allocation ${allowed}`,
					);
					assert.equal(isRefused, Number.isFinite(allowed));
				}
				assert.equal(index.compact().removedNodes, 0);
				index.dispose();
			}));
	}

	for (const storage of ["memory", "disk"] as const) {
		test(`compacting finds room or changes nothing, however much is left of the memory, ${storage}`, async () => {
			const small = new Arena({ maxBytes: 2 ** 21 });
			const n = 2_000;
			const all = clustered(9, { n, d: 64, centers: 20, spread: 0.5 });
			const index = createIvf({ kind: "ivf", dimensions: 64, metric: "l2", nlist: 16, storage, arena: small });
			await index.train(all.subarray(0, 500 * 64));
			index.reserve(n);
			await index.insertMany(all);
			index.remove(Array.from({ length: n / 4 }, (_, i) => 4 * i));
			const asked = () =>
				[1, 501, 1_999].map((row) => {
					const query = rowAt(all, 64, row);
					return storage === "disk" ? index.probe(query, 40).labels.toSorted() : index.search(query, 40);
				});
			const before = asked();
			let [refused, left] = [0, 64];
			for (let isCompact = false; !isCompact; left += 64) {
				const fillers = fillBut(small, left);
				try {
					index.compact({ keepRoom: true });
					isCompact = true;
				} catch (error) {
					assert.equal((error as { code: string }).code, "MEMORY_LIMIT", (error as Error).stack);
					refused++;
				}
				for (const filler of fillers) small.free(filler);
				assert.deepEqual(asked(), before, `${left} bytes left`);
			}
			assert.ok(refused > 100, `${refused} times`);
			index.dispose();
			assert.equal(small.usedBytes, 0);
		});
	}

	test("an index that is disposed of while it trains gives its memory back at the end", () =>
		leavingNothing(arena, async () => {
			const index = await built({ ...base("ivfpq"), nlist: 10 }, rows);
			const training = index.train();
			index.dispose();
			await training;
			refusal("CLOSED", () => index.isTrained);
		}));
});

/** Takes all that an arena has but one piece. */
function fillBut(memory: Arena, left: number): number[] {
	const piece = memory.alloc(left);
	const taken: number[] = [];
	for (let bytes = 2 ** 20; bytes >= 64; ) {
		try {
			taken.push(memory.alloc(bytes));
		} catch {
			bytes /= 2;
		}
	}
	memory.free(piece);
	return taken;
}
