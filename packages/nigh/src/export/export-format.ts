import type { VectorType } from "@nigh/contract";
import { typedFormat } from "../terminal/typed-format.ts";
import { UsageError } from "../terminal/usage-error.ts";

export type ExportFormat = "jsonl" | "fvecs" | "bvecs" | "npy";

/** Stands for the output of the process in the place of a file. */
export const OUTPUT = "-";

/** @throws UsageError for a name that stands for no format records can be written in. */
export function exportFormat(file: string): ExportFormat {
	if (file === OUTPUT) return "jsonl";
	const format = typedFormat(file);
	if (format !== "ivecs") return format;
	throw new UsageError(`${file} would hold whole numbers; vectors are written as jsonl, fvecs, bvecs or npy.`);
}

/** @throws UsageError where the vectors of the collection do not fit the format. */
export function checkFits(format: ExportFormat, type: VectorType): void {
	if (format === "fvecs" && type === "bit") {
		throw new UsageError("fvecs holds floats, and the collection bits: write bvecs, npy or jsonl.");
	}
	if (format === "bvecs" && type === "float") {
		throw new UsageError("bvecs holds bytes, and the collection floats: write fvecs, npy or jsonl.");
	}
}
