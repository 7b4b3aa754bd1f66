export { AbortFlag } from "./abort-flag.ts";
export { Arena, ArenaFullError, type ArenaOptions, type CustomDistance, MAX_ARENA_BYTES, type View } from "./arena.ts";
export { detectEngine, ENGINES, type EngineName } from "./engine.ts";
export { instantiate } from "./instantiate.ts";
export type { KernelName, Kernels } from "./kernels.ts";
export { LabelSet } from "./label-set.ts";
export {
	BLOCK_TAIL,
	BOUND_QUERY,
	CODE_FORMS,
	ELIGIBILITY,
	EXPANDED_TOGETHER,
	FREE_LEVEL,
	GRAPH,
	METRIC_CODES,
	NO_NODE,
	PAYLOADS,
	rowBytes,
	SCRATCH,
} from "./layout.ts";
export type { WasmMemory, WasmModule } from "./wasm.ts";
