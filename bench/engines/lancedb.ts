import { createRequire } from "node:module";
import { connect, Index, type Table } from "@lancedb/lancedb";
import { peerVersion } from "./peer-package.ts";
import type { Job } from "./protocol.ts";
import { serve } from "./serve.ts";
import { knob, type Setting } from "./setting.ts";
import { folderBytes, temporaryFolder } from "./temporary-folder.ts";

// LanceDB's own copy, which is the CommonJS one: a table made by the other arrives there without rows.
const arrow = createRequire(import.meta.url)("apache-arrow") as typeof import("apache-arrow");

/** What a kind of index is made with, and what a search of it asks. */
interface Kind {
	config(job: Job): object;
	readonly about: (job: Job) => string;
	/** LanceDB answers from codes alone unless it is asked to refine: so many candidates for each one wanted. */
	ask(query: ReturnType<Table["vectorSearch"]>, setting: Setting, k: number): ReturnType<Table["vectorSearch"]>;
}

/** Candidates by a graph's 8-bit codes for each one wanted. */
const GRAPH_REFINE = 2;
/** Numbers of a row that one byte stands for. With its default of 16 it did not reach recall 0.99 on squad-sif-300d; with 8 and 4 it did. */
const NUMBERS_PER_CODE = 4;

const KINDS: Readonly<Record<string, Kind>> = {
	hnsw: {
		about: () => `refine factor ${GRAPH_REFINE}`,
		// One partition: a single graph, as in the other engines.
		config: ({ metric, M, efConstruction }) =>
			Index.hnswSq({ distanceType: metric, numPartitions: 1, m: M, efConstruction }),
		ask: (query, setting, k) => query.ef(Math.max(knob(setting, "ef"), GRAPH_REFINE * k)).refineFactor(GRAPH_REFINE),
	},
	ivfpq: {
		about: (job) => `${partitions(job)} partitions, ${subVectors(job)} sub-vectors`,
		config: (job) =>
			Index.ivfPq({ distanceType: job.metric, numPartitions: partitions(job), numSubVectors: subVectors(job) }),
		ask: (query, setting, k) =>
			query.nprobes(knob(setting, "nprobe")).refineFactor(Math.ceil(knob(setting, "rerank") / k)),
	},
};

/** The square root of the rows, which is also what it takes where it is told nothing. */
function partitions({ n }: Job): number {
	return Math.max(1, Math.round(Math.sqrt(n)));
}

/** The most that divide the dimensions and are no more than one for every {@link NUMBERS_PER_CODE} of them. */
function subVectors({ dimensions }: Job): number {
	let count = Math.max(1, Math.floor(dimensions / NUMBERS_PER_CODE));
	while (dimensions % count !== 0) count--;
	return count;
}

const [name, ...args] = process.argv.slice(2);

await serve((job) => {
	const kind = KINDS[name as string];
	if (kind === undefined) throw new Error(`${name} is no kind: it has to be ${Object.keys(KINDS).join(" or ")}`);
	const { dimensions, metric, n, k } = job;
	// Its pool for computation; the one of tokio is limited by the bench.
	process.env.LANCE_CPU_THREADS = "1";
	const folder = temporaryFolder();
	let table: Table | undefined;
	return {
		async build(base) {
			const database = await connect(folder);
			table = await database.createTable("vectors", arrowTable(base, n, dimensions));
			await table.createIndex("embedding", { config: kind.config(job) });
			return { bytes: folderBytes(folder), version: `${peerVersion("@lancedb/lancedb")}, ${kind.about(job)}` };
		},
		async search(query, setting) {
			if (table === undefined) throw new Error("search comes after build");
			const asked = kind.ask(table.vectorSearch(query).distanceType(metric), setting, k).limit(k);
			const rows = await asked.select(["label", "_distance"]).toArrow();
			return rows.getChild("label")?.toArray() ?? [];
		},
	};
}, args);

function arrowTable(base: Float32Array, n: number, dimensions: number) {
	const { Field, FixedSizeList, Float32, Int32, makeData, makeVector, Table: ArrowTable } = arrow;
	const type = new FixedSizeList(dimensions, new Field("item", new Float32(), true));
	const child = makeData({ type: new Float32(), data: base });
	const labels = Int32Array.from({ length: n }, (_, label) => label);
	return new ArrowTable({
		label: makeVector(makeData({ type: new Int32(), data: labels })),
		embedding: makeVector(makeData({ type, length: n, nullCount: 0, child })),
	});
}
