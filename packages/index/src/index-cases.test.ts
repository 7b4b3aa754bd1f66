import assert from "node:assert/strict";
import { test } from "node:test";
import { Arena } from "@nigh/kernels";
import { indexCases } from "./index-cases.test-support.ts";
import { createIvf } from "./ivf/ivf.ts";
import { IVF_KINDS } from "./ivf/parameters.ts";
import { refusal } from "./refusal.test-support.ts";
import { CHEBYSHEV } from "./vectors.test-support.ts";

for (const kind of ["flat", "hnsw"] as const) {
	for (const metric of ["l2", "cosine", "ip"] as const) {
		for (const codes of ["none", "sq7"] as const) indexCases({ kind, metric, codes });
	}
	for (const metric of ["l1", "hamming", CHEBYSHEV] as const) indexCases({ kind, metric, codes: "none" });
	for (const engine of ["relaxed", "simd", "scalar"] as const) {
		indexCases({ kind, metric: "cosine", codes: "sq7", engine });
		indexCases({ kind, metric: "ip", codes: "none", engine });
		indexCases({ kind, metric: "hamming", codes: "none", engine });
	}
}

for (const metric of ["l2", "cosine", "ip"] as const) {
	for (const codes of ["none", "sq7"] as const) indexCases({ kind: "ivf", metric, codes });
	for (const kind of ["ivfpq", "ivfrabitq"] as const) indexCases({ kind, metric, codes: undefined });
}
indexCases({ kind: "ivf", metric: "l1", codes: "none" });
for (const engine of ["relaxed", "simd", "scalar"] as const) {
	indexCases({ kind: "ivf", metric: "cosine", codes: "sq7", engine });
	indexCases({ kind: "ivfpq", metric: "l2", codes: undefined, engine });
	indexCases({ kind: "ivfrabitq", metric: "ip", codes: undefined, engine });
}

test("inverted files have no metric without means, and take no memory when they are asked for one", () => {
	const arena = new Arena();
	for (const kind of IVF_KINDS) {
		const metrics = kind === "ivf" ? (["hamming"] as const) : (["hamming", "l1"] as const);
		for (const metric of metrics) {
			const { details } = refusal("UNSUPPORTED", () => createIvf({ kind, metric, dimensions: 64, arena }));
			assert.deepEqual([details.field, details.value], ["metric", metric]);
		}
		const { details } = refusal("UNSUPPORTED", () => createIvf({ kind, metric: CHEBYSHEV, dimensions: 64 }));
		assert.deepEqual([details.field, details.value], ["metric", CHEBYSHEV.name]);
	}
	assert.equal(arena.usedBytes, 0);
});
