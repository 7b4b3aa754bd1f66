import { createFlat } from "@nigh/index";
import { ownVersion } from "../../packages/nigh/src/version.ts";
import { serve } from "./serve.ts";

await serve(({ dimensions, metric, k }) => {
	const index = createFlat({ dimensions, metric });
	return {
		async build(base) {
			await index.insertMany(base);
			return { bytes: index.memory().total, version: `Nigh ${ownVersion()}, Node ${process.version}` };
		},
		search: (query) => index.search(query, k).map(({ label }) => label),
	};
});
