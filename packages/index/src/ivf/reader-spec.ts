import { BOUNDS, checkInteger, checkOptions, type Metric, NighError } from "@nigh/contract";
import type { ArenaView } from "../arena-view.ts";
import { checkMany, layOutMany, type ManyOptions, type ManySpec } from "../many/room.ts";
import type { ProjectionSpec } from "../projection/projection.ts";
import { RabitqCodec, type RabitqMemory } from "../rabitq/codec.ts";
import type { RabitqSpec } from "../rabitq/parameters.ts";
import { RowCoder } from "../rows/row-coder.ts";
import { RowWriter } from "../rows/row-writer.ts";
import type { InvertedFile } from "./inverted-file.ts";
import { numberCells } from "./own-scratch.ts";
import { viewOf } from "./owner-view.ts";
import type { ProductSpec } from "./product-codes.ts";
import { layOutScratch } from "./scratch.ts";
import type { IvfView } from "./view.ts";

export interface IvfReaderOptions {
	/** The most answers the reader may be asked for, 1 to 10,000. Default 10,000. */
	readonly maxK?: number;
	/** Room for `scanMany` and `scanRowsMany`, of which only a reader that has it can be asked. Default: none. */
	readonly many?: ManyOptions;
}

/** What 7-bit codes mean, and how many bytes they have. */
export interface CoderSpec {
	/** One float a dimension: what code 0 stands for. */
	readonly origin: number;
	/** What one step stands for. */
	readonly unit: number;
	readonly bytes: number;
}

/** What a thread needs to search an inverted file that another one owns: plain data, to be sent with a message. Addresses are bytes of the shared memory. */
export interface IvfReaderSpec {
	readonly dimensions: number;
	readonly metric: Metric;
	/** One factor a dimension; 0 where there are no weights. */
	readonly factors: number;
	/** What a search does that does not say. */
	readonly parameters: IvfView["parameters"];
	/** The most answers. */
	readonly maxK: number;
	/** The cells struct. */
	readonly cells: number;
	readonly nlist: number;
	readonly projection: ProjectionSpec;
	/** The mean as a row; 0 where rows are not turned. */
	readonly mean: number;
	readonly centroids: number;
	readonly centroidBytes: number;
	/** Codes by which the nearest centroids are found; `null` where there are none, as of the other codes. */
	readonly coarseCodes: (CoderSpec & { readonly rows: number; readonly stride: number }) | null;
	readonly product: ProductSpec | null;
	readonly rabitq: { readonly spec: RabitqSpec; readonly memory: RabitqMemory } | null;
	/** 7-bit codes by place, and a pair {i32 norm, f32 error} a place. */
	readonly scalar: (CoderSpec & { readonly codeRows: number; readonly errors: number }) | null;
	/** Rows by place; none on disk. */
	readonly vectors: number;
	/** u32 a place: its label. */
	readonly labels: number;
	/** f32 a cell. */
	readonly leastTerms: number;
	/** How many places are complete, and how many rows there are. */
	readonly published: number;
	/** u32 a label from `firstLabel` on: 1 + its place, 0 for none. */
	readonly places: number;
	readonly firstLabel: number;
	readonly labelCount: number;
	/** A u32 that goes over the words of a bitmap. */
	readonly cursor: number;
	readonly scratch: number;
	/** For many queries at once; `null`: none. */
	readonly many: ManySpec | null;
}

/** What every reader of a file is told alike. */
export type SharedSpec = Pick<IvfReaderSpec, "published" | "places" | "firstLabel" | "labelCount">;

const CURSOR_BYTES = 64;

/** The memory of one reader: a cursor, a scratch, and room for many queries. */
export class ReaderMemory {
	readonly spec: IvfReaderSpec;
	readonly bytes: number;
	readonly #file: InvertedFile;

	constructor(file: InvertedFile, shared: SharedSpec, options: IvfReaderOptions) {
		checkOptions(options, ["maxK", "many"] satisfies (keyof IvfReaderOptions)[], "readerSpec");
		const maxK = checkInteger("maxK", options.maxK ?? BOUNDS.k.max, BOUNDS.k);
		this.#file = file;
		const { arena } = file;
		const view = viewOf(file);
		const wanted = options.many === undefined ? undefined : checkMany(options.many);
		const alone = CURSOR_BYTES + layOutScratch(view, 0, maxK).bytes;
		this.bytes = alone + (wanted === undefined ? 0 : layOutMany(view.rows, { address: 0, ...wanted }).bytes);
		const cursor = arena.alloc(this.bytes);
		const scratch = cursor + CURSOR_BYTES;
		numberCells(view, layOutScratch(view, scratch, maxK));
		const many = wanted === undefined ? null : { address: cursor + alone, ...wanted };
		this.spec = { ...specOf(view), ...shared, maxK, cursor, scratch, many };
	}

	dispose(): void {
		this.#file.arena.free(this.spec.cursor);
	}
}

function specOf(view: IvfView): Omit<IvfReaderSpec, keyof SharedSpec | "maxK" | "cursor" | "scratch" | "many"> {
	const { rows, parameters, projection, coarseCodes, product, rabitq, scalar } = view;
	const { kind, nprobe, budget, rerank, storage } = parameters;
	const { matrix, offset, width, bytes, rowBytes } = projection;
	return {
		dimensions: rows.dimensions,
		metric: rows.metric as Metric,
		factors: rows.factors,
		parameters: { kind, nprobe, budget, rerank, storage },
		cells: view.cells,
		nlist: view.nlist,
		projection: { matrix, offset, width, bytes, rowBytes },
		mean: view.mean,
		centroids: view.centroids,
		centroidBytes: view.centroidBytes,
		coarseCodes:
			coarseCodes === undefined
				? null
				: { ...coderSpec(coarseCodes.coder), rows: coarseCodes.rows, stride: coarseCodes.stride },
		product: product === undefined ? null : productSpec(product),
		rabitq: rabitq === undefined ? null : { spec: rabitq.codec.spec, memory: rabitq.codec.memory },
		scalar:
			scalar === undefined ? null : { ...coderSpec(scalar.codes), codeRows: scalar.codeRows, errors: scalar.errors },
		vectors: view.vectors,
		labels: view.labels,
		leastTerms: view.leastTerms,
	};
}

function coderSpec({ origin, unit, bytes }: CoderSpec): CoderSpec {
	return { origin, unit, bytes };
}

function productSpec({ subs, width, bits, hasTerms, residual, books }: ProductSpec): ProductSpec {
	return { subs, width, bits, hasTerms, residual, books };
}

/** The file as another thread reads it; `slots` tells how many places are complete. */
export function readView(arena: ArenaView, spec: IvfReaderSpec, slots: () => number): IvfView {
	const rows = new RowWriter(arena, spec, spec.factors);
	const { coarseCodes, rabitq, scalar } = spec;
	return {
		arena,
		rows,
		parameters: spec.parameters,
		cells: spec.cells,
		nlist: spec.nlist,
		projection: spec.projection,
		mean: spec.mean,
		centroids: spec.centroids,
		centroidBytes: spec.centroidBytes,
		coarseCodes:
			coarseCodes === null
				? undefined
				: {
						coder: coderOf(arena, coarseCodes, spec.centroidBytes),
						rows: coarseCodes.rows,
						stride: coarseCodes.stride,
					},
		product: spec.product ?? undefined,
		rabitq: rabitq === null ? undefined : { codec: new RabitqCodec(arena, rabitq.spec, rabitq.memory) },
		scalar: scalar === null ? undefined : { codes: scalar, codeRows: scalar.codeRows, errors: scalar.errors },
		vectors: spec.vectors,
		labels: spec.labels,
		leastTerms: spec.leastTerms,
		slots,
	};
}

function coderOf(arena: ArenaView, { origin, unit, bytes }: CoderSpec, rowBytes: number): RowCoder {
	const coder = new RowCoder(arena, { origin, rowBytes, bytes });
	coder.unit = unit;
	return coder;
}

/** @throws NighError `INVALID_OPTION` where no other thread could read the file. */
export function checkShared({ arena }: Pick<InvertedFile, "arena">): void {
	if (arena.shared) return;
	throw new NighError(
		"INVALID_OPTION",
		"readers on other threads need a shared arena: create the index with shared: true",
		{ field: "shared" },
	);
}
