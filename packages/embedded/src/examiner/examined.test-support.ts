// The examiner of one collection on one thread, without records around it: what a filter matches is told by the test.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { FilterNode, Metric } from "@nigh/contract";
import { serial } from "@nigh/index";
import { rowBytes } from "@nigh/kernels";
import { type Random, randomFrom, UNFILTERED } from "@nigh/recall";
import { testFolder } from "../folder/folder.test-support.ts";
import type { VectorFormat } from "../memory/generation.ts";
import { allocateArea } from "../memory/reader-area.ts";
import { RowMaker, vectorBytes } from "../memory/rows.ts";
import { Searcher } from "../memory/searcher.ts";
import { SlotWriter } from "../memory/slot-writer.ts";
import type { DrawnQuery } from "../recall/queries.ts";
import type { ServedCell } from "../recall/served.ts";
import { type MainIndex, mainSpec } from "../workers/main-index.ts";
import { emptyGeneration, nextGeneration, type Owned } from "../workers/next-generation.ts";
import { ExaminedCollection, type RunLimits } from "./examined-collection.ts";
import { EXAMINER, type ExaminedSpec } from "./messages.ts";
import { TOGETHER, TOGETHER_K } from "./parameters.ts";
import type { Stratum } from "./stratum.ts";

export type StoredVector = Float32Array | Uint8Array;

export interface ExaminedOptions {
	readonly wanted?: Exclude<MainIndex, null>;
	readonly metric?: Metric;
	readonly dimensions?: number;
	readonly n?: number;
	readonly seed?: number;
	readonly spec?: Partial<ExaminedSpec>;
	/** Called by a build with what it has held out, before it takes that in, and with all vectors. */
	readonly onHeldOut?: (index: Owned, slots: Uint32Array, vectors: readonly StoredVector[]) => Promise<void>;
}

/** What a filter lets through: the slots for which it is true. */
export type Matching = (slot: number) => boolean;

export interface Examined {
	readonly owned: Owned;
	readonly collection: ExaminedCollection;
	readonly format: VectorFormat;
	/** The slot that each vector has is its place here. */
	readonly vectors: StoredVector[];
	readonly random: Random;
	/** Filters that there are, by the text of their nodes. */
	readonly filters: Map<string, Matching>;
	/** Vectors like those that there are. */
	query(): StoredVector;
	queries(n: number): StoredVector[];
	append(vector: StoredVector): number;
	/** The index of the same records, built anew; or copied into another generation. */
	next(fresh: boolean): Promise<Owned>;
}

export const NO_LIMITS: RunLimits = { maxQueries: Number.POSITIVE_INFINITY, check() {} };

export const HNSW = { kind: "hnsw", M: 6, efConstruction: 24 } as const;

/** A filter that nothing but the test knows. */
export function filterOf(name: string): FilterNode {
	return { op: "eq", field: "name", value: name } as unknown as FilterNode;
}

/** What the examiner has in a generation. */
export function examinersSearcher({ arena, generation, main }: Owned): Searcher {
	const { handle } = generation;
	const many = { many: { queries: TOGETHER, k: TOGETHER_K } };
	return new Searcher(handle, allocateArea(arena, EXAMINER, handle, mainSpec(main, many)));
}

/** An index of vectors that are drawn around 24 centres. Gone after the test. */
export async function examined(t: TestContext, options: ExaminedOptions = {}): Promise<Examined> {
	const { wanted = HNSW, metric = "l2", dimensions = 16, n = 1_500, seed = 1, spec, onHeldOut } = options;
	const folder = join(testFolder(t), "snapshots");
	mkdirSync(folder);
	const random = randomFrom(seed);
	const format = { metric, dimensions, weights: null };
	const bytes = rowBytes(vectorBytes(format));
	const maker = new RowMaker(format);
	const centres = Array.from({ length: 24 }, () => Array.from({ length: dimensions }, () => 2 * random()));
	const query = (): StoredVector => {
		const centre = centres[Math.floor(random() * centres.length)] as number[];
		if (metric !== "hamming") return Float32Array.from(centre, (value) => value + random() - 0.5);
		return Uint8Array.from({ length: dimensions / 8 }, () => Math.floor(random() * 256));
	};
	const queries = (count: number) => Array.from({ length: count }, query);
	const vectors: StoredVector[] = [];
	const appendTo = (slots: SlotWriter, vector: StoredVector): number => {
		const label = vectors.push(vector) - 1;
		const expires = Number.POSITIVE_INFINITY;
		return slots.append({ label, id: `r${label}`, born: 1, expires, row: maker.row(vector) });
	};
	const before = emptyGeneration(1, format, bytes, n, null);
	const slots = new SlotWriter(before.generation);
	for (const vector of queries(n)) appendTo(slots, vector);
	before.generation.publish(1);
	const build = async (old: Owned, fresh: boolean) => {
		const { owned } = await nextGeneration(old, bytes, {
			wanted,
			fresh,
			arrange: true,
			place: { folder, key: 7, databaseId: "d", records: join(folder, "records.sqlite"), readOnly: false },
			parallel: serial,
			between: async () => {},
			onProgress: () => {},
			examine: onHeldOut && ((index, slots) => onHeldOut(index, slots, vectors)),
		});
		t.after(() => owned.rows?.close());
		return owned;
	};
	const owned = await build(before, true);
	const filters = new Map<string, Matching>();
	const around = {
		random,
		now: () => 1_000,
		matchesOf: async ({ searcher }: { readonly searcher: Searcher }, node: FilterNode) => {
			const matching = filters.get(JSON.stringify(node));
			if (matching === undefined) return undefined;
			const { generation, area } = searcher;
			const words = new Uint32Array(generation.handle.memory.buffer, area.bitmaps, area.bitmapBytes / 4).fill(0);
			let count = 0;
			for (let slot = 0; slot < generation.slotEnd; slot++) {
				if (!matching(slot) || !generation.isAlive(slot, generation.change)) continue;
				words[slot >>> 5] = (words[slot >>> 5] as number) | (1 << (slot & 31));
				count++;
			}
			return { bitmap: area.bitmaps, count, change: generation.change };
		},
	};
	const known = { recall: 0.9, logQueries: true, ...spec };
	const collection = new ExaminedCollection(7, "notes", known, examinersSearcher(owned), around);
	t.after(() => collection.close());
	const tail = new SlotWriter(owned.generation);
	return {
		owned,
		collection,
		format,
		vectors,
		random,
		filters,
		query,
		queries,
		append: (vector) => appendTo(tail, vector),
		next: (fresh) => build(owned, fresh),
	};
}

/** Queries as they come from searches: for ten, at 0.9, without a filter. */
export function drawn(vectors: readonly StoredVector[], more: Partial<DrawnQuery> = {}): DrawnQuery[] {
	return vectors.map((vector) => ({
		vector,
		k: 10,
		bands: [10],
		node: undefined,
		share: undefined,
		target: 0.9,
		...more,
	}));
}

/** Does what is due, as the thread does; it must come to an end. */
export async function work({ collection }: Pick<Examined, "collection">): Promise<number> {
	for (let rounds = 0; rounds < 40; rounds++) {
		const { due } = collection;
		if (due === undefined) return rounds;
		await collection.certify(due, NO_LIMITS);
	}
	assert.fail("there is something to do for ever");
}

/** The one stratum there is. */
export function only(collection: ExaminedCollection): Stratum {
	const [stratum, ...others] = collection.strata.values();
	assert.ok(stratum !== undefined && others.length === 0);
	return stratum;
}

/** What serves searches without a filter. */
export function cellAt(collection: ExaminedCollection, k: number, target = 0.9): ServedCell | undefined {
	return collection.table.cells.find(
		(cell) => cell.k === k && cell.target === target && cell.selectivity === UNFILTERED,
	);
}
