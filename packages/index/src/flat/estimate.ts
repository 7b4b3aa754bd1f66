import type { Metric } from "@nigh/contract";
import { rowBytes } from "@nigh/kernels";
import { type MemoryParts, TABLE_BYTES } from "../memory-parts.ts";
import { codeStride } from "../rows/row-coder.ts";
import { type FlatOptions, isCoded } from "./flat.ts";

const LABEL_BYTES = 4;

export interface FlatEstimateOptions extends Pick<FlatOptions, "codes"> {
	readonly kind: "flat";
}

/** What {@link FlatRows} take. */
export function flatParts(
	{ dimensions, metric, codes }: FlatEstimateOptions & { readonly dimensions: number; readonly metric: Metric },
	n: number,
): MemoryParts {
	const coded = isCoded({ metric, dimensions, ...(codes !== undefined && { codes }) });
	const row = rowBytes(metric === "hamming" ? dimensions / 8 : 4 * dimensions);
	return {
		codeBytesPerVector: coded ? rowBytes(dimensions) : 0,
		codes: coded ? n * codeStride(rowBytes(dimensions)) : 0,
		ids: n * (LABEL_BYTES + TABLE_BYTES),
		centroids: 0,
		codebooks: 0,
		links: 0,
		slack: 0,
		vectors: n * row,
		onDisk: 0,
		settings: { codes: coded ? "sq7" : "none" },
	};
}
