import { BOUNDS, checkInteger, NighError, type RebuildOptions } from "@nigh/contract";
import { chosenIndex, type IndexChoice, type StoredSpec } from "../records/catalogue.ts";

/**
 * The index that a `rebuild` is to make: of the kind there is, what is not named as it was. `undefined`: nothing is named.
 *
 * @throws NighError `INVALID_OPTION`.
 */
export function rebuiltIndex(
	spec: Pick<StoredSpec, "index" | "converted">,
	{ M, efConstruction }: RebuildOptions,
): IndexChoice | undefined {
	if (M === undefined && efConstruction === undefined) return undefined;
	const chosen = chosenIndex(spec);
	const links = M === undefined ? chosen.M : checkInteger("M", M, BOUNDS.M);
	const least = Math.max(BOUNDS.efConstruction.min, 2 * (links ?? BOUNDS.M.default));
	const bound = { ...BOUNDS.efConstruction, min: least };
	if (efConstruction !== undefined) checkInteger("efConstruction", efConstruction, bound);
	if (chosen.kind === "flat") throw noGraph(M === undefined ? "efConstruction" : "M");
	const width = efConstruction ?? chosen.efConstruction;
	if (width !== undefined && width < least) throw tooNarrow(width, least, M as number);
	return {
		kind: chosen.kind,
		...(links !== undefined && { M: links }),
		...(width !== undefined && { efConstruction: width }),
	};
}

function noGraph(field: "M" | "efConstruction"): NighError {
	return new NighError(
		"INVALID_OPTION",
		`${field} is of a graph, and the collection is flat, which rebuild does not change: leave it out, or say convert({ kind: "hnsw", ... }).`,
		{ field },
	);
}

function tooNarrow(width: number, least: number, M: number): NighError {
	return new NighError(
		"INVALID_OPTION",
		`efConstruction is ${width} and stays so, but with M ${M} it must be at least ${least}: give efConstruction beside M.`,
		{ field: "efConstruction", value: width, bound: { ...BOUNDS.efConstruction, min: least } },
	);
}
