import { NighError } from "./errors.ts";
import type { IndexKind } from "./index-spec.ts";
import type { Metric } from "./metric.ts";

/** What a back end may or may not be able to do. Everything that is not listed, every back end can. */
export const FEATURES = [
	/** Vectors of packed bits (`type: "bit"`). */
	"bits",
	/** `weights` in the spec. */
	"weights",
	/** `text` in a search: full-text search fused with the nearest vectors. */
	"hybrid",
	/** `fusion.weights` in a search. */
	"fusionWeights",
	/** `recall` as a promise, `certify`. */
	"certify",
	/** `tune`. */
	"tune",
	/** `ef`, `nprobe`, `rerank` and `budget` in a search. */
	"searchWidth",
	/** `storage: "disk"` of an index of cells. */
	"diskStorage",
	/** `memory` in the spec: an index that is chosen to fit. */
	"memoryPlan",
	/** A search with `partial: true`. */
	"partialSearch",
	"optimize",
	"rebuild",
	"convert",
	"warm",
	"refresh",
	"analyze",
	"backup",
	"restore",
	"verify",
	"repair",
	"share",
] as const;

export type Feature = (typeof FEATURES)[number];

/** The manifest of a back end: what it supports. Asking for anything else is `UNSUPPORTED`, never ignored. */
export interface Capabilities {
	/** e.g. `"embedded"`, `"postgres"`, `"http"`. */
	readonly backend: string;
	readonly features: Readonly<Record<Feature, boolean>>;
	readonly metrics: readonly Metric[];
	readonly indexes: readonly IndexKind[];
	/** The largest values where they are lower than, or equal to, those in `BOUNDS`. */
	readonly limits: {
		/** Components of a float vector. */
		readonly dimensions: number;
		/** Dimensions of a bit vector; 0 without the feature `bits`. */
		readonly bits: number;
		readonly k: number;
	};
}

/**
 * Refuses what a back end cannot do.
 *
 * @param wanted What the caller asked for, for the message, e.g. `"backup()"` or `"the option weights"`.
 * @throws NighError `UNSUPPORTED`; details hold feature and backend.
 */
export function requireFeature(capabilities: Capabilities, feature: Feature, wanted: string = feature): void {
	if (capabilities.features[feature]) return;
	const { backend } = capabilities;
	throw new NighError(
		"UNSUPPORTED",
		`The ${backend} back end does not support ${wanted}. \`capabilities.features.${feature}\` tells beforehand.`,
		{ feature, backend },
	);
}
