import { statSync } from "node:fs";
import { join } from "node:path";
import hnswlib from "hnswlib-node";
import { peerVersion } from "./peer-package.ts";
import { serve } from "./serve.ts";
import { knob } from "./setting.ts";
import { temporaryFolder } from "./temporary-folder.ts";

await serve(({ dimensions, metric, n, M, efConstruction, k }) => {
	const index = new hnswlib.HierarchicalNSW(metric, dimensions);
	return {
		async build(base) {
			const start = performance.now();
			index.initIndex({ maxElements: n, m: M, efConstruction });
			for (let label = 0; label < n; label++) {
				index.addPoint(Array.from(base.subarray(label * dimensions, (label + 1) * dimensions)), label);
			}
			const seconds = (performance.now() - start) / 1_000;
			const saved = join(temporaryFolder(), "index.hnsw");
			index.writeIndexSync(saved);
			return { seconds, bytes: statSync(saved).size, version: peerVersion("hnswlib-node") };
		},
		prepare: (setting) => index.setEf(knob(setting, "ef")),
		// It takes plain arrays only: whoever keeps embeddings as Float32Array pays for the copy.
		search: (query) => index.searchKnn(Array.from(query), k).neighbors,
	};
});
