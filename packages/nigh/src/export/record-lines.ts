import { NighError, type StoredRecord } from "@nigh/contract";
import type { JsonlFieldNames } from "@nigh/formats";

const encoder = new TextEncoder();
/** Characters after which lines are given away. */
const CHUNK = 65_536;

/**
 * Records without their vectors as JSONL, id and text first and then the metadata.
 *
 * @throws NighError `INVALID_RECORD` for metadata that has a field of the name of another.
 */
export async function* recordLines(
	records: AsyncIterable<StoredRecord>,
	{ idField = "id", textField = "text" }: JsonlFieldNames,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
	let lines = "";
	for await (const { id, text, metadata = {} } of records) {
		const taken = [idField, textField].find((field) => Object.hasOwn(metadata, field));
		if (taken !== undefined) {
			throw new NighError(
				"INVALID_RECORD",
				`The metadata of the record ${JSON.stringify(id)} has a field ${JSON.stringify(taken)} itself: name the others apart with --id-field and --text-field.`,
				{ field: taken, id },
			);
		}
		lines += `${JSON.stringify({ [idField]: id, ...(text !== undefined && { [textField]: text }), ...metadata })}\n`;
		if (lines.length < CHUNK) continue;
		yield encoder.encode(lines);
		lines = "";
	}
	if (lines !== "") yield encoder.encode(lines);
}
