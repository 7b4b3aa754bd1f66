import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type { Arena } from "@nigh/kernels";
import { withUnsharedMemory } from "../../packages/kernels/src/limits.ts";
import { compileKernels } from "../../scripts/build-kernels.ts";

/** What assembly/scan.ts exports; arguments are described there. */
export interface VerticalKernels {
	scanVertical(
		table: number,
		probes: number,
		count: number,
		query: number,
		vertical: number,
		chunks: number,
		steps: number,
		scratch: number,
		pool: number,
		k: number,
	): number;
	elementsLookedAt(): number;
}

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const ENTRY = "bench/pdx/assembly/scan.ts";

/** Compiles the scan as the kernels are compiled; it can be started over any unshared arena. */
export async function compileVerticalKernels(): Promise<WebAssembly.Module> {
	const folder = mkdtempSync(join(tmpdir(), "nigh-vertical-"));
	try {
		const output = join(folder, "scan.wasm");
		await compileKernels(ROOT, ENTRY, relative(ROOT, output).split(sep).join("/"), "simd,threads");
		return new WebAssembly.Module(withUnsharedMemory(readFileSync(output)));
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

export function startVerticalKernels(module: WebAssembly.Module, arena: Arena): VerticalKernels {
	const { exports } = new WebAssembly.Instance(module, { env: { memory: arena.memory as WebAssembly.Memory } });
	return exports as unknown as VerticalKernels;
}
