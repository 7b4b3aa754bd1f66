// Kinds of index as a full comparison has them: their names and the checks of their parameters, and nothing behind them.
import { BOUNDS, type Bound } from "../bounds.ts";
import { type Capabilities, requireFeature } from "../capabilities.ts";
import type { EffectiveSettings } from "../collection-spec.ts";
import { NighError } from "../errors.ts";
import {
	CELL_KINDS,
	INDEX_KINDS,
	type IndexKind,
	type IndexSpec,
	NLIST_RULES,
	PQ_PROFILES,
	ROTATIONS,
	STORAGES,
} from "../index-spec.ts";
import { checkBound, checkOptions } from "../options.ts";
import type { SearchRequest } from "../search.ts";

type Parameters = Readonly<Record<string, unknown>>;

const OF_CELLS = ["nlist", "nprobe", "storage"];
const OF_KIND: Readonly<Record<IndexKind, readonly string[]>> = {
	flat: [],
	hnsw: ["M", "efConstruction"],
	ivf: OF_CELLS,
	ivfpq: [...OF_CELLS, "rerank", "M", "bits", "rotation", "residual", "profile"],
	ivfrabitq: [...OF_CELLS, "rerank", "bits", "epsilon"],
};

/** What `rebuild` takes, whatever the kind. */
export const PARAMETERS: readonly string[] = [...new Set(Object.values(OF_KIND).flat())];

function invalid(field: string, problem: string): NighError {
	return new NighError("INVALID_OPTION", `${field} ${problem}.`, { field });
}

/**
 * The index as `stats` tells of it.
 *
 * @throws NighError `INVALID_OPTION`, `UNSUPPORTED`.
 */
export function indexFor(
	capabilities: Capabilities,
	index: IndexSpec,
	{ metric, dimensions }: Pick<EffectiveSettings, "metric" | "dimensions">,
): EffectiveSettings["index"] {
	const { indexes } = capabilities;
	if (index === "auto") return { kind: "flat", parameters: {} };
	if (index === null || typeof index !== "object") throw invalid("index", "must be an object with a kind");
	const { kind, ...parameters } = index;
	if (kind === "auto" || !INDEX_KINDS.includes(kind)) {
		if (kind !== "auto") throw invalid("index.kind", `must be one of ${INDEX_KINDS}`);
		checkOptions(parameters, [], "an index of kind auto");
		return { kind: "flat", parameters: {} };
	}
	const isFor = metric !== "hamming" && (metric !== "l1" || kind === "ivf");
	if (!indexes.includes(kind) || (isOfCells(kind) && !isFor)) {
		const message = `The index ${kind} is not supported under ${metric}.`;
		throw new NighError("UNSUPPORTED", message, { field: "index.kind", value: kind, metric });
	}
	checkParameters("index.", kind, parameters, dimensions);
	checkStorage(capabilities, parameters, metric);
	return { kind, parameters: parameters as EffectiveSettings["index"]["parameters"] };
}

/** Without codes there would be nothing in memory to look at. */
function checkStorage(capabilities: Capabilities, { storage }: Parameters, metric: string): void {
	if (storage !== "disk") return;
	requireFeature(capabilities, "diskStorage", 'storage: "disk"');
	if (metric === "l1") throw new NighError("UNSUPPORTED", "l1 has no codes.", { field: "index.storage", metric });
}

/** @throws NighError `INVALID_OPTION`. */
export function checkParameters(prefix: string, kind: IndexKind, given: Parameters, dimensions: number | null): void {
	for (const [name, value] of Object.entries(given)) {
		const field = `${prefix}${name}`;
		if (!OF_KIND[kind].includes(name)) throw invalid(field, `is not of an index of kind ${kind}`);
		const words = wordsOf(name);
		if (words.some((word) => word === value)) continue;
		const bound = boundOf(kind, name);
		if (bound === undefined) throw invalid(field, `must be one of ${words.join(", ")}`);
		checkBound(field, value, bound);
	}
	const { M, efConstruction, nlist, nprobe } = given as Readonly<Record<string, number | undefined>>;
	if (kind === "ivfpq" && (dimensions ?? M ?? 1) % (M ?? 1) !== 0)
		throw invalid(`${prefix}M`, "must divide the dimensions");
	if ((nprobe ?? 1) > (nlist ?? Infinity)) throw invalid(`${prefix}nprobe`, "is more than there are cells");
	if ((efConstruction ?? Infinity) < 2 * (M ?? 2)) throw invalid(`${prefix}efConstruction`, "must be at least 2 M");
}

function wordsOf(name: string): readonly unknown[] {
	const words = { nlist: NLIST_RULES, rotation: ROTATIONS, profile: PQ_PROFILES, storage: STORAGES };
	return { ...words, residual: [true, false] }[name] ?? [];
}

function boundOf(kind: IndexKind, name: string): Bound | undefined {
	if (kind === "ivfpq" && name === "M") return BOUNDS.pqM;
	if (name === "bits") return kind === "ivfpq" ? BOUNDS.pqBits : BOUNDS.rabitqBits;
	return BOUNDS[name as "nlist" | "nprobe" | "rerank" | "M" | "efConstruction" | "epsilon"];
}

/** @throws NighError `INVALID_OPTION` for a width that is out of its bounds, or of another kind of index. */
export function checkWidths(request: SearchRequest, kind: IndexKind): void {
	const { k = BOUNDS.k.default, ef, nprobe, rerank, budget } = request;
	for (const [field, value] of Object.entries({ nprobe, rerank, budget })) {
		if (value === undefined) continue;
		checkBound(field, value, BOUNDS[field as "nprobe"]);
		const has = isOfCells(kind) && (field !== "rerank" || kind !== "ivf");
		if (!has) throw invalid(field, `is not of an index of kind ${kind}`);
	}
	if (rerank !== undefined && rerank !== 0 && rerank < k) throw invalid("rerank", "must be at least k, or 0");
	if (ef === undefined) return;
	checkBound("ef", ef, { ...BOUNDS.ef, min: k });
	if (isOfCells(kind)) throw invalid("ef", `is not of an index of kind ${kind}`);
}

function isOfCells(kind: IndexKind): boolean {
	return CELL_KINDS.some((each) => each === kind);
}
