import assert from "node:assert/strict";
import { test } from "node:test";
import { isNighError } from "@nigh/contract";
import { createHnsw, type IvfIndex, serial } from "@nigh/index";
import { MAX_ARENA_BYTES, rowBytes } from "@nigh/kernels";
import fc from "fast-check";
import type { VectorFormat } from "../memory/generation.ts";
import { RowMaker, vectorBytes } from "../memory/rows.ts";
import { SlotWriter } from "../memory/slot-writer.ts";
import type { MainIndex } from "./main-index.ts";
import { emptyGeneration, insert, nextGeneration, type Owned, ownGeneration, vectorsOf } from "./next-generation.ts";
import { NOWHERE, rowOf } from "./rows.test-support.ts";
import { turn } from "./turn.ts";

const NEVER = Number.POSITIVE_INFINITY;
const L2: VectorFormat = { metric: "l2", dimensions: 3, weights: null };
const BITS: VectorFormat = { metric: "hamming", dimensions: 16, weights: null };
const SURROUNDINGS = { parallel: serial, place: NOWHERE, between: turn, onProgress: () => {} };

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
	await insert(main, slots, (some) => vectorsOf(owned, some), SURROUNDINGS);
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

const GRAPH = { kind: "hnsw", M: 4 } as const;

test("an empty generation has room for so many records, and nothing in it", () => {
	const flat = emptyGeneration(7, L2, bytesOf(L2), 100_000, null);
	assert.equal(flat.generation.handle.number, 7);
	assert.ok(flat.generation.size.capacity >= 100_000);
	assert.equal(flat.generation.size.ringRows, flat.generation.size.capacity, "all of it stays in the tail");
	assert.deepEqual([flat.generation.slotEnd, flat.generation.change, flat.main, flat.wanted], [0, 0, undefined, null]);
	const graph = emptyGeneration(1, L2, bytesOf(L2), 0, GRAPH);
	assert.deepEqual([graph.main?.size, graph.wanted], [0, GRAPH]);
	assert.deepEqual([graph.areas.caller.reader, graph.areas.worker.reader], [0, 1]);
	assert.ok(graph.areas.caller.main !== null && flat.areas.caller.main === null);
});

const WIDE: VectorFormat = { metric: "cosine", dimensions: 32, weights: null };
const KINDS = {
	flat: null,
	graph: GRAPH,
	ivf: { kind: "ivf", nlist: 5 },
	ivfpq: { kind: "ivfpq" },
	ivfrabitq: { kind: "ivfrabitq", bits: 2, nlist: 3 },
} as const satisfies Readonly<Record<string, MainIndex>>;

/** Cells have no mean of bits. */
function wantedOf(kind: keyof typeof KINDS, format: VectorFormat): MainIndex {
	return format === BITS && kind.startsWith("ivf") ? GRAPH : KINDS[kind];
}

/** A generation of that kind with `count` records, of which so many are in its main index. */
async function filled(format: VectorFormat, wanted: MainIndex, count: number, folded: number): Promise<Owned> {
	const labels = Array.from({ length: count }, (_, i) => i * 2);
	const isOfCells = wanted !== null && wanted.kind !== "hnsw";
	const owned = emptyGeneration(1, format, bytesOf(format), count, isOfCells ? null : wanted);
	if (!isOfCells) {
		add(owned, format, labels);
		if (wanted !== null) await fold(owned, folded);
		return owned;
	}
	// Cells are learnt from what is there: half of it, and what comes later is taken in.
	const first = Math.max(1, Math.floor(folded / 2));
	add(owned, format, labels.slice(0, first));
	const options = { ...SURROUNDINGS, wanted, fresh: true, arrange: true, room: { slots: count, idBytes: 99 * count } };
	const { owned: cells } = await nextGeneration(owned, bytesOf(format), options);
	add(cells, format, labels.slice(first));
	await fold(cells, Math.max(first, folded));
	return cells;
}

test("the next generation has exactly what is alive in the old one, in the order of labels, whatever index either has", async () => {
	const kind = fc.constantFrom(...(Object.keys(KINDS) as (keyof typeof KINDS)[]));
	const plan = fc.record({
		format: fc.constantFrom(L2, WIDE, BITS),
		count: fc.integer({ min: 1, max: 60 }),
		dead: fc.array(fc.nat(59), { maxLength: 40 }),
		folded: fc.nat(60),
		from: kind,
		to: kind,
		fresh: fc.boolean(),
		arrange: fc.boolean(),
		room: fc.constantFrom({ slots: 0, idBytes: 0 }, { slots: 3_000_000, idBytes: 2 ** 27 }),
	});
	await fc.assert(
		fc.asyncProperty(plan, async ({ format, count, dead, folded, from, to, fresh, arrange, room }) => {
			const old = await filled(format, wantedOf(from, format), count, Math.min(folded, count));
			const { number } = old.generation.handle;
			for (const slot of dead) if (slot < count) old.generation.kill(slot, 900);
			const before = content(old);
			const wanted = wantedOf(to, format);
			const options = { ...SURROUNDINGS, wanted, fresh, arrange, room };
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
			assert.deepEqual([generation.change, generation.handle.number], [1_000, number + 1]);
			assert.equal(generation.nextExpiry, Math.min(NEVER, ...before.map(({ expires }) => expires as number)));
			// Of nothing no cells are made.
			const made = before.length === 0 && wanted?.kind !== "hnsw" ? null : wanted;
			assert.equal(main?.kind, made?.kind);
			assert.equal(main?.size, made === null ? undefined : before.length);
			assert.equal(generation.mainEnd, made === null ? 0 : before.length);
			assert.ok(generation.slotEnd + room.slots <= generation.size.capacity);
			assert.ok((generation.idStarts[generation.slotEnd] as number) + room.idBytes <= generation.size.idBytes);
		}),
		{ numRuns: 60 },
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
	const coded = await after(wide, GRAPH);
	const { tailCodes } = coded.generation.handle;
	assert.deepEqual({ origin: tailCodes?.origin, unit: tailCodes?.unit }, coded.main?.codes);
	assert.ok((tailCodes?.unit as number) > 0);
	assert.equal((await after(wide, null)).generation.handle.tailCodes, null);
	assert.equal((await after(L2, GRAPH)).generation.handle.tailCodes, null, "few dimensions are walked by their rows");
	assert.equal((await after(BITS, GRAPH)).generation.handle.tailCodes, null);
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
		place: NOWHERE,
		parallel: serial,
		wanted: { kind: "hnsw", M: 4, efConstruction: 8 },
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

for (const kind of ["ivf", "ivfpq", "ivfrabitq"] as const) {
	test(`${kind}: what gives the training up between two of its steps ends it there, and the old generation is as it was`, async () => {
		const N = 600;
		const old = await filled(L2, null, N, 0);
		const before = content(old);
		let [turns, ofTraining, told] = [0, 0, 0];
		const options = { place: NOWHERE, parallel: serial, wanted: { kind } as const, fresh: true, arrange: true };
		const onProgress = () => void told++;
		const { owned } = await nextGeneration(old, bytesOf(L2), {
			...options,
			onProgress,
			between: async () => {
				await turn();
				turns++;
				if (told === 0) ofTraining++;
			},
		});
		assert.deepEqual(content(owned), before);
		assert.ok(ofTraining > 4 && ofTraining < turns, `${ofTraining} of ${turns} turns are of the training`);
		for (const most of [1, Math.floor(ofTraining / 2), ofTraining]) {
			const reason = new Error("given up");
			let looks = 0;
			told = 0;
			const ended = nextGeneration(old, bytesOf(L2), {
				...options,
				onProgress,
				between: async () => {
					await turn();
					if (++looks === most) throw reason;
				},
			});
			await assert.rejects(ended, (error) => error === reason);
			assert.deepEqual([looks, told], [most, 0], "nothing more is done");
			assert.deepEqual(content(old), before);
		}
	});

	test(`${kind}: vectors that are all alike cannot be told apart by cells, and the old generation is as it was`, async () => {
		const old = emptyGeneration(1, L2, bytesOf(L2), 0, null);
		const slots = new SlotWriter(old.generation);
		const row = new RowMaker(L2).row(Float32Array.of(1, 2, 3));
		for (let label = 0; label < 500; label++) slots.append({ label, id: `r${label}`, born: 1, expires: NEVER, row });
		old.generation.publish(1_000);
		const before = content(old);
		const options = { ...SURROUNDINGS, wanted: { kind } as const, fresh: true, arrange: true };
		await assert.rejects(nextGeneration(old, bytesOf(L2), options), (error) => {
			assert.ok(isNighError(error, "NOT_TRAINED"), String(error));
			assert.equal(error.details.distinctCentroids, 1);
			return true;
		});
		assert.deepEqual(content(old), before);
		assert.equal(old.generation.slotEnd, 500);
	});

	test(`${kind}: where everything has died there is nothing to learn cells from, and none are made`, async () => {
		for (const from of [null, { kind, nlist: 3 } as const]) {
			const old = await filled(L2, from, 40, 30);
			for (let slot = 0; slot < 40; slot++) old.generation.kill(slot, 900);
			const options = { ...SURROUNDINGS, wanted: { kind } as const, fresh: from === null, arrange: true };
			const { owned } = await nextGeneration(old, bytesOf(L2), options);
			assert.deepEqual([owned.main, owned.wanted, owned.generation.slotEnd], [undefined, null, 0]);
			add(owned, L2, [1, 2]);
			assert.equal(content(owned).length, 2);
		}
	});

	test(`${kind}: a copy answers as the one before it, bit for bit, and fresh cells are those of the rows alone`, async () => {
		const wanted = { kind, nlist: 6 } as const;
		const old = await filled(WIDE, wanted, 300, 200);
		const next = async (fresh: boolean) =>
			(await nextGeneration(old, bytesOf(WIDE), { ...SURROUNDINGS, wanted, fresh, arrange: true })).owned;
		const answers = ({ main }: Owned) =>
			[3, 111, 297].map((label) => (main as IvfIndex).search(vectorOf(WIDE, label), 7, { nprobe: 3 }));
		await fold(old, 300);
		assert.deepEqual(answers(await next(false)), answers(old));
		assert.deepEqual(answers(await next(true)), answers(await next(true)));
	});
}

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
		ownGeneration(1, L2, bytesOf(L2), { records: 3, idBytes: 9 }, { kind: "hnsw" }, fill);
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
				return { main, rows: undefined, identity: { id: "none", offset: 0 } };
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
