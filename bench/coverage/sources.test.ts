import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { measuringSources, sourcesHash } from "./sources.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** One file of each kind that a matrix depends on. */
const SOME = [
	"packages/index/src/hnsw/search.ts",
	"packages/kernels/assembly/graph/search.ts",
	"packages/kernels/src/arena.ts",
	"packages/recall/src/ladder/widths.ts",
	"bench/sets/random.ts",
	"bench/coverage/truth.ts",
];

test("all that a matrix is measured by is among the sources, and no test nor what judges it afterwards", () => {
	const sources = measuringSources();
	for (const path of SOME) assert.ok(sources.includes(path), path);
	for (const path of sources) assert.doesNotMatch(path, /test|generated\/|certify|watch|redraw|procedures/);
});

test("a change of any of them, another name and one more make another hash; other files make none", () => {
	const folder = mkdtempSync(join(tmpdir(), "nigh-sources-"));
	try {
		for (const path of SOME) cpSync(join(ROOT, path), join(folder, path));
		const seen = new Set([sourcesHash(folder)]);
		for (const path of SOME) {
			writeFileSync(join(folder, path), "// changed\n");
			seen.add(sourcesHash(folder));
		}
		cpSync(join(folder, SOME[0] as string), join(folder, "packages/index/src/hnsw/other.ts"));
		seen.add(sourcesHash(folder));
		rmSync(join(folder, SOME[0] as string));
		const last = sourcesHash(folder);
		seen.add(last);
		assert.equal(seen.size, SOME.length + 3);
		writeFileSync(join(folder, "packages/index/src/hnsw/other.test.ts"), "");
		writeFileSync(join(folder, "bench/coverage/checks.ts"), "");
		assert.equal(sourcesHash(folder), last);
	} finally {
		rmSync(folder, { recursive: true });
	}
});
