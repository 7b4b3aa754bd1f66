import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Arena, rowBytes } from "@nigh/kernels";
import fc from "fast-check";
import { refusal } from "../refusal.test-support.ts";
import { RowFormat, type RowFormatOptions } from "./row-format.ts";

const arena = new Arena();

/** Runs `body` with a format and room for one row, which is full of other bytes beforehand. */
function withRow<T>(options: RowFormatOptions, body: (format: RowFormat, address: number) => T): T {
	const format = new RowFormat(arena, options);
	const address = arena.alloc(format.bytes);
	arena.u8(address, format.bytes).fill(0xa5);
	try {
		return body(format, address);
	} finally {
		arena.free(address);
		format.dispose();
		assert.equal(arena.usedBytes, 0);
	}
}

const COMPONENT = fc.oneof(
	fc.float({ min: -(2 ** 58), max: 2 ** 58, noNaN: true }),
	fc.float({ min: -1, max: 1, noNaN: true }),
);
const VECTOR = fc.array(COMPONENT, { minLength: 1, maxLength: 40 }).map((list) => Float32Array.from(list));

test("a row is the vector, and zero up to a multiple of 16 bytes", () => {
	fc.assert(
		fc.property(VECTOR, fc.constantFrom("l2" as const, "ip" as const, "l1" as const), (vector, metric) => {
			withRow({ dimensions: vector.length, metric }, (format, address) => {
				assert.equal(format.bytes, rowBytes(4 * vector.length));
				assert.equal(format.write(format.check(vector), address), true);
				assert.deepEqual(format.read(address), vector);
				assert.ok(
					arena
						.f32(address, format.bytes / 4)
						.subarray(vector.length)
						.every((x) => x === 0),
				);
				assert.ok(format.isSound(address));
			});
		}),
	);
});

test("a row of bits is the bytes, and zero behind them", () => {
	fc.assert(
		fc.property(fc.uint8Array({ minLength: 1, maxLength: 50 }), (bits) => {
			withRow({ dimensions: 8 * bits.length, metric: "hamming" }, (format, address) => {
				assert.equal(format.length, bits.length);
				format.write(format.check(bits), address);
				assert.deepEqual(format.read(address), bits);
				assert.ok(
					arena
						.u8(address, format.bytes)
						.subarray(bits.length)
						.every((byte) => byte === 0),
				);
				assert.ok(format.isSound(address));
			});
		}),
	);
});

test("under cosine a row has the length 1, at every scale; a zero vector stays zero and is told", () => {
	fc.assert(
		fc.property(VECTOR, fc.constantFrom(1e-44, 1e-38, 1e-20, 1), (vector, scale) => {
			const scaled = vector.map((x) => x * scale);
			withRow({ dimensions: vector.length, metric: "cosine" }, (format, address) => {
				const isZero = scaled.every((x) => x === 0);
				assert.equal(format.write(format.check(scaled), address), !isZero);
				const norm = Math.hypot(...(format.read(address) as Float32Array));
				assert.ok(isZero ? norm === 0 : Math.abs(norm - 1) < 1e-6, `${norm}`);
			});
		}),
	);
});

test("weights scale a row by sqrt(w), and by w under l1", () => {
	const weights = [4, 0.25, 0, 9, 1];
	const write = (metric: "l2" | "ip" | "l1" | "cosine") =>
		withRow({ dimensions: 5, metric, weights }, (format, address) => {
			assert.deepEqual([...(format.weights ?? [])], weights);
			format.write(format.check([1, 2, 3, 4, 5]), address);
			return [...(format.read(address) as Float32Array)];
		});
	assert.deepEqual(write("l2"), [2, 1, 0, 12, 5]);
	assert.deepEqual(write("ip"), [2, 1, 0, 12, 5]);
	assert.deepEqual(write("l1"), [4, 0.5, 0, 36, 5]);
	const norm = Math.hypot(2, 1, 0, 12, 5);
	write("cosine").forEach((x, i) => {
		assert.ok(Math.abs(x - ([2, 1, 0, 12, 5][i] as number) / norm) < 1e-7);
	});
});

test("the check looks at the weighted norm too, before anything is written", () => {
	withRow({ dimensions: 2, metric: "l2", weights: [1_000_000, 1] }, (format) => {
		assert.deepEqual([...format.check([2 ** 51, 2 ** 61])], [2 ** 51, 2 ** 61]);
		const error = refusal("INVALID_VECTOR", () => format.check([2 ** 60, 0], 4));
		assert.equal(error.details.row, 4);
		assert.equal(error.details.value, 1_000 * 2 ** 60);
		assert.match(error.message, /row 4 .*weighted/);
		assert.equal(refusal("INVALID_VECTOR", () => format.checkRows(Float32Array.of(1, 2, 2 ** 60, 0))).details.row, 1);
	});
});

test("weights do not go with bits", () => {
	const error = refusal("UNSUPPORTED", () => new RowFormat(arena, { dimensions: 8, metric: "hamming", weights: [1] }));
	assert.equal(error.details.field, "weights");
	assert.equal(arena.usedBytes, 0);
});

describe("many rows", () => {
	test("are counted and cut by the length of one", () => {
		withRow({ dimensions: 3, metric: "l2" }, (format) => {
			const rows = Float32Array.of(1, 2, 3, 4, 5, 6);
			assert.equal(format.checkRows(rows), 2);
			assert.equal(format.checkRows(new Float32Array(0)), 0);
			assert.deepEqual(format.rowOf(rows, 1), Float32Array.of(4, 5, 6));
			const error = refusal("DIMENSION_MISMATCH", () => format.checkRows(new Float32Array(4)));
			assert.deepEqual([error.details.expected, error.details.actual], [3, 4]);
		});
	});

	test("of another type are refused, saying what they are", () => {
		withRow({ dimensions: 2, metric: "l2" }, (format) => {
			for (const [rows, said] of [
				[[1, 2], /a plain array/],
				[new Float64Array(2), /a Float64Array/],
				[new Uint8Array(2), /a Uint8Array/],
				[undefined, /undefined/],
				[null, /null/],
				[Object.create(null), /object/],
			] as const) {
				assert.match(refusal("INVALID_VECTOR", () => format.checkRows(rows)).message, said);
			}
		});
		withRow({ dimensions: 16, metric: "hamming" }, (format) => {
			refusal("INVALID_VECTOR", () => format.checkRows(new Float32Array(2)));
			assert.equal(format.checkRows(new Uint8Array(6)), 3);
		});
	});
});

test("a row that write cannot have left is not sound", () => {
	withRow({ dimensions: 3, metric: "l2" }, (format, address) => {
		const floats = arena.f32(address, 4);
		const isSound = (...values: number[]) => {
			floats.set(values);
			return format.isSound(address);
		};
		assert.equal(isSound(1, 2, 3, 0), true);
		assert.equal(isSound(2 ** 62, 0, 0, 0), true);
		assert.equal(isSound(1, Number.NaN, 3, 0), false);
		assert.equal(isSound(1, 2, Number.NEGATIVE_INFINITY, 0), false);
		assert.equal(isSound(2 ** 63, 0, 0, 0), false);
		assert.equal(isSound(1, 2, 3, 1), false);
	});
});

test("a key becomes a distance: its root under l2, itself otherwise", () => {
	for (const [metric, distance] of [
		["l2", 3],
		["ip", 9],
		["cosine", 9],
		["l1", 9],
	] as const) {
		withRow({ dimensions: 1, metric }, (format) => {
			assert.equal(format.distanceOf(9), distance);
		});
	}
});
