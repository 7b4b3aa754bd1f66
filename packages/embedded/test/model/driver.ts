import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import {
	type Collection,
	type CollectionSpec,
	type Database,
	type Filter,
	isNighError,
	type RecordInput,
	type RecordPatch,
} from "@nigh/contract";
import { checkApproximateAnswer, checkExactAnswer, collect, Model, plain, rank } from "@nigh/contract/suite";
import { openFolder } from "@nigh/embedded";
import { DIMENSIONS, type Field, type Kind, type Row, type Step } from "./steps.ts";

const EVERYTHING = { vector: true, metadata: true, text: true } as const;

/** One database that the plans of a test run on, each with a collection of its own. */
export class Driver {
	readonly #folder: string;
	readonly #clock = { now: 1_000_000 };
	#database: Database | undefined;
	#plans = 0;
	/** Steps that were taken. */
	steps = 0;

	constructor(folder: string) {
		this.#folder = folder;
	}

	/** Takes the steps one after the other and compares the collection with the model all along. */
	async run(kind: Kind, steps: readonly Step[]): Promise<void> {
		const name = `plan-${++this.#plans}`;
		const { index, metric, maxRecords, prunePolicy } = kind;
		const spec: CollectionSpec = {
			dimensions: DIMENSIONS,
			metric,
			index: index === "hnsw" ? { kind: index, M: 4, efConstruction: 20 } : { kind: index },
			...(maxRecords !== null && { maxRecords, prunePolicy }),
		};
		try {
			const database = await this.#open();
			const run = new Run(await database.collection(name, spec), spec, this.#clock);
			for (const step of steps) {
				await this.#take(run, step);
				this.steps++;
			}
			await run.compare();
		} finally {
			await (await this.#open()).drop(name);
		}
	}

	async close(): Promise<void> {
		await this.#database?.close();
		this.#database = undefined;
	}

	async #open(): Promise<Database> {
		// What the disk itself does is for the kill test.
		const options = { threads: 1, pruneEveryMs: 0, durability: "normal", now: () => this.#clock.now } as const;
		this.#database ??= await openFolder(join(this.#folder, "data"), options);
		return this.#database;
	}

	async #take(run: Run, step: Step): Promise<void> {
		const { name } = run.collection;
		switch (step.verb) {
			case "reopen":
				await run.collection.close();
				run.collection = await (await this.#open()).collection(name);
				return;
			case "restart":
				await this.close();
				run.collection = await (await this.#open()).collection(name);
				return run.compare();
			case "drop":
				assert.equal(await (await this.#open()).drop(name), true);
				run.collection = await (await this.#open()).collection(name, run.spec);
				run.model = new Model(this.#clock);
				return;
			case "back up":
				return this.#backUp(run);
			default:
				return run.take(step);
		}
	}

	async #backUp(run: Run): Promise<void> {
		const database = await this.#open();
		const place = join(this.#folder, "backup");
		const { name } = run.collection;
		await database.backup(place);
		await database.drop(name);
		await database.restore(place, { overwrite: true });
		rmSync(place, { recursive: true });
		run.collection = await database.collection(name);
		await run.compare();
	}
}

/** A collection and what it is to hold. */
class Run {
	collection: Collection;
	model: Model;
	readonly spec: CollectionSpec;
	readonly #clock: { now: number };

	constructor(collection: Collection, spec: CollectionSpec, clock: { now: number }) {
		this.collection = collection;
		this.spec = spec;
		this.#clock = clock;
		this.model = new Model(clock);
	}

	async take(step: Exclude<Step, { verb: "reopen" | "restart" | "drop" | "back up" }>): Promise<void> {
		const { collection, model } = this;
		switch (step.verb) {
			case "upsert":
				return this.#upsert(step.rows.map((row) => this.#record(row)));
			case "bulk":
				return this.#upsert(bulk(step.first, step.count));
			case "update":
				return this.#update(step.rows, step.fields);
			case "delete": {
				const ids = [...new Set(step.ids.map(idOf))];
				const { deleted } = await collection.delete(ids);
				assert.equal(deleted, ids.filter((id) => model.get(id) !== undefined).length, "deleted");
				return model.delete(ids);
			}
			case "delete matches": {
				const ids = model.list(step.filter).map(({ id }) => id);
				assert.equal((await collection.delete({ filter: step.filter })).deleted, ids.length, "deleted by the filter");
				return model.delete(ids);
			}
			case "prune":
				return this.#prune(step);
			case "wait":
				this.#clock.now += step.ms;
				return;
			case "convert":
				return void (await collection.convert({ kind: step.kind }));
			case "search":
				return this.#search(step);
			case "read":
				return this.#read(step);
			default:
				return void (await collection[step.verb]());
		}
	}

	/** Everything there is, by every way to it. */
	async compare(): Promise<void> {
		const { collection, model } = this;
		const expected = model.list();
		const found = await collect(collection.scan({ include: EVERYTHING }));
		assert.deepEqual(found.map(plain), expected.map(plain), "scan");
		assert.equal(await collection.count(), expected.length, "count");
		await this.#search({ vector: [1, 0, -1], k: 10_000, filter: null });
	}

	async #upsert(records: readonly RecordInput[]): Promise<void> {
		const { collection, model, spec } = this;
		const { maxRecords = Number.POSITIVE_INFINITY, prunePolicy } = spec;
		const inserted = new Set(records.map(({ id }) => id).filter((id) => model.get(id) === undefined)).size;
		const isTooMany = inserted > 0 && model.list().length + inserted > maxRecords;
		try {
			await collection.upsert(records);
		} catch (error) {
			assert.ok(isNighError(error, "COLLECTION_FULL"), `upsert failed: ${error}`);
			assert.ok(isTooMany, `refused, though there is room for ${inserted} more`);
			// What there is can make room, up to a batch that is itself too large.
			assert.ok(prunePolicy === "expired" || records.length > maxRecords, "refused, though the oldest could go");
			return;
		}
		assert.ok(!isTooMany || prunePolicy === "oldest", `taken, though there is no room for ${inserted} more`);
		model.upsert(records);
		if (prunePolicy === "oldest") await this.#followPruning();
	}

	/** What went because the collection was nearly full went by age. */
	async #followPruning(): Promise<void> {
		const { collection, model } = this;
		const kept = new Set((await collect(collection.scan())).map(({ id }) => id));
		const gone = model.list().filter(({ id }) => !kept.has(id));
		const youngest = Math.max(...gone.map(({ updatedAt }) => updatedAt));
		model.delete(gone.map(({ id }) => id));
		for (const { id, updatedAt } of model.list()) {
			assert.ok(updatedAt >= youngest, `${id} was kept and a record that was updated later went`);
		}
	}

	async #update(rows: readonly Row[], fields: readonly Field[]): Promise<void> {
		const { collection, model } = this;
		const patches = rows.map((row) => this.#patch(row, fields));
		const missing = patches.findIndex(({ id }) => model.get(id) === undefined);
		if (missing < 0) {
			await collection.update(patches);
			return model.update(patches);
		}
		await assert.rejects(collection.update(patches), (error) => isNighError(error, "NOT_FOUND"));
		const { succeeded } = await collection.update(patches, { partial: true });
		const there = patches.filter(({ id }) => model.get(id) !== undefined);
		assert.equal(succeeded, there.length, "patches that succeeded");
		model.update(there);
	}

	async #prune({ maxAgeMs, maxRecords, filter }: Extract<Step, { verb: "prune" }>): Promise<void> {
		const { collection, model } = this;
		const limits = { ...(maxAgeMs !== null && { maxAgeMs }), ...(maxRecords !== null && { maxRecords }) };
		const among = model.list(filter);
		const oldest = [...among].sort((a, b) => a.updatedAt - b.updatedAt);
		const tooOld = oldest.filter(({ updatedAt }) => maxAgeMs !== null && this.#clock.now - updatedAt > maxAgeMs);
		const tooMany = maxRecords === null ? 0 : Math.max(0, among.length - tooOld.length - maxRecords);
		const report = await collection.prune({ ...limits, filter });
		assert.deepEqual([report.tooOld, report.tooMany], [tooOld.length, tooMany], "tooOld, tooMany");
		const kept = new Set((await collect(collection.scan())).map(({ id }) => id));
		const gone = among.filter(({ id }) => !kept.has(id));
		assert.equal(gone.length, tooOld.length + tooMany, "records that went");
		// Which of several of the same age go is open.
		const lastAge = oldest[gone.length - 1]?.updatedAt ?? Number.NEGATIVE_INFINITY;
		assert.ok(
			gone.every(({ updatedAt }) => updatedAt <= lastAge),
			"those that went are the longest not updated",
		);
		model.delete(gone.map(({ id }) => id));
	}

	async #search({ vector, k, filter }: { vector: readonly number[]; k: number; filter: Filter | null }): Promise<void> {
		const { collection, model, spec } = this;
		const space = { metric: spec.metric ?? "cosine", dimensions: DIMENSIONS };
		const ranked = rank(model.list(filter ?? {}), vector, space);
		const request = { vector: [...vector], k, ...(filter !== null && { filter }) };
		const expected = { ranked, k, space };
		checkExactAnswer({ assert }, await collection.search({ ...request, exact: true }), {
			...expected,
			note: `exact, ${JSON.stringify(filter)}`,
		});
		checkApproximateAnswer({ assert }, await collection.search(request), {
			...expected,
			note: `approximate, ${JSON.stringify(filter)}`,
		});
	}

	async #read({ ids, after, limit, filter }: Extract<Step, { verb: "read" }>): Promise<void> {
		const { collection, model } = this;
		const asked = ids.map(idOf);
		const found = await collection.get(asked, { include: EVERYTHING });
		assert.deepEqual(
			found.map(plain),
			asked.map((id) => plain(model.get(id))),
			"get",
		);
		assert.equal(await collection.count({ filter }), model.list(filter).length, "count of matches");
		const page = await collect(collection.scan({ filter, after: idOf(after), limit, include: EVERYTHING }));
		const behind = model.list(filter).filter(({ id }) => id > idOf(after));
		assert.deepEqual(page.map(plain), behind.slice(0, limit).map(plain), "scan of matches");
	}

	#record({ id, vector, group, text, expiresIn }: Row): RecordInput {
		return {
			id: idOf(id),
			vector: [...vector],
			...(group !== null && { metadata: { group } }),
			...(text !== null && { text }),
			...(expiresIn !== null && { expiresAt: this.#clock.now + expiresIn }),
		};
	}

	#patch({ id, vector, group, text, expiresIn }: Row, fields: readonly Field[]): RecordPatch {
		return {
			id: idOf(id),
			...(fields.includes("vector") && { vector: [...vector] }),
			...(fields.includes("metadata") && { metadata: group === null ? null : { group } }),
			...(fields.includes("text") && { text }),
			...(fields.includes("expiresAt") && { expiresAt: expiresIn === null ? null : this.#clock.now + expiresIn }),
		};
	}
}

/** All of the same length, so that their order as text is that of the numbers. */
function idOf(id: number): string {
	return `id-${String(id).padStart(5, "0")}`;
}

function bulk(first: number, count: number): RecordInput[] {
	return Array.from({ length: count }, (_, i) => {
		const n = first + i;
		return { id: idOf(n), vector: [n % 7, n % 11, n % 13], metadata: { group: n % 4 } };
	});
}
