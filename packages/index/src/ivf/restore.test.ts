import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isNighError } from "@nigh/contract";
import { Arena, ArenaFullError, CELL, CELL_BLOCK, NO_BLOCK, NO_PLACE } from "@nigh/kernels";
import { restoreIvf } from "../load.ts";
import { refusal } from "../refusal.test-support.ts";
import type { IvfOptions } from "./create-file.ts";
import type { IvfIndex } from "./ivf.ts";
import type { IvfSource } from "./parts.ts";
import { built, imageOf, REMOVED, rows, type Saved, SHAPES, saved, VECTORS } from "./saved.test-support.ts";

test("sections are read in order, each once, straight to where they stay", async () => {
	for (const [, options] of SHAPES) {
		const index = await built(options);
		const { source } = saved(index);
		const arena = new Arena({ shared: true });
		const places = new Map<string, number>();
		const restored = restoreIvf(
			{
				...source,
				read(name, into) {
					assert.equal(into.buffer, arena.memory.buffer);
					places.set(name, into.byteOffset);
					source.read(name, into);
				},
			},
			{ arena },
		);
		assert.deepEqual(
			[...places.keys()],
			source.sections.map(({ name }) => name),
		);
		for (const { name, bytes } of restored.parts().sections) assert.equal(bytes.byteOffset, places.get(name), name);
	}
});

test("with room for more from the start nothing moves, however it is brought", async () => {
	for (const [, { maxElements: _, ...options }] of SHAPES) {
		const index = await built(options);
		const arena = new Arena({ shared: true });
		const restored = restoreIvf(saved(index).source, { arena, reserve: VECTORS + 300 });
		const used = arena.usedBytes;
		restored.reserve(VECTORS + 300, { from: 0, count: 16 });
		assert.equal(arena.usedBytes - used, 64, "only the places of the labels");
		assert.ok(restored.room >= 300 + REMOVED.length);
		const places = () => restored.parts().sections.map(({ name, bytes }) => [name, bytes.byteOffset]);
		const before = places();
		for (let from = 0; from < 250; from += 50) await restored.insertMany(rows(from, 50));
		for (let i = 250; i < 300 + REMOVED.length; i++) restored.insert(VECTORS + i, rows(i, 1));
		assert.equal(restored.size, VECTORS + 300);
		assert.deepEqual(places(), before);
	}
});

test("a reserve that is no count is refused", async () => {
	const { source } = saved(await built({ kind: "ivf" }));
	for (const reserve of [-1, 1.5, "7", null, 2 ** 33]) {
		const options = { reserve: reserve as number };
		assert.equal(refusal("INVALID_OPTION", () => restoreIvf(source, options)).details.field, "reserve");
	}
	const metric = { name: "mine", distance: () => 0 };
	refusal("SPEC_CONFLICT", () => restoreIvf(source, { metric }));
});

const words = (bytes: Uint8Array | undefined) => {
	assert.ok(bytes !== undefined);
	return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
};

const floats = (bytes: Uint8Array | undefined) => {
	assert.ok(bytes !== undefined);
	return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
};

/** Words of a block, by number. */
function blockOf({ bytes, state }: Saved, block: number): Uint32Array {
	const all = words(bytes.get("blocks"));
	const stride = all.length / (state.blocksUsed as number);
	return all.subarray(block * stride, (block + 1) * stride);
}

const NEXT = CELL_BLOCK.next / 4;
const ROWS = CELL_BLOCK.rows / 4;
const OWNER = CELL_BLOCK.cell / 4;
const PLACES = CELL_BLOCK.places / 4;
const PAYLOAD = CELL_BLOCK.payload / 4;

/** The first block of a cell that has several. */
function chainOf(parts: Saved): { block: Uint32Array; number: number; cell: number } {
	for (let number = 0; number < (parts.state.blocksUsed as number); number++) {
		const block = blockOf(parts, number);
		if (block[NEXT] !== NO_BLOCK) return { block, number, cell: block[OWNER] as number };
	}
	return assert.fail("no cell has two blocks");
}

/** A row that has not been removed. */
function rowIn(block: Uint32Array): number {
	return PLACES + block.subarray(PLACES, PAYLOAD).findIndex((place) => place !== NO_PLACE);
}

type Damage = (saved: Saved) => unknown;

/** What would lead a search or a write out of the file, never end, or answer what is not there. */
const OF_EVERY_KIND: Readonly<Record<string, Damage>> = {
	"a cell whose first block is not there": ({ bytes, state }) => {
		words(bytes.get("cells"))[CELL.first / 4] = state.blocksUsed as number;
	},
	"a cell that has lost its blocks": ({ bytes }) => {
		words(bytes.get("cells"))[CELL.first / 4] = NO_BLOCK;
	},
	"a cell that begins with the blocks of another": ({ bytes }) => {
		const cells = words(bytes.get("cells"));
		cells[CELL.first / 4] = cells[(CELL.bytes + CELL.first) / 4] as number;
	},
	"a last block that is not the last": (parts) => {
		const { cell, number } = chainOf(parts);
		words(parts.bytes.get("cells"))[(cell * CELL.bytes + CELL.last) / 4] = number;
	},
	"a cell that counts a row more": ({ bytes }) => {
		(words(bytes.get("cells"))[CELL.rows / 4] as number)++;
	},
	"a cell that counts a removed row more": ({ bytes }) => {
		(words(bytes.get("cells"))[CELL.removed / 4] as number)++;
	},
	"a cell whose least term is no number": ({ bytes }) => {
		floats(bytes.get("leastTerms"))[0] = Number.NaN;
	},
	"a block that leads to itself": (parts) => {
		const { block, number } = chainOf(parts);
		block[NEXT] = number;
	},
	"a block that leads beyond the last": (parts) => {
		chainOf(parts).block[NEXT] = parts.state.blocksUsed as number;
	},
	"a block after which its cell ends too soon": (parts) => {
		chainOf(parts).block[NEXT] = NO_BLOCK;
	},
	"a block that leads into another cell": (parts) => {
		const { block, cell } = chainOf(parts);
		const other = cell === 0 ? 1 : 0;
		block[NEXT] = words(parts.bytes.get("cells"))[(other * CELL.bytes + CELL.first) / 4] as number;
	},
	"a block of another cell": (parts) => {
		const { block, cell } = chainOf(parts);
		block[OWNER] = cell + 1;
	},
	"a block with more rows than fit": (parts) => {
		chainOf(parts).block[ROWS] = 33;
	},
	"a block with fewer rows than it has": (parts) => {
		chainOf(parts).block[ROWS] = 31;
	},
	"a row beyond the last place": (parts) => {
		const { block } = chainOf(parts);
		block[rowIn(block)] = parts.state.slots as number;
	},
	"a row in a place that is free": (parts) => {
		const { block } = chainOf(parts);
		block[rowIn(block)] = REMOVED[0] as number;
	},
	"a row twice in a cell": (parts) => {
		const { block } = chainOf(parts);
		const first = rowIn(block);
		const second = block.findIndex((place, at) => at > first && place !== NO_PLACE);
		block[second] = block[first] as number;
	},
	"a row that is in no cell": (parts) => {
		const { block, cell } = chainOf(parts);
		block[rowIn(block)] = NO_PLACE;
		(words(parts.bytes.get("cells"))[(cell * CELL.bytes + CELL.removed) / 4] as number)++;
	},
	"a label twice": ({ bytes }) => {
		const labels = words(bytes.get("labels"));
		labels[9] = labels[8] as number;
	},
	"a row that has lost its label": ({ bytes }) => {
		words(bytes.get("labels"))[9] = NO_PLACE;
	},
	"a centroid that is no number": ({ bytes }) => {
		floats(bytes.get("centroids"))[5] = Number.NaN;
	},
	"a centroid that is infinite": ({ bytes }) => {
		floats(bytes.get("centroids")).fill(Number.POSITIVE_INFINITY, 3, 4);
	},
	"more places than the sections hold": ({ state }) => Object.assign(state, { slots: VECTORS + 1 }),
	"so many places that no memory could hold them": ({ state }) => Object.assign(state, { slots: 2 ** 31 }),
	"more blocks than the sections hold": ({ state }) => Object.assign(state, { blocksUsed: 2 ** 24 }),
	"more cells than the sections hold": ({ state }) => Object.assign(state, { cells: (state.cells as number) + 1 }),
	"more cells than there can be": ({ state }) => Object.assign(state, { cells: 2 ** 40 }),
	"no cells": ({ state }) => Object.assign(state, { cells: 0 }),
	"more rows than there are": ({ state }) => Object.assign(state, { size: VECTORS }),
	"more rows than places": ({ state }) => Object.assign(state, { size: VECTORS + 1 }),
	"fewer rows than there are": ({ state }) => Object.assign(state, { size: 1 }),
	"more rows than it allows": ({ state }) => Object.assign(state, { maxElements: 10 }),
	"a count that is no number": ({ state }) => Object.assign(state, { slots: "500" }),
	"a negative count": ({ state }) => Object.assign(state, { blocksUsed: -1 }),
	"more labels than there can be": ({ state }) => Object.assign(state, { nextLabel: 2 ** 33 }),
	"a rule that there is not": ({ state }) => Object.assign(state, { rule: "toString" }),
	"cells that were asked for in words": ({ state }) => Object.assign(state, { asked: "ten" }),
	"a training for nothing": ({ state }) => Object.assign(state, { trainedFor: 0 }),
	"settings that cannot be": ({ state }) => Object.assign(state, { seed: -1 }),
	"another kind": ({ state }) => Object.assign(state, { kind: "ivfflat" }),
	"a metric that it cannot have": ({ state }) => Object.assign(state, { metric: "hamming" }),
	"other dimensions": ({ state }) => Object.assign(state, { dimensions: 40 }),
};

const OF_MEMORY: Readonly<Record<string, Damage>> = {
	"a vector that is no number": ({ bytes }) => {
		floats(bytes.get("vectors"))[9 * 36] = Number.NaN;
	},
	"a vector that is infinite": ({ bytes }) => {
		floats(bytes.get("vectors"))[10 * 36 - 1] = Number.NEGATIVE_INFINITY;
	},
	"a vector above the bound": ({ bytes }) => {
		floats(bytes.get("vectors"))[9 * 36] = 2 ** 63;
	},
	"codes and no vectors": ({ state }) => Object.assign(state, { storage: "disk" }),
};

/** Sections, settings and counts of an index whose vectors are on disk. */
const OF_DISK: Readonly<Record<string, Damage>> = {
	"a storage that there is not": ({ state }) => Object.assign(state, { storage: "tape" }),
	"vectors that it does not have": ({ state }) => Object.assign(state, { storage: "memory" }),
	"vectors that it does not tell of": ({ state }) => Object.assign(state, { storage: undefined }),
	"a metric that has no codes": ({ state }) => Object.assign(state, { metric: "l1" }),
};

const OF_SOME: readonly (readonly [
	Partial<IvfOptions> & Pick<IvfOptions, "kind">,
	Readonly<Record<string, Damage>>,
])[] = [
	[
		{ kind: "ivf", codes: "sq7" },
		{
			"codes without a step": ({ state }) => Object.assign(state, { unit: 0 }),
			"codes with an endless step": ({ state }) => Object.assign(state, { unit: null }),
			"an origin of the codes that is no number": ({ bytes }) => {
				floats(bytes.get("origin"))[1] = Number.NaN;
			},
			"a mean that is no number": ({ bytes }) => {
				floats(bytes.get("mean"))[1] = Number.NaN;
			},
			"a turned mean that is infinite": ({ bytes }) => {
				floats(bytes.get("offset"))[1] = Number.POSITIVE_INFINITY;
			},
			"an axis that is no number": ({ bytes }) => {
				floats(bytes.get("axes"))[40] = Number.NaN;
			},
			"an axis that is not of length 1": ({ bytes }) => {
				floats(bytes.get("axes"))[40] = 3;
			},
			"no axes": ({ state }) => Object.assign(state, { axes: 0 }),
			"more axes than dimensions": ({ state }) => Object.assign(state, { axes: 37 }),
			"axes of an index that turns nothing": ({ state }) => Object.assign(state, { rotation: "none" }),
			"sub-quantisers of an index that has none": ({ state }) => Object.assign(state, { subs: 4 }),
		},
	],
	[
		{ kind: "ivf", storage: "disk" },
		{
			"codes without a step": ({ state }) => Object.assign(state, { unit: 0 }),
			"an origin of the codes that is no number": ({ bytes }) => {
				floats(bytes.get("origin"))[1] = Number.NaN;
			},
			"no codes": ({ state }) => Object.assign(state, { codes: "none" }),
			"a code of more than 7 bits": ({ bytes }) => {
				const codes = bytes.get("codes") ?? assert.fail();
				codes[9 * 48] = 128 + (codes[9 * 48] as number);
			},
			"a code that is not the one of its norm": ({ bytes }) => {
				const codes = bytes.get("codes") ?? assert.fail();
				codes[9 * 48] = (codes[9 * 48] as number) ^ 1;
			},
			"a code with something behind the last dimension": ({ bytes }) => {
				(bytes.get("codes") ?? assert.fail())[10 * 48 - 1] = 1;
			},
			"a norm that is not that of its code": ({ bytes }) => {
				(words(bytes.get("errors"))[2 * 9] as number)++;
			},
			"an error that is no number": ({ bytes }) => {
				floats(bytes.get("errors"))[2 * 9 + 1] = Number.NaN;
			},
			"an error that is infinite": ({ bytes }) => {
				floats(bytes.get("errors"))[2 * 9 + 1] = Number.POSITIVE_INFINITY;
			},
			"an error below 0": ({ bytes }) => {
				floats(bytes.get("errors"))[2 * 9 + 1] = -1;
			},
			"an error that is not known": ({ bytes }) => {
				floats(bytes.get("errors"))[2 * 9 + 1] = 0;
			},
		},
	],
	[
		{ kind: "ivfpq", storage: "disk", rotation: "none", bits: 6 },
		{
			"a code of no entry": (parts) => {
				const { block } = chainOf(parts);
				block[PAYLOAD + 32] = 64;
			},
			"a term that is no number": (parts) => {
				const { block } = chainOf(parts);
				block[PAYLOAD] = 0x7fc00000;
			},
		},
	],
	[
		{ kind: "ivfrabitq", storage: "disk", bits: 2 },
		{
			"a factor that is infinite": (parts) => {
				const { block } = chainOf(parts);
				block[PAYLOAD + 64] = 0x7f800000;
			},
		},
	],
	[
		{ kind: "ivfpq", rotation: "none", bits: 6 },
		{
			"a codebook that is no number": ({ bytes }) => {
				floats(bytes.get("codebooks"))[100] = Number.NaN;
			},
			"a codebook that is infinite": ({ bytes }) => {
				floats(bytes.get("codebooks"))[100] = Number.NEGATIVE_INFINITY;
			},
			"a code of no entry": (parts) => {
				const { block } = chainOf(parts);
				block[PAYLOAD + 32] = 64;
			},
			"a term that is no number": (parts) => {
				const { block } = chainOf(parts);
				block[PAYLOAD] = 0x7fc00000;
			},
			"a term below the least of its cell": (parts) => {
				const { block } = chainOf(parts);
				block[PAYLOAD] = 0xff000000;
			},
			"no sub-quantisers": ({ state }) => Object.assign(state, { subs: 0 }),
			"sub-quantisers that do not divide the dimensions": ({ state }) => Object.assign(state, { subs: 5 }),
			"other sub-quantisers than were asked for": ({ state }) => Object.assign(state, { M: 9 }),
			"other bits": ({ state }) => Object.assign(state, { bits: 7 }),
			"no bits": ({ state }) => Object.assign(state, { bits: null }),
			"no word of residuals": ({ state }) => {
				delete state.residual;
			},
			"nothing for residuals": ({ state }) => Object.assign(state, { residual: null }),
			"no rotation": ({ state }) => {
				delete state.rotation;
			},
		},
	],
	[
		{ kind: "ivfrabitq", bits: 2 },
		{
			"a factor that is no number": (parts) => {
				const { block } = chainOf(parts);
				block[PAYLOAD + 64 + 4 * 32] = 0x7fc00000;
			},
			"a factor that is infinite": (parts) => {
				const { block } = chainOf(parts);
				block[PAYLOAD + 64] = 0x7f800000;
			},
			"other bits": ({ state }) => Object.assign(state, { bits: 3 }),
			"no epsilon": ({ state }) => Object.assign(state, { epsilon: null }),
			"no seed, by which rows were turned": ({ state }) => {
				delete state.seed;
			},
			"axes of a kind that turns nothing": ({ state }) => Object.assign(state, { axes: 36 }),
		},
	],
];

describe("parts that make no inverted file are refused with CORRUPT_SNAPSHOT, and take no memory", () => {
	const whole = new Map<string, Promise<IvfIndex>>();
	const check = async (options: Partial<IvfOptions> & Pick<IvfOptions, "kind">, damage: Damage) => {
		const key = JSON.stringify(options);
		const index = await (whole.get(key) ?? whole.set(key, built(options)).get(key) ?? assert.fail());
		const parts = saved(index);
		damage(parts);
		const arena = new Arena();
		refusal("CORRUPT_SNAPSHOT", () => restoreIvf(parts.source, { arena }));
		assert.equal(arena.usedBytes, 0);
	};
	for (const [options, damages] of OF_SOME) {
		const { storage = "memory" } = options;
		const ofStorage = storage === "disk" ? OF_DISK : OF_MEMORY;
		for (const [name, damage] of Object.entries({ ...OF_EVERY_KIND, ...ofStorage, ...damages })) {
			test(`${options.kind}, ${storage}: ${name}`, () => check(options, damage));
		}
	}

	test("rows and centroids with something behind the last dimension", async () => {
		const { createIvf } = await import("./ivf.ts");
		const index = createIvf({ kind: "ivf", dimensions: 2, metric: "l2", nlist: 2 });
		await index.train(rows(1, 10));
		await index.insertMany(rows(1, 10));
		for (const section of ["vectors", "centroids"]) {
			const parts = saved(index);
			floats(parts.bytes.get(section))[2] = 1;
			refusal("CORRUPT_SNAPSHOT", () => restoreIvf(parts.source));
		}
	});

	test("sections that are missing, too many, in another order or of another length", async () => {
		const { source } = saved(await built({ kind: "ivfpq" }));
		const [first, second, ...rest] = source.sections as [IvfSource["sections"][number], IvfSource["sections"][number]];
		const arena = new Arena();
		for (const sections of [
			[],
			[second, first, ...rest],
			[first, second],
			[...source.sections, first],
			[{ ...first, bytes: first.bytes - 64 }, second, ...rest],
			[{ ...first, bytes: 2 ** 40 }, second, ...rest],
			[{ ...first, name: "means" }, second, ...rest],
		]) {
			const read = () => assert.fail("nothing is read of sections that do not fit");
			refusal("CORRUPT_SNAPSHOT", () => restoreIvf({ ...source, sections, read }, { arena }));
			assert.equal(arena.usedBytes, 0);
		}
	});

	test("what reading throws comes through, whichever section it is", async () => {
		for (const [, options] of SHAPES) {
			const { source } = saved(await built(options));
			for (const { name: broken } of source.sections) {
				const arena = new Arena();
				const read = (name: string, into: Uint8Array) => {
					if (name === broken) throw new RangeError("the disk is gone");
					source.read(name, into);
				};
				assert.throws(() => restoreIvf({ ...source, read }, { arena }), /the disk is gone/);
				assert.equal(arena.usedBytes, 0, broken);
			}
		}
	});
});

test("wherever the arena ends, a load that fails has left nothing in use", async () => {
	for (const [name, options] of SHAPES) {
		const index = await built(options);
		const { source } = saved(index);
		let refused = 0;
		for (let restored: IvfIndex | undefined; restored === undefined; ) {
			const arena = new Arena();
			const end = endAfter(arena, refused);
			try {
				restored = restoreIvf(source, { arena });
			} catch (error) {
				assert.ok(isNighError(error) && error.code === "MEMORY_LIMIT", `${name}: ${error}`);
				assert.equal(arena.usedBytes, 0, `${name}, after ${refused} allocations`);
				refused++;
				continue;
			}
			end.lift();
			assert.ok(imageOf(restored).equals(imageOf(index)), name);
		}
		assert.ok(refused > 5, name);
	}
});

/** Fills an arena up after so many allocations, until that is lifted. */
function endAfter(arena: Arena, allocations: number): { lift(): void } {
	const alloc = arena.alloc.bind(arena);
	let left = allocations;
	arena.alloc = (bytes) => {
		if (left-- <= 0) throw new ArenaFullError(bytes, 0);
		return alloc(bytes);
	};
	return {
		lift: () => {
			arena.alloc = alloc;
		},
	};
}

test("sections are those of the storage, and codes come back as they were saved", async () => {
	const names = async (options: Parameters<typeof built>[0]) =>
		(await built(options)).parts().sections.map(({ name }) => name);
	const learnt = ["mean", "offset", "axes", "centroids", "codebooks", "cells", "leastTerms", "blocks", "labels"];
	assert.deepEqual(await names({ kind: "ivf" }), [...learnt, "vectors", "origin"]);
	assert.deepEqual(await names({ kind: "ivf", storage: "disk" }), [...learnt, "codes", "errors", "origin"]);
	for (const kind of ["ivfpq", "ivfrabitq"] as const) {
		assert.deepEqual(await names({ kind }), [...learnt, "vectors", "origin"]);
		assert.deepEqual(await names({ kind, storage: "disk" }), [...learnt, "origin"]);
	}
	const parts = saved(await built({ kind: "ivf", storage: "disk" }));
	const restored = restoreIvf(parts.source);
	for (const { name, bytes } of restored.parts().sections) assert.deepEqual(bytes, parts.bytes.get(name), name);
	// What was saved before there was a choice is in memory.
	const before = saved(await built({ kind: "ivf" }));
	Reflect.deleteProperty(before.state, "storage");
	assert.equal(restoreIvf(before.source).storage, "memory");
});
