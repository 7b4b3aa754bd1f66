import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
import { peerVersion } from "./peer-package.ts";
import type { Job } from "./protocol.ts";
import { serve } from "./serve.ts";
import { knob, type Setting } from "./setting.ts";

/** Rows of one COPY: their text has to fit into a string and into the memory of the module. */
const ROWS_PER_COPY = 2_000;

/** How a kind of index is made, and how a search of it is told its knob. */
interface Kind {
	with(job: Job): string;
	set(setting: Setting): string;
}

const KINDS: Readonly<Record<string, Kind>> = {
	hnsw: {
		with: ({ M, efConstruction }) => `m = ${M}, ef_construction = ${efConstruction}`,
		set: (setting) => `SET hnsw.ef_search = ${knob(setting, "ef")}`,
	},
	ivfflat: {
		// pgvector's own rule.
		with: ({ n }) => `lists = ${Math.max(1, Math.round(n <= 1_000_000 ? n / 1_000 : Math.sqrt(n)))}`,
		set: (setting) => `SET ivfflat.probes = ${knob(setting, "nprobe")}`,
	},
};

const [name, ...args] = process.argv.slice(2);

await serve(async (job) => {
	const kind = KINDS[name as string];
	if (kind === undefined) throw new Error(`${name} is no kind: it has to be ${Object.keys(KINDS).join(" or ")}`);
	const { dimensions, metric, n, k } = job;
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
				`CREATE INDEX ON vectors USING ${name} (embedding ${operators}) WITH (${kind.with(job)});
				ANALYZE vectors;`,
			);
			const size = await database.query<{ bytes: number }>("SELECT pg_total_relation_size('vectors') AS bytes");
			const known = await database.query<{ version: string }>(
				"SELECT extversion AS version FROM pg_extension WHERE extname = 'vector'",
			);
			const version = `${peerVersion("@electric-sql/pglite")}, pgvector ${known.rows[0]?.version}, ${kind.with(job)}`;
			return { bytes: Number(size.rows[0]?.bytes), version };
		},
		async prepare(setting) {
			await database.exec(kind.set(setting));
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
}, args);
