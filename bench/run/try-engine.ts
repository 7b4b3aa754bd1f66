import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Job } from "../engines/protocol.ts";
import type { EngineEntry } from "../engines/registry.ts";
import type { Setting } from "../engines/setting.ts";
import { seeded } from "../sets/random.ts";
import { EngineProcess } from "./engine-process.ts";

const DIMENSIONS = 8;
/** Enough for an engine that trains codes, and few enough that every one finds all. */
const VECTORS = 300;
const QUERIES = 5;

/**
 * Whether an engine runs here: builds over some hundred vectors and asks for the first of them, each of which has to find itself.
 * Returns the version that the engine tells, and throws in words where it does not run or answers with others.
 */
export async function tryEngine(entry: EngineEntry): Promise<string> {
	const folder = mkdtempSync(join(tmpdir(), "nigh-bench-try-"));
	const engine = new EngineProcess(entry, writeJob(folder), join(folder, "answers"));
	try {
		const { version } = await engine.build();
		const { labels } = await engine.search(entry.settings.at(-1) as Setting, QUERIES);
		if (labels.some((label, query) => label !== query)) {
			throw new Error(`asked for the first ${QUERIES} of its own vectors, it answered with ${labels.join(", ")}`);
		}
		return version;
	} finally {
		await engine.close();
		rmSync(folder, { recursive: true, force: true });
	}
}

function writeJob(folder: string): Job {
	const random = seeded(1);
	const base = Float32Array.from({ length: VECTORS * DIMENSIONS }, () => random.gaussian());
	const basePath = join(folder, "base.f32");
	const queriesPath = join(folder, "queries.f32");
	writeFileSync(basePath, base);
	writeFileSync(queriesPath, base.subarray(0, QUERIES * DIMENSIONS));
	const counts = { n: VECTORS, dimensions: DIMENSIONS, queryCount: QUERIES, k: 1 };
	return { basePath, queriesPath, ...counts, metric: "l2", M: 16, efConstruction: 100 };
}
