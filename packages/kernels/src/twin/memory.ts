import type { WasmMemory } from "../wasm.ts";
import type { UserMetric } from "./user-metric.ts";

/**
 * Typed views over a WebAssembly memory, and loads and stores in the words of the assembly. The platform is little-endian, as
 * WebAssembly memory is; {@link createTwin} refuses another. Addresses are taken modulo 2^32, so that a signed one (an address above
 * 2^31 that went through a WebAssembly i32) means the same place, and are multiples of the size of what is read there.
 */
export class TwinMemory {
	readonly memory: WasmMemory;
	readonly userMetric: UserMetric | undefined;
	buffer: ArrayBufferLike;
	byteLength = 0;
	u8: Uint8Array = new Uint8Array(0);
	i8: Int8Array = new Int8Array(0);
	u16: Uint16Array = new Uint16Array(0);
	i32: Int32Array = new Int32Array(0);
	u32: Uint32Array = new Uint32Array(0);
	f32: Float32Array = new Float32Array(0);
	f64: Float64Array = new Float64Array(0);

	constructor(memory: WasmMemory, userMetric: UserMetric | undefined) {
		this.memory = memory;
		this.userMetric = userMetric;
		this.buffer = memory.buffer;
		this.refresh();
	}

	/** Takes new views where the memory has grown: growing detaches an unshared buffer and replaces a shared one. */
	refresh(): void {
		const buffer = this.memory.buffer;
		if (buffer === this.buffer && buffer.byteLength === this.byteLength) return;
		this.buffer = buffer;
		this.byteLength = buffer.byteLength;
		this.u8 = new Uint8Array(buffer);
		this.i8 = new Int8Array(buffer);
		this.u16 = new Uint16Array(buffer);
		this.i32 = new Int32Array(buffer);
		this.u32 = new Uint32Array(buffer);
		this.f32 = new Float32Array(buffer);
		this.f64 = new Float64Array(buffer);
		this.userMetric?.forget();
	}

	loadU8(at: number): number {
		return this.u8[at >>> 0] as number;
	}

	loadU16(at: number): number {
		return this.u16[at >>> 1] as number;
	}

	storeU16(at: number, value: number): void {
		this.u16[at >>> 1] = value;
	}

	loadI32(at: number): number {
		return this.i32[at >>> 2] as number;
	}

	storeI32(at: number, value: number): void {
		this.i32[at >>> 2] = value;
	}

	loadU32(at: number): number {
		return this.u32[at >>> 2] as number;
	}

	storeU32(at: number, value: number): void {
		this.u32[at >>> 2] = value;
	}

	loadF32(at: number): number {
		return this.f32[at >>> 2] as number;
	}

	/** Rounds to float32, as every store of a float does. */
	storeF32(at: number, value: number): void {
		this.f32[at >>> 2] = value;
	}

	loadF64(at: number): number {
		return this.f64[at >>> 3] as number;
	}

	storeF64(at: number, value: number): void {
		this.f64[at >>> 3] = value;
	}

	/** Moves a pair of words (a key and a node or label) as it is. */
	copyPair(to: number, from: number): void {
		this.u32[to >>> 2] = this.u32[from >>> 2] as number;
		this.u32[(to + 4) >>> 2] = this.u32[(from + 4) >>> 2] as number;
	}

	/** `memory.copy` of whole words; the ranges may overlap. */
	copyWords(to: number, from: number, bytes: number): void {
		const first = from >>> 2;
		this.u32.copyWithin(to >>> 2, first, first + (bytes >>> 2));
	}

	fill(at: number, value: number, bytes: number): void {
		const first = at >>> 0;
		this.u8.fill(value, first, first + bytes);
	}

	atomicLoadI32(at: number): number {
		return Atomics.load(this.i32, at >>> 2);
	}

	atomicLoadU32(at: number): number {
		return Atomics.load(this.i32, at >>> 2) >>> 0;
	}

	atomicStoreI32(at: number, value: number): void {
		Atomics.store(this.i32, at >>> 2, value);
	}

	/** Returns what was there, signed: cursors are compared as int32. */
	atomicAdd(at: number, value: number): number {
		return Atomics.add(this.i32, at >>> 2, value);
	}

	atomicOr(at: number, value: number): void {
		Atomics.or(this.i32, at >>> 2, value);
	}
}
