import { createReadStream, statSync } from "node:fs";
import {
	type Collection,
	type Database,
	isNighError,
	NighError,
	type SearchRequest,
	type SearchResult,
	type VectorInput,
	type VectorType,
} from "@nigh/contract";
import { readVectors, type VectorBatch } from "@nigh/formats";
import { withOwnEmbedder } from "../database/own-embedder.ts";
import type { Query, SearchSettings } from "./settings.ts";

/** The answers to what the command line asks, in the order of the queries. */
export async function* answers(
	collection: Collection,
	database: Database,
	{ query, request }: SearchSettings,
): AsyncGenerator<SearchResult, void> {
	const { type } = (await collection.stats()).effective;
	switch (query.kind) {
		case "id":
			return yield await collection.search({ ...request, id: query.id });
		case "text":
			return yield await (await withOwnEmbedder(collection, database)).search({ ...request, embed: query.text });
		case "vector":
			return yield await collection.search({ ...request, vector: vectorFor(type, query.vector) });
		case "file":
			return yield* answersToFile(collection, type, query, request);
	}
}

async function* answersToFile(
	collection: Collection,
	type: VectorType,
	{ path, format }: Extract<Query, { kind: "file" }>,
	request: SearchRequest,
): AsyncGenerator<SearchResult, void> {
	if (statSync(path, { throwIfNoEntry: false }) === undefined) {
		throw new NighError("NOT_FOUND", `--vector-file: there is no file ${path}.`, { field: "--vector-file", path });
	}
	const batches = readVectors(format, createReadStream(path)) as AsyncIterable<VectorBatch>;
	let vectors = 0;
	try {
		for await (const { count, dimensions, values } of batches) {
			vectors += count;
			for (let row = 0; row < count; row++) {
				const vector = vectorFor(type, values.subarray(row * dimensions, (row + 1) * dimensions));
				yield await collection.search({ ...request, vector });
			}
		}
	} catch (error) {
		if (!isNighError(error)) throw error;
		throw new NighError(error.code, `${path}: ${error.message}`, { ...error.details, path }, { cause: error });
	}
	if (vectors > 0) return;
	throw new NighError("INVALID_FILE", `--vector-file: ${path} holds no vectors.`, { field: "--vector-file", path });
}

/** Bits come as bytes; what are no bytes is told by the collection. */
export function vectorFor(type: VectorType, numbers: ArrayLike<number>): VectorInput {
	if (type === "float") return numbers instanceof Float32Array ? numbers : Array.from(numbers);
	const bytes = Uint8Array.from(numbers);
	return bytes.every((byte, at) => byte === numbers[at]) ? bytes : Array.from(numbers);
}
