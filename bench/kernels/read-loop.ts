import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Arena } from "@nigh/kernels";
import { withUnsharedMemory } from "../../packages/kernels/src/limits.ts";
import { compileKernels } from "../../scripts/build-kernels.ts";

/** What a kernel is held against: code that only reads. Lengths are multiples of 16. */
export interface ReadLoop {
	/** The sum of the u32 words of `bytes` consecutive bytes, modulo 2^32. */
	readRange(at: number, bytes: number): number;
	/** The same over `n` rows named by number (u32 at `ids`), four rows at a time so that their cache misses overlap. */
	readRows(base: number, stride: number, bytes: number, ids: number, n: number): number;
}

/**
 * A load and an addition each 16 bytes, in 16 accumulators for a range and 8 for rows: more than the latency of an addition times
 * the loads that a core starts in a cycle, so that nothing but the loads bounds it.
 */
const SOURCE = `
@inline
function sum(v: v128): i32 {
	return i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) + i32x4.extract_lane(v, 2) + i32x4.extract_lane(v, 3);
}

export function readRange(at: usize, bytes: usize): i32 {
	const end = at + bytes;
${lines(16, (i) => `	let s${i} = i32x4.splat(0);`)}
	for (; at + 256 <= end; at += 256) {
${lines(16, (i) => `		s${i} = i32x4.add(s${i}, v128.load(at, ${16 * i}));`)}
	}
	for (; at < end; at += 16) s0 = i32x4.add(s0, v128.load(at));
	let total = 0;
${lines(16, (i) => `	total += sum(s${i});`)}
	return total;
}

export function readRows(base: usize, stride: usize, bytes: usize, ids: usize, n: i32): i32 {
${lines(8, (i) => `	let s${i} = i32x4.splat(0);`)}
	let i = 0;
	for (; i + 4 <= n; i += 4) {
		const p = ids + (<usize>i << 2);
${lines(4, (row) => `		const r${row} = base + <usize>load<u32>(p, ${4 * row}) * stride;`)}
		let o: usize = 0;
		for (const paired = bytes & ~31; o < paired; o += 32) {
${lines(4, (row) => `			s${row} = i32x4.add(s${row}, v128.load(r${row} + o));`)}
${lines(4, (row) => `			s${row + 4} = i32x4.add(s${row + 4}, v128.load(r${row} + o, 16));`)}
		}
		if (o < bytes) {
${lines(4, (row) => `			s${row} = i32x4.add(s${row}, v128.load(r${row} + o));`)}
		}
	}
	for (; i < n; i++) {
		const row = base + <usize>load<u32>(ids + (<usize>i << 2)) * stride;
		for (let o: usize = 0; o < bytes; o += 16) s0 = i32x4.add(s0, v128.load(row + o));
	}
	let total = 0;
${lines(8, (i) => `	total += sum(s${i});`)}
	return total;
}
`;

function lines(count: number, line: (i: number) => string): string {
	return Array.from({ length: count }, (_, i) => line(i)).join("\n");
}

/** Compiles the read loop as the kernels are compiled; its bytes can be started over any unshared arena. */
export async function compileReadLoop(): Promise<WebAssembly.Module> {
	const folder = mkdtempSync(join(tmpdir(), "nigh-read-loop-"));
	try {
		writeFileSync(join(folder, "read-loop.ts"), SOURCE);
		await compileKernels(folder, "read-loop.ts", "read-loop.wasm", "simd,threads");
		return new WebAssembly.Module(withUnsharedMemory(readFileSync(join(folder, "read-loop.wasm"))));
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

/** The read loop over an arena's memory. */
export function startReadLoop(module: WebAssembly.Module, arena: Arena): ReadLoop {
	const { exports } = new WebAssembly.Instance(module, { env: { memory: arena.memory as WebAssembly.Memory } });
	return exports as unknown as ReadLoop;
}
