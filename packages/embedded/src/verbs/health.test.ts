import assert from "node:assert/strict";
import { test } from "node:test";
import { type CollectionSpec, NighError } from "@nigh/contract";
import type { CollectionCore, DatabaseCore } from "../core.ts";
import { smallGeneration } from "../memory/generations.test-support.ts";
import { CollectionRecall } from "../recall/collection-recall.ts";
import { cellFor, generationOf, tableFor } from "../recall/served.test-support.ts";
import type { CatalogueEntry } from "../records/catalogue.ts";
import { specOf } from "../spec.ts";
import { SearchLatency } from "../watch/search-latency.ts";
import { unexamined } from "../workers/chores.ts";
import { endedThread } from "../workers/ended-thread.ts";
import { limited, roomFor } from "../workers/limits.ts";
import type { IndexState } from "../workers/messages.ts";
import { databaseHealth, health, worst } from "./health.ts";

const SOUND: Partial<IndexState> = {
	kind: "hnsw",
	choice: { kind: "hnsw", M: 8 },
	parameters: { M: 8, efConstruction: 100 },
	problems: [],
	building: null,
	built: { records: 1_000, live: 1_000, died: 0 },
	cells: null,
	tail: 7,
};

interface Given {
	readonly records?: number;
	readonly isWaiting?: boolean;
	/** What the writer says of its hand-over. */
	readonly failure?: string | null;
	readonly spec?: CollectionSpec;
	/** Threads that have ended, and why. */
	readonly ended?: Readonly<Partial<Record<"writer" | "indexer" | "reader" | "examiner", Error>>>;
	readonly count?: () => Promise<number>;
}

async function coreWith(state: Partial<IndexState>, given: Given = {}): Promise<CollectionCore> {
	const { records = 0, isWaiting = false, failure = null, ended = {}, count = async () => records } = given;
	const spec = await specOf({ dimensions: 2, maxRecords: 10, ...given.spec }, undefined);
	const thread = (name: keyof typeof ended, answer: () => Promise<unknown>) => ({
		failure: ended[name],
		call: () => (ended[name] === undefined ? answer() : Promise.reject(ended[name])),
	});
	const threads = {
		writer: thread("writer", async () => failure),
		indexer: thread("indexer", async () => ({ ...SOUND, ...state })),
		reader: thread("reader", count),
		examiner: thread("examiner", async () => {}),
	};
	const database = { threads, settings: { now: () => 0 }, view: "writer" } as unknown as DatabaseCore;
	const latency = { search: new SearchLatency() };
	const recall = new CollectionRecall(spec.tuner, undefined);
	return { key: 1, name: "notes", spec, searcher: {}, isWaiting, latency, recall, checkOpen() {}, database } as never;
}

async function reasonsOf(...given: Parameters<typeof coreWith>) {
	const { status, reasons } = await health(await coreWith(...given));
	assert.equal(status, worst(reasons));
	for (const { message, recommendation } of reasons) assert.ok(message !== "" && recommendation !== "");
	return reasons;
}

async function codesOf(...given: Parameters<typeof coreWith>): Promise<string[]> {
	return (await reasonsOf(...given)).map(({ code }) => code);
}

test("where nothing is wrong, there is no reason", async () => {
	assert.deepEqual(await reasonsOf({}), []);
});

test("an index that could not be built is told of, with what was missing", async () => {
	const problems = [{ code: "build-failed", message: "the index could not be built: no memory" }];
	const [reason, ...others] = await reasonsOf({ problems });
	assert.deepEqual([reason?.code, reason?.status, others], ["build-failed", "degraded", []]);
	assert.match(reason?.message ?? "", /no memory/);
});

test("an index that nobody can examine is told of, with what to do", async () => {
	const [reason, ...others] = await reasonsOf({ problems: [unexamined(new Error("no memory"))] });
	assert.deepEqual([reason?.code, reason?.status, others], ["recall-unexamined", "degraded", []]);
	assert.match(reason?.message ?? "", /no memory/);
	assert.match(reason?.recommendation ?? "", /prune/);
});

test("writers that wait, a limit that is near, and an index that is on its way are told of", async () => {
	assert.deepEqual(await codesOf({}, { isWaiting: true }), ["tail-full"]);
	assert.deepEqual(await codesOf({}, { records: 7 }), []);
	assert.deepEqual(await codesOf({}, { records: 8 }), ["near-limit"]);
	assert.deepEqual(await codesOf({ kind: "flat", building: 0.25 }), ["index-building"]);
	assert.deepEqual(await codesOf({ kind: "hnsw", building: 0.25 }), [], "there is one already");
});

test("which limit is near is told by what to do, and the end of one memory is one", async () => {
	const adviceFor = async (spec: CollectionSpec, records: number) =>
		(await reasonsOf({}, { spec, records })).map(({ recommendation }) => recommendation);
	assert.match((await adviceFor({}, 8))[0] ?? "", /maxRecords/);
	const memory = { memoryLimit: 2 ** 20, maxRecords: 10 ** 6 };
	const most = roomFor(await specOf({ dimensions: 2, ...memory }, undefined), 0);
	assert.match((await adviceFor(memory, most))[0] ?? "", /memoryLimit/);
	const unlimited = { maxRecords: 10 ** 9 };
	const room = roomFor(await specOf({ dimensions: 2, ...unlimited }, undefined), 0);
	assert.match((await adviceFor(unlimited, Math.ceil(room * 0.8)))[0] ?? "", /several collections/);
	assert.deepEqual(await adviceFor(unlimited, Math.floor(room * 0.79)), []);
});

test("under a cap, a limit is near by the ids that there are, as it is for writers", async () => {
	const spec: CollectionSpec = {
		dimensions: 64,
		metric: "l2",
		index: { kind: "hnsw" },
		memory: { maxMB: 16 },
		maxRecords: 10 ** 6,
	};
	const stored = await specOf(spec, undefined);
	const { add, generation } = smallGeneration({ capacity: 1_000, idBytes: 400_000 });
	for (let i = 0; i < 1_000; i++) add(Float32Array.of(1, 2, 3, 4), { id: `${i}`.padEnd(380, ".") });
	const most = roomFor(limited(stored, generation), 0);
	assert.ok(most < 0.7 * roomFor(stored, 0), "long ids leave less room");
	const reasons = async (records: number) => {
		const core = { ...(await coreWith({}, { spec, records })), searcher: { generation } } as unknown as CollectionCore;
		return (await health(core)).reasons.map(({ code }) => code);
	};
	assert.deepEqual(await reasons(Math.ceil(0.81 * most)), ["near-limit"]);
	assert.deepEqual(await reasons(Math.floor(0.79 * most)), []);
});

test("an index that can follow no more is failing, in the words of the one that could not hand over", async () => {
	const message = "the records are safe on disk, but the index could not follow";
	const reasons = await reasonsOf({}, { failure: message });
	assert.deepEqual(
		reasons.map((reason) => [reason.code, reason.status, reason.message]),
		[["index-behind", "failing", message]],
	);
});

test("a thread that has ended is failing, and the others are asked all the same", async () => {
	for (const name of ["writer", "indexer", "reader"] as const) {
		const error = endedThread(name)(new Error("out of memory"));
		const reasons = await reasonsOf({}, { ended: { [name]: error }, isWaiting: true });
		const [first] = reasons;
		assert.deepEqual([first?.code, first?.status], ["thread-ended", "failing"]);
		assert.match(first?.message ?? "", new RegExp(`${name} thread .*out of memory`));
		assert.equal(reasons.length, name === "indexer" ? 1 : 2);
	}
	const error = new Error("gone");
	assert.deepEqual(await codesOf({}, { ended: { writer: error, reader: error } }), ["thread-ended", "thread-ended"]);
});

test("records that cannot be read are failing, and what is no damage is thrown", async () => {
	const count = async () => {
		throw new NighError("CORRUPT_RECORDS", "the file is damaged");
	};
	const [reason] = await reasonsOf({}, { count });
	assert.deepEqual([reason?.code, reason?.status], ["records-damaged", "failing"]);
	const busy = async () => {
		throw new NighError("UNAVAILABLE", "busy");
	};
	await assert.rejects(reasonsOf({}, { count: busy }), { code: "UNAVAILABLE" });
});

test("an index that is better built anew is told of, but not while one is being built", async () => {
	const built = { records: 1_000, live: 2_000, died: 201 };
	const choice = { kind: "hnsw", M: 16 } as const;
	assert.deepEqual(await codesOf({ built, choice }), ["index-outgrown", "index-churned", "index-parameters"]);
	assert.deepEqual(await codesOf({ built, choice, building: 0.5 }), []);
	assert.deepEqual(await codesOf({ built: null, choice }), [], "there is none, or it is on its way");
	const core = await coreWith({});
	for (const ms of [1, 2]) for (let i = 0; i < 1_000; i++) core.latency.search.record(ms);
	assert.deepEqual(
		(await health(core)).reasons.map(({ code }) => code),
		["index-slower"],
	);
});

test("of a collection that is not open, the limits are told, and the worst collection tells how the database is", async () => {
	const core = await coreWith({}, { records: 9 });
	const stored = (name: string) => ({ key: 2, name, spec: core.spec }) as CatalogueEntry;
	const of = (opened: readonly CollectionCore[], entries: readonly CatalogueEntry[]) =>
		databaseHealth(core.database, opened, () => entries);
	const { status, reasons, collections } = await of([core], [stored("notes"), stored("others")]);
	assert.deepEqual([status, reasons, Object.keys(collections)], ["degraded", [], ["notes", "others"]]);
	for (const { reasons } of Object.values(collections)) {
		assert.deepEqual(
			reasons.map(({ code }) => code),
			["near-limit"],
		);
	}
	assert.deepEqual(await of([], []), { status: "ok", reasons: [], collections: {} });
	assert.equal(worst([{ status: "degraded" }, { status: "failing" }, { status: "ok" }]), "failing");
});

test("a list of collections that cannot be read, and a thread that has ended, are the database's own reasons", async () => {
	const core = await coreWith({});
	const unread = await databaseHealth(core.database, [core], () => {
		throw new NighError("CORRUPT_RECORDS", "the list is damaged");
	});
	assert.deepEqual(
		[unread.status, unread.reasons.map(({ code }) => code), unread.collections.notes?.status],
		["failing", ["records-damaged"], "ok"],
	);
	const { database } = await coreWith({}, { ended: { indexer: new Error("gone"), reader: new Error("gone") } });
	const silent = await databaseHealth(database, [], () => [{ ...core, key: 3 } as unknown as CatalogueEntry]);
	assert.deepEqual(
		[silent.status, silent.reasons.map(({ code }) => code), silent.collections.notes?.status],
		["failing", ["thread-ended", "thread-ended"], "ok"],
	);
});

test("a collection that goes while it is looked at has no health", async () => {
	const core = await coreWith({});
	const gone = {
		...core,
		checkOpen() {
			throw new NighError("CLOSED", "closed");
		},
	} as unknown as CollectionCore;
	assert.deepEqual((await databaseHealth(core.database, [gone], () => [])).collections, {});
});

test("without the examiner answers are given as before: that nobody looks at them is told", async () => {
	const [reason, ...others] = await reasonsOf({}, { ended: { examiner: endedThread("examiner")() } });
	assert.equal(others.length, 0);
	assert.deepEqual([reason?.code, reason?.status], ["thread-ended", "degraded"]);
	assert.match(reason?.message ?? "", /examiner .* neither certified nor watched/);
});

test("that the recall takes too long is told of the index that serves, not of one that there was", async () => {
	const core = await coreWith({}, { spec: { latencyMs: 1 } });
	core.recall.take(tableFor([cellFor()]));
	for (const { bandit } of core.recall.tunedCells) for (const { arm } of bandit.records) bandit.credit(arm, 50);
	const codes = async (identity: string | undefined) => {
		const searcher = { generation: generationOf(identity, 1_000) };
		const { reasons } = await health({ ...core, searcher } as unknown as CollectionCore);
		return reasons.map(({ code }) => code);
	};
	assert.deepEqual(await codes("first"), ["recall-too-slow"]);
	assert.deepEqual(await codes(undefined), []);
	assert.deepEqual(await codes("second"), []);
});
