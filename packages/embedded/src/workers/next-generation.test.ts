import assert from "node:assert/strict";
import { test } from "node:test";
import { isNighError } from "@nigh/contract";
import { createHnsw, serial } from "@nigh/index";
import { MAX_ARENA_BYTES, rowBytes } from "@nigh/kernels";
import fc from "fast-check";
import type { VectorFormat } from "../memory/generation.ts";
import { RowMaker, vectorBytes } from "../memory/rows.ts";
import { SlotWriter } from "../memory/slot-writer.ts";
import type { MainIndex } from "./main-index.ts";
import { emptyGeneration, insert, nextGeneration, type Owned, ownGeneration, rowOf } from "./next-generation.ts";
import { turn } from "./turn.ts";

const NEVER = Number.POSITIVE_INFINITY;
const L2: VectorFormat = { metric: "l2", dimensions: 3, weights: null };
const BITS: VectorFormat = { metric: "hamming", dimensions: 16, weights: null };
const SURROUNDINGS = { parallel: serial, between: turn, onProgress: () => {} };

function bytesOf(format: VectorFormat): number {
	return rowBytes(vectorBytes(format));
}

function vectorOf({ metric, dimensions }: VectorFormat, label: number): Float32Array | Uint8Array {
	if (metric === "hamming") return Uint8Array.from({ length: dimensions / 8 }, (_, i) => (label * 37 + i * 11) & 0xff);
	return Float32Array.from({ length: dimensions }, (_, i) => Math.fround(Math.sin(label * (i + 1))));
}

/** Labels go up by two, ids are of several lengths, every fifth record expires. */
function add({ generation }: Owned, format: VectorFormat, labels: readonly number[]): void {
	const slots = new SlotWriter(generation);
	const rows = new RowMaker(format);
	for (const label of labels) {
		const expires = label % 5 === 0 ? label + 100 : NEVER;
		slots.append({ label, id: idOf(label), born: label + 1, expires, row: rows.row(vectorOf(format, label)) });
	}
	generation.publish(1_000);
}

function idOf(label: number): string {
	return `é${"x".repeat(label % 7)}${label}`;
}

/** Takes the tail up to `end` into the main index. */
async function fold(owned: Owned, end: number): Promise<void> {
	const { generation, main } = owned;
	assert.ok(main !== undefined);
	const slots = Uint32Array.from({ length: end - generation.mainEnd }, (_, i) => generation.mainEnd + i);
	await insert(main, slots, (slot) => rowOf(owned, slot), SURROUNDINGS);
	generation.mainEnd = end;
	generation.countDeadInMain(0, end);
	generation.ringFree = end;
}

/** What a generation says of each label that is alive. */
function content(owned: Owned) {
	const { generation } = owned;
	const { slotEnd, labels, born, died, expires } = generation;
	const slots = Array.from({ length: slotEnd }, (_, slot) => slot).filter((slot) => died[slot] === NEVER);
	return slots.map((slot) => ({
		label: labels[slot],
		id: generation.idOf(slot),
		born: born[slot],
		expires: expires[slot],
		row: [...rowOf(owned, slot)],
	}));
}

test("an empty generation has room for so many records, and nothing in it", () => {
	const flat = emptyGeneration(7, L2, bytesOf(L2), 100_000, null);
	assert.equal(flat.generation.handle.number, 7);
	assert.ok(flat.generation.size.capacity >= 100_000);
	assert.equal(flat.generation.size.ringRows, flat.generation.size.capacity, "all of it stays in the tail");
	assert.deepEqual([flat.generation.slotEnd, flat.generation.change, flat.main, flat.wanted], [0, 0, undefined, null]);
	const graph = emptyGeneration(1, L2, bytesOf(L2), 0, { M: 4 });
	assert.deepEqual([graph.main?.size, graph.wanted], [0, { M: 4 }]);
	assert.deepEqual([graph.areas.caller.reader, graph.areas.worker.reader], [0, 1]);
	assert.ok(graph.areas.caller.graph !== null && flat.areas.caller.graph === null);
});

test("the next generation has exactly what is alive in the old one, in the order of labels, whatever index either has", async () => {
	const plan = fc.record({
		format: fc.constantFrom(L2, BITS),
		count: fc.integer({ min: 1, max: 60 }),
		dead: fc.array(fc.nat(59), { maxLength: 40 }),
		folded: fc.nat(60),
		from: fc.constantFrom("flat" as const, "graph" as const),
		to: fc.constantFrom(null, {}, { M: 4 }),
		fresh: fc.boolean(),
		arrange: fc.boolean(),
		room: fc.constantFrom({ slots: 0, idBytes: 0 }, { slots: 3_000_000, idBytes: 2 ** 27 }),
	});
	await fc.assert(
		fc.asyncProperty(plan, async ({ format, count, dead, folded, from, to, fresh, arrange, room }) => {
			const old = emptyGeneration(1, format, bytesOf(format), 0, from === "flat" ? null : { M: 4 });
			add(
				old,
				format,
				Array.from({ length: count }, (_, i) => i * 2),
			);
			for (const slot of dead) if (slot < count) old.generation.kill(slot, 900);
			if (from === "graph") await fold(old, Math.min(folded, count));
			const before = content(old);
			const options = { ...SURROUNDINGS, wanted: to, fresh, arrange, room };
			const { owned, oldSlots, fromSlot } = await nextGeneration(old, bytesOf(format), options);
			assert.deepEqual(content(owned), before);
			assert.deepEqual(content(old), before, "the old one is as it was");
			assert.equal(fromSlot, count);
			assert.deepEqual(
				[...oldSlots].map((slot) => old.generation.labels[slot]),
				before.map(({ label }) => label),
			);
			const { generation, main } = owned;
			assert.deepEqual([generation.slotEnd, generation.dead, generation.deadInMain], [before.length, 0, 0]);
			assert.deepEqual([generation.change, generation.handle.number], [1_000, 2]);
			assert.equal(generation.nextExpiry, Math.min(NEVER, ...before.map(({ expires }) => expires as number)));
			assert.equal(main?.size, to === null ? undefined : before.length);
			assert.equal(generation.mainEnd, to === null ? 0 : before.length);
			assert.ok(generation.slotEnd + room.slots <= generation.size.capacity);
			assert.ok((generation.idStarts[generation.slotEnd] as number) + room.idBytes <= generation.size.idBytes);
		}),
		{ numRuns: 25 },
	);
});

test("the tail has the codes of the main index, where that has some", async () => {
	const wide: VectorFormat = { metric: "cosine", dimensions: 48, weights: null };
	const after = async (format: VectorFormat, wanted: MainIndex) => {
		const old = emptyGeneration(1, format, bytesOf(format), 0, null);
		assert.equal(old.generation.handle.tailCodes, null);
		const labels = Array.from({ length: 300 }, (_, i) => i);
		add(old, format, labels);
		const { owned } = await nextGeneration(old, bytesOf(format), {
			...SURROUNDINGS,
			wanted,
			fresh: true,
			arrange: true,
		});
		return owned;
	};
	const coded = await after(wide, { M: 4 });
	const { tailCodes } = coded.generation.handle;
	assert.deepEqual({ origin: tailCodes?.origin, unit: tailCodes?.unit }, coded.main?.codes);
	assert.ok((tailCodes?.unit as number) > 0);
	assert.equal((await after(wide, null)).generation.handle.tailCodes, null);
	assert.equal(
		(await after(L2, { M: 4 })).generation.handle.tailCodes,
		null,
		"few dimensions are walked by their rows",
	);
	assert.equal((await after(BITS, { M: 4 })).generation.handle.tailCodes, null);
});

test("progress ends at all of it, and other work gets its turn in between", async () => {
	const old = emptyGeneration(1, L2, bytesOf(L2), 0, null);
	add(
		old,
		L2,
		Array.from({ length: 1_100 }, (_, i) => i),
	);
	const told: [number, number][] = [];
	let turns = 0;
	await nextGeneration(old, bytesOf(L2), {
		parallel: serial,
		wanted: { M: 4, efConstruction: 8 },
		fresh: true,
		arrange: true,
		between: async () => void turns++,
		onProgress: (done, total) => void told.push([done, total]),
	});
	assert.deepEqual(told, [
		[512, 1_100],
		[1_024, 1_100],
		[1_100, 1_100],
	]);
	assert.equal(turns, 3);
});

/** Checks that it is MEMORY_LIMIT with these details. */
function memoryLimit(count: number, limit: number): (error: unknown) => true {
	return (error) => {
		assert.ok(isNighError(error, "MEMORY_LIMIT"), String(error));
		assert.deepEqual([error.details.count, error.details.limit], [count, limit]);
		return true;
	};
}

test("tables that no memory holds are MEMORY_LIMIT with count and limit", () => {
	// A tail of such rows takes more than a memory has.
	assert.throws(() => emptyGeneration(1, L2, 2 ** 19, 5, null), memoryLimit(5, MAX_ARENA_BYTES));
	assert.throws(
		() => emptyGeneration(1, L2, bytesOf(L2), 2 ** 31, null),
		(error) => {
			assert.ok(isNighError(error, "MEMORY_LIMIT"));
			assert.equal(error.details.count, 2 ** 31);
			assert.ok((error.details.limit as number) < 2 ** 31);
			return true;
		},
	);
});

test("an arena that is full while a generation is filled is MEMORY_LIMIT; other errors come through", () => {
	const own = (fill: Parameters<typeof ownGeneration>[5]) =>
		ownGeneration(1, L2, bytesOf(L2), { records: 3, idBytes: 9 }, {}, fill);
	const overfull: Parameters<typeof ownGeneration>[5] = (arena) => {
		arena.alloc(MAX_ARENA_BYTES);
		throw new Error("not reached");
	};
	assert.throws(() => own(overfull), memoryLimit(3, MAX_ARENA_BYTES));
	assert.throws(
		() =>
			own((arena) => {
				const main = createHnsw({ arena, metric: "l2", dimensions: 3 });
				main.reserve(2_000_000_000);
				return main;
			}),
		memoryLimit(3, MAX_ARENA_BYTES),
		"what the index itself refuses",
	);
	const failure = new Error("the file is damaged");
	assert.throws(
		() =>
			own(() => {
				throw failure;
			}),
		(error) => error === failure,
	);
});
