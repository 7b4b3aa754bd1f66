// What a browser has to load, against a limit. A bundle that needs a Node module cannot be made at all.
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { root } from "../workspace.ts";

/** A page that imports some packages, and the most it may weigh. */
export interface Budget {
	readonly packages: readonly string[];
	/** Minified and compressed with gzip, in bytes. */
	readonly maxBytes: number;
}

/** The limits. Raise one only together with the reason, in the same commit. */
export const BUDGETS: readonly Budget[] = [
	{ packages: ["@nigh/contract"], maxBytes: 10_000 },
	// Of which 44 kB are both builds of the kernels. The inverted-file family (k-means, product codes, RaBitQ, readers, vectors kept elsewhere) has added 50 kB:
	// 2 of these are for axes in many dimensions, labels that are taken anew for readers, and options that are refused rather than ignored.
	// The exact answers of many queries in one pass are 6, of which 2.5 are kernels.
	{ packages: ["@nigh/index", "@nigh/kernels"], maxBytes: 134_500 },
	{ packages: ["@nigh/formats"], maxBytes: 16_000 },
	{ packages: ["@nigh/recall"], maxBytes: 12_000 },
];

/** What is too heavy or does not bundle for a browser. */
export async function checkSizes(budgets: readonly Budget[] = BUDGETS, workspace: string = root): Promise<string[]> {
	const problems: string[] = [];
	for (const { packages, maxBytes } of budgets) {
		const name = packages.join(" + ");
		try {
			const bytes = await bundledBytes(packages, workspace);
			if (bytes > maxBytes) problems.push(`${name}: ${bytes} bytes (gzip), more than ${maxBytes}.`);
		} catch (error) {
			problems.push(`${name} does not bundle for a browser: ${error instanceof Error ? error.message : String(error)}`);
		}
	}
	return problems;
}

/** The size of a bundle with everything the packages export: minified, gzip, bytes. */
export async function bundledBytes(packages: readonly string[], workspace: string = root): Promise<number> {
	const contents = packages.map((name, at) => `export * as p${at} from ${JSON.stringify(name)};`).join("\n");
	const { outputFiles } = await build({
		stdin: { contents, resolveDir: workspace, loader: "ts" },
		absWorkingDir: workspace,
		bundle: true,
		minify: true,
		write: false,
		format: "esm",
		platform: "browser",
		target: "es2024",
		conditions: ["@nigh/source"],
		logLevel: "silent",
	});
	return outputFiles.reduce((sum, file) => sum + gzipSync(file.contents, { level: 9 }).byteLength, 0);
}
