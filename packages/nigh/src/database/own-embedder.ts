import { type Collection, type Database, type Embedder, type EmbedderIdentity, NighError } from "@nigh/contract";
import { hashedNgrams } from "@nigh/embed";

/** The embedders that need no model, so that a command can embed a text as it was embedded before. */
export const OWN_EMBEDDERS = ["hashed-ngrams"] as const;

export type OwnEmbedder = (typeof OWN_EMBEDDERS)[number];

/** What a collection was made with, as it stores it, where that is one of {@link OWN_EMBEDDERS}. */
export function ownEmbedder(stored: EmbedderIdentity | null): Embedder | undefined {
	const isOwn = OWN_EMBEDDERS.some((name) => name === stored?.name);
	return stored !== null && isOwn ? hashedNgrams({ dimensions: stored.dimensions }) : undefined;
}

/** One of {@link OWN_EMBEDDERS} for a new collection. */
export function newEmbedder(name: OwnEmbedder): Embedder {
	switch (name) {
		case "hashed-ngrams":
			return hashedNgrams();
	}
}

/** `without an embedder`, `with the embedder hashed-ngrams (v1)` */
export function madeWith(stored: EmbedderIdentity | null): string {
	return stored === null ? "without an embedder" : `with the embedder ${stored.name} (${stored.model})`;
}

/**
 * The collection with the embedder that it was made with.
 *
 * @throws NighError `UNSUPPORTED` where that is not one of {@link OWN_EMBEDDERS}, or there is none.
 */
export async function withOwnEmbedder(collection: Collection, database: Database): Promise<Collection> {
	const { embedder: stored } = (await collection.stats()).effective;
	const embedder = ownEmbedder(stored);
	if (embedder !== undefined) return database.collection(collection.name, { embedder });
	throw new NighError(
		"UNSUPPORTED",
		`${collection.name} was made ${madeWith(stored)}, and this command embeds texts by ${OWN_EMBEDDERS.join(", ")} only: search by --vector, --vector-file or --id, with --words beside it. nigh import --embedder makes a collection that can be asked in words.`,
		{ field: "TEXT", embedder: stored },
	);
}
