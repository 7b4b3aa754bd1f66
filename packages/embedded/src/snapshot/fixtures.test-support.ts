// The golden files: snapshots of format version 1 as they were when it was settled. `node --conditions=@nigh/source` on this file writes
// them, which is to be done once for a version: readers have to read these bytes for as long as Nigh exists.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { SnapshotMeta } from "./header.ts";
import { type SectionSource, writeSnapshot } from "./write.ts";

export interface Fixture {
	/** Of the file in `fixtures/`, which is compressed: most of a snapshot this small is padding. */
	readonly name: string;
	readonly meta: SnapshotMeta;
	readonly sections: readonly (SectionSource & { readonly data: Uint8Array })[];
}

export const FIXTURES_FOLDER = join(import.meta.dirname, "fixtures");

/** Version 1, with nothing in it and with everything. */
export const FIXTURES: readonly Fixture[] = [
	{
		name: "v1-empty.nigh-snapshot.gz",
		meta: {
			databaseId: "0198f1a2-0000-7000-8000-000000000001",
			collection: { key: 1, name: "empty" },
			change: 0,
			nextLabel: 0,
			records: 0,
			createdAt: 1_763_700_000_000,
			engine: "0.1.0",
			index: { kind: "flat", parameters: {} },
		},
		sections: [],
	},
	{
		name: "v1-sections.nigh-snapshot.gz",
		meta: {
			databaseId: "0198f1a2-0000-7000-8000-000000000002",
			collection: { key: 12, name: "Notizen 覚え書き" },
			change: 4_294_967_299,
			nextLabel: 9_007_199_254_740_991,
			records: 3,
			createdAt: 1_763_700_000_001,
			engine: "0.1.0",
			index: { kind: "hnsw", parameters: { M: 16, mL: 0.36067376022224085, weights: [1, 0.5], maxElements: null } },
		},
		sections: [
			source(
				"blocks",
				"u8",
				Uint8Array.from({ length: (1 << 20) + 3 }, (_, at) => at % 251),
			),
			source("vectors", "f32", littleEndian([0, 1, -2.5, 3.25])),
			source("nothing", "u64", new Uint8Array(0)),
			source("levels", "i8", Uint8Array.of(0, 255, 127)),
		],
	},
];

function source(name: string, element: "u8" | "i8" | "f32" | "u64", data: Uint8Array): Fixture["sections"][number] {
	return { name, element, bytes: data.length, chunks: [data], data };
}

function littleEndian(numbers: readonly number[]): Uint8Array {
	const view = new DataView(new ArrayBuffer(numbers.length * 4));
	for (const [at, number] of numbers.entries()) view.setFloat32(at * 4, number, true);
	return new Uint8Array(view.buffer);
}

async function writeFixtures(): Promise<void> {
	const folder = mkdtempSync(join(tmpdir(), "nigh-fixtures-"));
	try {
		mkdirSync(FIXTURES_FOLDER, { recursive: true });
		for (const { name, meta, sections } of FIXTURES) {
			const path = join(folder, "fixture.nigh-snapshot");
			await writeSnapshot(path, meta, sections);
			writeFileSync(join(FIXTURES_FOLDER, name), gzipSync(readFileSync(path), { level: 9 }), { flag: "wx" });
		}
	} finally {
		rmSync(folder, { recursive: true });
	}
}

if (import.meta.main) await writeFixtures();
