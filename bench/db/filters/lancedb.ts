import { createRequire } from "node:module";
import { join } from "node:path";
import { connect, Index } from "@lancedb/lancedb";
import { peerVersion } from "../../engines/peer-package.ts";
import { METRIC } from "../collection.ts";
import { DIMENSIONS, K } from "../measurement.ts";
import { timed } from "../times.ts";
import { FIELDS, type FilterSet } from "./filter-set.ts";
import { type FilteringEngine, PEER_EF } from "./filtering-engine.ts";

// LanceDB's own copy, which is the CommonJS one: a table made by the other arrives there without rows.
const arrow = createRequire(import.meta.url)("apache-arrow") as typeof import("apache-arrow");

/** Candidates by the 8-bit codes for each one wanted; their float32 vectors then decide. */
const REFINE = 2;

/** Filters before it searches, which is its default, on indexed columns. */
export async function startLanceDb(set: FilterSet, folder: string): Promise<FilteringEngine> {
	const database = await connect(join(folder, "lancedb"));
	const { ms, result: table } = await timed(async () => {
		const table = await database.createTable("vectors", arrowTable(set));
		const config = Index.hnswSq({ distanceType: METRIC, numPartitions: 1, m: 16, efConstruction: 200 });
		await table.createIndex("embedding", { config });
		for (const field of FIELDS) await table.createIndex(field, { config: Index.btree() });
		return table;
	});
	return {
		name: "lancedb",
		about: `${peerVersion("@lancedb/lancedb")}, HNSW on 8-bit codes, ef ${PEER_EF}, refine factor ${REFINE}, btree on the fields`,
		buildSeconds: ms / 1_000,
		async search(query, filter) {
			const asked = table.vectorSearch(query).distanceType(METRIC).ef(PEER_EF).refineFactor(REFINE).limit(K);
			if (filter !== undefined) asked.where(`${filter.field} < ${filter.below}`);
			const rows = await asked.select(["label", "_distance"]).toArrow();
			return Array.from(rows.getChild("label")?.toArray() ?? []);
		},
		close: async () => {},
	};
}

function arrowTable({ base, n, fields }: FilterSet) {
	const { Field, FixedSizeList, Float32, Int32, makeData, makeVector, Table } = arrow;
	const type = new FixedSizeList(DIMENSIONS, new Field("item", new Float32(), true));
	const child = makeData({ type: new Float32(), data: base });
	const column = (values: ArrayLike<number>) =>
		makeVector(makeData({ type: new Int32(), data: Int32Array.from(values) }));
	return new Table({
		label: column(Array.from({ length: n }, (_, label) => label)),
		...Object.fromEntries(FIELDS.map((field) => [field, column(fields[field])])),
		embedding: makeVector(makeData({ type, length: n, nullCount: 0, child })),
	});
}
