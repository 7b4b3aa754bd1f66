import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { KernelName, Kernels } from "./kernels.ts";
import { rowBytes } from "./layout.ts";
import { createTwin, type TwinOptions } from "./twin/twin.ts";

const PAGE = 65_536;

type TypedArray = Uint8Array | Int8Array | Uint16Array | Int32Array | Uint32Array | Float32Array | Float64Array;

interface Engine {
	readonly name: string;
	readonly memory: WebAssembly.Memory;
	readonly kernels: Kernels;
}

export const BUILDS = ["simd", "relaxed"] as const;

export const modules = Object.fromEntries(
	BUILDS.map((name) => [
		name,
		new WebAssembly.Module(readFileSync(new URL(`./generated/nigh-${name}.wasm`, import.meta.url))),
	]),
) as Record<(typeof BUILDS)[number], WebAssembly.Module>;

export interface BenchOptions extends TwinOptions {
	/** The first address that is given out. Default 1,024: address 0 stands for "none". */
	readonly start?: number;
	/** Bytes behind the start. Default 1 MiB. */
	readonly bytes?: number;
}

/**
 * The twin and both compiled builds, each over a memory of its own that is always written alike. Every call runs on all three and
 * fails unless what they return and all that they leave in memory is the same, bit for bit. With a user's metric the twin is alone.
 */
export class Bench {
	readonly engines: readonly Engine[];
	readonly #start: number;
	#top: number;

	constructor({ start = 1_024, bytes = 1 << 20, ...options }: BenchOptions = {}) {
		this.#start = start;
		this.#top = start;
		const initial = Math.ceil((start + bytes) / PAGE);
		const twinMemory = new WebAssembly.Memory({ initial, maximum: 65_536, shared: true });
		const twin = { name: "twin", memory: twinMemory, kernels: createTwin(twinMemory, options) };
		const compiled = BUILDS.map((name) => {
			const memory = new WebAssembly.Memory({ initial, maximum: 65_536, shared: true });
			const { exports } = new WebAssembly.Instance(modules[name], { env: { memory } });
			return { name, memory, kernels: exports as unknown as Kernels };
		});
		this.engines = options.custom === undefined ? [twin, ...compiled] : [twin];
	}

	/** The twin's memory: the same as the others'. */
	get buffer(): ArrayBufferLike {
		return (this.engines[0] as Engine).memory.buffer;
	}

	/** Zeroed room at a multiple of 64. */
	room(bytes: number): number {
		const at = this.#top;
		this.#top += Math.ceil(bytes / 64) * 64;
		assert.ok(this.#top <= this.buffer.byteLength, "the bench is too small for what is put on it");
		return at;
	}

	write(at: number, values: TypedArray): void {
		const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
		for (const { memory } of this.engines) new Uint8Array(memory.buffer).set(bytes, at);
	}

	/** Room with values in it. */
	put(values: TypedArray): number {
		const at = this.room(values.byteLength);
		this.write(at, values);
		return at;
	}

	putRows(rows: readonly Float32Array[]): { base: number; stride: number } {
		const stride = rowBytes(4 * (rows[0]?.length ?? 0));
		const base = this.room(stride * rows.length);
		rows.forEach((row, at) => {
			this.write(base + at * stride, row);
		});
		return { base, stride };
	}

	/** Writes the words of a struct by the offsets of layout.ts. */
	putWords<F extends string>(
		offsets: Readonly<Record<F | "bytes", number>>,
		words: Partial<Record<F, number>>,
	): number {
		const at = this.room(offsets.bytes);
		for (const [field, value] of Object.entries(words)) {
			this.write(at + offsets[field as F], Uint32Array.of(value as number));
		}
		return at;
	}

	f32(at: number, length: number): Float32Array {
		return new Float32Array(this.buffer, at, length);
	}

	u32(at: number, length: number): Uint32Array {
		return new Uint32Array(this.buffer, at, length);
	}

	/** Runs a kernel on every engine; returns what all of them returned. */
	run<K extends KernelName>(name: K, ...args: Parameters<Kernels[K]>): ReturnType<Kernels[K]> {
		const results = this.engines.map(({ kernels }) => (kernels[name] as (...args: number[]) => unknown)(...args));
		const used = this.engines.map(({ memory }) => Buffer.from(memory.buffer, this.#start, this.#top - this.#start));
		for (let i = 1; i < this.engines.length; i++) {
			const who = `${(this.engines[i] as Engine).name} and the twin`;
			assert.ok(Object.is(results[i], results[0]), `${name} of ${who}: ${results[i]} and ${results[0]}`);
			assert.ok((used[i] as Buffer).equals(used[0] as Buffer), `${name} of ${who} leave different bytes in memory`);
		}
		return results[0] as ReturnType<Kernels[K]>;
	}
}

/** Mulberry32: numbers in [0, 1) that are the same for a seed. */
export function randomNumbers(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let t = Math.imul(state ^ (state >>> 15), state | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}

/** A vector of numbers in [-1, 1). */
export function randomVector(random: () => number, dimensions: number): Float32Array {
	return Float32Array.from({ length: dimensions }, () => 2 * random() - 1);
}

/** The vector at length 1 (a zero vector stays zero), rounded to float32. */
export function unitVector(vector: Float32Array): Float32Array {
	const length = Math.hypot(...vector);
	return length === 0 ? vector : vector.map((x) => x / length);
}

/** Float64 keys with the magnitude that rounding errors are relative to. */
export function referenceKey(metric: number, a: Float32Array, b: Float32Array): { key: number; magnitude: number } {
	let squares = 0;
	let absolutes = 0;
	let dot = 0;
	let ofA = 0;
	let ofB = 0;
	for (let i = 0; i < a.length; i++) {
		const x = a[i] as number;
		const y = b[i] as number;
		squares += (x - y) * (x - y);
		absolutes += Math.abs(x - y);
		dot += x * y;
		ofA += x * x;
		ofB += y * y;
	}
	const lengths = Math.sqrt(ofA) * Math.sqrt(ofB);
	if (metric === 0) return { key: squares, magnitude: squares };
	if (metric === 1) return { key: -dot, magnitude: lengths };
	if (metric === 2) return { key: Math.min(2, Math.max(0, 1 - dot)), magnitude: 1 + lengths };
	return { key: absolutes, magnitude: absolutes };
}

/** How far a float32 key of `dimensions` terms in eight lanes may be from the truth, relative to the magnitude. */
export function roundingOf(dimensions: number): number {
	return (dimensions / 8 + 8) * 2 ** -24;
}

/** A bitmap of the numbers below `bits` that `has` says yes to. */
export function bitmapOf(bits: number, has: (bit: number) => boolean): Uint32Array {
	const words = new Uint32Array(Math.ceil(bits / 32));
	for (let bit = 0; bit < bits; bit++) {
		if (has(bit)) words[bit >>> 5] = (words[bit >>> 5] as number) | (1 << (bit & 31));
	}
	return words;
}
