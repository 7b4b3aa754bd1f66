import { resolve } from "node:path";
import { BOUNDS, type IndexSettings, METRICS, type Metric } from "@nigh/contract";
import { type JsonlFieldNames, readJsonl, type VectorFormat } from "@nigh/formats";
import { DATA_OPTIONS, dataFolder } from "../database/data-folder.ts";
import { INDEX_NAMES, indexSettings, WITH_PARAMETERS } from "../database/index-parameters.ts";
import { OWN_EMBEDDERS, type OwnEmbedder } from "../database/own-embedder.ts";
import { collectionName, positionalsOf } from "../database/typed.ts";
import { type Arguments, chosen, type OptionKind, plainNumber, wholeNumber } from "../terminal/arguments.ts";
import { typedFormat } from "../terminal/typed-format.ts";
import { asUsage, UsageError } from "../terminal/usage-error.ts";

export const IMPORT_OPTIONS: Readonly<Record<string, OptionKind>> = {
	...DATA_OPTIONS,
	metric: "value",
	index: "value",
	param: "values",
	recall: "value",
	"latency-ms": "value",
	"max-mb": "value",
	filterable: "values",
	batch: "value",
	"id-prefix": "value",
	"id-field": "value",
	"vector-field": "value",
	"text-field": "value",
	metadata: "value",
	embedder: "value",
	"no-wait": "flag",
};

/** Rows of one write. Larger ones are hardly faster, and more is read again after an interruption. */
export const BATCH = { ...BOUNDS.recordsPerCall, min: 1, default: 2_000 } as const;

/** How the rows of a file become records: what changes it makes another import of the same file. */
export interface ReadingSettings {
	readonly format: Exclude<VectorFormat, "ivecs">;
	/** Stands before ids that are row numbers. */
	readonly idPrefix: string;
	readonly fields: JsonlFieldNames;
	/** Fields of a JSONL row that become metadata; `undefined`: all that are left. */
	readonly metadata: readonly string[] | undefined;
}

/** An import, as the command line asks for it. */
export interface ImportSettings {
	readonly folder: string;
	readonly collection: string;
	/** Absolute. */
	readonly file: string;
	readonly reading: ReadingSettings;
	/** What is said about the collection; the rest is as stored, or as the defaults say. */
	readonly metric: Metric | undefined;
	readonly index: IndexSettings | undefined;
	/** Mean recall that its searches keep, and the mean time that one of them should take at most. */
	readonly recall: number | undefined;
	readonly latencyMs: number | undefined;
	/** Megabytes that the index may take; what is chosen fits into them. */
	readonly maxMB: number | undefined;
	readonly filterable: readonly string[] | undefined;
	/** What makes vectors of the texts of a new collection. */
	readonly embedder: OwnEmbedder | undefined;
	readonly batch: number;
	/** Whether to wait until the index has taken everything in. */
	readonly wait: boolean;
	readonly json: boolean;
}

const FIELD_OPTIONS = ["id-field", "vector-field", "text-field", "metadata", "embedder"] as const;

/** @throws UsageError. */
export function importSettings(args: Arguments): ImportSettings {
	const [collection = "", file = ""] = positionalsOf(args, "import", ["COLLECTION", "FILE"]);
	const metric = args.value("metric");
	const batch = args.value("batch");
	const filterable = args.values("filterable");
	const [recall, latencyMs] = [args.value("recall"), args.value("latency-ms")];
	return {
		folder: dataFolder(args),
		collection: collectionName(collection),
		file: resolve(file),
		reading: readingOf(args, file),
		metric: metric === undefined ? undefined : chosen("--metric", metric, METRICS),
		index: indexOf(args),
		recall: recall === undefined ? undefined : plainNumber("--recall", recall, BOUNDS.recall),
		latencyMs: latencyMs === undefined ? undefined : plainNumber("--latency-ms", latencyMs, BOUNDS.latency),
		maxMB: maxMBOf(args),
		filterable: filterable.length === 0 ? undefined : filterable,
		embedder: embedderOf(args),
		batch: batch === undefined ? BATCH.default : wholeNumber("--batch", batch, BATCH),
		wait: !args.has("no-wait"),
		json: args.has("json"),
	};
}

/**
 * The megabytes that were typed for `--max-mb`.
 *
 * @throws UsageError.
 */
export function maxMBOf(args: Arguments): number | undefined {
	const typed = args.value("max-mb");
	return typed === undefined ? undefined : plainNumber("--max-mb", typed, BOUNDS.maxMB);
}

function readingOf(args: Arguments, file: string): ReadingSettings {
	const format = typedFormat(file);
	if (format === "ivecs") {
		throw new UsageError(`${file} holds ids of neighbours; vectors are fvecs, bvecs, npy or jsonl.`);
	}
	for (const option of FIELD_OPTIONS) {
		if (format === "jsonl" || !args.has(option)) continue;
		throw new UsageError(`--${option} is for jsonl files: rows of ${format} have no fields.`);
	}
	const [idField, vectorField, textField] = FIELD_OPTIONS.map((option) => args.value(option));
	const fields = {
		...(idField !== undefined && { idField }),
		...(vectorField !== undefined && { vectorField }),
		...(textField !== undefined && { textField }),
	};
	// Names that are the same are refused before anything is read.
	asUsage(() => readJsonl([], fields));
	return {
		format,
		idPrefix: args.value("id-prefix") ?? "",
		fields,
		metadata: args.value("metadata")?.split(","),
	};
}

function embedderOf(args: Arguments): OwnEmbedder | undefined {
	const typed = args.value("embedder");
	if (typed === undefined) return undefined;
	if (args.value("metric") === "hamming") {
		throw new UsageError("--embedder makes floats, and hamming compares bits: leave one of them out.");
	}
	return chosen("--embedder", typed, OWN_EMBEDDERS);
}

function indexOf(args: Arguments): IndexSettings | undefined {
	const typed = args.value("index");
	const texts = args.values("param");
	if (typed !== undefined) return indexSettings(chosen("--index", typed, INDEX_NAMES), texts);
	if (texts.length > 0)
		throw new UsageError(`--param needs a kind of index: write --index ${WITH_PARAMETERS} as well.`);
	return undefined;
}
