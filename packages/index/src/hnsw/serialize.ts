import { writeImage } from "../image.ts";
import type { HnswGraph } from "./graph.ts";
import { sectionsOf, stateOf } from "./parts.ts";

/** The graph as an image: its parts behind a header, with checksums. */
export function serializeHnsw(graph: HnswGraph): Iterable<Uint8Array> {
	const state = stateOf(graph);
	return writeImage(graph.arena, "hnsw", state, sectionsOf(graph, state));
}
