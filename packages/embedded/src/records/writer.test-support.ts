import type { DatabaseSync } from "node:sqlite";
import { type PackedRows, packRows, type Rows, unpackRows } from "./packed-rows.ts";
import type { Prunable, PruneLimits } from "./prune.ts";
import { tablesOf } from "./schema.ts";
import type { WriteMoment } from "./upsert.ts";

/** The words that texts of the model are made of. */
export const WORDS = ["red", "green", "blue"] as const;

/** A record or a patch of the model. */
export interface ModelRow {
	readonly id: string;
	readonly metadata?: string | null | undefined;
	readonly text?: string | null | undefined;
	readonly expiresAt?: number | null | undefined;
	readonly vector?: Uint8Array | undefined;
}

interface ModelRecord {
	label: number;
	metadata: string | null;
	text: string | null;
	expiresAt: number | null;
	vector: Uint8Array;
	insertedAt: number;
	updatedAt: number;
	born: number;
	change: number;
}

export function pack(rows: readonly ModelRow[]): PackedRows {
	return packRows(
		rows.map((row) => ({ metadata: undefined, text: undefined, expiresAt: undefined, vector: undefined, ...row })),
	);
}

/** The rows as a {@link RecordWriter} takes them. */
export function columns(rows: readonly ModelRow[]): Rows {
	return unpackRows(pack(rows));
}

/** What a collection has to hold: a `Map` and the rules of the contract. */
export class Model {
	change = 0;
	nextLabel = 0;
	readonly records = new Map<string, ModelRecord>();
	/** The change that took a label away. */
	readonly tombstones = new Map<number, number>();

	clone(): Model {
		const copy = new Model();
		copy.change = this.change;
		copy.nextLabel = this.nextLabel;
		for (const [id, record] of this.records) copy.records.set(id, { ...record });
		for (const [label, change] of this.tombstones) copy.tombstones.set(label, change);
		return copy;
	}

	upsert(rows: readonly ModelRow[], { change, now }: WriteMoment) {
		const firstLabel = this.nextLabel;
		const died: number[] = [];
		for (const { id, metadata = null, text = null, expiresAt = null, vector } of rows) {
			const old = this.records.get(id);
			if (old !== undefined) died.push(this.#bury(old.label, change));
			const stamps = { insertedAt: old?.insertedAt ?? now, updatedAt: now, born: change, change };
			const label = this.nextLabel++;
			this.records.set(id, { label, metadata, text, expiresAt, vector: vector as Uint8Array, ...stamps });
		}
		this.change = change;
		return { firstLabel, died, inserted: rows.length - died.length };
	}

	update(rows: readonly ModelRow[], { change, now }: WriteMoment) {
		const firstLabel = this.nextLabel;
		const missing = [...rows.keys()].filter((row) => !this.records.has((rows[row] as ModelRow).id));
		if (missing.length > 0)
			return { missing, firstLabel, moved: [], movedExpiresAt: [], died: [], touched: [], touchedExpiresAt: [] };
		const ids = [...new Set(rows.map(({ id }) => id))];
		const died: number[] = [];
		for (const { id, ...given } of rows) {
			const record = this.records.get(id) as ModelRecord;
			if (given.metadata !== undefined) record.metadata = given.metadata;
			if (given.text !== undefined) record.text = given.text;
			if (given.expiresAt !== undefined) record.expiresAt = given.expiresAt;
			record.updatedAt = now;
			record.change = change;
			if (given.vector === undefined) continue;
			record.vector = given.vector;
			if (record.label >= firstLabel) continue;
			died.push(this.#bury(record.label, change));
			record.label = this.nextLabel++;
			record.born = change;
		}
		this.change = change;
		const patched = ids.map((id) => [id, this.records.get(id) as ModelRecord] as const);
		const movers = patched.filter(([, { label }]) => label >= firstLabel).sort(([, a], [, b]) => a.label - b.label);
		const others = patched.filter(([, { label }]) => label < firstLabel);
		return {
			missing,
			firstLabel,
			moved: movers.map(([id]) => rows.findLastIndex((row) => row.id === id && row.vector !== undefined)),
			movedExpiresAt: movers.map(([, { expiresAt }]) => expiresAt ?? Number.NaN),
			died,
			touched: others.map(([, { label }]) => label),
			touchedExpiresAt: others.map(([, { expiresAt }]) => expiresAt ?? Number.NaN),
		};
	}

	deleteIds(ids: readonly string[], change: number): number[] {
		const died: number[] = [];
		for (const id of ids) {
			const record = this.records.get(id);
			if (record === undefined) continue;
			died.push(this.#bury(record.label, change));
			this.records.delete(id);
		}
		this.change = change;
		return died;
	}

	deleteLabels(labels: readonly number[], change: number): number[] {
		const idOf = new Map([...this.records].map(([id, { label }]) => [label, id]));
		return this.deleteIds(
			labels.map((label) => idOf.get(label) ?? "none"),
			change,
		);
	}

	prunable({ now, maxAgeMs, maxRecords, among }: PruneLimits): Prunable {
		const all = [...this.records.values()];
		const hasExpired = ({ expiresAt }: ModelRecord) => expiresAt !== null && expiresAt <= now;
		const expired = all
			.filter(hasExpired)
			.sort((a, b) => Number(a.expiresAt) - Number(b.expiresAt) || a.label - b.label);
		const counted = all
			.filter((record) => !hasExpired(record) && (among === undefined || Array.from(among).includes(record.label)))
			.sort((a, b) => a.updatedAt - b.updatedAt || a.label - b.label);
		const tooOld = counted.filter(({ updatedAt }) => maxAgeMs !== undefined && now - updatedAt > maxAgeMs);
		const rest = counted.slice(tooOld.length);
		const tooMany = rest.slice(0, maxRecords === undefined ? 0 : Math.max(0, rest.length - maxRecords));
		const labels = (records: readonly ModelRecord[]) => records.map(({ label }) => label);
		return { expired: labels(expired), tooOld: labels(tooOld), tooMany: labels(tooMany) };
	}

	giveUpTombstones(throughChange: number): number {
		const gone = [...this.tombstones].filter(([, change]) => change <= throughChange);
		for (const [label] of gone) this.tombstones.delete(label);
		return gone.length;
	}

	/** Everything a collection stores, as {@link stored} reads it. */
	content() {
		const rows = [...this.records].map(([id, record]) => ({ id, ...record })).sort((a, b) => a.label - b.label);
		const { change, nextLabel } = this;
		return {
			counters: { change, nextLabel, records: rows.length },
			records: rows.map(({ vector, ...record }) => record),
			vectors: rows.map(({ label, vector }) => ({ label, vector })),
			tombstones: [...this.tombstones].map(([label, change]) => ({ change, label })).sort((a, b) => a.label - b.label),
			/** Labels in the full-text index: an empty text is not in it. */
			indexed: rows.filter(({ text }) => text !== null && text !== "").map(({ label }) => ({ label })),
			words: WORDS.map((word) => rows.filter(({ text }) => text?.split(" ").includes(word)).map(({ label }) => label)),
		};
	}

	#bury(label: number, change: number): number {
		this.tombstones.set(label, change);
		return label;
	}
}

/** Everything that the tables of a collection hold. */
export function stored(db: DatabaseSync, key: number): ReturnType<Model["content"]> {
	const { records, vectors, tombstones, words } = tablesOf(key);
	const all = (sql: string) =>
		db
			.prepare(sql)
			.all()
			.map((row) => ({ ...row })) as never[];
	const found = db.prepare(`SELECT rowid AS label FROM ${words} WHERE ${words} MATCH ? ORDER BY rowid`);
	const [counters] = all(`SELECT change, next_label AS nextLabel, records FROM collections WHERE key = ${key}`);
	return {
		counters: counters as never,
		records: all(`SELECT id, label, metadata, text, expires_at AS expiresAt, inserted_at AS insertedAt,
			updated_at AS updatedAt, born, change FROM ${records} ORDER BY label`),
		vectors: all(`SELECT label, vector FROM ${vectors} ORDER BY label`),
		tombstones: all(`SELECT change, label FROM ${tombstones} ORDER BY label`),
		indexed: all(`SELECT id AS label FROM ${words}_docsize ORDER BY id`),
		words: WORDS.map((word) => found.all(word).map(({ label }) => label as number)),
	};
}
