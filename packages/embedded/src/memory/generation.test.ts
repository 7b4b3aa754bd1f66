import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Generation, MOST_READERS } from "./generation.ts";
import { type Small, smallGeneration } from "./generations.test-support.ts";

const VECTOR = Float32Array.of(1, 2, 3, 4);

function filled(count: number, expires: (slot: number) => number = () => Number.POSITIVE_INFINITY): Small {
	const small = smallGeneration();
	for (let slot = 0; slot < count; slot++) small.add(VECTOR, { expires: expires(slot) });
	return small;
}

function seen(generation: Generation, change: number): number[] {
	return Array.from({ length: generation.slotEnd }, (_, slot) => slot).filter((slot) =>
		generation.isAlive(slot, change),
	);
}

test("a label is found at the slot that it was put in, every other has none", () => {
	const ascending = fc.uniqueArray(fc.integer({ min: 0, max: 300 }), { maxLength: 60 });
	fc.assert(
		fc.property(ascending, (labels) => {
			labels.sort((a, b) => a - b);
			const { generation, add } = smallGeneration();
			const slots = new Map(labels.map((label) => [label, add(VECTOR, { label })]));
			for (let label = 0; label <= 301; label++) assert.equal(generation.slotOf(label), slots.get(label) ?? -1);
		}),
		{ numRuns: 50 },
	);
});

test("the largest label there may be is found", () => {
	const { generation, add } = smallGeneration();
	add(VECTOR, { label: 0 });
	add(VECTOR, { label: 0xfffffffe });
	assert.equal(generation.slotOf(0xfffffffe), 1);
	assert.equal(generation.slotOf(0xfffffffd), -1);
});

test("a slot is seen from the change that wrote it up to the one that took it away", () => {
	const { generation, add } = smallGeneration();
	add(VECTOR, { born: 3 });
	add(VECTOR, { born: 5 });
	assert.equal(generation.kill(0, 7), true);
	assert.deepEqual(
		[2, 3, 4, 5, 6, 7, 8].map((change) => seen(generation, change)),
		[[], [0], [0], [0, 1], [0, 1], [1], [1]],
	);
});

test("what is killed twice dies at the earlier change, and counts once", () => {
	const { generation } = filled(3);
	assert.equal(generation.kill(1, 9), true);
	assert.equal(generation.kill(1, 9), false);
	assert.equal(generation.kill(1, 12), false);
	assert.equal(generation.died[1], 9);
	assert.equal(generation.kill(1, 4), false);
	assert.equal(generation.died[1], 4);
	assert.deepEqual([generation.dead, generation.live], [1, 2]);
});

test("the dead are counted in the main index where they are in it, and after they have been taken in", async () => {
	const small = smallGeneration({ graph: true });
	for (let i = 0; i < 6; i++) small.add(VECTOR);
	const { generation } = small;
	generation.kill(0, 2);
	generation.kill(5, 2);
	assert.deepEqual([generation.dead, generation.deadInMain], [2, 0]);
	await small.fold(4);
	assert.deepEqual([generation.dead, generation.deadInMain], [2, 1]);
	generation.kill(1, 3);
	assert.deepEqual([generation.dead, generation.deadInMain], [3, 2]);
});

test("expire takes away for every reader what has expired by then, and nothing else", () => {
	fc.assert(
		fc.property(
			fc.array(fc.constantFrom(5, 10, 15, Number.POSITIVE_INFINITY), { maxLength: 20 }),
			fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 5 }),
			(times, moments) => {
				const { generation } = filled(times.length, (slot) => times[slot] as number);
				let latest = Number.NEGATIVE_INFINITY;
				for (const now of moments) {
					generation.expire(now);
					latest = Math.max(latest, now);
					const expected = [...times.keys()].filter((slot) => (times[slot] as number) > latest);
					assert.deepEqual(seen(generation, 1), expected);
					assert.deepEqual(seen(generation, 1_000), expected);
					assert.equal(generation.live, expected.length);
					const next = Math.min(...expected.map((slot) => times[slot] as number));
					assert.ok(generation.nextExpiry <= next, `${generation.nextExpiry} is after ${next}`);
				}
			},
		),
		{ numRuns: 100 },
	);
});

test("without anything that expires there is nothing to look for; a time that is told of later is kept", () => {
	const { generation } = filled(2);
	assert.equal(generation.nextExpiry, Number.POSITIVE_INFINITY);
	generation.expires[1] = 40;
	generation.noteExpiry(40);
	assert.equal(generation.nextExpiry, 40);
	generation.noteExpiry(50);
	assert.equal(generation.nextExpiry, 40);
	generation.expire(39);
	assert.deepEqual(seen(generation, 1), [0, 1]);
	generation.expire(40);
	assert.deepEqual(seen(generation, 1), [0]);
	assert.equal(generation.nextExpiry, Number.POSITIVE_INFINITY);
});

test("what had expired is there again when its time was prolonged; what was deleted stays away", () => {
	const { generation } = filled(3, () => 10);
	generation.kill(2, 5);
	generation.expire(10);
	assert.equal(generation.live, 0);
	generation.expires[0] = 30;
	generation.revive(0);
	generation.noteExpiry(30);
	assert.deepEqual(seen(generation, 9), [0]);
	assert.equal(generation.live, 1);
	const { generation: other } = filled(1);
	other.kill(0, 5);
	other.revive(0);
	assert.deepEqual(seen(other, 9), []);
	assert.equal(other.live, 0);
	other.expire(50);
	generation.revive(1);
	generation.expire(30);
	assert.deepEqual(seen(generation, 9), []);
});

test("a second view of the same memory sees the same", () => {
	const { handle, generation } = filled(4);
	const other = new Generation(handle);
	generation.publish(2 ** 40);
	other.kill(2, 8);
	assert.equal(other.change, 2 ** 40);
	assert.deepEqual(seen(generation, 8), [0, 1, 3]);
	assert.equal(other.idOf(3), "r3");
	assert.deepEqual([other.slotEnd, other.dead], [4, 1]);
});

test("a reader holds what it could see until it leaves; those who come later do not", () => {
	const { generation } = filled(1);
	const [held, idle, late] = [0, 1, MOST_READERS - 1];
	generation.enter(held);
	generation.enter(idle);
	generation.leave(idle);
	const turns = generation.readerTurns();
	assert.equal(generation.haveLeft(turns), false);
	generation.enter(late);
	assert.equal(generation.haveLeft(turns), false);
	generation.leave(held);
	assert.equal(generation.haveLeft(turns), true);
	generation.enter(held);
	assert.equal(generation.haveLeft(turns), true);
});
