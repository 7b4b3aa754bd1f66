import type { CollectionCore } from "../core.ts";
import { checkRequest } from "./check-request.ts";
import { isQuick } from "./find.ts";
import { answer } from "./search.ts";

/**
 * Searches once for nobody, while a collection is being opened: what a first search compiles and prepares, some milliseconds, the caller's
 * own then finds done. What goes wrong here is told by that one.
 */
export async function rehearse(core: CollectionCore): Promise<void> {
	const { searcher, spec } = core;
	// Another thread would do it, which most programs never need.
	if (searcher === undefined || spec.dimensions === null || !isQuick(searcher, { exact: false })) return;
	const vector = spec.type === "bit" ? new Uint8Array(spec.dimensions / 8) : new Float32Array(spec.dimensions);
	try {
		await answer(core, checkRequest(core, { vector, k: 10 }), performance.now());
	} catch {
		// There is nobody to tell.
	}
}
