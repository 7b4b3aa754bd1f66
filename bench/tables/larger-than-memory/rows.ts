import type { VectorStorage } from "@nigh/contract";
import type { Loaded } from "./load-database.ts";
import type { Answered, Served } from "./serve-database.ts";

export type LargerRow = LoadingRow | OpeningRow | ServingRow | BesideRow;

export interface LoadingRow extends Loaded {
	readonly part: "loading";
}

export interface OpeningRow extends Omit<Served, "answers"> {
	readonly part: "opening";
}

export interface ServingRow extends Answered {
	readonly part: "serving";
}

/** The same index over the same vectors, where they are in memory and where they are not. */
export interface BesideRow {
	readonly part: "beside";
	readonly storage: VectorStorage;
	readonly n: number;
	readonly loaded: Loaded;
	readonly served: Served;
}
