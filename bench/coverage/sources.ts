import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** All that a matrix comes about by: rows, the index and its kernels, where rungs are placed, and how hits are counted. */
const MEASURED_BY = [
	"packages/index/src/**/*.ts",
	"packages/kernels/src/**/*.ts",
	"packages/kernels/assembly/**/*.ts",
	"packages/recall/src/ladder/*.ts",
	"bench/sets/{generated,known,random}.ts",
	"bench/coverage/{collections,distributions,groups,measure,rows,searcher,truth}.ts",
] as const;

/** Tests change no figure; what is generated is made from the assembly, which is in it. */
const LEFT_OUT = /\.test\.ts$|\.test-support\.ts$|\/generated\//;

/** The files that a matrix depends on, from the root of the repository on. */
export function measuringSources(root = ROOT): string[] {
	return globSync([...MEASURED_BY], { cwd: root })
		.map((path) => path.replaceAll(sep, "/"))
		.filter((path) => !LEFT_OUT.test(path))
		.sort();
}

/** The same for the same sources: of their names and what is in them. */
export function sourcesHash(root = ROOT): string {
	const hash = createHash("sha256");
	for (const path of measuringSources(root)) {
		const text = readFileSync(join(root, path));
		hash.update(JSON.stringify([path, text.length])).update(text);
	}
	return hash.digest("hex").slice(0, 12);
}
