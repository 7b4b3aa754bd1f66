import { join } from "node:path";

export const SEED = 1;
/** The collection's name in every database. */
export const COLLECTION = "vectors";
/** Records of a write. */
export const BATCH = 5_000;
/** An odd number, so that the median is one of them. */
export const WARM_PASSES = 3;

export type OnStep = (text: string) => void;

export interface SetShape {
	readonly n: number;
	readonly dimensions: number;
}

/** Places of the exact nearest of each query: among the first vectors, and among all. */
export interface Truths {
	readonly prefix: readonly (readonly number[])[];
	readonly all: readonly (readonly number[])[];
}

/** Where the parts of the set lie in the folder of a run. */
export function pathsOf(folder: string) {
	return {
		base: join(folder, "base.f32"),
		queries: join(folder, "queries.f32"),
		truths: join(folder, "truths.json"),
	};
}
