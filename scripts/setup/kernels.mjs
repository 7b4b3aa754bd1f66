import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { seconds } from "./dependencies.mjs";

/** The names of the two builds of the kernels. */
export const KERNEL_BUILDS = ["nigh-simd", "nigh-relaxed"];

/** The .wasm files: each build for shared memory, and the same for unshared memory. */
export const KERNEL_FILES = KERNEL_BUILDS.flatMap((name) => [`${name}.wasm`, `${name}-unshared.wasm`]);

/** @param {string} root */
export function assemblyFolder(root) {
	return join(root, "packages", "kernels", "assembly");
}

/** @param {string} root */
export function generatedFolder(root) {
	return join(root, "packages", "kernels", "src", "generated");
}

/** @param {string} root */
export function kernelStampFile(root) {
	return join(generatedFolder(root), "sources.sha256");
}

/**
 * A hash of all that the compiled kernels depend on: their sources, the compiler's version and the scripts that make the files.
 *
 * @param {string} root
 */
export function kernelSourcesHash(root) {
	const hash = createHash("sha256");
	const folder = assemblyFolder(root);
	const files = existsSync(folder) ? filesBelow(folder, "") : [];
	for (const file of files)
		hash
			.update(`${file}\0`)
			.update(readFileSync(join(folder, file)))
			.update("\0");
	const compiler = readFileSync(join(root, "node_modules", "assemblyscript", "package.json"), "utf8");
	hash.update(JSON.parse(compiler).version);
	hash.update(readFileSync(join(root, "scripts", "build-kernels.ts")));
	hash.update(readFileSync(join(root, "packages", "kernels", "src", "limits.ts")));
	return hash.digest("hex");
}

/** @param {string} root */
export function kernelsAreFresh(root) {
	const outputs = [...KERNEL_FILES, ...KERNEL_BUILDS.map((name) => `${name}.ts`)];
	if (!outputs.every((file) => existsSync(join(generatedFolder(root), file)))) return false;
	if (!existsSync(kernelStampFile(root))) return false;
	return readFileSync(kernelStampFile(root), "utf8").trim() === kernelSourcesHash(root);
}

/**
 * Compiles the kernels on `node` and returns how long it took, in words.
 *
 * @param {string} root
 * @param {string} node
 */
export function buildKernels(root, node) {
	const started = performance.now();
	const result = spawnSync(node, [join(root, "scripts", "build-kernels.ts")], { cwd: root, encoding: "utf8" });
	if (result.status !== 0) {
		process.stderr.write(`\n${result.stdout ?? ""}${result.stderr ?? ""}${result.error?.message ?? ""}\n`);
		throw new Error(
			"the kernels do not compile, see the compiler's output above. Mend packages/kernels/assembly and run the same command again.",
		);
	}
	return seconds(started);
}

/**
 * @param {string} folder
 * @param {string} prefix
 * @returns {string[]}
 */
function filesBelow(folder, prefix) {
	return readdirSync(folder, { withFileTypes: true })
		.sort((a, b) => (a.name < b.name ? -1 : 1))
		.flatMap((entry) =>
			entry.isDirectory()
				? filesBelow(join(folder, entry.name), `${prefix}${entry.name}/`)
				: entry.isFile()
					? [prefix + entry.name]
					: [],
		);
}
