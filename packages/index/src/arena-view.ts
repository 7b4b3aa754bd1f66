import { type Arena, type EngineName, instantiate, type Kernels, type WasmMemory } from "@nigh/kernels";

/** What computes over an arena without taking memory of it: the arena itself, or {@link AttachedArena} on another thread. */
export type ArenaView = Pick<Arena, "kernels" | "u8" | "u32" | "i32" | "f32" | "f64">;

/**
 * The memory of a shared arena as another thread sees it: kernels of its own and views, no allocator. Views are made over the memory as
 * long as it was when this was made: a shared memory grows without detaching them, and what a reader is told of lies below that.
 */
export class AttachedArena implements ArenaView {
	readonly kernels: Kernels;
	readonly #buffer: ArrayBufferLike;

	constructor(memory: WasmMemory, engine: EngineName) {
		this.kernels = instantiate(memory, { engine, shared: true }).kernels;
		this.#buffer = memory.buffer;
	}

	u8(address: number, length: number): Uint8Array {
		return new Uint8Array(this.#buffer, address, length);
	}

	u32(address: number, length: number): Uint32Array {
		return new Uint32Array(this.#buffer, address, length);
	}

	i32(address: number, length: number): Int32Array {
		return new Int32Array(this.#buffer, address, length);
	}

	f32(address: number, length: number): Float32Array {
		return new Float32Array(this.#buffer, address, length);
	}

	f64(address: number, length: number): Float64Array {
		return new Float64Array(this.#buffer, address, length);
	}
}
