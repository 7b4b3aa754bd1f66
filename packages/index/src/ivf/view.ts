import type { ArenaView } from "../arena-view.ts";
import type { ProjectionSpec } from "../projection/projection.ts";
import type { RabitqCodec } from "../rabitq/codec.ts";
import type { RowCoder } from "../rows/row-coder.ts";
import type { RowWriter } from "../rows/row-writer.ts";
import type { IvfParameters } from "./parameters.ts";
import type { ProductSpec } from "./product-codes.ts";

/** Codes of 7 bits by place, with what bounds need of them. Addresses are bytes of the arena. */
export interface ScalarView {
	readonly codes: Pick<RowCoder, "origin" | "unit" | "bytes">;
	readonly codeRows: number;
	/** A pair {i32 norm, f32 error} a place. */
	readonly errors: number;
}

/** Codes by which the nearest centroids are found. */
export interface CoarseCodes {
	readonly coder: RowCoder;
	readonly rows: number;
	readonly stride: number;
}

/** What a search reads of an inverted file, whoever owns it. Addresses are bytes of the arena. */
export interface IvfView {
	readonly arena: ArenaView;
	readonly rows: RowWriter;
	readonly parameters: Pick<IvfParameters, "kind" | "nprobe" | "budget" | "rerank" | "storage">;
	/** The cells struct. */
	readonly cells: number;
	readonly nlist: number;
	readonly projection: ProjectionSpec;
	/** The mean as a row; 0 where rows are not turned. */
	readonly mean: number;
	readonly centroids: number;
	readonly centroidBytes: number;
	readonly coarseCodes: CoarseCodes | undefined;
	readonly product: ProductSpec | undefined;
	/** RaBitQ codes of cells. */
	readonly rabitq: { readonly codec: RabitqCodec } | undefined;
	readonly scalar: ScalarView | undefined;
	/** Rows by place; on disk there is nothing to be read. */
	readonly vectors: number;
	/** u32 a place. */
	readonly labels: number;
	/** f32 a cell: the least term of its rows. */
	readonly leastTerms: number;
	/** Places that have been written by now. */
	slots(): number;
}
