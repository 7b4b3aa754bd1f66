import assert from "node:assert/strict";
import { test } from "node:test";
import { askByHeldOut } from "./held-out.ts";
import type { IndexerSurroundings } from "./indexed-collection.ts";
import type { Owned } from "./next-generation.ts";
import type { Task } from "./task.ts";
import { turn } from "./turn.ts";

const COLLECTION = { key: 1, name: "notes", spec: {} as never, noteExaminable() {}, noteUnexamined: () => true };
const SLOTS = Uint32Array.of(3, 1, 2);
const INDEX = { generation: {} } as Owned;
/** Why nobody could ask. */
const reasons: string[] = [];

function asked(examine: IndexerSurroundings["examine"], given: Partial<Parameters<typeof askByHeldOut>[4]> = {}) {
	const unexamined: IndexerSurroundings["unexamined"] = (collection, generation, reason) => {
		assert.ok(collection === COLLECTION && generation === INDEX.generation);
		reasons.push((reason as Error).message);
	};
	return askByHeldOut({ examine, unexamined }, COLLECTION, INDEX, SLOTS, {
		isPressed: () => false,
		between: async () => {},
		...given,
	});
}

test("the index waits until it has been asked", async () => {
	const { promise, resolve } = Promise.withResolvers<void>();
	let isDone = false;
	const waiting = asked((_collection, index, slots) => {
		assert.ok(index === INDEX && slots === SLOTS);
		return promise;
	}).then(() => {
		isDone = true;
	});
	for (let i = 0; i < 5; i++) await turn();
	assert.equal(isDone, false);
	resolve();
	await waiting;
});

test("where nobody can ask the index goes on without, and why is told", async () => {
	reasons.length = 0;
	await asked(() => Promise.reject(new Error("the thread has ended")));
	// For want of memory: before there is anything to wait for.
	await asked(() => {
		throw new Error("no memory");
	});
	assert.deepEqual(reasons, ["the thread has ended", "no memory"]);
});

test("an index that is wanted ends it, and waits until nobody asks any more", async () => {
	let isAsking = true;
	const examine = async (_collection: unknown, _index: unknown, _slots: unknown, task: Task) => {
		task.takeUp();
		while (!task.isAborted) await turn();
		for (let i = 0; i < 3; i++) await turn();
		isAsking = false;
	};
	let looks = 0;
	await asked(examine, { isPressed: () => ++looks > 2 });
	assert.equal(isAsking, false);
});

test("what ends the wait ends the asking too, and is told when nobody asks any more", async () => {
	let isAsking = true;
	const examine = async (_collection: unknown, _index: unknown, _slots: unknown, task: Task) => {
		task.takeUp();
		while (!task.isAborted) await turn();
		isAsking = false;
	};
	const between = async () => {
		throw new Error("given up");
	};
	await assert.rejects(asked(examine, { between }), /given up/);
	assert.equal(isAsking, false);
});

test("where those who ask do something else, an index that is wanted does not wait, and is not asked by an answer that comes late", async () => {
	let begin = () => {};
	let hasBegun: boolean | undefined;
	let late: Promise<void> | undefined;
	const examine = (_collection: unknown, _index: unknown, _slots: unknown, task: Task) => {
		const { promise, resolve } = Promise.withResolvers<void>();
		begin = resolve;
		late = promise.then(() => {
			hasBegun = task.takeUp();
			throw new Error("too late");
		});
		return late;
	};
	let looks = 0;
	await asked(examine, { isPressed: () => ++looks > 2 });
	const between = async () => {
		throw new Error("given up");
	};
	begin();
	await assert.rejects(late as unknown as Promise<void>, /too late/);
	assert.equal(hasBegun, false);
	await assert.rejects(asked(examine, { between }), /given up/);
});
