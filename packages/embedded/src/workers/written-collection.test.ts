import assert from "node:assert/strict";
import { test } from "node:test";
import { NighError } from "@nigh/contract";
import { type Small, type SmallOptions, smallGeneration } from "../memory/generations.test-support.ts";
import { specOf } from "../spec.ts";
import type { CommittedRow } from "./committed-rows.ts";
import type { Installed } from "./messages.ts";
import type { Room } from "./room.ts";
import { turn } from "./turn.ts";
import { WrittenCollection } from "./written-collection.ts";

const NEVER = Number.POSITIVE_INFINITY;

function installed({ handle, area }: Small, number = 1): Installed {
	return { key: 1, generation: { ...handle, number }, areas: { caller: area, worker: area } };
}

async function started(options: SmallOptions = {}) {
	const said: string[] = [];
	const asked = { indexer: 0 };
	const small = smallGeneration({ dimensions: 2, ...options });
	const spec = await specOf({ dimensions: 2, metric: "l2" }, undefined);
	const collection = new WrittenCollection(
		{ key: 1, name: "notes", spec, change: 0, records: 0, nextLabel: 0 },
		{
			grow: async () => void said.push("grow"),
			waiting: (waiting) => void said.push(`waiting ${waiting}`),
			awaited: () => void asked.indexer++,
			mend: async () => void said.push("mend"),
		},
	);
	collection.begin(installed(small));
	return { small, collection, said, asked };
}

function row(label: number, born: number, more: Partial<CommittedRow> = {}): CommittedRow {
	return { label, id: `r${label}`, born, expires: NEVER, vector: Float32Array.of(label, -label), ...more };
}

/** Labels that a reader of the published state sees. */
function seen({ generation }: WrittenCollection): number[] {
	if (generation === undefined) return [];
	const { slotEnd, change, labels } = generation;
	const slots = Array.from({ length: slotEnd }, (_, slot) => slot).filter((slot) => generation.isAlive(slot, change));
	return slots.map((slot) => labels[slot] as number);
}

test("a change is seen as a whole, when it is published", async () => {
	const { collection, small } = await started();
	await collection.show(1, [row(0, 1), row(1, 1)], []);
	assert.deepEqual(seen(collection), [0, 1]);
	await collection.append(row(2, 2));
	collection.kill(0, 2);
	assert.deepEqual(seen(collection), [0, 1], "not published yet");
	collection.publish(2);
	assert.deepEqual(seen(collection), [1, 2]);
	assert.equal(small.generation.change, 2);
});

test("a write that finds no room waits for it, and says so; what it replaces stays until all of it is there", async () => {
	const { collection, small, said } = await started({ capacity: 32, ringRows: 4 });
	await collection.show(
		1,
		[0, 1, 2].map((label) => row(label, 1)),
		[],
	);
	const writing = collection.show(2, [row(3, 2), row(4, 2), row(5, 2)], [0, 1]);
	await turn();
	// The indexer is asked for nothing: it takes the tail in by itself.
	assert.deepEqual(said, ["waiting true"]);
	assert.deepEqual(seen(collection), [0, 1, 2]);
	assert.equal(small.generation.dead, 0, "nothing has died that a reader may still see");
	small.generation.mainEnd = 2;
	small.generation.ringFree = 1;
	collection.wake();
	await turn();
	assert.deepEqual(said, ["waiting true", "waiting false", "waiting true"]);
	assert.deepEqual(seen(collection), [0, 1, 2]);
	small.generation.ringFree = 2;
	collection.wake();
	await writing;
	assert.equal(said.at(-1), "waiting false");
	assert.deepEqual(seen(collection), [2, 3, 4, 5]);
});

test("a generation that takes over lets the write go on that waited for it", async () => {
	const { collection, said } = await started({ capacity: 2 });
	await collection.show(1, [row(0, 1), row(1, 1)], []);
	const writing = collection.show(2, [row(2, 2)], [0]);
	assert.deepEqual(said, ["grow", "waiting true"]);
	const next = smallGeneration({ dimensions: 2, capacity: 16 });
	next.add(Float32Array.of(0, 0), { label: 0 });
	next.add(Float32Array.of(1, -1), { label: 1 });
	assert.equal(collection.install(installed(next, 2), Uint32Array.of(0, 1), 2), true);
	assert.deepEqual(seen(collection), [0, 1], "the state of before, whole");
	await writing;
	assert.deepEqual(seen(collection), [1, 2]);
	assert.equal(collection.generation?.handle.number, 2);
});

test("what has happened since a generation was begun is carried over", async () => {
	const { collection } = await started();
	await collection.show(
		1,
		[0, 1, 2, 3].map((label) => row(label, 1)),
		[],
	);
	// Begun here: label 3 is dead already and left out, the others are copied.
	await collection.show(2, [], [3]);
	const next = smallGeneration({ dimensions: 2, capacity: 16 });
	for (const label of [0, 1, 2]) next.add(Float32Array.of(label, -label), { label, id: `r${label}` });
	await collection.show(3, [row(4, 3, { id: "ä", expires: 50 })], [1]);
	await collection.show(4, [row(5, 4)], []);
	await collection.show(5, [], [5]);
	collection.touch(2, 40);
	assert.equal(collection.install(installed(next, 2), Uint32Array.of(0, 1, 2), 4), true);
	assert.deepEqual(seen(collection), [0, 2, 4]);
	const { generation } = collection;
	assert.ok(generation !== undefined);
	assert.equal(generation.change, 5);
	const slot = generation.slotOf(4);
	assert.deepEqual([generation.idOf(slot), generation.born[slot], generation.expires[slot]], ["ä", 3, 50]);
	assert.equal(generation.expires[generation.slotOf(2)], 40);
	assert.deepEqual([...generation.ringBytes(slot)], [...next.rows.row(Float32Array.of(4, -4))]);
	generation.expire(45);
	assert.deepEqual(seen(collection), [0, 4], "looks for what expires");
});

test("a generation that lacks room for what was written since does not take over, and nothing has changed", async () => {
	const { collection } = await started();
	await collection.show(
		1,
		[0, 1, 2, 3].map((label) => row(label, 1)),
		[],
	);
	for (const options of [{ capacity: 3 }, { capacity: 16, ringRows: 2 }, { capacity: 16, idBytes: 4 }]) {
		const next = smallGeneration({ dimensions: 2, ...options });
		next.add(Float32Array.of(0, 0), { label: 0, id: "r" });
		assert.equal(collection.install(installed(next, 2), Uint32Array.of(0), 1), false);
	}
	assert.equal(collection.generation?.handle.number, 1);
	assert.deepEqual(seen(collection), [0, 1, 2, 3]);
});

test("a record whose time is prolonged just after it seemed to have run out is there, and no generation loses it", async () => {
	const { collection, small } = await started();
	await collection.show(1, [row(0, 1, { expires: 10 }), row(1, 1)], []);
	small.generation.expire(11);
	assert.deepEqual(seen(collection), [1]);
	// A generation is begun, to which it belongs; then comes the update that was on its way.
	const next = smallGeneration({ dimensions: 2, capacity: 16 });
	next.add(Float32Array.of(0, -0), { label: 0, expires: 10 });
	next.add(Float32Array.of(1, -1), { label: 1 });
	collection.touch(0, 100);
	collection.publish(2);
	assert.deepEqual(seen(collection), [0, 1]);
	assert.equal(collection.install(installed(next, 2), Uint32Array.of(0, 1), 2), true);
	assert.deepEqual(seen(collection), [0, 1]);
	next.generation.expire(99);
	assert.deepEqual(seen(collection), [0, 1]);
	next.generation.expire(100);
	assert.deepEqual(seen(collection), [1]);
});

test("after a write that could not be shown, nothing more is published, and every write says what to do", async () => {
	const { collection } = await started({ capacity: 1 });
	await collection.show(1, [row(0, 1)], []);
	const writing = collection.show(2, [row(1, 2)], [0]);
	collection.close();
	await assert.rejects(writing, { code: "UNAVAILABLE", message: /safe on disk.*open it again/ });
	await assert.rejects(collection.show(3, [], [0]), { code: "UNAVAILABLE" });
	assert.throws(() => collection.check(), { code: "UNAVAILABLE" });
	assert.match(collection.failure?.message ?? "", /safe on disk/);
	assert.equal(collection.generation?.change, 1);
	assert.deepEqual(seen(collection), [0]);
});

test("a closed collection lets no generation take over", async () => {
	const { collection } = await started();
	collection.close();
	const next = smallGeneration({ dimensions: 2 });
	assert.equal(collection.install(installed(next, 2), new Uint32Array(0), 0), false);
});

/** A collection of a full generation, whose indexer makes room when `grow` is settled. */
async function full() {
	const asked: { room: Room; settle: PromiseWithResolvers<void> }[] = [];
	const said: boolean[] = [];
	const mended: PromiseWithResolvers<void>[] = [];
	const spec = await specOf({ dimensions: 2, metric: "l2" }, undefined);
	const collection = new WrittenCollection(
		{ key: 1, name: "notes", spec, change: 0, records: 0, nextLabel: 0 },
		{
			grow(room) {
				const settle = Promise.withResolvers<void>();
				asked.push({ room, settle });
				return settle.promise;
			},
			waiting: (waiting) => void said.push(waiting),
			awaited() {},
			mend() {
				const mending = Promise.withResolvers<void>();
				mended.push(mending);
				return mending.promise;
			},
		},
	);
	collection.begin(installed(smallGeneration({ dimensions: 2, capacity: 8, idBytes: 4_096 })));
	const makeRoom = (capacity: number) => {
		const next = smallGeneration({ dimensions: 2, capacity, idBytes: 8_192 });
		assert.equal(collection.install(installed(next, 2), new Uint32Array(0), 0), true);
	};
	return { collection, asked, said, makeRoom, mended };
}

test("room is reserved at once where there is some, and comes back when it is released", async () => {
	const { collection, asked } = await full();
	const releaseFive = await collection.reserve({ slots: 5, idBytes: 10 });
	const releaseThree = await collection.reserve({ slots: 3, idBytes: 10 });
	const waiting = collection.reserve({ slots: 1, idBytes: 10 });
	await turn();
	assert.deepEqual(
		asked.map(({ room }) => room),
		[{ slots: 9, idBytes: 30 }],
	);
	releaseFive();
	asked[0]?.settle.resolve();
	(await waiting)();
	releaseThree();
	(await collection.reserve({ slots: 8, idBytes: 10 }))();
	assert.equal(asked.length, 1);
});

test("where the tail cannot be taken in, whoever waits is told why, those behind him as well, and what comes later waits anew", async () => {
	const { collection, small, said } = await started({ capacity: 64, ringRows: 4, idBytes: 8_192 });
	for (let label = 0; label < 4; label++) await collection.append(row(label, 1));
	const full = new NighError("DISK_FULL", "no space");
	const waiting = [1, 2, 3].map(() => collection.reserve({ slots: 3, idBytes: 2 }));
	const taken = collection.append(row(4, 1)) as Promise<void>;
	await turn();
	collection.stall(full);
	for (const each of [...waiting, taken]) await assert.rejects(each, full);
	const later = collection.reserve({ slots: 3, idBytes: 2 });
	await turn();
	assert.equal(said.at(-1), "waiting true");
	small.generation.mainEnd = 4;
	small.generation.ringFree = 4;
	collection.wake();
	(await later)();
	assert.equal(said.at(-1), "waiting false");
});

test("while the tail is not taken in, what would need more than is free of it is not begun", async () => {
	const { collection } = await started({ capacity: 64, ringRows: 4, idBytes: 8_192 });
	const full = new NighError("DISK_FULL", "no space");
	collection.stall(full);
	(await collection.reserve({ slots: 4, idBytes: 8 }))();
	const larger = collection.reserve({ slots: 5, idBytes: 10 });
	await turn();
	collection.stall(full);
	await assert.rejects(larger, full);
	const later = collection.reserve({ slots: 5, idBytes: 10 });
	await turn();
	collection.wake();
	(await later)();
});

test("a change that cannot be shown for want of space says that its records are safe, and why they are not found", async () => {
	const { collection } = await started({ capacity: 64, ringRows: 4, idBytes: 8_192 });
	const rows = Array.from({ length: 9 }, (_, label) => row(label, 1));
	const showing = collection.show(1, rows, []);
	await turn();
	collection.stall(new NighError("DISK_FULL", "no space for rows"));
	await assert.rejects(showing, { code: "UNAVAILABLE", message: /safe on disk.*repair\(\).*no space for rows/ });
});

test("where rows on disk are damaged, a write that needs room has them mended and goes on", async () => {
	const { collection, asked, said, makeRoom, mended } = await full();
	const writing = collection.reserve({ slots: 20, idBytes: 10 });
	await turn();
	asked[0]?.settle.reject(new NighError("CORRUPT_SNAPSHOT", "a block"));
	await turn();
	assert.equal(mended.length, 1);
	makeRoom(64);
	mended[0]?.resolve();
	(await writing)();
	assert.deepEqual([asked.length, said], [1, [true, false]]);
	const another = collection.reserve({ slots: 70, idBytes: 10 });
	await turn();
	asked[1]?.settle.reject(new NighError("CORRUPT_SNAPSHOT", "a block"));
	await turn();
	mended[1]?.reject(new NighError("CORRUPT_RECORDS", "the records as well"));
	await assert.rejects(another, { code: "CORRUPT_RECORDS" });
});

test("ids need room as well", async () => {
	const { collection, asked } = await full();
	void collection.reserve({ slots: 1, idBytes: 4_096 });
	await turn();
	assert.equal(asked.length, 1);
});

test("a write waits for room before it is written, those behind it stay behind, and health is told once", async () => {
	const { collection, asked, said, makeRoom } = await full();
	const order: string[] = [];
	const large = collection.reserve({ slots: 20, idBytes: 10 }).then(() => order.push("large"));
	const small = collection.reserve({ slots: 1, idBytes: 10 }).then(() => order.push("small"));
	const none = collection.reserve({ slots: 0, idBytes: 0 }).then(() => order.push("none"));
	await turn();
	assert.deepEqual([order, said], [[], [true]]);
	makeRoom(64);
	asked[0]?.settle.resolve();
	await Promise.all([large, small, none]);
	assert.deepEqual(order, ["large", "small", "none"]);
	assert.deepEqual([asked.length, said], [1, [true, false]]);
});

test("where no room can be made the write is told why, what waits behind it goes on, and nothing stays reserved", async () => {
	const { collection, asked, said } = await full();
	const large = collection.reserve({ slots: 20, idBytes: 10 });
	const small = collection.reserve({ slots: 8, idBytes: 10 });
	await turn();
	asked[0]?.settle.reject(new NighError("MEMORY_LIMIT", "no", { count: 0, limit: 8 }));
	await assert.rejects(large, { code: "MEMORY_LIMIT" });
	(await small)();
	(await collection.reserve({ slots: 8, idBytes: 10 }))();
	assert.deepEqual([asked.length, said], [1, [true, false]]);
});

test("a collection that is closed refuses what waits for room", async () => {
	const { collection, asked } = await full();
	const waiting = collection.reserve({ slots: 20, idBytes: 10 });
	await turn();
	collection.close();
	asked[0]?.settle.resolve();
	await assert.rejects(waiting, { code: "CLOSED" });
});

test("what is taken in from the records and finds no memory says so instead of waiting for ever", async () => {
	const { collection, asked } = await full();
	for (let label = 0; label < 8; label++) await collection.append(row(label, 1));
	const ninth = collection.append(row(8, 1)) as Promise<void>;
	await turn();
	assert.deepEqual(asked[0]?.room, { slots: 1, idBytes: 2 });
	asked[0]?.settle.reject(new NighError("MEMORY_LIMIT", "no"));
	await assert.rejects(ninth, { code: "MEMORY_LIMIT" });
});

test("where the tail is full a write waits before it is written, until rows are free or others have not used theirs", async () => {
	const { collection, small, said } = await started({ capacity: 64, ringRows: 4, idBytes: 8_192 });
	const releaseThree = await collection.reserve({ slots: 3, idBytes: 6 });
	const waiting = collection.reserve({ slots: 2, idBytes: 4 });
	await turn();
	assert.deepEqual(said, ["waiting true"], "the indexer takes the tail in by itself");
	releaseThree();
	(await waiting)();
	assert.deepEqual(said, ["waiting true", "waiting false"]);
	for (let label = 0; label < 4; label++) await collection.append(row(label, 1));
	const order: string[] = [];
	const two = collection.reserve({ slots: 2, idBytes: 4 }).then(() => order.push("two"));
	const more = collection.reserve({ slots: 9, idBytes: 18 }).then(() => order.push("more than the tail"));
	small.generation.mainEnd = 4;
	small.generation.ringFree = 1;
	collection.wake();
	await turn();
	assert.deepEqual(order, []);
	small.generation.ringFree = 4;
	collection.wake();
	await two;
	await turn();
	assert.deepEqual(order, ["two"], "the rest is reserved");
	collection.close();
	await assert.rejects(more, { code: "CLOSED" });
});

test("a write whose rows fill the tail asks the indexer for more, also where another waits for room already", async () => {
	const { collection, small, said, asked } = await started({ capacity: 64, ringRows: 4, idBytes: 8_192 });
	const release = await collection.reserve({ slots: 6, idBytes: 12 });
	const behind = collection.reserve({ slots: 2, idBytes: 4 });
	await turn();
	// Nothing is due yet: the tail is empty.
	assert.deepEqual([said, asked], [["waiting true"], { indexer: 1 }]);
	const rows = Array.from({ length: 6 }, (_, label) => row(label, 1));
	const showing = collection.show(1, rows, []);
	await turn();
	assert.deepEqual([said, asked], [["waiting true"], { indexer: 2 }]);
	small.generation.mainEnd = 4;
	small.generation.ringFree = 4;
	collection.wake();
	await showing;
	release();
	(await behind)();
	assert.deepEqual(seen(collection), [0, 1, 2, 3, 4, 5]);
});

test("without an indexer, whoever waits for room is told what to do, and whoever would have to; what fits goes on", async () => {
	const ended = new NighError("UNAVAILABLE", "the indexer has ended: open it again");
	const { collection } = await started({ capacity: 64, ringRows: 4, idBytes: 8_192 });
	for (let label = 0; label < 3; label++) await collection.append(row(label, 1));
	const waiting = collection.reserve({ slots: 2, idBytes: 4 });
	await turn();
	collection.fail(ended);
	await assert.rejects(waiting, ended);
	await assert.rejects(collection.reserve({ slots: 2, idBytes: 4 }), ended);
	(await collection.reserve({ slots: 1, idBytes: 2 }))();
	const shown = collection.show(2, [row(3, 2), row(4, 2)], []);
	await assert.rejects(shown, { code: "UNAVAILABLE", message: /safe on disk/ });
});
