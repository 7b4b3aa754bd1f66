import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { smallGeneration } from "../memory/generations.test-support.ts";
import { addRoom, hasRoom, hasTail } from "./room.ts";

const VECTOR = Float32Array.of(1, 2, 3, 4);

test("what has room can be filled in, whatever the ids are made of", () => {
	const id = fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 });
	fc.assert(
		fc.property(
			fc.array(id, { maxLength: 40 }),
			fc.integer({ min: 1, max: 50 }),
			fc.integer({ min: 1_600, max: 4_000 }),
			(ids, capacity, idBytes) => {
				const { generation, slots, add } = smallGeneration({ capacity, idBytes });
				const room = { slots: ids.length, idBytes: ids.reduce((sum, each) => sum + Buffer.byteLength(each), 0) };
				if (!hasRoom(generation, room)) return;
				for (const [label, each] of ids.entries()) {
					assert.equal(slots.full(each), undefined);
					add(VECTOR, { label, id: each });
				}
			},
		),
	);
});

test("room is measured by slots and by the bytes of ids, in what is left", () => {
	const { generation, add } = smallGeneration({ capacity: 4, idBytes: 3 * 512 + 10 });
	assert.equal(hasRoom(generation, { slots: 4, idBytes: 10 }), true);
	assert.equal(hasRoom(generation, { slots: 5, idBytes: 0 }), false);
	assert.equal(hasRoom(generation, { slots: 1, idBytes: 11 }), false);
	add(VECTOR, { id: "four" });
	assert.equal(hasRoom(generation, { slots: 3, idBytes: 6 }), true);
	assert.equal(hasRoom(generation, { slots: 4, idBytes: 0 }), false);
	assert.equal(hasRoom(generation, { slots: 3, idBytes: 7 }), false);
	assert.deepEqual(addRoom({ slots: 1, idBytes: 2 }, { slots: 3, idBytes: 4 }), { slots: 4, idBytes: 6 });
});

test("the tail takes what it has rows for; more than a whole tail begins in one that is at most half full, alone", () => {
	const { generation, add } = smallGeneration({ capacity: 64, ringRows: 8 });
	const tail = (reserved: number, slots: number) =>
		hasTail(generation, { slots: reserved, idBytes: 0 }, { slots, idBytes: 0 });
	for (let i = 0; i < 4; i++) add(VECTOR);
	assert.deepEqual([tail(0, 4), tail(2, 2), tail(2, 3)], [true, true, false]);
	assert.deepEqual([tail(0, 20), tail(1, 20)], [true, false]);
	add(VECTOR);
	assert.deepEqual([tail(0, 3), tail(0, 4), tail(0, 20)], [true, false, false]);
	generation.mainEnd = 3;
	assert.equal(tail(0, 4), false, "somebody may still read the rows");
	generation.ringFree = 3;
	assert.equal(tail(0, 4), true);
});
