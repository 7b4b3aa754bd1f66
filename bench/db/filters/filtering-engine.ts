import type { FilterCase, FilterSet } from "./filter-set.ts";

/** What answers filtered searches, in this process. */
export interface FilteringEngine {
	readonly name: string;
	/** Version and settings. */
	readonly about: string;
	/** Seconds until everything was in the index. */
	readonly buildSeconds: number;
	/** The nearest K matches, as places in the base, nearest first. */
	search(query: Float32Array, filter: FilterCase | undefined): Promise<number[]>;
	close(): Promise<void>;
}

export type EngineStart = (set: FilterSet, folder: string) => Promise<FilteringEngine>;

/** The beam width of the peers: that at which their unfiltered recall on such a set is about 0.99. */
export const PEER_EF = 40;
