import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { testFolder } from "../folder/folder.test-support.ts";
import { churnOf } from "../memory/generation.ts";
import type { Owned } from "./next-generation.ts";
import { begun } from "./one-thread.test-support.ts";
import { recoverSnapshot, saveSnapshot } from "./snapshots.ts";

const N = 3_000;
const DATA = { databaseId: "d", readOnly: false, records: "no such file" };

async function indexed(t: TestContext) {
	const all = await begun(t, N, { index: { kind: "hnsw", M: 4, efConstruction: 16 }, dimensions: 8 });
	await all.append(N);
	await all.collection.replace({ fresh: true, arrange: true });
	assert.equal(all.kind, "hnsw");
	const { collection } = all;
	const generation = () => collection.generation;
	return {
		...all,
		generation,
		churn: () => churnOf(generation()),
		id: () => generation().handle.identity?.id,
		kill: (...slots: readonly number[]) => {
			for (const slot of slots) assert.ok(generation().kill(slot, 2));
			generation().publish(2);
		},
		expire: (...slots: readonly number[]) => {
			for (const slot of slots) generation().expires[slot] = 50;
			generation().noteExpiry(50);
			generation().expire(100);
		},
	};
}

test("what comes into an index and what dies counts by one, in whichever generation", async (t) => {
	const { collection, append, generation, churn, id, kill, expire } = await indexed(t);
	const first = id();
	assert.ok(first !== undefined);
	assert.equal(churn(), N);
	await append(60);
	assert.equal(churn(), N, "what waits in the tail has not come yet");
	kill(4, 9, 700);
	assert.equal(churn(), N + 3);
	await collection.fold();
	assert.equal(churn(), N + 63);
	// A copy leaves out what has died, and takes in the tail.
	await append(25);
	expire(30, 31);
	kill(N + 70);
	assert.equal(churn(), N + 66);
	await collection.replace({ fresh: false, arrange: true });
	generation().expire(100);
	assert.equal(id(), first);
	assert.equal(generation().dead, 2);
	assert.equal(churn(), N + 66 + 25);
	// And again, with nothing in between.
	await collection.replace({ fresh: false, arrange: false });
	generation().expire(100);
	assert.equal(churn(), N + 91);
	await collection.replace({ fresh: true, arrange: true });
	assert.notEqual(id(), first);
	assert.equal(churn(), generation().mainEnd + generation().dead);
});

test("what dies while the copy is made counts once", async (t) => {
	let killed = 0;
	const all = await begun(t, N, {
		index: { kind: "hnsw", M: 4, efConstruction: 16 },
		dimensions: 8,
		onInstall: (_installed, old: Owned) => {
			if (old.main === undefined) return;
			for (const slot of [11, 12, 13]) if (old.generation.kill(slot, 3)) killed++;
		},
	});
	await all.append(N);
	await all.collection.replace({ fresh: true, arrange: true });
	const before = churnOf(all.collection.generation);
	await all.collection.replace({ fresh: false, arrange: false });
	assert.equal(killed, 3);
	assert.equal(churnOf(all.collection.generation), before + 3);
	assert.equal(all.collection.generation.dead, 3);
});

test("an index that is read from a snapshot is the same, and has changed by as much", async (t) => {
	const { collection, append, generation, churn, id, kill, expire } = await indexed(t);
	const snapshots = testFolder(t);
	const reopened = async () => {
		await saveSnapshot({ snapshots, ...DATA }, collection);
		const { change, live } = generation();
		const entry = { key: 1, change, records: live, reclaimedThrough: 0 };
		const { owned } = await recoverSnapshot({ snapshots, ...DATA }, entry, generation().handle.format, collection.spec);
		const again = owned?.generation as Owned["generation"];
		again.expire(100);
		return again;
	};
	const check = async () => {
		const again = await reopened();
		assert.equal(again.handle.identity?.id, id());
		assert.equal(churnOf(again), churn());
		// What was in the tail comes again from the records.
		const isSame = again.mainEnd === generation().mainEnd;
		assert.ok(isSame);
	};
	await check();
	kill(1, 2, 3);
	generation().publish(3);
	await check();
	await append(40);
	await collection.fold();
	generation().publish(4);
	await check();
	expire(50, 51);
	generation().publish(5);
	await check();
	await collection.replace({ fresh: false, arrange: true });
	generation().expire(100);
	generation().publish(6);
	await check();
	// What has died in the tail does not come again: it stays counted.
	await append(30);
	const { slotEnd } = generation();
	kill(slotEnd - 1, slotEnd - 2, slotEnd - 3);
	generation().publish(7);
	await check();
});
