import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CLOCK_TOLERANCE_MS, DELETED, Generation, MOST_READERS } from "./generation.ts";
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

test("who dies while the main index takes it in counts once, whichever of the two is the first to see it", () => {
	const { generation } = filled(60);
	generation.kill(0, 2);
	// What the indexer does between the two: others see already that these are in the main index.
	generation.mainEnd = 56;
	for (const slot of [1, 31, 32, 55]) generation.kill(slot, 3);
	assert.equal(generation.kill(1, 2), false, "it dies twice");
	generation.kill(56, 3);
	generation.countDeadInMain(0, 56);
	assert.deepEqual([generation.dead, generation.deadInMain], [6, 5]);
	generation.countDeadInMain(0, 56);
	assert.equal(generation.deadInMain, 5);
});

test("however deaths, revivals and what is taken in follow each other, the dead of the main index are those that are there", () => {
	const slot = fc.integer({ min: 0, max: 39 });
	const step = fc.oneof(
		fc.record({ verb: fc.constant("kill" as const), slot }),
		fc.record({ verb: fc.constant("expire" as const), slot }),
		fc.record({ verb: fc.constant("revive" as const), slot }),
		fc.record({ verb: fc.constant("take in" as const), slot }),
		fc.record({ verb: fc.constant("count" as const), slot }),
	);
	fc.assert(
		fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
			const { generation } = filled(40);
			let counted = 0;
			for (const { verb, slot } of steps) {
				if (verb === "kill") generation.kill(slot, 5);
				if (verb === "expire") generation.kill(slot, 0);
				if (verb === "revive") generation.revive(slot);
				if (verb === "take in") generation.mainEnd = Math.max(generation.mainEnd, slot);
				if (verb !== "count") continue;
				generation.countDeadInMain(counted, generation.mainEnd);
				counted = generation.mainEnd;
			}
			generation.countDeadInMain(counted, generation.mainEnd);
			const dead = [...generation.died.subarray(0, 40)].map((died) => died !== Number.POSITIVE_INFINITY);
			assert.equal(generation.dead, dead.filter(Boolean).length);
			assert.equal(generation.deadInMain, dead.slice(0, generation.mainEnd).filter(Boolean).length);
		}),
	);
});

test("expire takes away for every reader what has expired by then, and nothing else, also where the clock goes back", () => {
	fc.assert(
		fc.property(
			fc.array(fc.constantFrom(5_000, 10_000, 15_000, Number.POSITIVE_INFINITY), { maxLength: 20 }),
			fc.array(
				// More than the tolerance apart from each other, and from what expires later.
				fc.integer({ min: 0, max: 8 }).map((n) => n * 2_500),
				{ maxLength: 5 },
			),
			(times, moments) => {
				const { generation } = filled(times.length, (slot) => times[slot] as number);
				for (const now of moments) {
					generation.expire(now);
					const expected = [...times.keys()].filter((slot) => (times[slot] as number) > now);
					assert.deepEqual(seen(generation, 1), expected);
					assert.deepEqual(seen(generation, 1_000), expected);
					assert.deepEqual([generation.live, generation.deleted], [expected.length, 0]);
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

test("what was deleted before or after it expired does not come back with the clock", () => {
	const { generation } = filled(4, () => 10);
	generation.kill(0, 5);
	generation.expire(10);
	assert.deepEqual([generation.live, generation.deleted], [0, 1]);
	assert.equal(generation.kill(1, 6), false, "it was not there any more");
	assert.equal(generation.deleted, 2);
	generation.kill(2, DELETED);
	generation.expire(9 - CLOCK_TOLERANCE_MS);
	assert.deepEqual(seen(generation, 1), [3]);
	assert.deepEqual(
		[0, 1, 2, 3].map((slot) => generation.isDeleted(slot)),
		[true, true, true, false],
	);
	assert.deepEqual([generation.live, generation.dead, generation.deleted], [1, 3, 3]);
});

/** Another thread's view that has `meanwhile` happen just before it looks at `slot`, the first time. Counts its looks. */
function interrupted(generation: Generation, slot: number, meanwhile: () => void) {
	const view = new Generation(generation.handle);
	const looks = { count: 0 };
	let isDone = false;
	const expires = new Proxy(view.expires, {
		get(times, property) {
			looks.count++;
			if (Number(property) === slot && !isDone) {
				isDone = true;
				meanwhile();
			}
			return times[property as unknown as number];
		},
	});
	return { view: Object.defineProperty(view, "expires", { value: expires }), looks };
}

test("of two threads whose clocks differ a little neither undoes what the other does, nor looks again for nothing", () => {
	for (let slot = 0; slot < 3; slot++) {
		const { generation } = filled(3, (at) => [1_000, 5_000, 9_000][at] as number);
		const { view } = interrupted(generation, slot, () => generation.expire(999));
		view.expire(1_000);
		for (const now of [999, 1_001, 4_999]) {
			const { view: idle, looks } = interrupted(generation, -1, () => {});
			idle.expire(now);
			assert.equal(looks.count, 0, `at ${now} everything had been looked at`);
			assert.deepEqual(seen(generation, 1), [1, 2]);
		}
		generation.expire(5_000);
		assert.deepEqual(seen(generation, 1), [2]);
		generation.expire(9_000);
		assert.deepEqual(seen(generation, 1), []);
	}
});

test("a time that is told of while another thread looks is kept, whichever of them is the sooner", () => {
	for (const [slot, time] of [0, 1, 2].flatMap((slot) => [100, 300].map((time) => [slot, time] as const))) {
		const { generation } = filled(3, (at) => [10, 200, 400][at] as number);
		const { view } = interrupted(generation, slot, () => {
			generation.expires[0] = time;
			generation.revive(0);
			generation.noteExpiry(time);
		});
		view.expire(10);
		generation.expire(50);
		assert.deepEqual(seen(generation, 1), [0, 1, 2], `prolonged before slot ${slot} to ${time}`);
		generation.expire(time);
		assert.deepEqual(seen(generation, 1), time === 100 ? [1, 2] : [2]);
	}
});

test("whatever threads do while one looks, what has expired is out of sight afterwards, and what has not is in sight", () => {
	const moment = fc.integer({ min: 0, max: 12 }).map((n) => n * 700);
	const step = fc.oneof(
		fc.record({ verb: fc.constant("look" as const), now: moment }),
		fc.record({ verb: fc.constant("prolong" as const), slot: fc.nat({ max: 5 }), time: moment }),
	);
	fc.assert(
		fc.property(
			fc.array(moment, { minLength: 6, maxLength: 6 }),
			fc.array(fc.record({ now: moment, slot: fc.nat({ max: 5 }), steps: fc.array(step, { maxLength: 4 }) }), {
				minLength: 1,
				maxLength: 3,
			}),
			fc.array(moment, { minLength: 1, maxLength: 3 }),
			(times, rounds, moments) => {
				const { generation } = filled(times.length, (slot) => times[slot] as number);
				for (const { now, slot, steps } of rounds) {
					const { view } = interrupted(generation, slot, () => {
						for (const each of steps) {
							if (each.verb === "look") generation.expire(each.now);
							else {
								generation.expires[each.slot] = each.time;
								generation.revive(each.slot);
								generation.noteExpiry(each.time);
							}
						}
					});
					view.expire(now);
				}
				for (const now of moments) {
					generation.expire(now);
					for (let slot = 0; slot < times.length; slot++) {
						const time = generation.expires[slot] as number;
						const isSeen = generation.isAlive(slot, 1);
						if (time <= now) assert.equal(isSeen, false, `${slot} has expired at ${now}`);
						// Within the tolerance of a moment before, it may be out of sight still.
						if (time > now + 2 * CLOCK_TOLERANCE_MS) assert.equal(isSeen, true, `${slot} has not expired at ${now}`);
					}
				}
			},
		),
		{ numRuns: 500 },
	);
});

test("the turn of a reader that was ended while it read is ended before another gets its number", () => {
	const { generation } = filled(1);
	generation.enter(3);
	const turns = generation.readerTurns();
	generation.endTurn(3);
	assert.equal(generation.haveLeft(turns), true);
	generation.endTurn(3);
	generation.enter(3);
	assert.equal(generation.haveLeft(generation.readerTurns()), false, "the next one counts as reading while it does");
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
