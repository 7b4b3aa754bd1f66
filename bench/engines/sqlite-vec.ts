import { DatabaseSync } from "node:sqlite";
import { getLoadablePath } from "sqlite-vec";
import { peerVersion } from "./peer-package.ts";
import { serve } from "./serve.ts";

await serve(({ dimensions, metric, n, k }) => {
	const database = new DatabaseSync(":memory:", { allowExtension: true });
	database.loadExtension(getLoadablePath());
	database.exec(
		`CREATE VIRTUAL TABLE vectors USING vec0(label INTEGER PRIMARY KEY, embedding FLOAT[${dimensions}] distance_metric=${metric})`,
	);
	const select = database.prepare(`SELECT label FROM vectors WHERE embedding MATCH ? AND k = ${k} ORDER BY distance`);
	return {
		async build(base) {
			const insert = database.prepare("INSERT INTO vectors (label, embedding) VALUES (?, ?)");
			database.exec("BEGIN");
			for (let label = 0; label < n; label++) {
				// A number would arrive as a float, which vec0 refuses.
				insert.run(BigInt(label), blob(base.subarray(label * dimensions, (label + 1) * dimensions)));
			}
			database.exec("COMMIT");
			const pages = database.prepare("SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size");
			const { bytes } = pages.get() as { bytes: number };
			return { bytes, version: `${peerVersion("sqlite-vec")}, SQLite ${process.versions.sqlite}` };
		},
		search: (query) => select.all(blob(query)).map(({ label }) => label as number),
	};
});

function blob(row: Float32Array): Uint8Array {
	return new Uint8Array(row.buffer, row.byteOffset, row.byteLength);
}
