import { BOUNDS, type Filter } from "@nigh/contract";
import { TARGETS, targetFor } from "@nigh/recall";
import { DATA_OPTIONS, dataFolder } from "../database/data-folder.ts";
import { collectionName, filterOf, positionalsOf } from "../database/typed.ts";
import { type InputFile, vectorFile } from "../eval/settings.ts";
import { type Arguments, type OptionKind, plainNumber, wholeNumber } from "../terminal/arguments.ts";
import { UsageError } from "../terminal/usage-error.ts";

export const DOCTOR_OPTIONS: Readonly<Record<string, OptionKind>> = {
	...DATA_OPTIONS,
	query: "value",
	k: "value",
	filter: "value",
	target: "value",
	confidence: "value",
	floor: "value",
	"max-queries": "value",
	seed: "value",
};

/** An examination, as the command line asks for it. */
export interface DoctorSettings {
	readonly folder: string;
	readonly collection: string;
	readonly query: InputFile;
	readonly k: number;
	readonly filter: Filter | undefined;
	/** As it was typed; left out: the collection's. */
	readonly target: number | undefined;
	readonly confidence: number;
	readonly floor: number | undefined;
	readonly maxQueries: number;
	readonly seed: number;
	readonly json: boolean;
}

/** Above the last of them only exact searches keep a target. */
export const TARGET = { min: BOUNDS.recall.min, max: TARGETS.at(-1) as number } as const;
const FLOOR = { min: 0, max: 1 } as const;
const SEED = { min: 0, max: 2 ** 32 - 1, integer: true, default: 1 } as const;

/** @throws UsageError. */
export function doctorSettings(args: Arguments): DoctorSettings {
	const [name = ""] = positionalsOf(args, "doctor", ["COLLECTION"]);
	const query = args.value("query");
	if (query === undefined) {
		throw new UsageError(
			"--query is missing: a file of vectors such as searches will have. Stored vectors tell nothing: an index finds its own too well.",
		);
	}
	const number = <T>(option: string, read: (what: string, typed: string) => T): T | undefined => {
		const typed = args.value(option);
		return typed === undefined ? undefined : read(`--${option}`, typed);
	};
	return {
		folder: dataFolder(args),
		collection: collectionName(name),
		query: vectorFile("--query", query),
		k: number("k", (what, typed) => wholeNumber(what, typed, BOUNDS.k)) ?? BOUNDS.k.default,
		filter: filterOf(args),
		target: number("target", (what, typed) => plainNumber(what, typed, TARGET)),
		confidence:
			number("confidence", (what, typed) => plainNumber(what, typed, BOUNDS.confidence)) ?? BOUNDS.confidence.default,
		floor: number("floor", (what, typed) => plainNumber(what, typed, FLOOR)),
		maxQueries:
			number("max-queries", (what, typed) => wholeNumber(what, typed, BOUNDS.certifyQueries)) ??
			BOUNDS.certifyQueries.default,
		seed: number("seed", (what, typed) => wholeNumber(what, typed, SEED)) ?? SEED.default,
		json: args.has("json"),
	};
}

/** What is examined, and why it is not what was asked for. */
export interface ExaminedTarget {
	/** Of the grid. */
	readonly target: number;
	/** A sentence; `undefined` where it is just that. */
	readonly remark: string | undefined;
}

/**
 * @param typed By the user.
 * @param declared By the collection; `undefined` where a back end does not tell.
 */
export function examinedTarget(typed: number | undefined, declared: number | undefined): ExaminedTarget {
	const asked = typed ?? declared ?? BOUNDS.recall.default;
	if (asked > TARGET.max) {
		const remark = `The collection's recall is ${asked}, which exact searches alone keep: ${TARGET.max} was examined.`;
		return { target: TARGET.max, remark };
	}
	const target = targetFor(asked);
	return { target, remark: asked === target ? undefined : `The target ${asked} was rounded up to ${target}.` };
}
