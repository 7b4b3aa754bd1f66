import type { Collection, Database, RecordInput, RecordPatch } from "@nigh/contract";
import { Model } from "@nigh/contract/suite";
import { DIMENSIONS, metadataFor, textFor, vectorFor } from "./records.ts";

/** Collections that are written, with what tells them apart. */
export const SPECS = {
	graph: { dimensions: DIMENSIONS, metric: "l2", index: { kind: "hnsw", M: 6, efConstruction: 40 } },
	auto: { dimensions: DIMENSIONS, metric: "cosine", filterable: ["group"] },
	cells: { dimensions: DIMENSIONS, metric: "l2", index: { kind: "ivfpq" } },
	disk: { dimensions: DIMENSIONS, metric: "l2", index: { kind: "ivfrabitq", storage: "disk" } },
	dropped: { metric: "l2", index: { kind: "hnsw", M: 6, efConstruction: 40 } },
} as const;

export type CollectionName = keyof typeof SPECS;

/** One call that changes a collection, as the log keeps it. */
export type Call =
	| { readonly verb: "create" | "drop" }
	| {
			readonly verb: "upsert";
			readonly ids: readonly string[];
			readonly version: number;
			readonly expiresAt?: number;
	  }
	| { readonly verb: "update metadata" | "update vectors"; readonly ids: readonly string[]; readonly version: number }
	| { readonly verb: "delete"; readonly ids: readonly string[] }
	| { readonly verb: "delete group"; readonly group: number }
	| { readonly verb: "prune"; readonly maxAgeMs: number };

export function recordsOf({ ids, version, expiresAt }: Extract<Call, { verb: "upsert" }>): RecordInput[] {
	return ids.map((id) => {
		const text = textFor(id, version);
		return {
			id,
			vector: vectorFor(id, version),
			metadata: metadataFor(id, version),
			...(text !== undefined && { text }),
			...(expiresAt !== undefined && { expiresAt }),
		};
	});
}

function patchesOf({ verb, ids, version }: Extract<Call, { verb: "update metadata" | "update vectors" }>) {
	return ids.map(
		(id): RecordPatch =>
			verb === "update vectors"
				? { id, vector: vectorFor(id, version) }
				: { id, metadata: metadataFor(id, version), text: textFor(id, version) ?? null },
	);
}

/** Makes the call. */
export async function perform(database: Database, name: CollectionName, call: Call): Promise<void> {
	if (call.verb === "create") return void (await database.collection(name, SPECS[name]));
	if (call.verb === "drop") return void (await database.drop(name));
	const collection: Collection = await database.collection(name);
	switch (call.verb) {
		case "upsert":
			return void (await collection.upsert(recordsOf(call)));
		case "update metadata":
		case "update vectors":
			return void (await collection.update(patchesOf(call)));
		case "delete":
			return void (await collection.delete(call.ids));
		case "delete group":
			return void (await collection.delete({ filter: { group: call.group } }));
		case "prune":
			return void (await collection.prune({ maxAgeMs: call.maxAgeMs }));
	}
}

/** What the call makes of a collection at the clock's time. `undefined`: there is none. */
export function apply(before: Model | undefined, call: Call, clock: { readonly now: number }): Model | undefined {
	if (call.verb === "drop") return undefined;
	const model = before ?? new Model(clock);
	switch (call.verb) {
		case "create":
			break;
		case "upsert":
			model.upsert(recordsOf(call));
			break;
		case "update metadata":
		case "update vectors":
			model.update(patchesOf(call));
			break;
		case "delete":
			model.delete(call.ids);
			break;
		case "delete group":
			model.delete(model.list({ group: call.group }).map(({ id }) => id));
			break;
		case "prune": {
			const isTooOld = ({ updatedAt }: { updatedAt: number }) => clock.now - updatedAt > call.maxAgeMs;
			model.delete(model.list().flatMap((record) => (isTooOld(record) ? [record.id] : [])));
		}
	}
	return model;
}
