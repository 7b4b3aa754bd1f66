import { indexCases } from "./index-cases.test-support.ts";
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
