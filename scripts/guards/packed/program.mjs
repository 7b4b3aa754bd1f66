// Runs in a folder where the packed packages are installed (see ../packed.ts): imports every one and uses what it can without
// a network. Add a check beside the others when a package learns something.
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
	"@nigh/index": async ({ createFlat, createHnsw, loadIndex }) => {
		for (const create of [createFlat, createHnsw]) {
			const index = create({ dimensions: 2, metric: "l2" });
			await index.insertMany(new Float32Array([0, 0, 3, 4, 9, 9]));
			const expected = [
				{ label: 0, distance: 0 },
				{ label: 1, distance: 5 },
			];
			assert.deepEqual(index.search([0, 0], 2), expected);
			assert.deepEqual(loadIndex(index.serialize()).search([0, 0], 2), expected);
		}
	},
	"@nigh/threads": async ({ createPool }) => {
		const { createHnsw } = await import("@nigh/index");
		const pool = await createPool({ threads: 2 });
		const index = createHnsw({ dimensions: 1, metric: "l2", shared: true });
		await index.insertMany(
			Float32Array.from({ length: 500 }, (_, i) => i),
			{ parallel: pool },
		);
		assert.equal(index.search([250.2], 1)[0]?.label, 250);
		await pool.close();
	},
	"@nigh/embedded": async ({ openFolder }) => {
		// The worker threads are found in the package as it is installed.
		const database = await openFolder("data", { threads: 2 });
		const notes = await database.collection("notes", { metric: "l2", index: { kind: "hnsw" } });
		await notes.upsert(
			Array.from({ length: 300 }, (_, i) => ({ id: `r${i}`, vector: [i, 1], metadata: { even: i % 2 } })),
		);
		await notes.optimize();
		await notes.delete("r7");
		const { hits } = await notes.search({ vector: [7, 1], k: 2, filter: { even: 1 } });
		assert.deepEqual(
			hits.map((/** @type {{ id: string }} */ hit) => hit.id),
			["r5", "r9"],
		);
		await database.backup("copy");
		assert.equal((await database.verify()).ok, true);
		await database.close();
	},
	nigh: async ({ createHnsw, createFlat, hashedNgrams, NighError, open }) => {
		for (const each of [createHnsw, createFlat, hashedNgrams, NighError]) assert.equal(typeof each, "function");
		const database = await open(":memory:");
		await (await database.collection("notes", {})).upsert([{ id: "a", vector: [1, 2] }]);
		await database.close();
	},
	"@nigh/kernels": ({ Arena, ENGINES }) => {
		for (const engine of ENGINES) {
			const arena = new Arena({ engine });
			const [a, b] = [arena.alloc(16), arena.alloc(16)];
			arena.f32(a, 2).set([3, 4]);
			assert.equal(arena.kernels.distance(0, a, b, 16), 25, engine);
		}
		for (const file of [
			"nigh-simd.wasm",
			"nigh-relaxed.wasm",
			"nigh-simd-unshared.wasm",
			"nigh-relaxed-unshared.wasm",
		]) {
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
