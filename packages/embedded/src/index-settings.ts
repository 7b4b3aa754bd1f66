import {
	BOUNDS,
	CELL_KINDS,
	type CellKind,
	checkInteger,
	checkOptions,
	INDEX_KINDS,
	type IndexKind,
	type IndexSettings,
	isNighError,
	NighError,
} from "@nigh/contract";
import { type IvfParameterOptions, resolveIvfParameters } from "@nigh/index";
import { oneOf } from "./options.ts";
import { chosenIndex, type IndexChoice, type StoredSpec } from "./records/catalogue.ts";

/** What an index is made in. */
export type IndexSpace = Pick<StoredSpec, "dimensions" | "metric">;

/** An index of cells. */
export type CellChoice = Extract<IndexChoice, { readonly kind: CellKind }>;

const OF_CELLS = ["nlist", "nprobe", "storage"] as const;

/** What may be said about an index of each kind. */
export const INDEX_PARAMETERS = {
	flat: [],
	hnsw: ["M", "efConstruction"],
	ivf: OF_CELLS,
	ivfpq: [...OF_CELLS, "rerank", "M", "bits", "rotation", "residual", "profile"],
	ivfrabitq: [...OF_CELLS, "rerank", "bits", "epsilon"],
} as const satisfies Readonly<Record<IndexKind, readonly string[]>>;

export function isOfCells(index: IndexChoice): index is CellChoice {
	return isCellKind(index.kind);
}

export function isCellKind(kind: string): kind is CellKind {
	return CELL_KINDS.some((each) => each === kind);
}

/**
 * An index as a spec, or `convert`, asks for it: checked, and only what was given. Where the dimensions are not known yet, all that does not
 * depend on them is checked.
 *
 * @throws NighError `INVALID_OPTION`; `UNSUPPORTED` for a kind that the metric does not go with, and for what there is no kernel for.
 */
export function indexOf(index: unknown, space: IndexSpace): IndexSettings {
	if (index === "auto") return { kind: "auto" };
	if (typeof index !== "object" || index === null) {
		const message = 'index must be "auto", or an object with a kind, such as { kind: "hnsw" }.';
		throw new NighError("INVALID_OPTION", message, { field: "index", value: index });
	}
	const kind = oneOf("index.kind", (index as { kind?: unknown }).kind, ["auto", ...INDEX_KINDS] as const);
	const names: readonly string[] = kind === "auto" ? [] : INDEX_PARAMETERS[kind];
	checkOptions(index, ["kind", ...names], `an index of kind ${kind}`);
	const settings = { kind, ...given(index, names) } as IndexSettings;
	if (settings.kind === "hnsw") checkGraph(settings);
	else if (isOfCells(settings)) checkCells("index.", settings, space);
	return settings;
}

/** What is said of `names`. */
export function given(options: object, names: readonly string[]): Readonly<Record<string, unknown>> {
	const said = names.map((name) => [name, (options as Readonly<Record<string, unknown>>)[name]] as const);
	return Object.fromEntries(said.filter(([, value]) => value !== undefined));
}

function checkGraph({ M, efConstruction }: Extract<IndexSettings, { kind: "hnsw" }>): void {
	if (M !== undefined) checkInteger("index.M", M, BOUNDS.M);
	if (efConstruction === undefined) return;
	const min = Math.max(BOUNDS.efConstruction.min, 2 * (M ?? BOUNDS.M.default));
	checkInteger("index.efConstruction", efConstruction, { ...BOUNDS.efConstruction, min });
}

/**
 * Checks an index of cells.
 *
 * @param prefix Stands before the names of parameters in errors.
 * @throws NighError `INVALID_OPTION`, `UNSUPPORTED`.
 */
export function checkCells(prefix: string, index: CellChoice, { dimensions, metric }: IndexSpace): void {
	for (const [name, value] of Object.entries(index)) {
		if (value !== null) continue;
		const field = `${prefix}${name}`;
		throw new NighError("INVALID_OPTION", `${field} is null; leave it out for its default.`, { field, value });
	}
	try {
		resolveIvfParameters({ ...(index as IvfParameterOptions), metric, dimensions: dimensions ?? anyFor(index) });
	} catch (error) {
		if (!isNighError(error)) throw error;
		const { field } = error.details;
		if (field === "metric") {
			const details = { field: `${prefix}kind`, value: index.kind, metric };
			throw new NighError(error.code, error.message, details, { cause: error });
		}
		const message = error.message.startsWith(`${field} `) ? `${prefix}${error.message}` : error.message;
		throw new NighError(error.code, message, { ...error.details, field: `${prefix}${field}` }, { cause: error });
	}
}

/** Dimensions that the index can have: M divides them. */
function anyFor(index: CellChoice): number {
	const M = index.kind === "ivfpq" ? index.M : undefined;
	return Number.isInteger(M) && (M as number) > 0 ? (M as number) : BOUNDS.dimensions.max;
}

/**
 * Checks the index that there is to be against the dimensions that a first vector tells.
 *
 * @throws NighError `DIMENSION_MISMATCH` with the row.
 */
export function checkFirstVector(spec: Omit<StoredSpec, "dimensions">, dimensions: number, row: number): void {
	const index = chosenIndex(spec);
	if (!isOfCells(index)) return;
	try {
		checkCells("index.", index, { dimensions, metric: spec.metric });
	} catch (error) {
		if (!isNighError(error)) throw error;
		const message = `The vector of row ${row} has ${dimensions} dimensions, and it is the first: ${error.message}`;
		throw new NighError("DIMENSION_MISMATCH", message, { ...error.details, field: "vector", row }, { cause: error });
	}
}
