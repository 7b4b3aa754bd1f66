import { statSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { Index, type ScalarName } from "usearch";
import { peerVersion } from "./peer-package.ts";
import { serve } from "./serve.ts";
import { knob } from "./setting.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** USearch through its Node package, its vectors kept as `quantization`, on one thread. */
export function serveUsearch(quantization: ScalarName): Promise<void> {
	return serve(({ dimensions, metric, n, M, efConstruction, k }) => {
		const saved = join(temporaryFolder(), "index.usearch");
		const create = (ef: number) =>
			new Index({
				dimensions,
				metric: metric === "l2" ? "l2sq" : "cos",
				quantization,
				connectivity: M,
				expansion_add: efConstruction,
				expansion_search: ef,
				multi: false,
			});
		let index: Index | undefined;
		let ef = 0;
		return {
			async build(base) {
				const start = performance.now();
				const built = create(k);
				built.add(
					BigUint64Array.from({ length: n }, (_, label) => BigInt(label)),
					base,
					1,
				);
				const seconds = (performance.now() - start) / 1_000;
				built.save(saved);
				return { seconds, bytes: statSync(saved).size, version: `${peerVersion("usearch")}, ${quantization}` };
			},
			// ef is an argument of the constructor alone, so each new one is another index, read from the file.
			async prepare(setting) {
				const wanted = knob(setting, "ef");
				if (wanted === ef) return;
				index = undefined;
				// The garbage collector sees a few bytes where there is a whole index: without this they pile up.
				globalThis.gc?.();
				await setImmediate();
				index = create(wanted);
				index.load(saved);
				ef = wanted;
			},
			search(query) {
				if (index === undefined) throw new Error("search comes after build");
				return Array.from(index.search(query, k, 1).keys, Number);
			},
		};
	});
}
