import { wasmHex as relaxedHex } from "./generated/nigh-relaxed.ts";
import { wasmHex as simdHex } from "./generated/nigh-simd.ts";
import { withUnsharedMemory } from "./limits.ts";
import type { WasmModule } from "./wasm.ts";

/** The builds, fastest first: relaxed SIMD (integer instructions only), SIMD128, the scalar twin. */
export const ENGINES = ["relaxed", "simd", "scalar"] as const;

export type EngineName = (typeof ENGINES)[number];

const decoded = new Map<string, Uint8Array<ArrayBuffer>>();
const modules = new Map<string, WasmModule>();

function bytesOf(engine: "relaxed" | "simd"): Uint8Array<ArrayBuffer> {
	let bytes = decoded.get(engine);
	if (bytes === undefined) {
		bytes = bytesOfHex(engine === "relaxed" ? relaxedHex : simdHex);
		decoded.set(engine, bytes);
	}
	return bytes;
}

function bytesOfHex(hex: string): Uint8Array<ArrayBuffer> {
	const bytes = new Uint8Array(hex.length / 2);
	for (let i = 0; i < bytes.length; i++) bytes[i] = digit(hex, 2 * i) * 16 + digit(hex, 2 * i + 1);
	return bytes;
}

/** The value of a digit 0..9 or a..f. */
function digit(hex: string, at: number): number {
	const code = hex.charCodeAt(at);
	return code < 58 ? code - 48 : code - 87;
}

/** The fastest engine that this runtime can run. */
export function detectEngine(): EngineName {
	if (typeof WebAssembly === "undefined") return "scalar";
	if (WebAssembly.validate(bytesOf("relaxed"))) return "relaxed";
	return WebAssembly.validate(bytesOf("simd")) ? "simd" : "scalar";
}

/** @throws RangeError for a name that no build has. */
export function checkEngine(engine: EngineName): EngineName {
	if (ENGINES.includes(engine)) return engine;
	throw new RangeError(`engine is one of ${ENGINES.join(", ")}, not ${JSON.stringify(engine)}`);
}

/** The compiled module for a shared or an unshared memory. Compiled once for each. */
export function moduleOf(engine: "relaxed" | "simd", shared: boolean): WasmModule {
	const key = `${engine}/${shared}`;
	let module = modules.get(key);
	if (module === undefined) {
		module = new WebAssembly.Module(shared ? bytesOf(engine) : withUnsharedMemory(bytesOf(engine)));
		modules.set(key, module);
	}
	return module;
}
