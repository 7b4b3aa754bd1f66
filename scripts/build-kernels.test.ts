import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { compileKernels, hexModule } from "./build-kernels.ts";
import { temporaryFolder } from "./temporary-folder.test-support.ts";

const SOURCE = `
export function dot(a: usize, b: usize): i32 {
	const products = i16x8.relaxed_dot_i8x16_i7x16_s(v128.load(a), v128.load(b));
	return i16x8.extract_lane_s(products, 0);
}
export function checked(x: i32): i32 {
	assert(x > 0);
	return x;
}
`;
const PLAIN = "export function sum(a: usize): f32 { return f32x4.extract_lane(v128.load(a), 0); }\n";

test("a kernel is compiled for an imported shared memory, imports nothing else, and twice to the same bytes", async (t) => {
	const folder = temporaryFolder(t, { "index.ts": PLAIN });
	await compileKernels(folder, "index.ts", "a.wasm", "simd,threads");
	await compileKernels(folder, "index.ts", "b.wasm", "simd,threads");
	const bytes = readFileSync(join(folder, "a.wasm"));
	assert.deepEqual(bytes, readFileSync(join(folder, "b.wasm")));
	const module = new WebAssembly.Module(bytes);
	assert.deepEqual(WebAssembly.Module.imports(module), [{ module: "env", name: "memory", kind: "memory" }]);
	const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536, shared: true });
	new Float32Array(memory.buffer)[4] = 2.5;
	const { exports } = new WebAssembly.Instance(module, { env: { memory } });
	assert.equal((exports.sum as (a: number) => number)(16), 2.5);
});

test("relaxed instructions compile with relaxed SIMD and are refused without it", async (t) => {
	const folder = temporaryFolder(t, { "index.ts": SOURCE });
	await compileKernels(folder, "index.ts", "relaxed.wasm", "simd,threads,relaxed-simd");
	assert.ok(WebAssembly.validate(readFileSync(join(folder, "relaxed.wasm"))));
	await assert.rejects(
		compileKernels(folder, "index.ts", "plain.wasm", "simd,threads"),
		/index\.ts with simd,threads:.*ERROR/s,
	);
});

test("the generated module holds the very bytes", async () => {
	const bytes = Uint8Array.from({ length: 300 }, (_, at) => (at * 7) % 256);
	const source = hexModule("nigh-simd", bytes.subarray(10));
	const { wasmHex } = await import(`data:text/javascript,${encodeURIComponent(source.replace(": string", ""))}`);
	assert.deepEqual(new Uint8Array(Buffer.from(wasmHex, "hex")), bytes.slice(10));
});
