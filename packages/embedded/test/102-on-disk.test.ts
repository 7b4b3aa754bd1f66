// Collections whose vectors are on disk, of each kind, from the first record on: what is promised of every answer holds all along, distances are
// exact, and the nearest are found.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Hit } from "@nigh/contract";
import { answersOf, KINDS, OnDisk, range, recordOf, type VectorRequest } from "./on-disk.test-support.ts";

const RECORDS = 3_000;
const BATCH = 250;

for (const kind of KINDS) {
	const { index, metric } = kind;
	describe(`${index.kind} on disk, ${metric}`, () => {
		let life: OnDisk;

		before(async () => {
			life = new OnDisk(11, kind);
			await life.open();
		});
		after(() => life.remove());

		test("while it is filled, first from the tail and then from cells, every answer is whole", async () => {
			const { clusters } = life;
			for (let from = 0; from < RECORDS; from += BATCH) {
				await life.write(range(from, BATCH));
				for (const k of [1, 10, 300]) await life.check({ vector: clusters.next(), k });
				await life.check({ vector: clusters.next(), exact: true });
				await life.check({ vector: clusters.next(), filter: { place: { $lt: 300 } } });
				await life.findsOwn([from, from + BATCH - 1, Math.floor(from / 2)]);
			}
			await life.settled();
			const { plan } = (await life.check({ vector: clusters.next() })).result;
			assert.deepEqual([plan.index, plan.strategy], [index.kind, "index"]);
			const { index: there, effective } = await life.notes.stats();
			assert.deepEqual([there.kind, there.main, there.tail], [index.kind, RECORDS, 0]);
			assert.equal(effective.index.parameters.storage, "disk");
			assert.ok(life.rowFiles().length > 0, "there are files with rows");
		});

		test("it finds at least 0.9 of the nearest as it is, and all where they are compared", async () => {
			const usual = await life.meanRecall();
			assert.ok(usual >= 0.9, `recall@10 is ${usual}`);
			const more = await life.meanRecall({ recall: 0.99 });
			assert.ok(more >= 0.95, `recall@10 is ${more} where 0.99 is asked for`);
			assert.equal(await life.meanRecall({ exact: true }), 1);
			assert.equal(await life.meanRecall({ recall: 1 }), 1);
			const { result } = await life.check({ vector: life.clusters.next(), exact: true });
			assert.deepEqual([result.plan.strategy, result.recall.state], ["scan", "exact"]);
		});

		test("its distances are those of the same index in memory, bit by bit", async () => {
			const queries = range(0, 10).map(() => life.clusters.next());
			const distancesOf = async (request: object) => {
				const found = new Map<string, number>();
				for (const [i, vector] of queries.entries()) {
					for (const { id, distance } of (await life.notes.search({ vector, ...request })).hits) {
						found.set(`${i} ${id}`, distance);
					}
				}
				return found;
			};
			const [near, exact] = [await distancesOf({}), await distancesOf({ exact: true, k: RECORDS })];
			assert.ok(near.size === 100 && exact.size === 10 * RECORDS);
			for (const [key, distance] of near) assert.equal(distance, exact.get(key), key);
		});

		test("more than there is, filters of none, few, many and all", async () => {
			const { clusters, notes } = life;
			for (const k of [RECORDS, RECORDS + 1, 9_999]) {
				for (const more of [{}, { exact: true }, { filter: { place: { $gte: 10 } } }]) {
					const { result } = await life.check({ vector: clusters.next(), k, ...more });
					assert.equal(result.hits.length, "filter" in more ? RECORDS - 10 : RECORDS);
				}
			}
			for (const band of [1, 5, 50, 500, 1_999, 2_001, 2_900, RECORDS]) {
				const request = { filter: { place: { $lt: band } } };
				const recall = await life.meanRecall(request, 10);
				assert.ok(recall >= 0.9, `recall@10 is ${recall} among ${band}`);
				assert.equal(await life.meanRecall({ ...request, exact: true }, 5), 1);
				const { result } = await life.check({ vector: clusters.next(), k: 200, ...request });
				assert.equal(result.plan.matches, band);
			}
			for (const exact of [false, true]) {
				const { hits } = await notes.search({ vector: clusters.next(), filter: { place: -1 }, exact });
				assert.deepEqual(hits, []);
			}
		});

		test("how wide a search is can be said, and what is read from disk follows", async () => {
			const { notes, clusters } = life;
			const { nlist } = (await notes.stats()).effective.index.parameters as { nlist: number };
			const vector = clusters.next();
			for (const nprobe of [1, 4, nlist]) {
				const { plan } = (await life.check({ vector, nprobe })).result;
				assert.deepEqual([plan.nprobe, plan.strategy], [nprobe, "index"]);
				assert.ok((plan.rerank as number) >= 10, `${plan.rerank} rows decide`);
			}
			await life.check({ vector, k: 50, budget: 1 });
			const every = await life.meanRecall({ nprobe: nlist, ...(index.kind !== "ivf" && { rerank: 3_000 }) });
			assert.equal(every, 1);
			if (index.kind === "ivf") return;
			for (const rerank of [10, 33, 300]) {
				assert.equal((await life.check({ vector, rerank, nprobe: nlist })).result.plan.rerank, rerank);
			}
			const estimated = await notes.search({ vector, rerank: 0 });
			assert.deepEqual([estimated.hits.length, estimated.plan.rerank], [10, 0]);
			const distances = estimated.hits.map(({ distance }) => distance);
			assert.deepEqual(
				distances,
				distances.toSorted((a, b) => a - b),
			);
			const ranked = new Map(
				(await notes.search({ vector, k: RECORDS, exact: true })).hits.map((hit) => [hit.id, hit]),
			);
			const off = estimated.hits.filter(({ id, distance }) => distance !== ranked.get(id)?.distance);
			assert.ok(off.length > 0, "nothing was read: estimates are not the distances");
		});

		test("with words, a least score, a greatest distance, by id, and many at once", async () => {
			const { notes, clusters, model } = life;
			const own = model.get("r77")?.vector as Float32Array;
			const { hits } = await notes.search({ vector: own, text: "word77", k: 5 });
			assert.equal(hits[0]?.id, "r77");
			assert.equal((await notes.search({ vector: clusters.next(), text: "word78", k: 5 })).hits.length, 5);
			const worded = await notes.search({ vector: own, text: "part7", k: 20, filter: { place: { $lt: 900 } } });
			assert.equal(worded.hits.length, 20);
			assert.ok(worded.hits.every(({ metadata }) => (metadata?.place as number) < 900));
			const all = (await notes.search({ vector: own, k: 30 })).hits;
			const middle = all[12] as Hit;
			const near = (await notes.search({ vector: own, k: 30, minScore: middle.score })).hits;
			assert.deepEqual(near, all.slice(0, 13));
			assert.deepEqual((await notes.search({ vector: own, k: 30, maxDistance: middle.distance })).hits, near);
			const byId = await notes.search({ id: "r77", k: 10, exact: true });
			const besides = (await notes.search({ vector: own, k: 11, exact: true })).hits.filter(({ id }) => id !== "r77");
			assert.deepEqual(
				answersOf(byId.hits.filter(({ id }) => id !== "r77")).slice(0, 9),
				answersOf(besides).slice(0, 9),
			);
			const requests = range(0, 25).map(
				(i): VectorRequest => ({
					vector: clusters.next(),
					k: 1 + i,
					...(i % 3 === 0 && { nprobe: 5 }),
					...(i % 4 === 0 && { exact: true }),
					...(i % 5 === 0 && { filter: { place: { $lt: 100 * (i + 1) } } }),
				}),
			);
			const results = await notes.searchMany(requests);
			results.forEach((result, i) => {
				life.checkResult(result, requests[i] as VectorRequest, "many");
			});
			assert.equal(new Set(results.map(({ changeNumber }) => changeNumber)).size, 1);
		});

		test("searches at the same time get each its own answer", async () => {
			const requests = range(0, 60).map(
				(i): VectorRequest => ({
					vector: life.clusters.next(),
					k: 1 + (i % 17),
					...(i % 7 === 0 && { exact: true }),
					...(i % 5 === 0 && { filter: { place: { $lt: 40 * (i + 1) } } }),
				}),
			);
			const results = await Promise.all(requests.map((request) => life.notes.search(request)));
			results.forEach((result, i) => {
				life.checkResult(result, requests[i] as VectorRequest, `${i}`);
			});
		});

		test("what is updated, replaced, deleted or has expired is so for the next search", async () => {
			const { notes, clusters, model, clock } = life;
			await life.write([1, 2, 3, 500, 501], 1);
			await life.findsOwn([1, 2, 3, 500, 501]);
			const vector = clusters.next();
			model.update([{ id: "r10", vector }]);
			await notes.update([{ id: "r10", vector }]);
			model.update([{ id: "r11", metadata: { place: -5, n: 11 } }]);
			await notes.update([{ id: "r11", metadata: { place: -5, n: 11 } }]);
			await life.findsOwn([10, 11]);
			assert.equal((await notes.search({ vector, filter: { place: -5 } })).hits[0]?.id, "r11");
			const last = model.get("r20")?.vector as Float32Array;
			await life.delete(range(20, 300).map((n) => `r${n}`));
			await life.check({ vector: last, k: 20 });
			await life.check({ vector: last, k: 20, exact: true });
			const expiring = { ...recordOf(400, clusters.next()), expiresAt: clock.now + 50 };
			await life.upsert([expiring]);
			await life.findsOwn([400]);
			await life.settled();
			await life.findsOwn([400]);
			clock.now += 50;
			for (const exact of [false, true]) {
				assert.notEqual((await life.check({ vector: expiring.vector, k: 1, exact })).result.hits[0]?.id, "r400");
			}
			for (const request of [{}, { exact: true }, { filter: { place: { $lt: 1_500 } } }]) {
				const recall = await life.meanRecall(request);
				assert.ok(recall >= 0.9, `${recall} with ${JSON.stringify(request)}`);
			}
		});

		test("what most records have left becomes smaller, is compared below what cells need, and has cells again", async () => {
			const { notes, model } = life;
			const leave = async (records: number) => {
				const ids = life.clusters.random.shuffle(model.list().map(({ id }) => id));
				await life.delete(ids.slice(records));
			};
			await leave(1_400);
			await life.meanRecall({}, 5);
			await life.tidy();
			assert.equal((await notes.stats()).index.main, 1_400);
			assert.ok((await life.meanRecall()) >= 0.9);
			await leave(600);
			await notes.optimize();
			assert.deepEqual([life.rowFiles(), life.snapshotFiles()], [[], []]);
			assert.deepEqual((await notes.health()).reasons, []);
			const { plan, recall } = (await life.check({ vector: life.clusters.next() })).result;
			assert.deepEqual([plan.strategy, recall.state], ["scan", "exact"]);
			await life.write(range(5_000, 1_000));
			await life.settled();
			// A width of its own: what was held out of so few may be too little to certify one.
			const { plan: again } = (await life.check({ vector: life.clusters.next(), nprobe: 8 })).result;
			assert.equal(again.strategy, "index");
			assert.ok((await life.meanRecall()) >= 0.9);
			await life.checkRecords();
			assert.equal((await life.database.verify()).ok, true);
		});
	});
}
