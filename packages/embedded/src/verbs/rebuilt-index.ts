import { BOUNDS, checkInteger, NighError, type RebuildOptions } from "@nigh/contract";
import {
	type CellChoice,
	checkCells,
	given,
	INDEX_PARAMETERS,
	type IndexSpace,
	isCellKind,
	isOfCells,
} from "../index-settings.ts";
import { chosenIndex, type IndexChoice, isOnDisk, type StoredSpec } from "../records/catalogue.ts";

type GraphChoice = Extract<IndexChoice, { readonly kind: "auto" | "hnsw" }>;

/** What `rebuild` can be told of an index, whatever its kind. */
export const REBUILD_PARAMETERS = [
	"M",
	"efConstruction",
	"nlist",
	"nprobe",
	"storage",
	"rerank",
	"bits",
	"rotation",
	"residual",
	"profile",
	"epsilon",
] as const satisfies readonly (keyof RebuildOptions)[];

/**
 * The index that a `rebuild` is to make: of the kind there is, what is not named as it was. `undefined`: nothing is named.
 *
 * @param serves The index that there is, where there is one.
 * @throws NighError `INVALID_OPTION`, also for a parameter of another kind, and for any of cells that a cap has chosen; `UNSUPPORTED` for what there
 * is no kernel for.
 */
export function rebuiltIndex(
	spec: Pick<StoredSpec, "index" | "converted"> & IndexSpace,
	options: RebuildOptions,
	serves?: IndexChoice,
): IndexChoice | undefined {
	const named = given(options, REBUILD_PARAMETERS);
	const [first] = Object.keys(named);
	if (first === undefined) return undefined;
	const chosen = chosenIndex(spec);
	if (chosen.kind === "auto" && serves !== undefined && isOfCells(serves)) throw chosenByCap(first, serves);
	const known: readonly string[] = INDEX_PARAMETERS[chosen.kind === "auto" ? "hnsw" : chosen.kind];
	const foreign = Object.keys(named).find((name) => !known.includes(name));
	if (foreign !== undefined) throw ofAnotherKind(foreign, chosen.kind);
	return isOfCells(chosen) ? rebuiltCells(chosen, named, spec) : rebuiltGraph(chosen as GraphChoice, named);
}

function rebuiltGraph(chosen: GraphChoice, { M, efConstruction }: RebuildOptions): GraphChoice {
	const links = M === undefined ? chosen.M : checkInteger("M", M, BOUNDS.M);
	const least = Math.max(BOUNDS.efConstruction.min, 2 * (links ?? BOUNDS.M.default));
	const bound = { ...BOUNDS.efConstruction, min: least };
	if (efConstruction !== undefined) checkInteger("efConstruction", efConstruction, bound);
	const width = efConstruction ?? chosen.efConstruction;
	if (width !== undefined && width < least) {
		throw staysSo("efConstruction", width, `with M ${M} it must be at least ${least}`, "M");
	}
	return {
		kind: chosen.kind,
		...(links !== undefined && { M: links }),
		...(width !== undefined && { efConstruction: width }),
	};
}

/** What a profile stands for. */
const OF_PROFILE: readonly string[] = ["M", "bits", "nlist", "nprobe"];

function rebuiltCells(chosen: CellChoice, named: RebuildOptions, space: IndexSpace): CellChoice {
	// What was said one by one would win over the profile that is asked for now.
	const kept = Object.entries(chosen).filter(([name]) => named.profile === undefined || !OF_PROFILE.includes(name));
	const { nlist } = named;
	const nprobe = kept.find(([name]) => name === "nprobe")?.[1] as number | undefined;
	const isKept = nprobe !== undefined && named.nprobe === undefined;
	const rebuilt = { ...Object.fromEntries(kept), ...named } as unknown as CellChoice;
	if (isKept && typeof nlist === "number") {
		checkInteger("nlist", nlist, BOUNDS.nlist);
		if (nprobe > nlist) throw staysSo("nprobe", nprobe, `there are to be ${nlist} cells`, "nlist");
	}
	checkCells("", rebuilt, space);
	return rebuilt;
}

/** They are made as the cap asks, which counts on what the defaults take; a kind that was asked for is counted as it is. */
function chosenByCap(field: string, serves: CellChoice): NighError {
	const { kind } = serves;
	const convert = `convert({ kind: "${kind}"${isOnDisk(serves) ? ', storage: "disk"' : ""}, ${field}: ... })`;
	return new NighError(
		"INVALID_OPTION",
		`${field} cannot be told of an index that the cap on memory has chosen, here of kind ${kind}: its parameters go by the cap. Leave it out, or say ${convert}, which keeps that kind from then on.`,
		{ field },
	);
}

function ofAnotherKind(field: string, kind: IndexChoice["kind"]): NighError {
	const kinds = Object.entries(INDEX_PARAMETERS)
		.filter(([, names]) => (names as readonly string[]).includes(field))
		.map(([name]) => name);
	const has = kind === "flat" ? "is flat" : `has ${isCellKind(kind) ? `an index of kind ${kind}` : "a graph"}`;
	return new NighError(
		"INVALID_OPTION",
		`${field} is of ${kinds.join(" and ")}, and the collection ${has}, which rebuild does not change: leave it out, or say convert({ kind: "${kinds[0]}", ... }).`,
		{ field },
	);
}

function staysSo(field: "efConstruction" | "nprobe", value: number, reason: string, beside: string): NighError {
	return new NighError(
		"INVALID_OPTION",
		`${field} is ${value} and stays so, but ${reason}: give ${field} beside ${beside}.`,
		{ field, value },
	);
}
