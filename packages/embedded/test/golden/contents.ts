// What is in the golden folder: a few collections, and how they came to be as they are. It never changes, as the folder does not.
import type { Collection, CollectionSpec, RecordInput, RecordPatch } from "@nigh/contract";
import { createRandom, Model, type Space } from "@nigh/contract/suite";

/** The clock of the first change, in ms since 1970; each later one comes a second after the one before. */
const START = 1_800_000_000_000;
/** Beyond any day on which the folder will be opened. */
const NEVER = 8_000_000_000_000;

type Change =
	| { readonly upsert: readonly RecordInput[] }
	| { readonly update: readonly RecordPatch[] }
	| { readonly delete: readonly string[] };

export interface Content {
	readonly spec: CollectionSpec;
	readonly space: Space;
	/** What the snapshot has, and what came after it. */
	readonly saved: readonly Change[];
	readonly later: readonly Change[];
}

const FLOATS = 8;
const BITS = 64;

function floats(seed: number): Float32Array {
	const random = createRandom(seed);
	return Float32Array.from({ length: FLOATS }, () => random.below(200) - 100);
}

function bits(seed: number): Uint8Array {
	const random = createRandom(seed);
	return Uint8Array.from({ length: BITS / 8 }, () => random.below(256));
}

/** Records of all fields; `version` gives them other vectors and metadata. */
function notes(from: number, to: number, version = 0): RecordInput[] {
	return Array.from({ length: to - from }, (_, i) => {
		const n = from + i;
		return {
			id: n % 10 === 0 ? `Nötiz ${n}` : `note-${n}`,
			vector: floats(n + 10_000 * version),
			metadata: { group: n % 5, version, tags: ["gold", n % 2 === 0 ? "even" : "odd"] },
			...(n % 3 !== 0 && { text: `note number ${n} of group${n % 5}` }),
			...(n % 7 === 0 && { expiresAt: NEVER }),
		};
	});
}

function idsOf(records: readonly RecordInput[]): string[] {
	return records.map(({ id }) => id);
}

export const CONTENTS: Readonly<Record<string, Content>> = {
	graph: {
		spec: {
			dimensions: FLOATS,
			metric: "l2",
			index: { kind: "hnsw", M: 8, efConstruction: 60 },
			filterable: ["group"],
			maxRecords: 10_000,
		},
		space: { metric: "l2", dimensions: FLOATS },
		saved: [
			{ upsert: notes(0, 500) },
			{ upsert: notes(40, 100, 1) },
			{ delete: idsOf(notes(100, 140)) },
			{ update: idsOf(notes(200, 230)).map((id) => ({ id, metadata: { group: 9 }, text: null })) },
		],
		later: [
			{ upsert: [...notes(500, 525), ...notes(300, 305, 2)] },
			{ delete: idsOf(notes(0, 10)) },
			{ update: idsOf(notes(400, 405)).map((id, i) => ({ id, vector: floats(777 + i), text: "changed later" })) },
		],
	},
	flat: {
		spec: { dimensions: FLOATS, metric: "cosine", index: { kind: "flat" } },
		space: { metric: "cosine", dimensions: FLOATS },
		saved: [{ upsert: notes(0, 120) }],
		later: [{ delete: idsOf(notes(5, 15)) }, { upsert: notes(60, 70, 1) }],
	},
	bits: {
		spec: { dimensions: BITS, type: "bit" },
		space: { metric: "hamming", dimensions: BITS },
		saved: [{ upsert: Array.from({ length: 150 }, (_, n) => ({ id: `bits-${n}`, vector: bits(n) })) }],
		later: [{ upsert: [{ id: "bits-3", vector: bits(900), metadata: { again: true } }] }],
	},
	empty: { spec: {}, space: { metric: "cosine", dimensions: 1 }, saved: [], later: [] },
};

/** The clock of the database while the folder is made and when it is looked at. */
export const CLOCK = { now: START };

/** Makes the changes, in the collection or the model. */
export async function apply(target: Collection | Model, changes: readonly Change[]): Promise<void> {
	for (const change of changes) {
		CLOCK.now += 1_000;
		if ("upsert" in change) await target.upsert(change.upsert);
		else if ("update" in change) await target.update(change.update);
		else await target.delete(change.delete);
	}
}

/** What the collections have to hold. */
export async function modelsOf(): Promise<ReadonlyMap<string, Model>> {
	CLOCK.now = START;
	const models = new Map(Object.keys(CONTENTS).map((name) => [name, new Model(CLOCK)]));
	for (const part of ["saved", "later"] as const) {
		for (const [name, model] of models) await apply(model, (CONTENTS[name] as Content)[part]);
	}
	return models;
}

export function queryOf(space: Space, i: number): Float32Array | Uint8Array {
	return space.metric === "hamming" ? bits(50_000 + i) : floats(50_000 + i);
}
