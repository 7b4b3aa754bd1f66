export { AbortFlag } from "./abort-flag.ts";
export { Arena, ArenaFullError, type ArenaOptions, type CustomDistance, MAX_ARENA_BYTES, type View } from "./arena.ts";
export { detectEngine, ENGINES, type EngineName } from "./engine.ts";
export { instantiate } from "./instantiate.ts";
export type { KernelName, Kernels } from "./kernels.ts";
export { LabelSet } from "./label-set.ts";
export {
	assignScratch,
	BLOCK_TAIL,
	BOUND_QUERY,
	CELL,
	CELL_BLOCK,
	CELL_PROBE,
	CELL_ROWS,
	CELL_SEARCH,
	CELLS,
	CODE_FORMS,
	CODE_PANEL,
	centroidCodesBytes,
	ELIGIBILITY,
	EXPANDED_TOGETHER,
	FAST_SUB_BYTES,
	FREE_LEVEL,
	GRAPH,
	MANY,
	METRIC_CODES,
	manyCodesBytes,
	meanScratch,
	NO_BLOCK,
	NO_NODE,
	NO_PLACE,
	PANEL,
	PAYLOADS,
	panelBytes,
	RABITQ_BLOCK,
	RABITQ_CANDIDATE,
	RABITQ_QUERY,
	rowBytes,
	SCRATCH,
	TERM_BYTES,
} from "./layout.ts";
export type { WasmMemory, WasmModule } from "./wasm.ts";
