import type { EngineName, KernelName, WasmMemory } from "@nigh/kernels";

/** What the pool tells a worker. */
export type Request =
	| {
			readonly type: "attach";
			readonly arena: number;
			readonly memory: WasmMemory;
			readonly engine: EngineName;
	  }
	| { readonly type: "detach"; readonly arena: number }
	| { readonly type: "call"; readonly arena: number; readonly kernel: KernelName; readonly args: readonly number[] };

/** A worker's answer to a call. */
export type Reply = { readonly type: "done" } | { readonly type: "failed"; readonly message: string };
