import { BOUNDS, type Id, type IncludeOptions, type SearchRequest } from "@nigh/contract";
import type { VectorFormat } from "@nigh/formats";
import { DATA_OPTIONS, dataFolder } from "../database/data-folder.ts";
import { includeOf } from "../database/include.ts";
import { collectionName, filterOf, jsonOf, typedId } from "../database/typed.ts";
import { type Arguments, alternatives, type OptionKind, plainNumber, wholeNumber } from "../terminal/arguments.ts";
import { typedFormat } from "../terminal/typed-format.ts";
import { UsageError } from "../terminal/usage-error.ts";

export const SEARCH_OPTIONS: Readonly<Record<string, OptionKind>> = {
	...DATA_OPTIONS,
	vector: "value",
	"vector-file": "value",
	id: "value",
	words: "value",
	k: "value",
	filter: "value",
	recall: "value",
	ef: "value",
	nprobe: "value",
	rerank: "value",
	budget: "value",
	exact: "flag",
	include: "value",
};

/** What the hits are to be near to. */
export type Query =
	| { readonly kind: "vector"; readonly vector: readonly number[] }
	| { readonly kind: "file"; readonly path: string; readonly format: Exclude<VectorFormat, "ivecs"> }
	| { readonly kind: "id"; readonly id: Id }
	| { readonly kind: "text"; readonly text: string };

/** A search, as the command line asks for it. */
export interface SearchSettings {
	readonly folder: string;
	readonly collection: string;
	readonly query: Query;
	/** The request but for what the hits are to be near to. */
	readonly request: SearchRequest;
	/** Whether there may be several answers. */
	readonly isMany: boolean;
	readonly json: boolean;
}

/** What says how wide a search is. */
const WIDTHS = ["ef", "nprobe", "rerank", "budget"] as const;

const QUERIES = ["vector", "vector-file", "id"] as const;

/** @throws UsageError. */
export function searchSettings(args: Arguments): SearchSettings {
	const [collection, text, extra] = args.positionals;
	if (collection === undefined) throw new UsageError("COLLECTION is missing: nigh search COLLECTION TEXT.");
	if (extra !== undefined) {
		throw new UsageError(`search takes COLLECTION and TEXT; put several words into quotes: "${text} ${extra}".`);
	}
	const query = queryOf(args, text);
	return {
		folder: dataFolder(args),
		collection: collectionName(collection),
		query,
		request: requestOf(args),
		isMany: query.kind === "file",
		json: args.has("json"),
	};
}

function requestOf(args: Arguments): SearchRequest {
	const filter = filterOf(args);
	const words = args.value("words");
	const [k, recall] = ["k", "recall"].map((name) => args.value(name));
	const widths = WIDTHS.filter((name) => args.has(name)).map((name) => `--${name}`);
	const isWide = widths.length > 0;
	if (isWide && recall !== undefined) {
		throw new UsageError(
			`${alternatives(widths)} says how wide the search is, --recall how good it has to be: give one of them.`,
		);
	}
	if (args.has("exact") && (isWide || recall !== undefined)) {
		throw new UsageError(
			`--exact compares everything: leave out ${alternatives([...WIDTHS.map((name) => `--${name}`), "--recall"])}.`,
		);
	}
	const include: IncludeOptions = includeOf(args, {});
	const hits = k === undefined ? BOUNDS.k.default : wholeNumber("--k", k, BOUNDS.k);
	return {
		k: hits,
		include,
		...(filter !== undefined && { filter }),
		...(words !== undefined && { text: words }),
		...widthsOf(args, hits),
		...(recall !== undefined && { recall: plainNumber("--recall", recall, BOUNDS.recall) }),
		...(args.has("exact") && { exact: true }),
	};
}

/** How wide the search is. What the collection's kind of index has no use for, the collection refuses. */
function widthsOf(args: Arguments, hits: number): Pick<SearchRequest, (typeof WIDTHS)[number]> {
	const [ef, nprobe, rerank, budget] = WIDTHS.map((name) => args.value(name));
	// 0 stands for none at all.
	const min = rerank === "0" ? 0 : hits;
	return {
		...(ef !== undefined && { ef: wholeNumber("--ef", ef, { ...BOUNDS.ef, min: hits }) }),
		...(nprobe !== undefined && { nprobe: wholeNumber("--nprobe", nprobe, BOUNDS.nprobe) }),
		...(rerank !== undefined && { rerank: wholeNumber("--rerank", rerank, { ...BOUNDS.rerank, min }) }),
		...(budget !== undefined && { budget: wholeNumber("--budget", budget, BOUNDS.budget) }),
	};
}

function queryOf(args: Arguments, text: string | undefined): Query {
	const given = QUERIES.filter((name) => args.has(name));
	const [name] = given;
	if (given.length + (text === undefined ? 0 : 1) !== 1) {
		const found = [...(text === undefined ? [] : ["TEXT"]), ...given.map((each) => `--${each}`)];
		const not = found.length === 0 ? "" : `, not ${found.join(" and ")}`;
		throw new UsageError(
			`Say what to search for with one of TEXT, ${QUERIES.map((each) => `--${each}`).join(", ")}${not}.`,
		);
	}
	if (name === undefined) return { kind: "text", text: wordsOf(text as string) };
	const typed = args.value(name) as string;
	if (name === "id") return { kind: "id", id: typedId(typed) };
	if (name === "vector") return { kind: "vector", vector: numbersOf(typed) };
	const format = typedFormat(typed);
	if (format === "ivecs")
		throw new UsageError(`${typed} holds ids of neighbours; vectors are fvecs, bvecs, npy or jsonl.`);
	return { kind: "file", path: typed, format };
}

/** Nothing is as near to one record as to any other. */
function wordsOf(typed: string): string {
	if (typed.trim() === "") throw new UsageError("TEXT is empty: say in words what to search for.");
	return typed;
}

function numbersOf(typed: string): readonly number[] {
	const numbers = jsonOf("--vector", typed, "'[0.1,0.2]'");
	const isVector = Array.isArray(numbers) && numbers.length > 0 && numbers.every((each) => typeof each === "number");
	if (isVector) return numbers;
	throw new UsageError("--vector must be a JSON array of numbers, e.g. '[0.1,0.2]'.");
}
