import type { EffectiveSettings, MemoryCap } from "../collection-spec.ts";
import type { Embedder } from "../embedder.ts";
import { isNighError, NighError } from "../errors.ts";
import type { HealthReport } from "../health.ts";
import { compareIds } from "../ids.ts";
import type { RowError } from "../records.ts";
import * as check from "./reference-checks.test-support.ts";

export interface Stored {
	effective: EffectiveSettings;
	readonly rows: Map<string, check.Row>;
	change: number;
	searches: number;
	writes: number;
	dropped: boolean;
}

type Drafts = Map<string, check.Row | undefined>;

/** The records of one collection, and how they change. */
export class ReferenceStore {
	readonly #stored: Stored;
	readonly #now: () => number;
	readonly #embedder: Embedder | undefined;

	constructor(stored: Stored, now: () => number, embedder: Embedder | undefined) {
		this.#stored = stored;
		this.#now = now;
		this.#embedder = embedder;
	}

	/** The same as it is now, whatever is written later. */
	held(): ReferenceStore {
		return new ReferenceStore({ ...this.#stored, rows: new Map(this.#stored.rows) }, this.#now, this.#embedder);
	}

	get change(): number {
		return this.#stored.change;
	}

	alive(id: string): check.Row | undefined {
		const row = this.#stored.rows.get(id);
		return row?.expiresAt !== undefined && row.expiresAt <= this.#now() ? undefined : row;
	}

	list(predicate: (metadata: check.Row["metadata"]) => boolean): check.Row[] {
		const alive = [...this.#stored.rows.keys()].map((id) => this.alive(id)).filter((row) => row !== undefined);
		return alive.filter(({ metadata }) => predicate(metadata)).sort((a, b) => compareIds(a.id, b.id));
	}

	async embed(text: string, refusal: NighError): Promise<Float32Array> {
		const [vector] = (await this.#embedder?.embed([text])) ?? [];
		if (vector === undefined) throw refusal;
		return vector;
	}

	async #draft(record: unknown, row: number, drafts: Drafts): Promise<check.Row> {
		const fields = check.checkFields(record, row, false);
		const { id, text, expiresAt, metadata } = fields;
		const bare = new NighError("INVALID_RECORD", `Row ${row} has no vector.`, { field: "vector", row });
		let vector: check.Row["vector"];
		if (fields.vector !== undefined) vector = check.checkAnyVector(fields.vector, this.#stored.effective, row);
		else if (typeof text === "string") vector = await this.embed(text, bare);
		else throw bare;
		const now = this.#now();
		const old = drafts.get(id) ?? this.alive(id);
		const draft: check.Row = { id, vector, insertedAt: old?.insertedAt ?? now, updatedAt: now };
		if (metadata) draft.metadata = metadata;
		if (typeof text === "string") draft.text = text;
		if (typeof expiresAt === "number") draft.expiresAt = expiresAt;
		return draft;
	}

	async #patch(patch: unknown, row: number, drafts: Drafts): Promise<check.Row> {
		const { id, vector, ...fields } = check.checkFields(patch, row, true);
		const old = drafts.get(id) ?? this.alive(id);
		if (old === undefined) throw new NighError("NOT_FOUND", `There is no record ${id} (row ${row}).`, { id, row });
		const draft: check.Row = { ...old, updatedAt: this.#now() };
		if (vector !== undefined) draft.vector = check.checkAnyVector(vector, this.#stored.effective, row);
		else if (typeof fields.text === "string" && this.#embedder !== undefined) {
			draft.vector = await this.embed(fields.text, new NighError("INVALID_RECORD", "No vector came."));
		}
		for (const [field, value] of Object.entries(fields)) {
			if (value === null) delete draft[field as keyof typeof fields];
			else if (value !== undefined) Object.assign(draft, { [field]: value });
		}
		return draft;
	}

	/** Writes all of the rows or none; with `partial` those that can be. */
	async write(rows: readonly unknown[], options: { partial?: boolean } | undefined, kind: "draft" | "patch") {
		const partial = check.checkFlag("partial", options?.partial);
		const list = check.checkList(rows, "records");
		this.#prune();
		const { effective } = this.#stored;
		const drafts: Drafts = new Map();
		const errors: RowError[] = [];
		for (const [row, input] of list.entries()) {
			try {
				const next = await (kind === "draft" ? this.#draft(input, row, drafts) : this.#patch(input, row, drafts));
				this.#checkRoom(next, drafts);
				this.#tellDimensions(next);
				drafts.set(next.id, next);
			} catch (error) {
				if (!partial || !isNighError(error)) {
					this.#stored.effective = effective;
					throw error;
				}
				const { id } = (input ?? {}) as { id?: string };
				errors.push({ row, error, ...(typeof id === "string" && { id }) });
			}
		}
		for (const [id, row] of drafts) this.#stored.rows.set(id, row as check.Row);
		this.#stored.writes++;
		if (drafts.size > 0) this.#stored.change++;
		const failed = errors.length;
		return { succeeded: list.length - failed, failed, errors, changeNumber: this.#stored.change };
	}

	#tellDimensions({ vector }: check.Row): void {
		const { effective } = this.#stored;
		if (effective.dimensions === null) this.#stored.effective = { ...effective, dimensions: vector.length };
	}

	#checkRoom(next: check.Row, drafts: Drafts): void {
		const { maxRecords: limit, memoryLimit, memory } = this.#stored.effective;
		const there = this.list(() => true);
		const count = there.length + [...drafts.keys()].filter((id) => this.alive(id) === undefined).length;
		if (drafts.has(next.id) || this.alive(next.id) !== undefined) return;
		if (count + 1 > limit) {
			throw new NighError("COLLECTION_FULL", `There are ${count} of at most ${limit} records.`, {
				count: there.length,
				limit,
			});
		}
		checkCap(memory, { count, there: there.length }, next.vector.byteLength);
		if (memoryLimit === null || (count + 1) * next.vector.byteLength <= memoryLimit) return;
		throw new NighError("MEMORY_LIMIT", `The vectors need more than ${memoryLimit} bytes.`, { limit: memoryLimit });
	}

	/** What a write prunes by itself. */
	#prune(): void {
		const { maxRecords, pruneAt, warnAt, prunePolicy, maxAgeMs } = this.#stored.effective;
		const now = this.#now();
		const alive = this.list(() => true).sort((a, b) => a.updatedAt - b.updatedAt);
		if (alive.length < pruneAt * maxRecords) return;
		const { rows } = this.#stored;
		const isOld = ({ updatedAt }: check.Row) => maxAgeMs !== null && now - updatedAt > maxAgeMs;
		for (const [i, row] of alive.entries()) {
			const isTooMany = prunePolicy === "oldest" && alive.length - i > warnAt * maxRecords;
			if (isOld(row) || isTooMany) rows.delete(row.id);
		}
	}
}

/** Nothing but the vectors is counted. */
function checkCap(memory: MemoryCap | null, { count, there }: { count: number; there: number }, bytes: number): void {
	if (memory === null) return;
	const limit = Math.floor(memory.maxMB * 2 ** 20);
	const mostVectors = Math.floor(limit / bytes);
	if (count + 1 <= mostVectors) return;
	const message = `The vectors need more than ${limit} bytes, which hold ${mostVectors}.`;
	throw new NighError("MEMORY_LIMIT", message, { count: there, limit, bytes: (count + 1) * bytes, mostVectors });
}

/** How full a collection is, and whether that is well. */
export function fillOf({ rows, effective }: Stored, now: number) {
	const { maxRecords, warnAt } = effective;
	const records = [...rows.values()].filter(({ expiresAt = Infinity }) => expiresAt > now).length;
	const share = records / maxRecords;
	const nearLimit = share >= warnAt;
	const reason = {
		code: "near-limit",
		status: "degraded",
		message: `There are ${records} of at most ${maxRecords} records.`,
		recommendation: "Raise maxRecords or prune.",
	} as const;
	const health: HealthReport = nearLimit ? { status: "degraded", reasons: [reason] } : { status: "ok", reasons: [] };
	return { records, fill: { share, nearLimit }, health };
}
