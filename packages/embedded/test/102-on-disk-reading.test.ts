// Searches that wait for rows from disk: what may happen meanwhile, and what the answer is then.
import assert from "node:assert/strict";
import type { read } from "node:fs";
import { after, before, describe, type TestContext, test } from "node:test";
import { isNighError, type SearchRequest } from "@nigh/contract";
import fc from "fast-check";
import { replaceInFs, systemError } from "../src/row-files/row-files.test-support.ts";
import { answersOf, KINDS, type Kind, OnDisk, range, recordOf, type VectorRequest } from "./on-disk.test-support.ts";

const RECORDS = 2_000;
type Read = (...call: Parameters<typeof read>) => void;

/** Calls `meanwhile` at the first read of this thread that is begun from now on, which waits until that has ended. */
function atFirstRead(t: TestContext, meanwhile: () => Promise<unknown> | unknown) {
	const counts = { reads: 0 };
	let first: Promise<unknown> | undefined;
	const restore = replaceInFs(t, "read", (original) => (...call: Parameters<typeof read>) => {
		counts.reads++;
		first ??= Promise.resolve().then(meanwhile);
		const goOn = () => (original as unknown as Read)(...call);
		first.then(goOn, goOn);
	});
	return Object.assign(counts, {
		/** Throws what `meanwhile` has thrown. */
		async end() {
			restore();
			assert.ok(first !== undefined, "something was read");
			await first;
		},
		/** As {@link end}, where a slow machine may have had no time to read anything. */
		async endAny() {
			restore();
			await first;
		},
	});
}

for (const kind of KINDS) {
	describe(`${kind.index.kind} on disk, ${kind.metric}: while rows are read`, () => {
		let life: OnDisk;
		before(async () => {
			life = new OnDisk(81, kind);
			await life.open();
			await life.write(range(0, RECORDS));
			await life.notes.optimize();
		});
		after(() => life.remove());

		// With a width: without one, and before anything is certified, everything is compared, by a thread that reads without a pause.
		const FORMS: readonly Omit<SearchRequest, "vector">[] = [
			{ nprobe: 8 },
			{ k: 200, nprobe: 16 },
			{ filter: { place: { $lt: 60 } } },
			{ filter: { place: { $lt: 2_900 } }, nprobe: 8 },
			{ text: "part3", nprobe: 8 },
		];

		test("the caller gives up, and is told so", async (t) => {
			for (const form of FORMS) {
				const controller = new AbortController();
				const reading = atFirstRead(t, () => controller.abort());
				const { signal } = controller;
				await assert.rejects(life.notes.search({ vector: life.clusters.next(), ...form, signal }), { code: "ABORTED" });
				await reading.end();
				await life.meanRecall({ filter: { place: { $lt: 60 } } }, 1);
			}
		});

		test("the time runs out: what is known without them is the answer, or none", async (t) => {
			const { notes, clusters, model } = life;
			const own = recordOf(9_000, clusters.next());
			await life.upsert([own]);
			for (const form of FORMS) {
				for (const partial of [true, false]) {
					const { promise, resolve } = Promise.withResolvers<void>();
					const reading = atFirstRead(t, () => promise);
					const searching = notes.search({ vector: own.vector, ...form, timeoutMs: 60, partial });
					if (partial) {
						const { hits, plan: told, recall } = await searching;
						assert.deepEqual([told.cutShort, recall.state], [true, "uncertified"]);
						assert.ok(hits.every(({ id }) => model.get(id) !== undefined));
					} else await assert.rejects(searching, { code: "SEARCH_TIMEOUT" });
					resolve();
					await reading.endAny();
				}
			}
			await life.delete(["r9000"]);
		});

		test("another generation takes over: the answer is whole", async (t) => {
			for (const form of [...FORMS.slice(0, 4), { exact: true, filter: { place: { $lt: 500 } } }]) {
				const reading = atFirstRead(t, () => life.notes.rebuild());
				const { recall } = await life.check({ vector: life.clusters.next(), ...form });
				assert.ok(recall >= 0.5, `${recall} of the nearest`);
				await reading.end();
			}
			assert.deepEqual(life.rowFiles().sort(), life.named().sort());
		});

		test("records are written, deleted, and run out: the answer is of one state", async (t) => {
			const { notes, clusters, clock, model } = life;
			const vector = clusters.next();
			const { hits } = await notes.search({ vector, k: 20, nprobe: 8 });
			const before = model.list();
			const changeBefore = (await notes.stats()).changeNumber;
			const reading = atFirstRead(t, async () => {
				await notes.delete(hits.slice(0, 3).map(({ id }) => id));
				await notes.upsert(hits.slice(3, 6).map(({ id }) => ({ id, vector: clusters.next().map((x) => -x) })));
			});
			const during = await notes.search({ vector, k: 20, nprobe: 8 });
			await reading.end();
			model.delete(hits.slice(0, 3).map(({ id }) => id));
			for (const { id } of hits.slice(3, 6)) {
				const record = await notes.get(id, { include: { vector: true } } as never);
				model.upsert([{ ...record, id, vector: record?.vector as Float32Array }]);
			}
			if (during.changeNumber === changeBefore) assert.deepEqual(answersOf(during.hits), answersOf(hits));
			else assert.ok(during.hits.every(({ id }) => before.some((record) => record.id === id)));
			await life.check({ vector, k: 20 });
			clock.now++;
		});

		test("the disk fails: the search tells, and the next one answers", async (t) => {
			const vector = life.clusters.next();
			const restore = replaceInFs(t, "read", () => (...call: Parameters<typeof read>) => {
				(call.at(-1) as (error: Error) => void)(systemError("EIO"));
			});
			await assert.rejects(life.notes.search({ vector, nprobe: 8 }), { code: "CORRUPT_SNAPSHOT" });
			restore();
			await life.check({ vector });
		});

		test("nothing is read where distances are to be estimates", async (t) => {
			if (kind.index.kind === "ivf") {
				await assert.rejects(life.notes.search({ vector: life.clusters.next(), rerank: 0 }), {
					code: "INVALID_OPTION",
				});
				return;
			}
			let reads = 0;
			const restore = replaceInFs(t, "read", (original) => (...call: Parameters<typeof read>) => {
				reads++;
				(original as unknown as Read)(...call);
			});
			const { hits } = await life.notes.search({ vector: life.clusters.next(), rerank: 0 });
			assert.deepEqual([hits.length, reads], [10, 0]);
			await life.check({ vector: life.clusters.next(), nprobe: 8 });
			assert.ok(reads > 0);
			restore();
		});

		test("searches of every form go on while the index is built again and again", async () => {
			let isDone = false;
			let count = 0;
			const search = async (form: Omit<SearchRequest, "vector">) => {
				while (!isDone) {
					await life.check({ vector: life.clusters.next(), ...form } as VectorRequest);
					count++;
				}
			};
			const searching = [{}, { exact: true }, { k: 100 }, { filter: { place: { $lt: 40 } } }].map(search);
			// Whoever fails is told at the end: until then the others go on.
			for (const each of searching) each.catch(() => {});
			for (let round = 0; round < 4; round++) {
				await life.notes.rebuild(
					round % 2 === 0 ? { nlist: 20 + round } : { storage: round === 1 ? "memory" : "disk" },
				);
			}
			isDone = true;
			await Promise.all(searching);
			assert.ok(count > 0);
		});
	});
}

test("a collection that is closed while rows are read answers, or says that it is closed", async (t) => {
	const life = new OnDisk(82, KINDS[0] as Kind);
	t.after(() => life.remove());
	await life.open();
	await life.write(range(0, RECORDS));
	await life.notes.optimize();
	let closing: Promise<void> | undefined;
	const reading = atFirstRead(t, () => {
		closing = life.database.close();
	});
	const vector = life.clusters.next();
	try {
		life.checkResult(await life.notes.search({ vector, nprobe: 8 }), { vector });
	} catch (error) {
		assert.ok(isNighError(error, "CLOSED"), String(error));
	}
	await reading.end();
	await closing;
	await assert.rejects(life.notes.search({ vector, nprobe: 8 }), { code: "CLOSED" });
});

/** What may be done to a collection, in any order. */
const steps = fc.array(
	fc.oneof(
		{
			weight: 4,
			arbitrary: fc.record({
				do: fc.constant("write" as const),
				from: fc.nat(2_500),
				count: fc.integer({ min: 1, max: 150 }),
			}),
		},
		{
			weight: 3,
			arbitrary: fc.record({
				do: fc.constant("delete" as const),
				from: fc.nat(2_000),
				count: fc.integer({ min: 1, max: 300 }),
			}),
		},
		{
			weight: 2,
			arbitrary: fc.record({
				do: fc.constant("expire" as const),
				from: fc.nat(2_000),
				count: fc.integer({ min: 1, max: 40 }),
			}),
		},
		{
			weight: 1,
			arbitrary: fc.record({
				do: fc.constantFrom("optimize" as const, "rebuild" as const, "settle" as const),
				from: fc.constant(0),
				count: fc.constant(0),
			}),
		},
		{
			weight: 6,
			arbitrary: fc.record({
				do: fc.constant("search" as const),
				from: fc.integer({ min: 0, max: 3_000 }),
				count: fc.constantFrom(1, 10, 100, 4_000),
			}),
		},
	),
	{ minLength: 20, maxLength: 40 },
);

for (const kind of KINDS) {
	test(`${kind.index.kind} on disk: whatever is done in whatever order, answers are those of a Map`, async (t) => {
		const life = new OnDisk(83, kind);
		t.after(() => life.remove());
		await life.open();
		let plan = 0;
		const run = async (todo: typeof steps extends fc.Arbitrary<infer T> ? T : never) => {
			const { clock, clusters } = life;
			const held = new OnDisk(84 + plan, kind);
			await held.remove();
			const own = Object.assign(Object.create(life) as OnDisk, { model: held.model, clock: held.clock });
			held.clock.now = clock.now;
			own.notes = await life.database.collection(`plan-${plan++}`, life.spec);
			await own.write(range(0, 1_200));
			for (const step of todo) {
				const ns = range(step.from, step.count);
				if (step.do === "write") await own.write(ns, step.from);
				else if (step.do === "delete") await own.delete(ns.map((n) => `r${n}`));
				else if (step.do === "optimize") await own.notes.optimize();
				else if (step.do === "rebuild") await own.notes.rebuild();
				else if (step.do === "settle") await own.meanRecall({ exact: true }, 1);
				else if (step.do === "expire") {
					await own.upsert(ns.map((n) => ({ ...recordOf(n, clusters.next()), expiresAt: clock.now + 10 })));
					await own.meanRecall({}, 1);
					clock.now += 10;
					held.clock.now = clock.now;
				} else {
					for (const form of [{}, { exact: true }, { filter: { place: { $lt: step.from } } }]) {
						await own.check({ vector: clusters.next(), k: step.count, ...form });
					}
				}
			}
			await own.checkRecords();
			const recall = await own.meanRecall({}, 10);
			assert.ok(recall >= 0.85, `recall@10 is ${recall} at the end`);
			await life.database.drop(own.notes.name);
			assert.deepEqual(life.rowFiles(), []);
		};
		await fc.assert(fc.asyncProperty(steps, run), { numRuns: 3 });
	});
}
