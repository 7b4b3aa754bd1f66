import { mkdirSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { pathsIn } from "../folder/layout.ts";
import { createCollection, type StoredSpec } from "./catalogue.ts";
import { openWriter } from "./connection.ts";
import { tablesOf } from "./schema.ts";

export const SPEC: StoredSpec = {
	dimensions: 128,
	type: "float",
	metric: "l2",
	weights: null,
	recall: 0.95,
	index: { kind: "auto" },
	embedder: null,
	logQueries: false,
	tuner: { algorithm: "epsilon-greedy", epsilon: 0.1, decay: 1, live: false },
	latencyMs: null,
	filterable: ["type"],
	memory: null,
	maxRecords: 1_000_000,
	memoryLimit: null,
	warnAt: 0.8,
	pruneAt: 0.95,
	prunePolicy: "expired",
	maxAgeMs: null,
};

/** What record `label` of a collection made by `fill` holds, every other one with a text. */
export function recordOf(label: number, spec: StoredSpec = SPEC) {
	return {
		id: `id-${label}`,
		metadata: JSON.stringify({ type: label % 3 === 0 ? "lesson" : "note", label }),
		text: label % 2 === 0 ? `words of the record ${label}` : null,
		vector: vectorOf(label, spec),
	};
}

function vectorOf(label: number, { type, dimensions }: StoredSpec): Uint8Array {
	const length = dimensions as number;
	if (type === "bit") return Uint8Array.from({ length: length / 8 }, (_, at) => (label * 7 + at) & 0xff);
	return new Uint8Array(Float32Array.from({ length }, (_, at) => Math.sin(label + at / 8)).buffer);
}

/** Writes a collection of so many records, one transaction; every tenth label has been deleted. Returns its key. */
export function fill(db: DatabaseSync, name: string, records: number, spec: StoredSpec = SPEC): number {
	db.exec("BEGIN");
	const { key } = createCollection(db, name, spec);
	const tables = tablesOf(key);
	const record = db.prepare(`INSERT INTO ${tables.records} VALUES (?, ?, ?, ?, ?, ?, NULL, ?, ?)`);
	const vector = db.prepare(`INSERT INTO ${tables.vectors} VALUES (?, ?)`);
	const words = db.prepare(`INSERT INTO ${tables.words} (rowid, text) VALUES (?, ?)`);
	const tombstone = db.prepare(`INSERT INTO ${tables.tombstones} VALUES (?, ?)`);
	let label = 0;
	for (let written = 0; written < records; label++) {
		const change = label + 1;
		if (label % 10 === 9) {
			tombstone.run(change, label);
			continue;
		}
		const row = recordOf(label, spec);
		record.run(label, row.id, row.metadata, row.text, 1_000 + label, 2_000 + label, change, change);
		vector.run(label, row.vector);
		if (row.text !== null) words.run(label, row.text);
		written++;
	}
	db.prepare("UPDATE collections SET records = ?, next_label = ?, change = ? WHERE key = ?").run(
		records,
		label,
		label,
		key,
	);
	db.exec("COMMIT");
	return key;
}

/** A database folder with one collection, `notes`, closed. */
export function filledFolder(folder: string, records: number): void {
	mkdirSync(pathsIn(folder).snapshots, { recursive: true });
	const db = openWriter(pathsIn(folder).records, "off");
	fill(db, "notes", records);
	db.close();
}

/** Every label of a collection with what its record and vector are, to compare with `recordOf`. */
export function contentOf(path: string, key: number): Map<number, unknown> {
	const db = new DatabaseSync(path, { readOnly: true });
	const { records, vectors } = tablesOf(key);
	const rows = db
		.prepare(`SELECT label, id, metadata, text, vector FROM ${records} JOIN ${vectors} USING (label)`)
		.all();
	db.close();
	return new Map(rows.map(({ label, ...row }) => [label as number, { ...row }]));
}
