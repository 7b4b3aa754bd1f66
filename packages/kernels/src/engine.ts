import { wasmBase64 as relaxedBase64 } from "./generated/nigh-relaxed.ts";
import { wasmBase64 as simdBase64 } from "./generated/nigh-simd.ts";

/** The builds, fastest first: relaxed SIMD (integer instructions only), SIMD128, the scalar twin. */
export const ENGINES = ["relaxed", "simd", "scalar"] as const;

export type EngineName = (typeof ENGINES)[number];

const decoded = new Map<string, Uint8Array<ArrayBuffer>>();
const modules = new Map<string, WebAssembly.Module>();

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

/** The compiled module for a shared or an unshared memory. Compiled once for each. */
export function moduleOf(engine: "relaxed" | "simd", shared: boolean): WebAssembly.Module {
	const key = `${engine}/${shared}`;
	let module = modules.get(key);
	if (module === undefined) {
		module = new WebAssembly.Module(shared ? bytesOf(engine) : unshared(bytesOf(engine)));
		modules.set(key, module);
	}
	return module;
}

/** "env" "memory", a memory, limits "shared with a maximum": in the import section of both builds. */
const MEMORY_IMPORT = [3, 0x65, 0x6e, 0x76, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2, 3];

/** The same module for an unshared memory: the two differ in one byte, the flags of the imported memory's limits. */
function unshared(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
	const at = bytes.findIndex((_, i) => MEMORY_IMPORT.every((value, j) => bytes[i + j] === value));
	if (at < 0) throw new Error("the compiled kernels do not import a shared memory: build them again");
	const copy = bytes.slice();
	copy[at + MEMORY_IMPORT.length - 1] = 1;
	return copy;
}
