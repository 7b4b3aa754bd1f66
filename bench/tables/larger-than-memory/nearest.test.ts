import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { generated } from "../../sets/generated.ts";
import { exactNeighbors } from "../../sets/truth.ts";
import { makeSet } from "./make-set.ts";
import { Nearest } from "./nearest.ts";
import { pathsOf, SEED, type Truths } from "./run.ts";
import { VectorFile } from "./vector-file.ts";

const [N, DIMENSIONS, QUERIES, K] = [900, 16, 30, 10];

async function truthOf(base: Float32Array, queries: Float32Array): Promise<number[][]> {
	const { ids } = await exactNeighbors({ base, queries, dimensions: DIMENSIONS, metric: "l2" }, K);
	return Array.from({ length: QUERIES }, (_, query) => [...ids.subarray(query * K, (query + 1) * K)]);
}

test("neighbours found piece by piece are those of a scan of everything", async () => {
	const { base, queries } = generated({ n: N, dimensions: DIMENSIONS, queries: QUERIES, seed: 5 });
	const nearest = new Nearest(queries, DIMENSIONS, K);
	for (const [from, to] of [
		[0, 400],
		[400, 420],
		[420, N],
	] as const) {
		await nearest.add(base.subarray(from * DIMENSIONS, to * DIMENSIONS), from);
		assert.deepEqual(nearest.rows(), await truthOf(base.subarray(0, to * DIMENSIONS), queries));
	}
});

test("the set in files is the generated one, with the neighbours among the first vectors and among all", async () => {
	const folder = mkdtempSync(join(tmpdir(), "nigh-make-set-"));
	try {
		await makeSet({ folder, n: N, dimensions: DIMENSIONS, queries: QUERIES, prefix: 500 }, () => {});
		const { base, queries } = generated({ n: N, dimensions: DIMENSIONS, queries: QUERIES, seed: SEED });
		const paths = pathsOf(folder);
		const written = new VectorFile(paths.base, DIMENSIONS, "r");
		assert.deepEqual(written.read(0, N), base);
		assert.deepEqual(written.read(700, 703), base.slice(700 * DIMENSIONS, 703 * DIMENSIONS));
		assert.throws(() => written.read(N - 1, N + 1), /ends before row 901/);
		written.close();
		assert.deepEqual(new Uint8Array(readFileSync(paths.queries)), new Uint8Array(queries.buffer));
		const truths = JSON.parse(readFileSync(paths.truths, "utf8")) as Truths;
		assert.deepEqual(truths.prefix, await truthOf(base.subarray(0, 500 * DIMENSIONS), queries));
		assert.deepEqual(truths.all, await truthOf(base, queries));
	} finally {
		rmSync(folder, { recursive: true });
	}
});
