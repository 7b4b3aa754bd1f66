import assert from "node:assert/strict";
import { type Collection, type CollectionSpec, isNighError, type RecordInput, type RecordPatch } from "@nigh/contract";
import { collect, Model } from "@nigh/contract/suite";
import { checkHybrid, checkRead, checkSearch, idOf } from "./look.ts";
import type { Field, Row, Step } from "./steps.ts";

/** A collection and what it is to hold. */
export class Run {
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
				return checkSearch(this, step);
			case "search words":
				return checkHybrid(this, step);
			case "read":
				return checkRead(this, step);
			default:
				return void (await collection[step.verb]());
		}
	}

	async #upsert(records: readonly RecordInput[]): Promise<void> {
		const { collection, model, spec } = this;
		const { maxRecords = Number.POSITIVE_INFINITY, prunePolicy } = spec;
		const written = new Set(records.map(({ id }) => id));
		const inserted = [...written].filter((id) => model.get(id) === undefined).length;
		// The oldest make room, up to a batch that is itself too large.
		const isTooMany =
			prunePolicy === "oldest"
				? written.size > maxRecords
				: inserted > 0 && model.list().length + inserted > maxRecords;
		try {
			await collection.upsert(records);
		} catch (error) {
			assert.ok(isNighError(error, "COLLECTION_FULL"), `upsert failed: ${error}`);
			assert.ok(isTooMany, `refused, though there is room for ${inserted} more`);
			return;
		}
		assert.ok(!isTooMany, `taken, though there is no room for ${inserted} more`);
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

function bulk(first: number, count: number): RecordInput[] {
	return Array.from({ length: count }, (_, i) => {
		const n = first + i;
		return { id: idOf(n), vector: [n % 7, n % 11, n % 13], metadata: { group: n % 4 } };
	});
}
