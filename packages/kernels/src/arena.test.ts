import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import { AbortFlag } from "./abort-flag.ts";
import { Arena, ArenaFullError } from "./arena.ts";
import { detectEngine, ENGINES } from "./engine.ts";
import { LabelSet } from "./label-set.ts";
import { withUnsharedMemory } from "./limits.ts";

describe("Arena", () => {
	test("allocations never overlap, start at multiples of 64, are zero, and keep their content through growth", () => {
		const operation = fc.oneof(
			fc.record({ do: fc.constant("alloc" as const), bytes: fc.integer({ min: 0, max: 200_000 }) }),
			fc.record({ do: fc.constant("free" as const), which: fc.nat() }),
			fc.record({ do: fc.constant("resize" as const), which: fc.nat(), bytes: fc.integer({ min: 1, max: 200_000 }) }),
		);
		fc.assert(
			fc.property(fc.boolean(), fc.array(operation, { maxLength: 60 }), (shared, operations) => {
				const arena = new Arena({ shared });
				const live: { address: number; bytes: number; mark: number }[] = [];
				let mark = 0;
				const fill = (address: number, bytes: number) => {
					mark = (mark % 250) + 1;
					arena.u8(address, bytes).fill(mark);
					return { address, bytes, mark };
				};
				for (const step of operations) {
					const at = "which" in step && live.length > 0 ? step.which % live.length : -1;
					if (step.do === "alloc") {
						const address = arena.alloc(step.bytes);
						assert.equal(address % 64, 0);
						assert.ok(arena.u8(address, step.bytes).every((byte) => byte === 0));
						live.push(fill(address, step.bytes));
					} else if (at >= 0) {
						const [old] = live.splice(at, 1) as [(typeof live)[number]];
						if (step.do === "free") arena.free(old.address);
						else {
							const address = arena.resize(old.address, step.bytes);
							const kept = Math.min(old.bytes, step.bytes);
							assert.ok(arena.u8(address, kept).every((byte) => byte === old.mark));
							live.push(fill(address, step.bytes));
						}
					}
					for (const { address, bytes, mark: expected } of live) {
						assert.ok(arena.u8(address, bytes).every((byte) => byte === expected));
					}
				}
				for (const { address } of live) arena.free(address);
				assert.equal(arena.usedBytes, 0);
			}),
			{ numRuns: 60 },
		);
	});

	test("what a resize adds is zero, also where others have been", () => {
		const arena = new Arena();
		const [first, second] = [arena.alloc(64), arena.alloc(640)];
		arena.u8(second, 640).fill(7);
		arena.free(second);
		assert.equal(arena.resize(first, 320), first);
		assert.ok(arena.u8(first, 320).every((byte) => byte === 0));
	});

	test("given back memory is used again", () => {
		const arena = new Arena();
		const address = arena.alloc(1_000);
		arena.free(address);
		assert.equal(arena.alloc(900), address);
	});

	test("a view survives growth of an unshared memory, which detaches plain views", () => {
		const arena = new Arena();
		const view = arena.view(Uint32Array, arena.alloc(16), 4);
		const plain = view.array;
		plain[2] = 5;
		arena.alloc(1 << 20);
		assert.equal(plain.length, 0);
		assert.equal(view.array[2], 5);
	});

	test("an arena that is full says how much was asked for and how much there is", () => {
		const arena = new Arena({ maxBytes: 1 << 20 });
		assert.throws(
			() => arena.alloc(2 << 20),
			(error) => error instanceof ArenaFullError && error.requestedBytes === 2 << 20 && error.maxBytes === 1 << 20,
		);
		assert.ok(arena.alloc(1_000) > 0, "smaller wishes are still granted");
	});

	test("freeing what was never given out, or twice, is refused", () => {
		const arena = new Arena();
		const address = arena.alloc(64);
		arena.free(address);
		assert.throws(() => arena.free(address), RangeError);
		assert.throws(() => arena.free(12_345), RangeError);
		assert.throws(() => arena.resize(12_345, 1), RangeError);
		arena.free(0);
	});

	test("an engine that does not exist is refused", () => {
		assert.throws(() => new Arena({ engine: "fast" as "simd" }), /engine is one of relaxed, simd, scalar/);
	});

	test("every engine runs over shared and unshared memory, and all say the same", () => {
		assert.ok(ENGINES.includes(detectEngine()));
		const keys = ENGINES.flatMap((engine) =>
			[false, true].map((shared) => {
				const arena = new Arena({ engine, shared });
				assert.equal(arena.engine, engine);
				const [a, b] = [arena.alloc(16), arena.alloc(16)];
				arena.f32(a, 4).set([1, 2, 3, 4]);
				arena.f32(b, 4).set([2, 4, 6, 8.5]);
				return arena.kernels.distance(0, a, b, 16);
			}),
		);
		assert.deepEqual(
			keys,
			keys.map(() => 1 + 4 + 9 + 20.25),
		);
	});
});

describe("a module that the caller compiled", () => {
	const file = (name: string) => readFileSync(new URL(`./generated/${name}.wasm`, import.meta.url));

	for (const engine of ["simd", "relaxed"] as const) {
		test(`runs: ${engine}, shared and unshared`, () => {
			for (const shared of [false, true]) {
				const module = new WebAssembly.Module(file(`nigh-${engine}${shared ? "" : "-unshared"}`));
				const arena = new Arena({ engine, module, shared });
				const [a, b] = [arena.alloc(16), arena.alloc(16)];
				arena.f32(a, 2).set([3, 4]);
				assert.equal(arena.kernels.distance(0, a, b, 16), 25);
			}
		});
	}

	test("of the other kind of memory is refused, and so are bytes without the memory", () => {
		const module = new WebAssembly.Module(file("nigh-simd"));
		assert.throws(() => new Arena({ engine: "simd", module }), WebAssembly.LinkError);
		assert.throws(() => withUnsharedMemory(new Uint8Array([0, 0x61, 0x73, 0x6d])), /build them again/);
	});
});

describe("LabelSet", () => {
	test("is a set", () => {
		const label = fc.oneof(fc.nat({ max: 100 }), fc.nat({ max: 100_000 }));
		const step = fc.record({ add: fc.boolean(), label });
		fc.assert(
			fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
				const arena = new Arena();
				const set = new LabelSet(arena);
				const model = new Set<number>();
				for (const { add, label } of steps) {
					if (add) {
						set.add(label);
						model.add(label);
					} else assert.equal(set.delete(label), model.delete(label));
					assert.equal(set.size, model.size);
				}
				assert.deepEqual(
					[...set],
					[...model].sort((a, b) => a - b),
				);
				for (const { label } of steps) assert.equal(set.has(label), model.has(label));
				set.clear();
				assert.deepEqual([...set], []);
				set.dispose();
				assert.equal(arena.usedBytes, 0);
			}),
		);
	});

	test("refuses what is no label", () => {
		const set = new LabelSet(new Arena());
		for (const label of [-1, 1.5, Number.NaN, 2 ** 32 - 1]) assert.throws(() => set.add(label), RangeError);
	});
});

describe("AbortFlag", () => {
	test("is raised and lowered through its word in the arena", () => {
		const flag = new AbortFlag(new Arena());
		assert.equal(flag.raised, false);
		new Uint32Array(flag.arena.memory.buffer)[flag.address / 4] = 1;
		assert.equal(flag.raised, true);
		flag.lower();
		assert.equal(flag.raised, false);
		flag.raise();
		assert.equal(flag.raised, true);
		flag.dispose();
		assert.equal(flag.arena.usedBytes, 0);
	});
});
