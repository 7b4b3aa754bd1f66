// From one kind of index to every other while the collection serves, and what is told where cells do not suit the records.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Collection, Database, IndexKind, IndexSettings, RecordInput } from "@nigh/contract";
import { collect } from "@nigh/contract/suite";
import {
	checkAnswers,
	DIMENSIONS,
	type Model,
	points,
	put,
	testPlace,
	until,
	vectorOf,
} from "./points.test-support.ts";

const SPEC = { dimensions: DIMENSIONS, metric: "l2" } as const;
const RECORDS = 1_600;

async function codes(collection: Collection): Promise<string[]> {
	return (await collection.health()).reasons.map(({ code }) => code);
}

const ids = (from: number, to: number) => points(from, to).map(({ id }) => id);

/** Until everything is in the cells, and nothing is trained any more. */
async function settled(collection: Collection): Promise<void> {
	const isSettled = async () => {
		const { cells } = await collection.analyze();
		const { tail } = (await collection.stats()).index;
		const { reasons } = await collection.health();
		return cells !== undefined && tail === 0 && !reasons.some(({ code }) => code === "index-building");
	};
	await until(isSettled, "everything in cells");
}

/** Writes and searches beside what is done to the collection, once at least and until it is ended; what is answered is checked. */
function beside(notes: Collection, model: Model) {
	let ended = false;
	let [writes, searches] = [0, 0];
	const write = async () => {
		for (; !ended || writes === 0; writes++) {
			const version = writes + 1;
			const at = (writes * 37) % (RECORDS - 20);
			const records = points(at, at + 10, version);
			await notes.upsert(records);
			put(model, records);
			const gone = ids(at + 10, at + 12);
			await notes.delete(gone);
			for (const id of gone) model.delete(id);
		}
	};
	const search = async () => {
		for (; !ended || searches === 0; searches++) {
			const { hits } = await notes.search({ vector: vectorOf(-5 - searches), k: 20, include: { vector: true } });
			assert.equal(hits.length, 20);
			for (const { id, distance, vector } of hits) {
				const exact = Math.hypot(...(vector as Float32Array).map((x, i) => x - (vectorOf(-5 - searches)[i] as number)));
				assert.ok(Math.abs(exact - distance) <= 1e-4 * exact, `${id} is at ${exact} and not at ${distance}`);
			}
			await new Promise((resolve) => setImmediate(resolve));
		}
	};
	const working = Promise.all([write(), search()]);
	working.catch(() => {});
	return {
		async end() {
			ended = true;
			await working;
		},
	};
}

async function everything(collection: Collection) {
	const records = await collect(collection.scan({ include: { vector: true, metadata: true, text: true } }));
	return records.map(({ id, vector, metadata, text }) => ({ id, vector, metadata, text }));
}

test("flat to a graph to cells of every kind and back, beside searches and writes: ids, vectors and metadata stay", async (t) => {
	const { open } = testPlace(t);
	let database: Database = await open("data");
	let notes = await database.collection("notes", { ...SPEC, index: { kind: "flat" } });
	const model: Model = new Map();
	await notes.upsert(points(0, RECORDS));
	put(model, points(0, RECORDS));
	const way: readonly (readonly [IndexKind, IndexSettings])[] = [
		["hnsw", { kind: "hnsw", M: 6, efConstruction: 40 }],
		["ivf", { kind: "ivf", nlist: 20 }],
		["ivfpq", { kind: "ivfpq", nlist: "adaptive", M: 8 }],
		["ivfrabitq", { kind: "ivfrabitq", bits: 4 }],
		["flat", { kind: "flat" }],
	];
	for (const [kind, index] of way) {
		const working = beside(notes, model);
		const told: number[] = [];
		const report = await notes.convert(index, { onProgress: (done, total) => void told.push(done / total) });
		await working.end();
		assert.equal(report.index, kind);
		// What has been replaced since it was built is in the tail again.
		assert.ok(report.vectors > 0 && report.vectors <= RECORDS, `${report.vectors} vectors`);
		const { before: bytesBefore, after: bytesAfter } = report.bytes ?? { before: 0, after: 0 };
		assert.ok(bytesBefore > 0 && bytesAfter > 0, `${bytesBefore} bytes, then ${bytesAfter}`);
		assert.equal(told.at(-1), 1);
		assert.deepEqual(
			told,
			told.toSorted((a, b) => a - b),
		);
		assert.equal((await notes.stats()).index.kind, kind);
		assert.equal((await notes.analyze()).index, kind);
		assert.equal((await notes.search({ vector: vectorOf(-1) })).plan.index, kind);
		await checkAnswers(notes, model);
		await checkAnswers(notes, model, { exact: true });
		const before = await everything(notes);
		assert.equal(before.length, model.size);
		for (const { id, vector, metadata, text } of before) {
			assert.deepEqual(vector, model.get(id));
			assert.equal(metadata?.n, Number(id.slice(1)));
			assert.equal(text, `point number ${id.slice(1)}`);
		}
		await database.close();
		database = await open("data");
		notes = await database.collection("notes");
		assert.equal((await notes.stats()).index.kind, kind, "also when it is opened again");
		assert.deepEqual(await everything(notes), before);
		await checkAnswers(notes, model, { exact: true });
	}
});

test("what is ended before it is done leaves what serves, in the folder too", async (t) => {
	const { open } = testPlace(t);
	let database = await open("data");
	let notes = await database.collection("notes", { ...SPEC, index: { kind: "ivfpq", nlist: 12, M: 8 } });
	const model: Model = new Map();
	await notes.upsert(points(0, RECORDS));
	put(model, points(0, RECORDS));
	await notes.optimize();
	const serves = (await notes.stats()).effective.index;
	const indexes: readonly IndexSettings[] = [{ kind: "ivf" }, { kind: "ivfrabitq", bits: 8 }, { kind: "hnsw" }];
	for (const index of indexes) {
		for (const when of ["before", "at once", "soon"]) {
			const ended = new AbortController();
			if (when === "before") ended.abort();
			const converting = notes.convert(index, { signal: ended.signal }).catch((error) => error);
			if (when === "soon") setImmediate(() => ended.abort());
			else ended.abort();
			const conversion = await converting;
			assert.equal(conversion.code, "ABORTED", String(conversion));
			assert.deepEqual((await notes.stats()).effective.index, serves);
		}
		await checkAnswers(notes, model, { exact: true });
	}
	await database.close();
	database = await open("data");
	notes = await database.collection("notes");
	assert.deepEqual((await notes.stats()).effective.index, serves);
	await checkAnswers(notes, model);
});

test("rebuild trains as many cells as are asked for, keeps what is not named, and refuses what is of another kind", async (t) => {
	const { open } = testPlace(t);
	const notes = await (await open("data")).collection("notes", {
		...SPEC,
		index: { kind: "ivfpq", nlist: 10, M: 4, bits: 4 },
	});
	await notes.upsert(points(0, RECORDS));
	await notes.optimize();
	const cells = async () => (await notes.stats()).effective.index.parameters;
	assert.deepEqual([(await cells()).nlist, (await cells()).M, (await cells()).nprobe], [10, 4, 4]);
	await notes.rebuild({ nlist: 25 });
	assert.deepEqual([(await cells()).nlist, (await cells()).M, (await cells()).nprobe], [25, 4, 5]);
	await notes.rebuild({ M: 8, nprobe: 7 });
	assert.deepEqual([(await cells()).nlist, (await cells()).M, (await cells()).nprobe], [25, 8, 7]);
	await notes.rebuild({ nlist: "adaptive" });
	assert.deepEqual([(await cells()).nlist, (await cells()).nlistRule], [Math.floor(RECORDS / 39), "adaptive"]);
	await assert.rejects(notes.rebuild({ efConstruction: 50 }), { code: "INVALID_OPTION" });
	await assert.rejects(notes.rebuild({ epsilon: 2 }), { code: "INVALID_OPTION" });
	await assert.rejects(notes.rebuild({ nlist: 5 }), { code: "INVALID_OPTION" }, "nprobe 7 stays");
	assert.equal((await cells()).nlist, Math.floor(RECORDS / 39));
});

for (const kind of ["ivf", "ivfpq", "ivfrabitq"] as const) {
	test(`${kind}: vectors that are all alike are answered from the tail, exactly, and health says what to do`, async (t) => {
		const { open } = testPlace(t);
		const notes = await (await open("data")).collection("notes", { ...SPEC, index: { kind } });
		const vector = vectorOf(1);
		const alike = (n: number): RecordInput[] => points(0, n).map((record) => ({ ...record, vector }));
		await notes.upsert(alike(1_500));
		await until(async () => (await codes(notes)).includes("build-failed"), "the training has failed");
		const [reason] = (await notes.health()).reasons;
		assert.match(reason?.message ?? "", /collapsed: of \d+ cells 1 .* everything|everything is compared.*collapsed/s);
		assert.match(reason?.message ?? "", /flat or HNSW/);
		assert.notEqual(reason?.recommendation, "");
		const { hits, recall, plan } = await notes.search({ vector, k: 30 });
		assert.deepEqual([hits.length, recall.state, plan.strategy], [30, "exact", "scan"]);
		assert.equal((await notes.search({ vector, filter: { n: { $lt: 7 } } })).hits.length, 7);
		assert.deepEqual((await notes.analyze()).cells, undefined);
		await assert.rejects(notes.convert({ kind: kind === "ivf" ? "ivfpq" : "ivf" }), { code: "NOT_TRAINED" });
		assert.equal((await notes.stats()).index.kind, kind, "what was not made is not what it is from now on");
		await notes.convert({ kind: "hnsw", M: 6, efConstruction: 40 });
		assert.deepEqual([await codes(notes), (await notes.stats()).index.kind], [[], "hnsw"]);
		assert.equal((await notes.search({ vector, k: 30 })).hits.length, 30);
	});
}

test("growing by more than a quarter leads to one training, and a standstill to none", async (t) => {
	const { open } = testPlace(t);
	const notes = await (await open("data")).collection("notes", { ...SPEC, index: { kind: "ivf" } });
	await notes.upsert(points(0, RECORDS));
	await notes.optimize();
	const trainedFor = async () => (await notes.stats()).effective.index.parameters.trainedFor;
	const first = await trainedFor();
	assert.equal(first, RECORDS);
	await notes.upsert(points(RECORDS, RECORDS + 300));
	await settled(notes);
	assert.equal(await trainedFor(), first);
	await notes.upsert(points(RECORDS + 300, RECORDS + 500));
	await until(async () => (await trainedFor()) !== first, "trained anew");
	const second = await trainedFor();
	assert.ok((second as number) >= 1.25 * RECORDS);
	await notes.upsert(points(0, 20, 1));
	await notes.delete(ids(30, 60));
	await notes.optimize();
	await settled(notes);
	assert.equal(await trainedFor(), second);
	assert.deepEqual(await codes(notes), []);
});

test("more than a fifth deleted is told of, with what to do, and is over when that is done", async (t) => {
	const { open } = testPlace(t);
	const notes = await (await open("data")).collection("notes", { ...SPEC, index: { kind: "ivfpq", M: 8 } });
	await notes.upsert(points(0, RECORDS).map((record, i) => ({ ...record, metadata: { n: i, old: i < 330 } })));
	await notes.rebuild();
	assert.deepEqual(await codes(notes), []);
	await notes.delete(ids(1_590, RECORDS));
	assert.deepEqual(await codes(notes), []);
	const { deleted } = await notes.delete({ filter: { old: true } });
	assert.equal(deleted, 330);
	assert.deepEqual(await codes(notes), ["index-churned"]);
	const [reason] = (await notes.health()).reasons;
	assert.match(reason?.message ?? "", /340 records have been deleted or replaced .* 1600/);
	assert.match(reason?.recommendation ?? "", /optimize\(\)|rebuild\(\)/);
	assert.equal((await notes.health()).status, "degraded");
	await notes.rebuild();
	assert.deepEqual(await codes(notes), []);
	assert.equal((await notes.analyze()).cells?.trainedFor, RECORDS - 340);
});

test("how well the number of cells suits the records is said in the words for it, and rebuild is what helps", async (t) => {
	const { open } = testPlace(t);
	const database = await open("data");
	const flat = await database.collection("flat", { ...SPEC, index: { kind: "flat" } });
	await flat.upsert(points(0, 10));
	assert.deepEqual([(await flat.analyze()).cells, await codes(flat)], [undefined, []]);
	const notes = await database.collection("notes", { ...SPEC, index: { kind: "ivf", nlist: 15 } });
	await notes.upsert(points(0, RECORDS));
	await notes.optimize();
	const told = async () => ({ fill: (await notes.analyze()).cells?.fill, codes: await codes(notes) });
	assert.deepEqual(await told(), { fill: "DEGRADED", codes: ["cells-degraded"] });
	const [issue] = (await notes.analyze()).issues;
	assert.match(issue?.message ?? "", /DEGRADED: 15 cells .* for 1600 records, 107 a cell/);
	assert.match(issue?.recommendation ?? "", /rebuild\(\{ nlist: "adaptive" \}\)/);
	await notes.rebuild({ nlist: "chromatica-script" });
	assert.deepEqual(await told(), { fill: "INEFFICIENT", codes: ["cells-inefficient"] });
	assert.match(
		(await notes.health()).reasons[0]?.message ?? "",
		/INEFFICIENT: 1024 cells .* for 1600 records, 2 a cell/,
	);
	await notes.rebuild({ nlist: "adaptive" });
	assert.deepEqual(await told(), { fill: "OPTIMAL", codes: [] });
	await notes.rebuild({ nlist: 200 });
	// 39 for each would be 7,800: nothing is trained on fewer.
	assert.deepEqual(await told(), { fill: undefined, codes: [] });
	await notes.convert({ kind: "flat" });
	assert.deepEqual(await told(), { fill: undefined, codes: [] });
});

test("an index that is told to look at little, or to answer with estimates, is sound all the same", async (t) => {
	const { open } = testPlace(t);
	const database = await open("data");
	const indexes: readonly IndexSettings[] = [
		{ kind: "ivfpq", rerank: 0 },
		{ kind: "ivfrabitq", rerank: 0 },
		{ kind: "ivfpq", M: 2, nprobe: 1, rerank: 1 },
	];
	for (const [i, index] of indexes.entries()) {
		const notes = await database.collection(`notes${i}`, { ...SPEC, index });
		await notes.upsert(points(0, RECORDS));
		await notes.optimize();
		const { plan } = await notes.search({ vector: vectorOf(-1), k: 5, nprobe: 1 });
		assert.deepEqual([plan.index, plan.rerank], [index.kind, i < 2 ? 0 : 5]);
		// None of them is known to keep the recall that is wanted, so everything is compared.
		const unsaid = await notes.search({ vector: vectorOf(-1), k: 5 });
		assert.deepEqual([unsaid.plan.strategy, unsaid.recall.state], ["scan", "exact"]);
	}
	const { ok, problems } = await database.verify();
	assert.deepEqual([ok, problems], [true, []]);
});
