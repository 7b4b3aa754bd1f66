import { createHnsw } from "@nigh/index";
import { ownVersion } from "../../packages/nigh/src/version.ts";
import { serve } from "./serve.ts";
import { knob } from "./setting.ts";

await serve(({ dimensions, metric, M, efConstruction, k }) => {
	const index = createHnsw({ dimensions, metric, M, efConstruction });
	return {
		async build(base) {
			await index.insertMany(base);
			index.optimize();
			return { bytes: index.memory().total, version: `Nigh ${ownVersion()}, Node ${process.version}` };
		},
		search: (query, setting) => index.search(query, k, { ef: knob(setting, "ef") }).map(({ label }) => label),
	};
});
