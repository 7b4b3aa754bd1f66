import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
import { peerVersion } from "../../engines/peer-package.ts";
import { DIMENSIONS, K } from "../measurement.ts";
import { rowOf } from "../records.ts";
import { timed } from "../times.ts";
import { FIELDS, type FilterSet } from "./filter-set.ts";
import { type FilteringEngine, PEER_EF } from "./filtering-engine.ts";

/** Rows of one COPY: their text has to fit into a string and into the memory of the module. */
const ROWS_PER_COPY = 2_000;

/** Goes on scanning the graph until it has enough matches; which index a filter is answered from is the planner's choice. */
export async function startPglite({ n, base, fields }: FilterSet): Promise<FilteringEngine> {
	const database = await PGlite.create({ extensions: { vector } });
	const columns = FIELDS.map((field) => `${field} int`).join(", ");
	await database.exec(
		`CREATE EXTENSION vector;
		CREATE TABLE vectors (label int PRIMARY KEY, ${columns}, embedding vector(${DIMENSIONS}));
		SET maintenance_work_mem = '512MB';
		SET hnsw.ef_search = ${PEER_EF};
		SET hnsw.iterative_scan = strict_order;`,
	);
	const text = (row: Float32Array) => `[${row.join(",")}]`;
	const { ms } = await timed(async () => {
		for (let from = 0; from < n; from += ROWS_PER_COPY) {
			let rows = "";
			for (let at = from; at < Math.min(n, from + ROWS_PER_COPY); at++) {
				rows += `${[at, ...FIELDS.map((field) => fields[field][at]), text(rowOf(base, at))].join("\t")}\n`;
			}
			await database.query("COPY vectors FROM '/dev/blob'", [], { blob: new Blob([rows]) });
		}
		await database.exec(
			`CREATE INDEX ON vectors USING hnsw (embedding vector_l2_ops) WITH (m = 16, ef_construction = 200);
			${FIELDS.map((field) => `CREATE INDEX ON vectors (${field});`).join(" ")}
			ANALYZE vectors;`,
		);
	});
	const known = await database.query<{ version: string }>(
		"SELECT extversion AS version FROM pg_extension WHERE extname = 'vector'",
	);
	return {
		name: "pglite",
		about: `${peerVersion("@electric-sql/pglite")}, pgvector ${known.rows[0]?.version}, HNSW, ef_search ${PEER_EF}, iterative_scan strict_order, btree on the fields`,
		buildSeconds: ms / 1_000,
		async search(query, filter) {
			const where = filter === undefined ? "" : `WHERE ${filter.field} < ${filter.below}`;
			const { rows } = await database.query<{ label: number }>(
				`SELECT label FROM vectors ${where} ORDER BY embedding <-> $1 LIMIT ${K}`,
				[text(query)],
			);
			return rows.map(({ label }) => label);
		},
		close: () => database.close(),
	};
}
