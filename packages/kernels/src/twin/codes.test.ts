import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Bench } from "../kernels.test-support.ts";
import { CODE_FORMS } from "../layout.ts";

/** Writes code rows with their norms behind them, `stride` bytes apart. */
function putCodes(bench: Bench, codes: readonly Int8Array[]): { base: number; stride: number; bytes: number } {
	const bytes = Math.ceil((codes[0] as Int8Array).length / 16) * 16;
	const stride = bytes + 16;
	const base = bench.room(stride * codes.length);
	codes.forEach((code, i) => {
		bench.write(base + i * stride, code);
		bench.write(base + i * stride + bytes, Int32Array.of(dot(code, code)));
	});
	return { base, stride, bytes };
}

function dot(a: Int8Array, b: Int8Array): number {
	return a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);
}

function checkAll(query: Int8Array, codes: readonly Int8Array[]): void {
	const bench = new Bench({ bytes: 131_072 });
	const { base, stride, bytes } = putCodes(bench, codes);
	const { base: q } = putCodes(bench, [query]);
	const n = codes.length;
	const ids = bench.put(Uint32Array.from(codes, (_, i) => n - 1 - i));
	const norm = dot(query, query);
	codes.forEach((code, i) => {
		assert.equal(bench.run("codeDot", q, base + i * stride, bytes), dot(query, code));
		assert.equal(bench.run("codeL2", q, base + i * stride, bytes), norm + dot(code, code) - 2 * dot(query, code));
	});
	for (const form of [CODE_FORMS.l2, CODE_FORMS.dot]) {
		const expected = codes.map((code) =>
			form === CODE_FORMS.dot
				? Math.fround(0 - dot(query, code))
				: Math.fround(norm + dot(code, code) - 2 * dot(query, code)),
		);
		const block = bench.room(4 * n);
		const many = bench.room(4 * n);
		bench.run("codeKeysBlock", form, q, norm, base, stride, bytes, n, block);
		bench.run("codeKeysMany", form, q, norm, base, stride, bytes, ids, n, many);
		assert.deepEqual(Array.from(bench.f32(block, n)), expected);
		assert.deepEqual(Array.from(bench.f32(many, n)), expected.toReversed());
		// The code rows are queries as well: they carry their norms. A row of keys has room for one more, which stays as it is.
		const outStride = 4 * (n + 1);
		const tiles = bench.room(n * outStride);
		bench.run("codeKeysTiles", form, base, stride, n, base, stride, bytes, n, tiles, outStride);
		codes.forEach((asked, j) => {
			const keys = codes.map((code) =>
				form === CODE_FORMS.dot
					? Math.fround(0 - dot(asked, code))
					: Math.fround(dot(asked, asked) + dot(code, code) - 2 * dot(asked, code)),
			);
			assert.deepEqual(Array.from(bench.f32(tiles + j * outStride, n + 1)), [...keys, 0]);
		});
	}
}

test("code products and keys are the whole numbers of plain arithmetic, for any codes and 0 to 9 rows", () => {
	const code = (length: number) =>
		fc.array(fc.integer({ min: 0, max: 127 }), { minLength: length, maxLength: length }).map((x) => Int8Array.from(x));
	const query = (length: number) =>
		fc
			.array(fc.integer({ min: -128, max: 127 }), { minLength: length, maxLength: length })
			.map((x) => Int8Array.from(x));
	const cases = fc
		.integer({ min: 1, max: 70 })
		.chain((d) => fc.tuple(query(d), fc.array(code(d), { minLength: 1, maxLength: 9 })));
	fc.assert(
		fc.property(cases, ([q, codes]) => checkAll(q, codes)),
		{ numRuns: 60 },
	);
});

for (const dimensions of [1, 16, 17, 48, 784, 1536, 4096]) {
	test(`the largest products at ${dimensions} dimensions do not saturate`, () => {
		const most = new Int8Array(dimensions).fill(127);
		for (const value of [-128, -127, 127]) {
			checkAll(
				new Int8Array(dimensions).fill(value),
				Array.from({ length: 5 }, (_, i) => (i === 2 ? new Int8Array(dimensions) : most)),
			);
		}
	});
}
