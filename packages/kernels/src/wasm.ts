/**
 * What the public types say of WebAssembly. Its own types come with the DOM library of TypeScript, which a program on Node need not load.
 */

/** A `WebAssembly.Memory`. */
export interface WasmMemory {
	readonly buffer: ArrayBufferLike;
	/** Adds pages of 64 KiB; returns how many there were. */
	grow(pages: number): number;
}

/** A `WebAssembly.Module`. */
export type WasmModule = object;
