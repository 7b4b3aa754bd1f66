import { type Collection, type Database, NighError } from "@nigh/contract";
import { hashedNgrams } from "@nigh/embed";

const HASHED_NGRAMS = "hashed-ngrams";

/**
 * The collection with the embedder that it was made with, where that needs no model: only then can a command embed a text as it was embedded.
 *
 * @throws NighError `UNSUPPORTED` where it was made with another, or without.
 */
export async function withOwnEmbedder(collection: Collection, database: Database): Promise<Collection> {
	const { embedder } = (await collection.stats()).effective;
	if (embedder?.name === HASHED_NGRAMS) {
		return database.collection(collection.name, { embedder: hashedNgrams({ dimensions: embedder.dimensions }) });
	}
	const made = embedder === null ? "without an embedder" : `with the embedder ${embedder.name} (${embedder.model})`;
	throw new NighError(
		"UNSUPPORTED",
		`${collection.name} was made ${made}, and this command embeds by ${HASHED_NGRAMS} only: search by --vector, or by --id.`,
		{ field: "--text", embedder },
	);
}
