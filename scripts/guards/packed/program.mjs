// Runs in a folder where the packed packages are installed (see ../packed.ts): imports every one and uses what it can without a
// file, a network or a thread of its own. Add a check beside the others when a package learns something.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * By package: what has to hold for its exports.
 *
 * @type {Record<string, (exports: any) => unknown>}
 */
const CHECKS = {
	"@nigh/contract": ({ NighError, isNighError }) => {
		const error = new NighError("NOT_FOUND", "no such collection", { name: "notes" });
		assert.equal(error instanceof Error, true);
		assert.equal(error.code, "NOT_FOUND");
		assert.deepEqual(error.details, { name: "notes" });
		assert.ok(isNighError(error, "NOT_FOUND"));
	},
	"@nigh/embed": async ({ hashedNgrams }) => {
		const embedder = hashedNgrams();
		const { dimensions } = await embedder.identity();
		const vectors = await embedder.embed(["the cat sat", "on the mat"]);
		assert.deepEqual([vectors.length, vectors[0].length], [2, dimensions]);
	},
	"@nigh/formats": async ({ readAll, writeFvecs }) => {
		const values = new Float32Array([1, 2, 3, 4, 5, 6]);
		const table = await readAll("fvecs", writeFvecs(values, 3));
		assert.deepEqual([table.count, table.dimensions, [...table.values]], [2, 3, [...values]]);
	},
	"@nigh/kernels": () => {
		for (const file of ["nigh-simd.wasm", "nigh-relaxed.wasm"]) {
			const bytes = readFileSync(fileURLToPath(import.meta.resolve(`@nigh/kernels/${file}`)));
			assert.ok(WebAssembly.validate(bytes), `${file} is no valid module`);
		}
	},
};

function installedPackages() {
	const scoped = readdirSync(join("node_modules", "@nigh")).map((name) => `@nigh/${name}`);
	return readdirSync("node_modules").includes("nigh") ? [...scoped, "nigh"] : scoped;
}

for (const name of installedPackages()) {
	const exports = await import(name);
	assert.ok(Object.keys(exports).length > 0, `${name} exports nothing`);
	await CHECKS[name]?.(exports);
}
