import assert from "node:assert/strict";
import type { Collection, Database, StoredRecord } from "@nigh/contract";
import {
	checkApproximateAnswer,
	checkExactAnswer,
	collect,
	type Model,
	type ModelRecord,
	rank,
} from "@nigh/contract/suite";
import { type CollectionName, SPECS } from "./calls.ts";
import type { History, Lane } from "./history.ts";
import { DIMENSIONS, GROUPS, vectorFor, wordFor } from "./records.ts";

const EVERYTHING = { vector: true, metadata: true, text: true } as const;
/** Records that are looked for by their own vectors, of each collection. */
const LOOKED_FOR = 250;
const K = 12;

/**
 * Checks a database that was opened again: everything that was acknowledged is there, nothing is that was not issued, calls that were under
 * way are there whole or not at all and in order, and the index says what the records say. Settles the history at what is there.
 *
 * @returns How many records were compared.
 */
export async function checkDatabase(database: Database, history: History): Promise<number> {
	let records = 0;
	const names = new Set(await database.collections());
	for (const lane of Object.values(history.lanes)) {
		const collection = names.delete(lane.name) ? await database.collection(lane.name) : undefined;
		const found = collection && (await collect(collection.scan({ include: EVERYTHING })));
		matchRecords(lane, found);
		if (collection === undefined) continue;
		records += found?.length ?? 0;
		await checkIndex(collection, lane.model as Model, lane.name);
	}
	assert.deepEqual([...names], [], "collections that nobody made");
	const { ok, problems } = await database.verify();
	assert.ok(ok, `verify: ${problems.map(({ message }) => message).join("; ")}`);
	history.settle();
	return records;
}

/** Finds the state among those that may be there. */
function matchRecords(lane: Lane, found: readonly StoredRecord[] | undefined): void {
	const { acknowledged } = lane;
	while (lane.settled < acknowledged) lane.advance();
	const first = differenceOf(lane.model, found);
	if (first === undefined) return;
	const last = lane.issued;
	while (lane.settled < last) {
		lane.advance();
		if (differenceOf(lane.model, found) === undefined) return;
	}
	assert.fail(
		`${lane.name}: the records are of no state between call ${acknowledged}, the last acknowledged, and ${last}, the last issued. Against ${acknowledged}: ${first}; against ${last}: ${differenceOf(lane.model, found)}`,
	);
}

/** What tells the records from a model's, `undefined` where they are the same. */
function differenceOf(model: Model | undefined, found: readonly StoredRecord[] | undefined): string | undefined {
	if (model === undefined || found === undefined) {
		return (model === undefined) === (found === undefined)
			? undefined
			: `the collection is ${found === undefined ? "not " : ""}there`;
	}
	const expected = model.list();
	for (let i = 0; i < Math.max(expected.length, found.length); i++) {
		const a = expected[i];
		const b = found[i];
		if (a === undefined || b === undefined || a.id !== b.id) {
			return `${expected.length} records belong there, ${found.length} are; at ${i} belongs ${a?.id}, there is ${b?.id}`;
		}
		const field = fieldThatDiffers(a, b);
		if (field !== undefined) return `${a.id} has the ${field} ${textOf(b[field])}, not ${textOf(a[field])}`;
	}
	return undefined;
}

const FIELDS = ["text", "insertedAt", "updatedAt", "expiresAt"] as const;

function fieldThatDiffers(a: ModelRecord, b: StoredRecord): keyof ModelRecord | undefined {
	if (textOf(a.vector) !== textOf(b.vector)) return "vector";
	if (JSON.stringify(a.metadata) !== JSON.stringify(b.metadata)) return "metadata";
	return FIELDS.find((field) => a[field] !== b[field]);
}

function textOf(value: unknown): string {
	return ArrayBuffer.isView(value) ? (value as Float32Array).join(" ") : JSON.stringify(value);
}

/** Checks that searches, counts and look-ups say the same as the records. */
async function checkIndex(collection: Collection, model: Model, name: CollectionName): Promise<void> {
	const records = model.list();
	assert.equal(await collection.count(), records.length, `${name}: count`);
	assert.equal((await collection.stats()).records, records.length, `${name}: stats().records`);
	const group = records.length % GROUPS;
	const matching = model.list({ group });
	assert.equal(await collection.count({ filter: { group } }), matching.length, `${name}: count of group ${group}`);
	if (records.length === 0) return;
	await findOwn(collection, records, name);
	const space = { metric: SPECS[name].metric, dimensions: DIMENSIONS };
	const vector = vectorFor(name, records.length);
	const ranked = rank(records, vector, space);
	const all = await collection.search({ vector, k: 10_000, exact: true, include: { metadata: false } });
	checkExactAnswer({ assert }, all, { ranked, k: 10_000, space, note: `${name}: every record by nearness` });
	for (const exact of [true, false]) {
		const check = exact ? checkExactAnswer : checkApproximateAnswer;
		const note = `${name}: ${exact ? "exact" : "approximate"}`;
		check({ assert }, await collection.search({ vector, k: K, exact }), { ranked, k: K, space, note });
		check({ assert }, await collection.search({ vector, k: K, exact, filter: { group } }), {
			ranked: rank(matching, vector, space),
			k: K,
			space,
			note: `${note}, of group ${group}`,
		});
	}
}

/** Every record, or some of them, by its own vector and by its words. */
async function findOwn(collection: Collection, records: readonly ModelRecord[], name: CollectionName): Promise<void> {
	const step = Math.max(1, Math.floor(records.length / LOOKED_FOR));
	const some = records.filter((_, i) => i % step === 0);
	const answers = await collection.searchMany(some.map(({ vector }) => ({ vector, k: 1, exact: true })));
	for (const [i, record] of some.entries()) {
		const [hit] = answers[i]?.hits ?? [];
		assert.equal(hit?.id, record.id, `${name}: what is found by the vector of ${record.id}`);
		assert.ok((hit?.distance ?? 1) < 1e-3, `${name}: ${record.id} is ${hit?.distance} from its own vector`);
	}
	for (const { id, text, vector } of some.slice(0, 10)) {
		if (text === undefined) continue;
		const { hits } = await collection.search({ vector, text: wordFor(id), k: 3 });
		assert.ok(
			hits.some((hit) => hit.id === id),
			`${name}: ${id} is found by a word of its own`,
		);
	}
}
