import assert from "node:assert/strict";
import { test } from "node:test";
import { type Capabilities, FEATURES, type Feature, requireFeature } from "./capabilities.ts";

const none = Object.fromEntries(FEATURES.map((feature) => [feature, false])) as Record<Feature, boolean>;
const capabilities: Capabilities = {
	backend: "toy",
	features: { ...none, warm: true },
	metrics: ["l2"],
	indexes: ["flat"],
	limits: { dimensions: 8, bits: 0, k: 10 },
};

test("a feature that is there passes, one that is not is UNSUPPORTED and named", () => {
	requireFeature(capabilities, "warm");
	assert.throws(() => requireFeature(capabilities, "weights", "the option weights"), {
		code: "UNSUPPORTED",
		message: "The toy back end does not support the option weights. `capabilities.features.weights` tells beforehand.",
		details: { feature: "weights", backend: "toy" },
	});
});
