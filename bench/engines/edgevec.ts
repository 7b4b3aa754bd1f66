import { readFileSync } from "node:fs";
import { EdgeVec, EdgeVecConfig, initSync } from "edgevec";
import { peerFile, peerVersion } from "./peer-package.ts";
import { serve } from "./serve.ts";
import { knob } from "./setting.ts";

await serve(({ dimensions, metric, n, M, efConstruction, k }) => {
	// In Node it cannot fetch its WebAssembly by itself: fetch does not read files.
	initSync({ module: readFileSync(peerFile("edgevec", "edgevec_bg.wasm")) });
	const config = new EdgeVecConfig(dimensions);
	// Its own cosine answers with the farthest. Between vectors of length 1, l2 has the same order.
	config.metric = "l2";
	const prepared = metric === "cosine" ? normalised : (row: Float32Array) => row;
	config.m = M;
	config.m0 = 2 * M;
	config.ef_construction = efConstruction;
	config.ef_search = k;
	const index = new EdgeVec(config);
	const labels = new Map<number, number>();
	return {
		async build(base) {
			for (let label = 0; label < n; label++) {
				labels.set(index.insert(prepared(base.subarray(label * dimensions, (label + 1) * dimensions))), label);
			}
			return { bytes: index.memoryUsage(), version: `${peerVersion("edgevec")}, WebAssembly` };
		},
		// ef is fixed when the index is made, but the search is as wide as the number asked for: ask for more, keep the first k.
		search: (query, setting) =>
			index
				.search(prepared(query), knob(setting, "ef"))
				.slice(0, k)
				.map(({ id }) => labels.get(id) as number),
	};
});

function normalised(row: Float32Array): Float32Array {
	const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
	return length > 0 ? row.map((value) => value / length) : row;
}
