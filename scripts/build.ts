// Builds every package into its dist folder, lower floors first: ES modules with declarations, and the .wasm files of the kernels.
import { copyFileSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { reportFailures, runTool } from "./processes.ts";
import { generatedFolder, KERNEL_FILES } from "./setup/kernels.mjs";
import { listPackages, type Package, root } from "./workspace.ts";

/** Builds them all; fails with the compiler's output at the first that does not build. */
export async function buildPackages(): Promise<void> {
	const packages = listPackages();
	// All of them first: an old declaration must not hide that its source is gone.
	for (const { folder } of packages) rmSync(join(folder, "dist"), { recursive: true, force: true });
	for (const each of packages) await buildPackage(each);
}

async function buildPackage({ name, folder }: Package): Promise<void> {
	const { code, output } = await runTool("typescript/bin/tsc", ["-p", folder, "--pretty", "false"]);
	if (code !== 0) throw new Error(`${name} does not build:\n${output.trim()}`);
	if (!existsSync(join(folder, "dist", "index.js"))) throw new Error(`${name} has no dist/index.js after the build.`);
	if (name === "@nigh/kernels") copyKernels(join(folder, "dist", "generated"));
}

function copyKernels(target: string): void {
	mkdirSync(target, { recursive: true });
	for (const file of KERNEL_FILES) copyFileSync(join(generatedFolder(root), file), join(target, file));
}

if (import.meta.main) await reportFailures(buildPackages);
