import assert from "node:assert/strict";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Collection, Database, RecordInput, SearchRequest } from "@nigh/contract";
import { type OpenOptions, openFolder } from "@nigh/embedded";

export const DIMENSIONS = 16;

/** What a collection is to hold: ids and their vectors. */
export type Model = Map<string, Float32Array>;

/** A folder, and what opens databases in it. */
export interface Place {
	readonly folder: string;
	open(name: string, options?: OpenOptions): Promise<Database>;
	/** Closes the databases and deletes the folder. */
	remove(): Promise<void>;
}

/** One that is gone after the test. */
export function testPlace(t: TestContext): Place {
	const place = makePlace();
	t.after(() => place.remove());
	return place;
}

export function makePlace(): Place {
	const folder = realpathSync(mkdtempSync(join(tmpdir(), "nigh it's a test ")));
	const opened: Database[] = [];
	return {
		folder,
		async remove() {
			for (const database of opened) await database.close();
			rmSync(folder, { recursive: true, force: true });
		},
		async open(name, options = {}) {
			const database = await openFolder(join(folder, name), { threads: 1, ...options });
			opened.push(database);
			return database;
		},
	};
}

/** The vector number `n`: whole numbers, so that squared distances are exact in every arithmetic. */
export function vectorOf(n: number): Float32Array {
	let state = (n + 1) * 0x9e3779b1;
	return Float32Array.from({ length: DIMENSIONS }, () => {
		// Marsaglia's xorshift32.
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		return (state >>> 8) % 1_000;
	});
}

/** The records from `from` to below `to`; `version` gives them other vectors. */
export function points(from: number, to: number, version = 0): RecordInput[] {
	return Array.from({ length: to - from }, (_, i) => {
		const n = from + i;
		return { id: `p${n}`, vector: vectorOf(n + version * 1_000_003), metadata: { n }, text: `point number ${n}` };
	});
}

export function put(model: Model, records: readonly RecordInput[]): void {
	for (const { id, vector } of records) model.set(id, vector as Float32Array);
}

/** The distances of the k nearest, computed one by one. */
function nearest(model: Model, query: Float32Array, k: number): number[] {
	const distances = Array.from(model.values(), (vector) =>
		Math.sqrt(vector.reduce((sum, value, i) => sum + (value - (query[i] as number)) ** 2, 0)),
	);
	return distances.sort((a, b) => a - b).slice(0, k);
}

/**
 * Compares answers with the model, hit by hit: each is there, its distance is right, and there is none nearer. Returns how many of the
 * searches were answered exactly; with `exact: true` all have to be.
 */
export async function checkAnswers(
	collection: Collection,
	model: Model,
	options: Pick<SearchRequest, "exact"> = {},
): Promise<number> {
	let exact = 0;
	for (let n = 0; n < 8; n++) {
		const vector = vectorOf(-1 - n);
		const { hits, recall } = await collection.search({ vector, k: 10, ...options });
		assert.equal(hits.length, Math.min(10, model.size));
		for (const { id, distance } of hits) {
			const own = model.get(id);
			assert.ok(own !== undefined, `${id} is not there any more`);
			assert.ok(Math.abs(distance - (nearest(new Map([[id, own]]), vector, 1)[0] as number)) <= 1e-4 * distance);
		}
		if (recall.state !== "exact") continue;
		exact++;
		const found = hits.map(({ distance }) => Math.fround(distance));
		assert.deepEqual(found, nearest(model, vector, 10).map(Math.fround));
	}
	if (options.exact) assert.equal(exact, 8);
	return exact;
}

/** Every record that is there, and no other. */
export async function checkRecords(collection: Collection, model: Model): Promise<void> {
	const found = new Map<string, Float32Array>();
	for await (const { id, vector } of collection.scan({ include: { vector: true, metadata: false } })) {
		found.set(id, vector as Float32Array);
	}
	const byId = (records: Model) => [...records].sort(([a], [b]) => (a < b ? -1 : 1));
	assert.deepEqual(byId(found), byId(model));
	assert.equal(await collection.count(), model.size);
}

/** Waits until the background work has come to where it is to come, bounded by the number of looks. */
export async function until(isThere: () => Promise<boolean>, what: string): Promise<void> {
	for (let look = 0; look < 20_000; look++) {
		if (await isThere()) return;
		await new Promise((resolve) => setTimeout(resolve, 1));
	}
	assert.fail(`it did not come to this: ${what}`);
}
