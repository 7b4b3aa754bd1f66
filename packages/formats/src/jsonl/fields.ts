import { NighError } from "@nigh/contract";

/** How the fields of a JSONL row are called. They must differ and must not be empty (`INVALID_OPTION`). */
export interface JsonlFieldNames {
	/** The field with the array of numbers. Default `"vector"`. */
	readonly vectorField?: string;
	/** The field with the id. Default `"id"`. */
	readonly idField?: string;
	/** The field with the text. Default `"text"`. */
	readonly textField?: string;
}

export const FIELD_OPTIONS = ["vectorField", "idField", "textField"] as const;

/** The names with the defaults filled in. */
export function fieldNames(names: JsonlFieldNames): Required<JsonlFieldNames> {
	const { vectorField = "vector", idField = "id", textField = "text" } = names;
	const chosen = { vectorField, idField, textField };
	const seen = new Set<string>();
	for (const field of FIELD_OPTIONS) {
		const value: unknown = chosen[field];
		if (typeof value === "string" && value !== "" && !seen.has(value)) {
			seen.add(value);
			continue;
		}
		throw new NighError(
			"INVALID_OPTION",
			`${field} is ${JSON.stringify(value)}; expected a name that is not empty and not that of another field. Name the fields of the file apart.`,
			{ field, value },
		);
	}
	return chosen;
}
