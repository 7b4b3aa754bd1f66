import { BOUNDS, type Capabilities, INDEX_KINDS, METRICS } from "@nigh/contract";

/** What the database in a folder supports. */
export const CAPABILITIES: Capabilities = {
	backend: "embedded",
	features: {
		bits: true,
		weights: true,
		hybrid: true,
		fusionWeights: true,
		certify: false,
		tune: false,
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
