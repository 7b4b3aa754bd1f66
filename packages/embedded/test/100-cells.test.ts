// Collections with an index of cells, of each kind, from the first record to a repaired folder: what is promised of every answer holds all along,
// and the nearest are found.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Worker } from "node:worker_threads";
import type { CellKind, Collection, Database, Hit, IndexSettings, SearchRequest } from "@nigh/contract";
import {
	checkApproximateAnswer,
	checkExactAnswer,
	createRandom,
	Model,
	type Random,
	rank,
	type Space,
} from "@nigh/contract/suite";
import { makePlace, type Place, until } from "./points.test-support.ts";
import { readingProcess } from "./reading-process.test-support.ts";

const DIMENSIONS = 32;
const RECORDS = 3_000;
const BATCH = 250;
const CLUSTERS = 40;

interface Kind {
	readonly index: Extract<IndexSettings, { readonly kind: CellKind }>;
	readonly metric: "l2" | "cosine" | "ip";
}

/** Of each kind one metric; each metric once. */
const KINDS: readonly Kind[] = [
	{ index: { kind: "ivf" }, metric: "l2" },
	{ index: { kind: "ivfpq" }, metric: "cosine" },
	{ index: { kind: "ivfrabitq" }, metric: "ip" },
];

/** Vectors around centres, of length 1, so that each is its own nearest under every metric. */
class Clusters {
	readonly #centres: readonly (readonly number[])[];
	readonly #random: Random;

	constructor(seed: number) {
		this.#random = createRandom(seed);
		this.#centres = Array.from({ length: CLUSTERS }, () => this.#normals());
	}

	next(): Float32Array {
		const centre = this.#random.pick(this.#centres);
		const vector = this.#normals().map((value, i) => (centre[i] as number) + 0.5 * value);
		const length = Math.hypot(...vector);
		return Float32Array.from(vector, (value) => value / length);
	}

	#normals(): number[] {
		return Array.from({ length: DIMENSIONS }, () => this.#random.normal());
	}
}

/** A place in the order of which filters take bands: it has nothing to do with where a vector lies. */
const metadataOf = (n: number) => ({ n, place: (n * 1_279) % RECORDS });

function recordOf(n: number, vector: Float32Array, version = 0) {
	return { id: `r${n}`, vector, metadata: { ...metadataOf(n), version }, text: `word${n} all part${n % 10}` };
}

for (const { index, metric } of KINDS) {
	describe(`${index.kind}, ${metric}`, () => {
		const clusters = new Clusters(7);
		const queries = Array.from({ length: 25 }, () => clusters.next());
		const clock = { now: 1_000_000 };
		const model = new Model(clock);
		const space: Space = { metric, dimensions: DIMENSIONS };
		let place: Place;
		let database: Database;
		let notes: Collection;

		const open = async (name = "data") => {
			database = await place.open(name, { now: () => clock.now });
			notes = await database.collection("notes", { dimensions: DIMENSIONS, metric, index });
		};
		const write = async (ns: readonly number[], version = 0) => {
			const records = ns.map((n) => recordOf(n, clusters.next(), version));
			model.upsert(records);
			await notes.upsert(records);
		};
		/** Until there are cells, for about as many records as there are, which have all of them, and a snapshot of that. */
		const settled = async () => {
			const isSettled = async () => {
				const { cells } = await notes.analyze();
				const { index, records } = await notes.stats();
				if (cells === undefined || index.tail > 0) return false;
				return Math.abs(cells.trainedFor - records) < records / 4 && (await notes.health()).status === "ok";
			};
			await until(isSettled, "everything in cells");
		};

		/** Checks one answer as far as it must be right; returns the share of the nearest that it has. */
		const check = async (request: SearchRequest & { vector: Float32Array }, on = notes, note = "") => {
			const result = await on.search(request);
			return { result, recall: checkResult(result, request, note) };
		};
		const checkResult = (result: Awaited<ReturnType<Collection["search"]>>, request: SearchRequest, note = "") => {
			const { k = 10, filter } = request;
			const ranked = rank(model.list(filter), request.vector as Float32Array, space);
			const expected = { ranked, k, space, note: `${note} ${JSON.stringify({ ...request, vector: "..." })}` };
			if (result.recall.state !== "exact") {
				return checkApproximateAnswer({ assert }, result, expected) / Math.max(1, Math.min(k, ranked.length));
			}
			checkExactAnswer({ assert }, result, expected);
			return 1;
		};
		const meanRecall = async (request: SearchRequest, on = notes) => {
			let sum = 0;
			for (const vector of queries) sum += (await check({ vector, ...request } as never, on)).recall;
			return sum / queries.length;
		};
		const findsOwn = async (ns: readonly number[], on = notes) => {
			for (const n of ns) {
				const record = model.get(`r${n}`);
				assert.ok(record !== undefined);
				const { hits } = await on.search({ vector: record.vector as Float32Array, k: 1 });
				assert.equal(hits[0]?.id, record.id);
			}
		};

		before(async () => {
			place = makePlace();
			await open();
		});
		after(() => place.remove());

		test("while it is filled, first from the tail and then from cells, every answer is whole", async () => {
			for (let from = 0; from < RECORDS; from += BATCH) {
				await write(Array.from({ length: BATCH }, (_, i) => from + i));
				for (const k of [1, 10, 300]) await check({ vector: clusters.next(), k });
				await check({ vector: clusters.next(), k: 10, filter: { place: { $lt: 300 } } });
				await findsOwn([from, from + BATCH - 1, Math.floor(from / 2)]);
			}
			await settled();
			const { plan } = (await check({ vector: clusters.next(), nprobe: 4 })).result;
			assert.deepEqual([plan.index, plan.strategy], [index.kind, "index"]);
			const { kind, main } = (await notes.stats()).index;
			assert.deepEqual([kind, main], [index.kind, RECORDS]);
		});

		test("cells find at least 0.9 of the nearest as they are, and not fewer where more is asked for", async () => {
			const usual = await meanRecall({});
			assert.ok(usual >= 0.9, `recall@10 is ${usual}`);
			for (const k of [1, 100, 300]) {
				const recall = await meanRecall({ k });
				assert.ok(recall >= 0.9, `recall@${k} is ${recall}`);
			}
			const more = await meanRecall({ recall: 0.99 });
			assert.ok(more >= Math.max(usual, 0.97), `recall@10 is ${more} where 0.99 is asked for, and else ${usual}`);
			assert.equal(await meanRecall({ exact: true }), 1);
			assert.equal(await meanRecall({ recall: 1 }), 1);
			await findsOwn(Array.from({ length: 40 }, (_, i) => i * 71));
			const { result } = await check({ vector: queries[0] as Float32Array, exact: true });
			assert.deepEqual([result.plan.strategy, result.recall.state], ["scan", "exact"]);
		});

		test("filters of every selectivity", async () => {
			for (const band of [5, 50, 500, 1_500, 2_900, RECORDS]) {
				const request = { filter: { place: { $lt: band } } };
				const recall = await meanRecall(request);
				assert.ok(recall >= 0.9, `recall@10 is ${recall} among ${band}`);
				assert.equal(await meanRecall({ ...request, exact: true }), 1);
				const { result } = await check({ vector: clusters.next(), k: 200, ...request });
				assert.equal(result.plan.matches, band);
			}
			const { hits } = await notes.search({ vector: clusters.next(), filter: { place: -1 } });
			assert.deepEqual(hits, []);
		});

		test("how wide a search is can be said, and the plan tells it", async () => {
			const { nlist } = (await notes.stats()).effective.index.parameters as { nlist: number };
			const vector = queries[1] as Float32Array;
			let least = 0;
			let rows = 0;
			for (const nprobe of [1, 4, Math.floor(nlist / 2), nlist]) {
				const { result } = await check({ vector, nprobe });
				assert.deepEqual([result.plan.nprobe, result.plan.index, result.plan.strategy], [nprobe, index.kind, "index"]);
				assert.ok((result.plan.cells as number) >= nprobe && (result.plan.rows as number) > rows);
				rows = result.plan.rows as number;
				const recall = await meanRecall({ nprobe });
				assert.ok(recall >= least - 0.02, `${recall} with ${nprobe} cells, ${least} with fewer`);
				least = recall;
			}
			assert.equal(rows, RECORDS, "all of them");
			await assert.rejects(notes.search({ vector, nprobe: nlist + 1 }), { code: "INVALID_OPTION" });
			const { plan } = (await check({ vector, nprobe: nlist, budget: 100 })).result;
			assert.ok((plan.cells as number) < nlist && (plan.rows as number) >= 100 && (plan.rows as number) < RECORDS);
			await check({ vector, k: 50, budget: 1 });
			if (index.kind === "ivf") {
				await assert.rejects(notes.search({ vector, rerank: 20 }), { code: "INVALID_OPTION" });
				return;
			}
			assert.ok(((await check({ vector, nprobe: 4 })).result.plan.rerank as number) >= 10);
			assert.equal((await check({ vector, rerank: 33 })).result.plan.rerank, 33);
			assert.equal(await meanRecall({ nprobe: nlist, rerank: RECORDS }), 1);
			const estimated = await notes.search({ vector, rerank: 0 });
			assert.equal(estimated.hits.length, 10);
			assert.deepEqual([estimated.plan.rerank, estimated.recall.state], [0, "uncertified"]);
			const ids = estimated.hits.map(({ id }) => id);
			assert.equal(new Set(ids).size, 10);
			const distances = estimated.hits.map(({ distance }) => distance);
			assert.deepEqual(
				distances,
				distances.toSorted((a, b) => a - b),
			);
		});

		test("with words, a least score, a greatest distance, and many at once", async () => {
			const own = model.get("r77")?.vector as Float32Array;
			const { hits } = await notes.search({ vector: own, text: "word77", k: 5 });
			assert.equal(hits[0]?.id, "r77");
			const worded = await notes.search({ vector: own, text: "part7", k: 20, filter: { place: { $lt: 900 } } });
			assert.equal(worded.hits.length, 20);
			assert.ok(worded.hits.every(({ metadata }) => (metadata?.place as number) < 900));
			const all = (await notes.search({ vector: own, k: 30 })).hits;
			const middle = all[12] as Hit;
			const near = (await notes.search({ vector: own, k: 30, minScore: middle.score })).hits;
			assert.deepEqual(near, all.slice(0, 13));
			assert.deepEqual((await notes.search({ vector: own, k: 30, maxDistance: middle.distance })).hits, near);
			const requests = queries.map((vector, i) => ({ vector, k: 1 + i, ...(i % 3 === 0 && { nprobe: 5 }) }));
			const results = await notes.searchMany(requests);
			results.forEach((result, i) => {
				checkResult(result, requests[i] as SearchRequest, "many");
			});
			assert.equal(new Set(results.map(({ changeNumber }) => changeNumber)).size, 1);
		});

		test("what is updated, replaced, deleted or has expired is so for the next search", async () => {
			await write([1, 2, 3, 500, 501], 1);
			await findsOwn([1, 2, 3, 500, 501]);
			const vector = clusters.next();
			model.update([{ id: "r10", vector }]);
			await notes.update([{ id: "r10", vector }]);
			model.update([{ id: "r11", metadata: { place: -5, n: 11 } }]);
			await notes.update([{ id: "r11", metadata: { place: -5, n: 11 } }]);
			await findsOwn([10, 11]);
			assert.equal((await notes.search({ vector, filter: { place: -5 } })).hits[0]?.id, "r11");
			const gone = Array.from({ length: 300 }, (_, i) => `r${20 + i}`);
			const last = model.get("r20")?.vector as Float32Array;
			model.delete(gone);
			await notes.delete(gone);
			const { result } = await check({ vector: last, k: 20 });
			assert.ok(result.hits.every(({ id }) => !gone.includes(id)));
			const expiring = { ...recordOf(40, clusters.next()), expiresAt: clock.now + 50 };
			model.upsert([expiring]);
			await notes.upsert([expiring]);
			await findsOwn([40]);
			clock.now += 50;
			assert.notEqual((await check({ vector: expiring.vector, k: 1 })).result.hits[0]?.id, "r40");
			for (const request of [{}, { exact: true }, { filter: { place: { $lt: 1_500 } } }]) {
				const recall = await meanRecall(request);
				assert.ok(recall >= 0.9, `${recall} with ${JSON.stringify(request)}`);
			}
		});

		test("a thread that shares the database, and a process that reads it, answer the same", async () => {
			const worker = new Worker(new URL("./share-reader.test-support.ts", import.meta.url), {
				workerData: { handle: await database.share() },
			});
			await once(worker, "message");
			const process = await readingProcess(join(place.folder, "data"), "notes");
			const ask = async (request: object): Promise<Hit[]> => {
				worker.postMessage({ k: 10, ...request });
				const [{ hits, failure }] = await once(worker, "message");
				assert.equal(failure, undefined);
				return hits;
			};
			for (let round = 0; round < 3; round++) {
				await write([600 + round, 1_000 + round], round + 2);
				await process.refresh();
				for (const vector of queries.slice(0, 6)) {
					for (const filter of [undefined, { place: { $lt: 700 } }]) {
						const request = { vector: [...vector], ...(filter !== undefined && { filter }) };
						const { hits } = await notes.search({ ...request, include: { metadata: true, vector: true } });
						assert.deepEqual(
							(await ask(request)).map(({ id }) => id),
							hits.map(({ id }) => id),
						);
						const read = await process.search({ ...request, exact: true });
						const exact = await notes.search({ ...request, exact: true });
						assert.deepEqual(
							read.ids,
							exact.hits.map(({ id }) => id),
						);
						assert.equal((await process.search(request)).ids.length, 10);
					}
				}
			}
			const ended = once(worker, "exit");
			worker.postMessage("close");
			await ended;
			await process.end();
		});

		test("opened again, from a snapshot, without any, and from damaged ones, it answers as before", async () => {
			await notes.optimize();
			const { nlist } = (await notes.stats()).effective.index.parameters;
			const answers = async () => Promise.all(queries.map(async (vector) => (await notes.search({ vector })).hits));
			const old = await answers();
			await database.close();
			await open();
			assert.deepEqual(await answers(), old);
			assert.deepEqual((await notes.health()).reasons, []);
			assert.equal((await notes.stats()).effective.index.parameters.nlist, nlist);

			await database.close();
			const folder = join(place.folder, "data", "snapshots");
			for (const name of readdirSync(folder)) rmSync(join(folder, name));
			await open();
			await check({ vector: queries[0] as Float32Array });
			await settled();
			const recall = await meanRecall({});
			assert.ok(recall >= 0.9, `${recall} after it was built again`);
			await notes.optimize();

			await database.close();
			for (const name of readdirSync(folder)) writeFileSync(join(folder, name), "no snapshot");
			await open();
			assert.ok((await notes.health()).reasons.some(({ code }) => code === "snapshot-damaged"));
			await settled();
			assert.ok((await meanRecall({})) >= 0.9);
		});

		test("verified, repaired, backed up and restored", async () => {
			const { ok, problems } = await database.verify();
			assert.deepEqual([ok, problems], [true, []]);
			const { path } = await database.backup(join(place.folder, "backup"));
			const { remaining } = await database.repair();
			assert.deepEqual(remaining, []);
			notes = await database.collection("notes");
			assert.ok((await meanRecall({})) >= 0.9);
			await database.close();
			database = await place.open("restored", { now: () => clock.now });
			await database.restore(path);
			notes = await database.collection("notes");
			assert.equal(await notes.count(), model.list().length);
			await settled();
			const recall = await meanRecall({});
			assert.ok(recall >= 0.9, `${recall} after it was restored`);
			await findsOwn([0, 1, 2, 999, 2_999]);
			assert.equal((await database.verify()).ok, true);
		});
	});
}
