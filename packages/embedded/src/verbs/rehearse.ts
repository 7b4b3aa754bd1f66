import type { CollectionCore } from "../core.ts";
import { checkRequest } from "./check-request.ts";
import { isQuick } from "./find.ts";
import { answer } from "./search.ts";

/** ms after which it is not tried again: where somebody writes, what is committed may not be shown for long. */
const MOST_MS = 20;
const K = 10;

/**
 * Searches once for nobody, while a collection is being opened: what a first search compiles and prepares, some milliseconds, the caller's
 * own then finds done. What goes wrong here is told by that one.
 */
export async function rehearse(core: CollectionCore): Promise<void> {
	const { searcher, spec } = core;
	// Another thread would do it, which most programs never need.
	if (searcher === undefined || spec.dimensions === null || !isQuick(searcher, { exact: false, k: K })) return;
	const vector = spec.type === "bit" ? new Uint8Array(spec.dimensions / 8) : new Float32Array(spec.dimensions);
	try {
		core.checkOpen();
		await core.track(
			answer(core, {
				request: checkRequest(core, { vector, k: K, timeoutMs: MOST_MS }),
				start: performance.now(),
				isTrial: true,
			}),
		);
	} catch {
		// There is nobody to tell.
	}
}
