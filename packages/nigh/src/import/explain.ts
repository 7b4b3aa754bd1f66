import { type EmbedderIdentity, isNighError, NighError } from "@nigh/contract";
import { madeWith, OWN_EMBEDDERS } from "../database/own-embedder.ts";
import type { ReadingSettings } from "./settings.ts";

/** What can be done about a row of jsonl without a vector; `undefined` for every other error. */
export function noVector(
	{ code, details }: NighError,
	{ fields }: ReadingSettings,
	collection: string,
	stored: EmbedderIdentity | null,
): string | undefined {
	if (code !== "INVALID_FILE" || details.field !== (fields.vectorField ?? "vector")) return undefined;
	if (stored === null)
		return `Or have vectors made of the texts, in a new collection: --embedder ${OWN_EMBEDDERS.join(" or ")}.`;
	return `${collection} was made ${madeWith(stored)}, which a command cannot use: rows without a vector are written by a program that has it.`;
}

/** A setting that the collection was not made with, in the words of the command line; every other error as it is. */
export function contradiction(error: unknown, collection: string): unknown {
	if (!isNighError(error, "SPEC_CONFLICT")) return error;
	const { field, expected, value } = error.details;
	if (typeof field !== "string") return error;
	const option = field === "type" ? "metric" : field;
	const made =
		field === "embedder"
			? madeWith(expected as EmbedderIdentity | null)
			: `with ${field} ${JSON.stringify(expected)}, not ${JSON.stringify(value)}`;
	const message = `${collection} was made ${made}: leave out --${option}, or import into a collection of another name.`;
	return new NighError(error.code, message, error.details, { cause: error });
}
