import { type CollectionStats, NighError, type VectorInput } from "@nigh/contract";
import { checkFiles, loadVectors } from "../eval/load.ts";
import type { InputFile } from "../eval/settings.ts";
import { vectorFor } from "./answers.ts";

/**
 * The vectors of a file as queries of a collection, in their order.
 *
 * @throws NighError `NOT_FOUND`, `INVALID_FILE`, `INVALID_VECTOR` with the path and the row; `DIMENSION_MISMATCH`.
 */
export async function queryVectors(
	file: InputFile,
	{ name, effective }: Pick<CollectionStats, "name" | "effective">,
): Promise<VectorInput[]> {
	await checkFiles([file]);
	const { type } = effective;
	const { count, dimensions, values } = await loadVectors(file, undefined);
	const actual = type === "bit" ? 8 * dimensions : dimensions;
	if (effective.dimensions !== null && actual !== effective.dimensions) {
		const unit = type === "bit" ? "bits" : "dimensions";
		throw new NighError(
			"DIMENSION_MISMATCH",
			`${file.path}: the queries have ${actual} ${unit} and ${name} has ${effective.dimensions}: they must come from the same model.`,
			{ field: file.option, expected: effective.dimensions, actual },
		);
	}
	return Array.from({ length: count }, (_, row) =>
		vectorFor(type, values.subarray(row * dimensions, (row + 1) * dimensions)),
	);
}
