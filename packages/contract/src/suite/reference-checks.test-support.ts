import { BOUNDS } from "../bounds.ts";
import { type Capabilities, requireFeature } from "../capabilities.ts";
import type { EffectiveSettings } from "../collection-spec.ts";
import { NighError } from "../errors.ts";
import { parseFilter } from "../filter/parse.ts";
import { type Predicate, predicateOf } from "../filter/predicate.ts";
import { checkId } from "../ids.ts";
import type { IndexKind } from "../index-spec.ts";
import { findStringProblem } from "../json.ts";
import { checkMetadata, type Metadata } from "../metadata.ts";
import { checkBound, checkOptions, isWithin } from "../options.ts";
import type { IncludeOptions } from "../records.ts";
import type { SearchRequest } from "../search.ts";
import { checkBits, checkVector, type Vector } from "../vectors.ts";
import { checkWidths } from "./reference-index.test-support.ts";

export interface Row {
	id: string;
	vector: Vector;
	metadata?: Metadata;
	text?: string;
	insertedAt: number;
	updatedAt: number;
	expiresAt?: number;
}

/** @throws NighError `ABORTED`, or `INVALID_OPTION` for a signal that is none. */
export function begin(options: { readonly signal?: AbortSignal } | undefined): void {
	const { signal } = options ?? {};
	if (signal === undefined) return;
	if (!(signal instanceof AbortSignal)) throw wrong("signal", "must be an AbortSignal");
	if (signal.aborted) throw new NighError("ABORTED", "The signal of this call was aborted.");
}

/** Tells a progress callback that all is done. What it throws is ignored. */
export function reportProgress(options: object | undefined, total: number): void {
	try {
		(options as { onProgress?: (done: number, total: number) => void } | undefined)?.onProgress?.(total, total);
	} catch {
		// It is the caller's.
	}
}

function wrong(field: string, message: string): NighError {
	return new NighError("INVALID_OPTION", `${field} ${message}.`, { field });
}

export function checkFlag(field: string, value: unknown): boolean {
	if (value === undefined || typeof value === "boolean") return value ?? false;
	throw wrong(field, "must be true or false");
}

export function checkInclude(include: IncludeOptions | undefined): void {
	checkOptions(include, ["vector", "metadata", "text"], "include");
	for (const [name, value] of Object.entries(include ?? {})) checkFlag(`include.${name}`, value);
}

export function checkFilter(filter: unknown): Predicate {
	return filter === undefined ? () => true : predicateOf(parseFilter(filter));
}

export function checkList(list: unknown, what: string): readonly unknown[] {
	if (!Array.isArray(list)) throw new NighError("INVALID_RECORD", `${what} must be an array.`, { field: what });
	checkBound(what, list.length, BOUNDS.recordsPerCall);
	return list;
}

/** A copy of the vector. */
export function checkAnyVector(vector: unknown, { type, dimensions }: EffectiveSettings, row?: number): Vector {
	const place = row === undefined ? {} : { row };
	if (type === "bit") return Uint8Array.from(checkBits(vector, dimensions ?? (vector as Uint8Array).length * 8, place));
	return Float32Array.from(checkVector(vector, dimensions ?? (vector as Vector).length, place));
}

/** The fields of a record or a patch, all but the vector checked. `null` is allowed in patches. */
export function checkFields(record: unknown, row: number, isPatch: boolean) {
	if (typeof record !== "object" || record === null) {
		throw new NighError("INVALID_RECORD", `Row ${row} is not a record.`, { field: "record", row });
	}
	const { id, vector, metadata, text, expiresAt } = record as Record<string, unknown>;
	const isNull = (value: unknown) => value === undefined || (isPatch && value === null);
	const refuse = (field: string, problem: string) =>
		new NighError("INVALID_RECORD", `The ${field} of row ${row} ${problem}.`, { field, row });
	checkId(id, { row });
	if (!isNull(metadata)) checkMetadata(metadata, { row });
	if (!isNull(text)) {
		const problem = typeof text === "string" ? findStringProblem(text) : "must be a string";
		if (problem !== undefined) throw refuse("text", problem);
	}
	if (!isNull(expiresAt) && !(typeof expiresAt === "number" && isWithin(expiresAt, BOUNDS.time))) {
		throw refuse("expiresAt", "must be a time in ms");
	}
	return {
		id: id as string,
		vector,
		metadata: (isNull(metadata) ? metadata : JSON.parse(JSON.stringify(metadata))) as Metadata | null | undefined,
		text: text as string | null | undefined,
		expiresAt: expiresAt as number | null | undefined,
	};
}

const REQUEST = [
	...[
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
	],
	...["timeoutMs", "partial", "include", "signal"],
];

/** Checks all of a request but its vector. */
export function checkRequest(request: SearchRequest, capabilities: Capabilities, kind: IndexKind): Predicate {
	checkOptions(request, REQUEST, "search");
	begin(request);
	const {
		vector,
		embed,
		id,
		text,
		fusion,
		k,
		filter,
		minScore,
		maxDistance,
		recall,
		exact,
		timeoutMs,
		partial,
		include,
	} = request;
	if ([vector, embed, id].filter((each) => each !== undefined).length !== 1) {
		throw wrong("vector", "or embed or id must be given, and only one of them");
	}
	const bounds = { k, minScore, maxDistance, recall, timeoutMs };
	for (const [field, value] of Object.entries(bounds)) {
		if (value !== undefined) checkBound(field, value, BOUNDS[field as keyof typeof bounds]);
	}
	const limit = capabilities.limits.k;
	if (k !== undefined && k > limit) throw new NighError("UNSUPPORTED", `k is at most ${limit}.`, { field: "k" });
	const widths = [request.ef, request.nprobe, request.rerank, request.budget];
	if (widths.some((width) => width !== undefined)) requireFeature(capabilities, "searchWidth");
	checkWidths(request, kind);
	checkFlag("exact", exact);
	if (checkFlag("partial", partial)) requireFeature(capabilities, "partialSearch");
	checkInclude(include);
	if (text !== undefined) requireFeature(capabilities, "hybrid");
	for (const [field, value] of Object.entries({ text, embed })) {
		if (value !== undefined && typeof value !== "string") throw wrong(field, "must be a string");
	}
	checkFusion(fusion, capabilities);
	return checkFilter(filter);
}

function checkFusion(fusion: SearchRequest["fusion"], capabilities: Capabilities): void {
	checkOptions(fusion, ["rrfK", "weights"], "fusion");
	if (fusion?.rrfK !== undefined) checkBound("fusion.rrfK", fusion.rrfK, BOUNDS.rrfK);
	if (fusion?.weights === undefined) return;
	requireFeature(capabilities, "fusionWeights");
	checkOptions(fusion.weights, ["vector", "text"], "fusion.weights");
	for (const [leg, weight] of Object.entries(fusion.weights))
		checkBound(`fusion.weights.${leg}`, weight, BOUNDS.legWeight);
}
