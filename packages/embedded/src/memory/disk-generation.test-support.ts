import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { serial } from "@nigh/index";
import { rowBytes } from "@nigh/kernels";
import { testFolder } from "../folder/folder.test-support.ts";
import type { CellsWanted } from "../workers/main-index.ts";
import { emptyGeneration, nextGeneration, type Owned } from "../workers/next-generation.ts";
import type { VectorFormat } from "./generation.ts";
import { RowMaker, vectorBytes } from "./rows.ts";
import { Searcher } from "./searcher.ts";
import { SlotWriter } from "./slot-writer.ts";

/** A generation whose rows are in a file, and what searches it. */
export interface DiskGeneration {
	readonly owned: Owned;
	readonly searcher: Searcher;
	readonly format: VectorFormat;
	/** Where the file is. */
	readonly folder: string;
	/** Bytes of a row. */
	readonly rowBytes: number;
	/** The slot that each vector has is its place here. */
	readonly vectors: readonly Float32Array[];
	/** Appends to the tail; returns the slot. */
	append(vector: Float32Array): number;
}

export const KINDS: readonly CellsWanted[] = [
	{ kind: "ivf", storage: "disk" },
	{ kind: "ivfpq", storage: "disk" },
	{ kind: "ivfrabitq", storage: "disk" },
];

/** Floats that look random and are the same every time, drawn around 16 centres. */
export function vectorsFor(n: number, dimensions: number, seed: number): Float32Array[] {
	let state = Math.imul(seed + 1, 0x9e3779b1);
	const next = () => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		return state / 2 ** 32 - 0.5;
	};
	const centres = Array.from({ length: 16 }, () => Float32Array.from({ length: dimensions }, () => 4 * next()));
	return Array.from({ length: n }, (_, i) =>
		Float32Array.from(centres[i % 16] as Float32Array, (value) => Math.fround(value + next())),
	);
}

/** Gone after the test. */
export async function diskGeneration(
	t: TestContext,
	wanted: CellsWanted,
	{ metric = "l2", dimensions = 32, n = 1_100, seed = 1 }: Partial<VectorFormat> & { n?: number; seed?: number } = {},
): Promise<DiskGeneration> {
	const folder = join(testFolder(t), "snapshots");
	mkdirSync(folder);
	const format = { metric, dimensions, weights: null };
	const bytes = rowBytes(vectorBytes(format));
	const maker = new RowMaker(format);
	const vectors: Float32Array[] = [];
	const before = emptyGeneration(1, format, bytes, n, null);
	const appendTo = (slots: SlotWriter, vector: Float32Array) => {
		const slot = vectors.push(vector) - 1;
		return slots.append({
			label: slot,
			id: `r${slot}`,
			born: 1,
			expires: Number.POSITIVE_INFINITY,
			row: maker.row(vector),
		});
	};
	const slots = new SlotWriter(before.generation);
	for (const vector of vectorsFor(n, dimensions, seed)) appendTo(slots, vector);
	before.generation.publish(1);
	const { owned } = await nextGeneration(before, bytes, {
		wanted,
		fresh: true,
		arrange: true,
		place: { folder, key: 7, databaseId: "the database", records: `${folder}/records.sqlite`, readOnly: false },
		parallel: serial,
		between: async () => {},
		onProgress: () => {},
	} as Parameters<typeof nextGeneration>[2]);
	const searcher = new Searcher(owned.generation.handle, owned.areas.caller);
	t.after(() => {
		searcher.close();
		owned.rows?.close();
	});
	const tail = new SlotWriter(owned.generation);
	return {
		owned,
		searcher,
		format,
		folder,
		rowBytes: bytes,
		vectors,
		append: (vector) => appendTo(tail, vector),
	};
}
