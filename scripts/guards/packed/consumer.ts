// A program of a user, type-checked against the packed declarations (see ../packed.ts).
import { type ErrorCode, isNighError, type Metric, NighError } from "@nigh/contract";
import * as embed from "@nigh/embed";
import * as embedded from "@nigh/embedded";
import * as formats from "@nigh/formats";
import * as index from "@nigh/index";
import * as kernels from "@nigh/kernels";
import * as threads from "@nigh/threads";
import * as nigh from "nigh";

const code: ErrorCode = "NOT_FOUND";
const error: NighError = new NighError(code, "no such collection");
const metric: Metric = "cosine";

export function nearest(vectors: Float32Array): readonly index.Neighbor[] {
	const flat: index.VectorIndex = index.createFlat({ dimensions: 3, metric });
	flat.insert(7, vectors);
	return flat.search([1, 2, 3], 1);
}

// @ts-expect-error A metric that does not exist is refused by the types as well.
export const refused = () => index.createHnsw({ dimensions: 3, metric: "euclid" });

export const seen: readonly object[] = [embed, embedded, formats, index, kernels, threads, nigh];
export const known: boolean = isNighError(error, code) && metric === "cosine";
