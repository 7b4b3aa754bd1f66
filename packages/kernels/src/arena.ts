import type { EngineName } from "./engine.ts";
import { instantiate } from "./instantiate.ts";
import type { Kernels } from "./kernels.ts";
import type { WasmMemory, WasmModule } from "./wasm.ts";

const PAGE = 65_536;

/** 4 GiB less one page: the most a WebAssembly memory addressed by 32 bits can hold without its end wrapping to 0. */
export const MAX_ARENA_BYTES = 65_535 * PAGE;

/** Nothing lives below this: address 0 stands for "none" in every struct. */
const FIRST_ADDRESS = 1_024;

/** A cache line. */
const ALIGNMENT = 64;

export interface ArenaOptions {
	/** Whether other threads may work on it (`SharedArrayBuffer`; in a browser only on a cross-origin isolated page). Default false. */
	readonly shared?: boolean;
	/** The most it may grow to, up to {@link MAX_ARENA_BYTES}, which is the default. */
	readonly maxBytes?: number;
	/** Which build runs. Default: the fastest that this machine has. All give the same results, bit for bit. */
	readonly engine?: EngineName;
	/**
	 * A compiled `.wasm` file of this package, where the runtime forbids compiling bytes: `nigh-simd` or `nigh-relaxed` with shared memory,
	 * `nigh-simd-unshared` or `nigh-relaxed-unshared` without. `engine` must name the build.
	 */
	readonly module?: WasmModule;
	/** A user's distance over vectors of so many floats: runs on the scalar engine. */
	readonly custom?: CustomDistance;
}

/** A distance of a user's own; both views are only valid during the call. */
export interface CustomDistance {
	readonly dimensions: number;
	readonly distance: (a: Float32Array, b: Float32Array) => number;
}

/** The arena cannot hold what was asked for. */
export class ArenaFullError extends Error {
	override readonly name = "ArenaFullError";
	readonly requestedBytes: number;
	readonly maxBytes: number;

	constructor(requestedBytes: number, maxBytes: number, options?: ErrorOptions) {
		super(
			`the arena cannot give ${requestedBytes.toLocaleString("en")} bytes more: it may grow to ${maxBytes.toLocaleString("en")} bytes in all`,
			options,
		);
		this.requestedBytes = requestedBytes;
		this.maxBytes = maxBytes;
	}
}

/** A typed array over the arena that is made anew when growing the memory has detached it. */
export interface View<T> {
	readonly array: T;
}

type TypedArrayConstructor<T> = { new (buffer: ArrayBufferLike, byteOffset: number, length: number): T };

/**
 * One WebAssembly memory with an allocator, and the kernels that run on it. One thread allocates; other threads get addresses. What is
 * allocated is zero, starts at a multiple of 64 and stays where it is until it is freed or resized.
 */
export class Arena {
	readonly memory: WasmMemory;
	readonly kernels: Kernels;
	readonly engine: EngineName;
	readonly shared: boolean;
	readonly maxBytes: number;
	/** Free ranges in ascending order, never touching one another. */
	readonly #free: { start: number; bytes: number }[] = [];
	readonly #sizes = new Map<number, number>();
	/** Everything from here to the end of the memory has never been given out. */
	#top = FIRST_ADDRESS;

	constructor(options: ArenaOptions = {}) {
		this.shared = options.shared ?? false;
		this.maxBytes = Math.min(options.maxBytes ?? MAX_ARENA_BYTES, MAX_ARENA_BYTES);
		this.memory = new WebAssembly.Memory({
			initial: 1,
			maximum: Math.max(1, Math.floor(this.maxBytes / PAGE)),
			shared: this.shared,
		});
		const { kernels, engine } = instantiate(this.memory, options);
		this.kernels = kernels;
		this.engine = engine;
	}

	/** Bytes in use, the rounding up to cache lines included. */
	get usedBytes(): number {
		let sum = 0;
		for (const bytes of this.#sizes.values()) sum += bytes;
		return sum;
	}

	/** Takes zeroed memory; returns its address. Throws {@link ArenaFullError}. */
	alloc(bytes: number): number {
		const size = Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
		const at = this.#free.findIndex((range) => range.bytes >= size);
		const range = this.#free[at];
		let address: number;
		if (range !== undefined) {
			address = range.start;
			if (range.bytes === size) this.#free.splice(at, 1);
			else {
				range.start += size;
				range.bytes -= size;
			}
			this.u8(address, size).fill(0);
		} else {
			address = this.#top;
			this.#growTo(address + size, size);
			this.#top = address + size;
		}
		this.#sizes.set(address, size);
		return address;
	}

	/** Gives memory back. Address 0 is passed over. */
	free(address: number): void {
		if (address === 0) return;
		const bytes = this.#sizes.get(address);
		if (bytes === undefined) throw new RangeError(`${address} is not the address of an allocation of this arena`);
		this.#sizes.delete(address);
		this.#release(address, bytes);
	}

	/** Makes an allocation larger or smaller, keeping its content; what is new is zero. Returns the address, which may be another one. */
	resize(address: number, bytes: number): number {
		if (address === 0) return this.alloc(bytes);
		const old = this.#sizes.get(address);
		if (old === undefined) throw new RangeError(`${address} is not the address of an allocation of this arena`);
		const size = Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
		if (size <= old) {
			if (size < old) this.#release(address + size, old - size);
			this.#sizes.set(address, size);
			return address;
		}
		const end = address + old;
		const next = this.#free.findIndex((range) => range.start === end);
		const range = this.#free[next];
		if (end === this.#top) {
			this.#growTo(address + size, size - old);
			this.#top = address + size;
		} else if (range !== undefined && range.bytes >= size - old) {
			this.u8(end, size - old).fill(0);
			if (range.bytes === size - old) this.#free.splice(next, 1);
			else {
				range.start += size - old;
				range.bytes -= size - old;
			}
		} else {
			const moved = this.alloc(size);
			this.u8(moved, old).set(this.u8(address, old));
			this.free(address);
			return moved;
		}
		this.#sizes.set(address, size);
		return address;
	}

	/** A view that survives growth: read `array` anew after anything that may allocate. */
	view<T extends ArrayBufferView>(type: TypedArrayConstructor<T>, address: number, length: number): View<T> {
		const memory = this.memory;
		let buffer = memory.buffer;
		let array = new type(buffer, address, length);
		return {
			get array(): T {
				if (memory.buffer !== buffer) {
					buffer = memory.buffer;
					array = new type(buffer, address, length);
				}
				return array;
			},
		};
	}

	u8(address: number, length: number): Uint8Array {
		return new Uint8Array(this.memory.buffer, address, length);
	}

	u16(address: number, length: number): Uint16Array {
		return new Uint16Array(this.memory.buffer, address, length);
	}

	u32(address: number, length: number): Uint32Array {
		return new Uint32Array(this.memory.buffer, address, length);
	}

	i32(address: number, length: number): Int32Array {
		return new Int32Array(this.memory.buffer, address, length);
	}

	f32(address: number, length: number): Float32Array {
		return new Float32Array(this.memory.buffer, address, length);
	}

	f64(address: number, length: number): Float64Array {
		return new Float64Array(this.memory.buffer, address, length);
	}

	#release(start: number, bytes: number): void {
		const free = this.#free;
		let at = 0;
		let high = free.length;
		while (at < high) {
			const mid = (at + high) >> 1;
			if ((free[mid] as { start: number }).start < start) at = mid + 1;
			else high = mid;
		}
		const range = { start, bytes };
		const after = free[at];
		if (after !== undefined && start + bytes === after.start) {
			range.bytes += after.bytes;
			free.splice(at, 1);
		}
		const before = free[at - 1];
		if (before !== undefined && before.start + before.bytes === start) before.bytes += range.bytes;
		else free.splice(at, 0, range);
	}

	#growTo(end: number, requested: number): void {
		const have = this.memory.buffer.byteLength;
		if (end <= have) return;
		if (end > this.maxBytes) throw new ArenaFullError(requested, this.maxBytes);
		try {
			this.memory.grow(Math.ceil((end - have) / PAGE));
		} catch (cause) {
			// The machine has less than the arena may use.
			throw new ArenaFullError(requested, this.maxBytes, { cause });
		}
	}
}
