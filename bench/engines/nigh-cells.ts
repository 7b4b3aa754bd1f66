import { createIvf, type IvfSearchOptions } from "@nigh/index";
import { ownVersion } from "../../packages/nigh/src/version.ts";
import { serve } from "./serve.ts";
import type { Setting } from "./setting.ts";

const [kind, ...args] = process.argv.slice(2) as ["ivf" | "ivfpq" | "ivfrabitq", ...string[]];

await serve(({ dimensions, metric, k }) => {
	const index = createIvf({ kind, dimensions, metric });
	return {
		async build(base) {
			await index.train(base);
			await index.insertMany(base);
			index.compact();
			return { bytes: index.memory().total, version: `Nigh ${ownVersion()}, Node ${process.version}` };
		},
		// The knobs have the names of the options.
		search: (query, setting: Setting & IvfSearchOptions) => index.search(query, k, setting).map(({ label }) => label),
	};
}, args);
