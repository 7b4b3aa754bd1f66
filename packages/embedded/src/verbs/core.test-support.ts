import type { CollectionSpec, Embedder } from "@nigh/contract";
import { CollectionCore, type DatabaseCore } from "../core.ts";
import { specOf } from "../spec.ts";

/** A collection as its verbs see it, without threads: for what happens before one is asked. */
export async function coreOf(given: CollectionSpec = {}): Promise<CollectionCore> {
	const spec = await specOf(given, undefined);
	const database = { settings: { now: () => 1_000 }, threads: {} } as unknown as DatabaseCore;
	return new CollectionCore(database, { key: 1, name: "notes", spec, change: 0 }, given.embedder);
}

/** An embedder of two dimensions: the length of a text, and how often it was asked. Keeps what it was asked for. */
export function countingEmbedder(embed?: Embedder["embed"]): Embedder & { readonly asked: string[][] } {
	const asked: string[][] = [];
	return {
		asked,
		identity: async () => ({ name: "counting", model: "1", dimensions: 2 }),
		async embed(texts, options) {
			asked.push([...texts]);
			return embed === undefined ? texts.map((text) => Float32Array.of(text.length, 1)) : embed(texts, options);
		},
	};
}

/** Something that no object can be read of. */
export function throwing(property: string): object {
	return Object.defineProperty({}, property, {
		enumerable: true,
		get: () => {
			throw new TypeError("not today");
		},
	});
}
