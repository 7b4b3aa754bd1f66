import {
	BOUNDS,
	CELL_KINDS,
	type CellKind,
	checkBits,
	checkBound,
	checkId,
	checkInteger,
	checkOptions,
	type FilterNode,
	type IncludeOptions,
	isNighError,
	NighError,
	parseFilter,
	type SearchRequest,
} from "@nigh/contract";
import type { CollectionCore } from "../core.ts";
import { isCellKind } from "../index-settings.ts";
import { checkFlag } from "../options.ts";
import { chosenIndex, type IndexChoice } from "../records/catalogue.ts";
import { includeOf } from "./get.ts";

const NAMES = [
	"vector",
	"embed",
	"id",
	"text",
	"fusion",
	"k",
	"filter",
	"minScore",
	"maxDistance",
	"recall",
	"exact",
	"ef",
	"nprobe",
	"rerank",
	"budget",
	"timeoutMs",
	"partial",
	"include",
	"signal",
] as const satisfies readonly (keyof SearchRequest)[];

/** A request, checked, every default filled in. */
export interface Checked {
	/** Exactly one of the three is there. */
	readonly vector: Float32Array | Uint8Array | undefined;
	readonly embed: string | undefined;
	readonly id: string | undefined;
	readonly text: string | undefined;
	readonly rrfK: number;
	readonly weights: { readonly vector: number; readonly text: number };
	readonly k: number;
	readonly node: FilterNode | undefined;
	readonly minScore: number;
	readonly maxDistance: number;
	readonly recall: number;
	readonly exact: boolean;
	readonly ef: number | undefined;
	/** Of an index of cells. That there are so many cells is looked at when they are searched. */
	readonly nprobe: number | undefined;
	readonly rerank: number | undefined;
	readonly budget: number | undefined;
	readonly timeoutMs: number | undefined;
	readonly partial: boolean;
	readonly include: Required<IncludeOptions>;
	readonly signal: AbortSignal | undefined;
}

/** @throws NighError as `search` does for what is wrong with the request itself; `row` is its place in a `searchMany`. */
export function checkRequest(core: CollectionCore, request: SearchRequest, row?: number): Checked {
	try {
		return checked(core, request, row);
	} catch (cause) {
		if (isNighError(cause)) throw cause;
		// A getter, or a proxy, that throws.
		const reason = cause instanceof Error ? cause.message : String(cause);
		const message = `the request could not be read: ${reason}. Give plain objects, without getters.`;
		throw new NighError("INVALID_OPTION", message, { field: "request" }, { cause });
	}
}

function checked(core: CollectionCore, request: SearchRequest, row: number | undefined): Checked {
	if (typeof request !== "object" || request === null) {
		throw new NighError("INVALID_OPTION", "search takes an object, such as { vector, k }.", { field: "request" });
	}
	checkOptions(request, NAMES, "search");
	const { k = BOUNDS.k.default, exact = false, partial = false, recall = core.spec.recall } = request;
	checkInteger("k", k, BOUNDS.k);
	checkFlag("exact", exact);
	checkFlag("partial", partial);
	checkBound("recall", recall, BOUNDS.recall);
	return {
		...questionOf(core, request, row),
		...fusionOf(request),
		k,
		node: request.filter === undefined ? undefined : parseFilter(request.filter),
		minScore: optional("minScore", request.minScore, BOUNDS.minScore) ?? Number.NEGATIVE_INFINITY,
		maxDistance: optional("maxDistance", request.maxDistance, BOUNDS.maxDistance) ?? Number.POSITIVE_INFINITY,
		recall,
		exact: exact || recall === 1 || k > BOUNDS.k.exactAbove,
		...widthsOf(core, request, k),
		timeoutMs: optional("timeoutMs", request.timeoutMs, BOUNDS.timeoutMs),
		partial,
		include: includeOf(request.include, {}),
		signal: request.signal,
	};
}

type Width = "ef" | "nprobe" | "rerank" | "budget";

/** What a collection has, for messages. */
const HAS: Readonly<Record<IndexChoice["kind"], string>> = {
	auto: "a graph or none (auto)",
	flat: "none",
	hnsw: "a graph (hnsw)",
	ivf: "cells of vectors (ivf)",
	ivfpq: "cells of codes (ivfpq)",
	ivfrabitq: "cells of codes (ivfrabitq)",
};

/** The kinds of index that a width is of, where not all take it. */
const OF: Readonly<Record<Exclude<Width, "ef">, readonly CellKind[]>> = {
	nprobe: CELL_KINDS,
	rerank: ["ivfpq", "ivfrabitq"],
	budget: CELL_KINDS,
};

/** How wide the search is to be, by the names that the kind of index which serves has for it; as long as there is none, that which was asked for. */
function widthsOf(core: CollectionCore, request: SearchRequest, k: number): Pick<Checked, Width> {
	// What serves may be another than was asked for: a cap on memory has chosen it, or who wrote it has converted it since.
	const kind = core.searcher?.mainKind ?? chosenIndex(core.spec).kind;
	const { ef, nprobe, rerank, budget } = request;
	if (ef !== undefined && isCellKind(kind)) throw ofAnother("ef", ef, "a graph", `${HAS[kind]}: say nprobe instead`);
	for (const [field, value] of Object.entries({ nprobe, rerank, budget })) {
		const kinds = OF[field as keyof typeof OF];
		if (value === undefined || kinds.some((each) => each === kind)) continue;
		throw ofAnother(field, value, `an index of kind ${kinds.join(" or ")}`, `${HAS[kind]}: leave it out`);
	}
	return {
		ef: optionalInteger("ef", ef, { ...BOUNDS.ef, min: k }),
		nprobe: optionalInteger("nprobe", nprobe, BOUNDS.nprobe),
		rerank: rerank === 0 ? rerank : optionalInteger("rerank", rerank, { ...BOUNDS.rerank, min: k }),
		budget: optionalInteger("budget", budget, BOUNDS.budget),
	};
}

function ofAnother(field: string, value: unknown, of: string, has: string): NighError {
	return new NighError("INVALID_OPTION", `${field} is of ${of}, and this collection has ${has}.`, { field, value });
}

function questionOf(core: CollectionCore, { vector, embed, id, text }: SearchRequest, row: number | undefined) {
	const given = [vector, embed, id].filter((each) => each !== undefined).length;
	if (given !== 1) {
		const problem = given === 0 ? "has none of vector, embed and id" : "has more than one of vector, embed and id";
		throw new NighError("INVALID_OPTION", `The search ${problem}: give exactly one.`, { field: "vector" });
	}
	for (const [field, value] of Object.entries({ embed, text })) {
		if (value === undefined || typeof value === "string") continue;
		throw new NighError("INVALID_OPTION", `${field} must be a string of words.`, { field, value });
	}
	if (embed !== undefined && core.embedder === undefined) {
		const message = "embed needs an embedder: open the collection with one in its spec, or give a vector.";
		throw new NighError("INVALID_OPTION", message, { field: "embed" });
	}
	return {
		// A copy: what is searched for does not change while the search waits, whatever the caller does with the vector.
		vector: vector === undefined ? undefined : checkQuery(core, vector, row).slice(),
		embed,
		id: id === undefined ? undefined : checkId(id),
		text,
	};
}

/** An empty collection whose dimensions nobody has told takes any vector that could be one. */
function checkQuery(core: CollectionCore, vector: unknown, row: number | undefined): Float32Array | Uint8Array {
	const { dimensions, type } = core.spec;
	// What is no vector at all is told so by the check.
	const isList = Array.isArray(vector) || ArrayBuffer.isView(vector);
	const length = Math.max(1, isList ? ((vector as { readonly length?: number }).length ?? 0) : 0);
	if (type === "bit") return checkBits(vector, dimensions ?? length * 8, row === undefined ? {} : { row });
	return core.rowsFor(dimensions ?? Math.min(length, BOUNDS.dimensions.max)).format.check(vector as Float32Array, row);
}

function fusionOf({ fusion, text }: SearchRequest): Pick<Checked, "rrfK" | "weights"> {
	checkOptions(fusion, ["rrfK", "weights"], "fusion");
	const { rrfK = BOUNDS.rrfK.default, weights = {} } = fusion ?? {};
	checkOptions(weights, ["vector", "text"], "fusion.weights");
	if (fusion !== undefined && text === undefined) {
		throw new NighError(
			"INVALID_OPTION",
			"fusion joins two legs, and there is no text: give one, or leave fusion out.",
			{
				field: "fusion",
			},
		);
	}
	const weight = (name: "vector" | "text") => {
		const { [name]: given = BOUNDS.legWeight.default } = weights;
		return checkBound(`fusion.weights.${name}`, given, BOUNDS.legWeight);
	};
	return {
		rrfK: checkInteger("fusion.rrfK", rrfK, BOUNDS.rrfK),
		weights: { vector: weight("vector"), text: weight("text") },
	};
}

function optional(field: string, value: unknown, bound: Parameters<typeof checkBound>[2]): number | undefined {
	return value === undefined ? undefined : checkBound(field, value, bound);
}

function optionalInteger(field: string, value: unknown, bound: Parameters<typeof checkInteger>[2]): number | undefined {
	return value === undefined ? undefined : checkInteger(field, value, bound);
}
