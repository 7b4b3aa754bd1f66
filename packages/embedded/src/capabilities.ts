import { BOUNDS, type Capabilities, INDEX_KINDS, METRICS } from "@nigh/contract";

/** What the database in a folder supports. */
export const CAPABILITIES: Capabilities = {
	backend: "embedded",
	features: {
		bits: true,
		weights: true,
		hybrid: true,
		fusionWeights: true,
		certify: true,
		tune: true,
		searchWidth: true,
		diskStorage: true,
		memoryPlan: true,
		partialSearch: true,
		optimize: true,
		rebuild: true,
		convert: true,
		warm: true,
		refresh: true,
		analyze: true,
		backup: true,
		restore: true,
		verify: true,
		repair: true,
		share: true,
	},
	metrics: METRICS,
	indexes: INDEX_KINDS,
	limits: { dimensions: BOUNDS.dimensions.max, bits: BOUNDS.bits.max, k: BOUNDS.k.max },
};

/** What a thread that shares a database can do: read. */
export const SHARED: Capabilities = {
	...CAPABILITIES,
	features: {
		...CAPABILITIES.features,
		certify: false,
		tune: false,
		optimize: false,
		rebuild: false,
		convert: false,
		backup: false,
		restore: false,
		verify: false,
		repair: false,
		share: false,
	},
};
