import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
import { peerVersion } from "./peer-package.ts";
import { serve } from "./serve.ts";

/** Rows of one COPY: their text has to fit into a string and into the memory of the module. */
const ROWS_PER_COPY = 2_000;

await serve(async ({ dimensions, metric, n, M, efConstruction, k }) => {
	const database = await PGlite.create({ extensions: { vector } });
	const [operator, operators] = metric === "l2" ? ["<->", "vector_l2_ops"] : ["<=>", "vector_cosine_ops"];
	// The planner takes the scan for small tables; the bench is about the index.
	await database.exec(
		`CREATE EXTENSION vector;
		CREATE TABLE vectors (label int PRIMARY KEY, embedding vector(${dimensions}));
		SET maintenance_work_mem = '512MB';
		SET enable_seqscan = off;`,
	);
	const text = (row: Float32Array) => `[${row.join(",")}]`;
	return {
		async build(base) {
			for (let from = 0; from < n; from += ROWS_PER_COPY) {
				let rows = "";
				for (let label = from; label < Math.min(n, from + ROWS_PER_COPY); label++) {
					rows += `${label}\t${text(base.subarray(label * dimensions, (label + 1) * dimensions))}\n`;
				}
				await database.query("COPY vectors FROM '/dev/blob'", [], { blob: new Blob([rows]) });
			}
			await database.exec(
				`CREATE INDEX ON vectors USING hnsw (embedding ${operators}) WITH (m = ${M}, ef_construction = ${efConstruction});
				ANALYZE vectors;`,
			);
			const size = await database.query<{ bytes: number }>("SELECT pg_total_relation_size('vectors') AS bytes");
			const known = await database.query<{ version: string }>(
				"SELECT extversion AS version FROM pg_extension WHERE extname = 'vector'",
			);
			const version = `${peerVersion("@electric-sql/pglite")}, pgvector ${known.rows[0]?.version}`;
			return { bytes: Number(size.rows[0]?.bytes), version };
		},
		async prepare(ef) {
			await database.exec(`SET hnsw.ef_search = ${ef}`);
		},
		async search(query) {
			const { rows } = await database.query<{ label: number }>(
				`SELECT label FROM vectors ORDER BY embedding ${operator} $1 LIMIT ${k}`,
				[text(query)],
			);
			return rows.map(({ label }) => label);
		},
		// A timer of its own would keep the process for ten seconds.
		close: () => database.close(),
	};
});
