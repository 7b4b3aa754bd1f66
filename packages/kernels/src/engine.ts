import { wasmBase64 as relaxedBase64 } from "./generated/nigh-relaxed.ts";
import { wasmBase64 as simdBase64 } from "./generated/nigh-simd.ts";
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
		bytes = Uint8Array.from(atob(engine === "relaxed" ? relaxedBase64 : simdBase64), (char) => char.charCodeAt(0));
		decoded.set(engine, bytes);
	}
	return bytes;
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
