// What a collection is to hold, as a `Map`: the other half of the oracle.

import { parseFilter } from "../filter/parse.ts";
import { predicateOf } from "../filter/predicate.ts";
import { compareIds, type Id } from "../ids.ts";
import type { Metadata } from "../metadata.ts";
import type { RecordInput, RecordPatch, StoredRecord } from "../records.ts";
import type { Vector, VectorInput } from "../vectors.ts";

/** A record with everything it has. */
export interface ModelRecord {
	readonly id: Id;
	readonly vector: Vector;
	readonly metadata?: Metadata;
	readonly text?: string;
	readonly insertedAt: number;
	readonly updatedAt: number;
	readonly expiresAt?: number;
}

/** A model of one collection at the time of a clock. */
export class Model {
	readonly #records = new Map<Id, ModelRecord>();
	readonly #clock: { readonly now: number };

	constructor(clock: { readonly now: number }) {
		this.#clock = clock;
	}

	/** Each record must have a vector. */
	upsert(records: readonly RecordInput[]): void {
		const { now } = this.#clock;
		for (const { vector, ...rest } of records) {
			const insertedAt = this.get(rest.id)?.insertedAt ?? now;
			this.#records.set(rest.id, { ...rest, vector: stored(vector), insertedAt, updatedAt: now });
		}
	}

	/** Each patch must be of a record that is there. */
	update(patches: readonly RecordPatch[]): void {
		for (const { vector, ...rest } of patches) {
			const merged = {
				...(this.get(rest.id) as ModelRecord),
				...rest,
				...(vector !== undefined && { vector: stored(vector) }),
				updatedAt: this.#clock.now,
			};
			const present = Object.entries(merged).filter(([, value]) => value !== null && value !== undefined);
			this.#records.set(rest.id, Object.fromEntries(present) as unknown as ModelRecord);
		}
	}

	delete(ids: readonly Id[]): void {
		for (const id of ids) this.#records.delete(id);
	}

	get(id: Id): ModelRecord | undefined {
		const record = this.#records.get(id);
		return record === undefined || this.#isExpired(record) ? undefined : record;
	}

	/** What is there and matches, in the order of `scan`. */
	list(filter: object = {}): ModelRecord[] {
		const matches = predicateOf(parseFilter(filter));
		const there = [...this.#records.values()].filter((record) => !this.#isExpired(record) && matches(record.metadata));
		return there.sort((a, b) => compareIds(a.id, b.id));
	}

	#isExpired({ expiresAt }: ModelRecord): boolean {
		return expiresAt !== undefined && expiresAt <= this.#clock.now;
	}
}

/** A copy of the vector as a back end keeps it. */
export function stored(vector: VectorInput | undefined): Vector {
	if (vector === undefined) throw new Error("The model does not embed: give it the vector.");
	return vector instanceof Uint8Array ? Uint8Array.from(vector) : Float32Array.from(vector);
}

/** A record so that assertion libraries compare it well, and without what is only there to say "absent". */
export function plain(record: StoredRecord | ModelRecord | undefined): Readonly<Record<string, unknown>> | undefined {
	if (record === undefined) return undefined;
	const { id, vector, metadata, text, insertedAt, updatedAt, expiresAt } = record;
	return {
		id,
		...(vector !== undefined && { vector: Array.from(vector), bits: vector instanceof Uint8Array }),
		...(metadata !== undefined && { metadata: JSON.parse(JSON.stringify(metadata)) }),
		...(text !== undefined && { text }),
		insertedAt,
		updatedAt,
		...(expiresAt !== undefined && { expiresAt }),
	};
}

/** Everything that a scan gives, in its order. */
export async function collect<T>(scan: AsyncIterable<T>): Promise<T[]> {
	const all: T[] = [];
	for await (const each of scan) all.push(each);
	return all;
}
