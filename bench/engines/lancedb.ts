import { createRequire } from "node:module";
import { connect, Index, type Table } from "@lancedb/lancedb";
import { peerVersion } from "./peer-package.ts";
import { serve } from "./serve.ts";
import { folderBytes, temporaryFolder } from "./temporary-folder.ts";

// LanceDB's own copy, which is the CommonJS one: a table made by the other arrives there without rows.
const arrow = createRequire(import.meta.url)("apache-arrow") as typeof import("apache-arrow");

/** Candidates by the 8-bit codes for each one wanted; their float32 vectors then decide. LanceDB answers from codes alone otherwise. */
const REFINE = 2;

await serve(({ dimensions, metric, n, M, efConstruction, k }) => {
	// Its pool for computation; the one of tokio is limited by the bench.
	process.env.LANCE_CPU_THREADS = "1";
	const folder = temporaryFolder();
	let table: Table | undefined;
	return {
		async build(base) {
			const database = await connect(folder);
			table = await database.createTable("vectors", arrowTable(base, n, dimensions));
			// One partition: a single graph, as in the other engines.
			const config = Index.hnswSq({ distanceType: metric, numPartitions: 1, m: M, efConstruction });
			await table.createIndex("embedding", { config });
			return { bytes: folderBytes(folder), version: `${peerVersion("@lancedb/lancedb")}, refine factor ${REFINE}` };
		},
		async search(query, ef) {
			if (table === undefined) throw new Error("search comes after build");
			const asked = table
				.vectorSearch(query)
				.distanceType(metric)
				.ef(Math.max(ef, REFINE * k))
				.refineFactor(REFINE)
				.limit(k);
			const rows = await asked.select(["label", "_distance"]).toArrow();
			return rows.getChild("label")?.toArray() ?? [];
		},
	};
});

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
