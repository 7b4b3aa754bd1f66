import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { smallGeneration } from "./generations.test-support.ts";

const VECTOR = Float32Array.of(1, 2, 3, 4);

test("ids come back as they were, whatever characters they have", () => {
	const ids = fc.array(fc.string({ unit: "binary", minLength: 1, maxLength: 12 }), { maxLength: 30 });
	fc.assert(
		fc.property(ids, (given) => {
			const wellFormed = given.map((id) => id.toWellFormed());
			const { generation, add } = smallGeneration({ idBytes: 2_048 });
			for (const id of wellFormed) add(VECTOR, { id });
			wellFormed.forEach((id, slot) => {
				assert.equal(generation.idOf(slot), id);
				const bytes = Buffer.byteLength(id);
				const [start, end] = [generation.idStarts[slot] as number, generation.idStarts[slot + 1] as number];
				assert.equal(end - start, bytes);
			});
		}),
		{ numRuns: 50 },
	);
});

test("the generation is full when every slot is taken", () => {
	const { slots, add } = smallGeneration({ capacity: 3 });
	for (let i = 0; i < 3; i++) {
		assert.equal(slots.full("a"), undefined);
		add(VECTOR);
	}
	assert.equal(slots.full("a"), "generation");
});

test("the generation is full when an id might not fit any more, however its characters are written", () => {
	const { slots, generation, add } = smallGeneration({ idBytes: 12 });
	add(VECTOR, { id: "€€" });
	assert.equal(generation.idStarts[1], 6);
	assert.equal(slots.full("€€"), undefined);
	assert.equal(slots.full("€€€"), "generation");
	add(VECTOR, { id: "€€" });
	assert.equal(generation.idOf(1), "€€");
	assert.equal(slots.full("a"), "generation");
});

test("the tail is full when no row of the ring is free, and goes on when some are", () => {
	const { slots, generation, add } = smallGeneration({ capacity: 20, ringRows: 4 });
	for (let i = 0; i < 4; i++) add(VECTOR);
	assert.equal(slots.full("a"), "tail");
	generation.mainEnd = 4;
	assert.equal(slots.full("a"), "tail", "readers may still look at them");
	generation.ringFree = 1;
	assert.equal(slots.full("a"), undefined);
	add(VECTOR);
	assert.equal(slots.full("a"), "tail");
});

test("the tail is full where the next generation has no room for more, unless all of it stays in the tail", () => {
	for (const [ringRows, full] of [
		[8, "tail"],
		[20, undefined],
	] as const) {
		const { slots, generation, add } = smallGeneration({ capacity: 20, ringRows });
		for (let i = 0; i < 3; i++) add(VECTOR);
		generation.ceiling = 4;
		assert.equal(slots.full("a"), undefined);
		add(VECTOR);
		assert.equal(slots.full("a"), full);
		generation.ceiling = 0;
		assert.equal(slots.full("a"), undefined);
	}
});

test("where both are full it is the generation that has to be replaced", () => {
	const { slots, add } = smallGeneration({ capacity: 4, ringRows: 4 });
	for (let i = 0; i < 4; i++) add(VECTOR);
	assert.equal(slots.full("a"), "generation");
});

test("rows wrap around the ring, each with its slot", () => {
	const { generation, add, rows } = smallGeneration({ capacity: 64, ringRows: 5 });
	for (let i = 0; i < 23; i++) {
		generation.ringFree = Math.max(0, i - 4);
		assert.equal(add(Float32Array.of(i, 0, 0, -i)), i);
	}
	for (let slot = 18; slot < 23; slot++) {
		assert.equal(generation.ringSlots[slot % 5], slot);
		const expected = [...rows.row(Float32Array.of(slot, 0, 0, -slot))];
		assert.deepEqual([...generation.ringBytes(slot % 5)], expected);
	}
});

test("everything about a record is in its slot", () => {
	const { generation, add } = smallGeneration();
	const slot = add(VECTOR, { label: 77, id: "x", born: 2 ** 41, expires: 1_700_000_000_000 });
	assert.equal(generation.slotEnd, slot + 1);
	const { labels, born, died, expires, nextExpiry } = generation;
	assert.deepEqual([labels[slot], born[slot], died[slot], expires[slot]], [77, 2 ** 41, Infinity, 1_700_000_000_000]);
	assert.equal(nextExpiry, 1_700_000_000_000);
});
