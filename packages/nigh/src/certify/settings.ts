import { BOUNDS, type CertifyOptions } from "@nigh/contract";
import { DATA_OPTIONS, dataFolder } from "../database/data-folder.ts";
import { collectionName, filterOf, positionalsOf } from "../database/typed.ts";
import { type InputFile, vectorFile } from "../eval/settings.ts";
import { type Arguments, type OptionKind, plainNumber, wholeNumber } from "../terminal/arguments.ts";
import { UsageError } from "../terminal/usage-error.ts";

export const CERTIFY_OPTIONS: Readonly<Record<string, OptionKind>> = {
	...DATA_OPTIONS,
	query: "value",
	k: "value",
	filter: "value",
	target: "value",
	confidence: "value",
	"family-wise": "flag",
	"max-queries": "value",
	"max-ms": "value",
};

/** The most hits of a search that can be certified: above, every search is exact. */
export const K = { ...BOUNDS.k, max: BOUNDS.k.exactAbove } as const;

/** A certification, as the command line asks for it. */
export interface CertifySettings {
	readonly folder: string;
	readonly collection: string;
	/** Queries of one's own. */
	readonly query: InputFile | undefined;
	/** All but these; what is left out is left to the collection. */
	readonly options: Omit<CertifyOptions, "queries" | "onProgress" | "signal">;
	readonly json: boolean;
}

/** @throws UsageError. */
export function certifySettings(args: Arguments): CertifySettings {
	const [name = ""] = positionalsOf(args, "certify", ["COLLECTION"]);
	const query = args.value("query");
	const filter = filterOf(args);
	if (filter !== undefined && query === undefined) {
		throw new UsageError("--filter is of the queries in a file: name it with --query, or leave out --filter.");
	}
	const [k, target, confidence, maxQueries, maxMs] = ["k", "target", "confidence", "max-queries", "max-ms"].map(
		(each) => args.value(each),
	);
	return {
		folder: dataFolder(args),
		collection: collectionName(name),
		query: query === undefined ? undefined : vectorFile("--query", query),
		options: {
			...(k !== undefined && { k: wholeNumber("--k", k, K) }),
			...(target !== undefined && { target: plainNumber("--target", target, BOUNDS.recall) }),
			...(confidence !== undefined && { confidence: plainNumber("--confidence", confidence, BOUNDS.confidence) }),
			...(args.has("family-wise") && { familyWise: true }),
			...(maxQueries !== undefined && {
				maxQueries: wholeNumber("--max-queries", maxQueries, BOUNDS.certifyQueries),
			}),
			...(maxMs !== undefined && { maxMs: wholeNumber("--max-ms", maxMs, BOUNDS.timeoutMs) }),
			...(filter !== undefined && { filter }),
		},
		json: args.has("json"),
	};
}
