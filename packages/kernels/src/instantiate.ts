import type { ArenaOptions } from "./arena.ts";
import { checkEngine, detectEngine, type EngineName, moduleOf } from "./engine.ts";
import type { Kernels } from "./kernels.ts";
import { createTwin } from "./twin/twin.ts";
import type { WasmMemory } from "./wasm.ts";

/**
 * The kernels over a memory: compiled ones, or the scalar twin where there is no SIMD or the distance is a user's own. Other threads
 * call it with the memory that a shared arena has.
 */
export function instantiate(
	memory: WasmMemory,
	options: Pick<ArenaOptions, "engine" | "module" | "shared" | "custom"> = {},
): { kernels: Kernels; engine: EngineName } {
	const { custom } = options;
	if (custom !== undefined) {
		return {
			kernels: createTwin(memory, { custom: custom.distance, dimensions: custom.dimensions }),
			engine: "scalar",
		};
	}
	const engine = options.engine === undefined ? detectEngine() : checkEngine(options.engine);
	if (engine === "scalar") return { kernels: createTwin(memory), engine };
	const module = options.module ?? moduleOf(engine, options.shared ?? false);
	const instance = new WebAssembly.Instance(module as WebAssembly.Module, {
		env: { memory: memory as WebAssembly.Memory },
	});
	// The exports are checked against the twin, name by name, in the kernel tests.
	return { kernels: instance.exports as unknown as Kernels, engine };
}
