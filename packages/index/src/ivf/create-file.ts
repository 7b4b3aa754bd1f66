import { NighError } from "@nigh/contract";
import { withinArena } from "../memory-limit.ts";
import { RowFormat } from "../rows/row-format.ts";
import { ScalarCodes } from "../rows/scalar-codes.ts";
import { checkSpec, type IndexSpec } from "../spec.ts";
import { InvertedFile } from "./inverted-file.ts";
import { IVF_NAMES, type IvfParameterOptions, LEAST_CODED_DIMENSIONS, resolveIvfParameters } from "./parameters.ts";

export interface IvfOptions extends IndexSpec, IvfParameterOptions {
	/**
	 * `"ivf"`: what is scanned. `"sq7"`: 7-bit codes first, whose stored errors tell which vectors need an exact look (l2, cosine, ip); the answer is
	 * the same as without, for a quarter more memory. `"none"`: the vectors. `"auto"` (default): codes from 32 dimensions on, and always where vectors
	 * are on disk.
	 */
	readonly codes?: "auto" | "none" | "sq7";
}

/** The empty file of an index with these options. */
export function createFile(options: IvfOptions): InvertedFile {
	const { arena, metric, dimensions, weights } = checkSpec(options, IVF_NAMES);
	const parameters = resolveIvfParameters(options);
	const coded = isCoded(options, dimensions);
	return withinArena("an index", () => {
		const rows = new RowFormat(arena, { metric, dimensions, weights });
		let codes: ScalarCodes | undefined;
		try {
			codes = coded ? new ScalarCodes(arena, dimensions, rows.bytes) : undefined;
			return new InvertedFile(arena, rows, parameters, codes);
		} catch (error) {
			codes?.dispose();
			rows.dispose();
			throw error;
		}
	});
}

/** Whether rows have 7-bit codes: those of ivf are scanned by them. */
export function isCoded(
	{ kind, codes = "auto", metric, storage }: Pick<IvfOptions, "kind" | "codes" | "metric" | "storage">,
	dimensions: number,
): boolean {
	if (kind !== "ivf") {
		if (codes === "auto") return dimensions >= LEAST_CODED_DIMENSIONS;
		throw new NighError(
			"INVALID_OPTION",
			`codes is an option of ivf, whose cells hold vectors; ${kind} has its own: leave it out`,
			{
				field: "codes",
				value: codes,
			},
		);
	}
	if (storage === "disk") {
		if (codes !== "none") return true;
		throw new NighError(
			"INVALID_OPTION",
			'codes "none" do not go with storage "disk": without codes there would be nothing in memory to scan. Leave codes out, or say storage "memory"',
			{ field: "codes", value: codes },
		);
	}
	if (metric !== "l1") return codes === "sq7" || (codes === "auto" && dimensions >= LEAST_CODED_DIMENSIONS);
	if (codes !== "sq7") return false;
	throw new NighError(
		"UNSUPPORTED",
		'codes "sq7" go with the metrics l2, cosine and ip: leave codes out or say "none"',
		{
			field: "codes",
			value: codes,
		},
	);
}
