// Collections whose recall is certified, each beside what it takes to compute it: the vectors, and a float64 comparison with all of them.
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type {
	Collection,
	CollectionSpec,
	Database,
	Hit,
	RecallStatement,
	SearchRequest,
	SearchResult,
} from "@nigh/contract";
import { createRandom, type Random } from "@nigh/contract/suite";
import type { AuditMessage, CertifyMessage } from "../src/watch/events.ts";
import { makePlace, type Place } from "./points.test-support.ts";

export type Vector = Float32Array | Uint8Array;

/** Draws vectors, one after the other. */
export type Source = () => Vector;

function normals(random: Random, dimensions: number): number[] {
	return Array.from({ length: dimensions }, () => random.normal());
}

/** Normal around centres, which are normal too. Another `draw` has the same centres, and other vectors around them. */
export function clustered(seed: number, { dimensions = 32, clusters = 40, spread = 0.8, draw = 0 } = {}): Source {
	const places = createRandom(seed);
	const centres = Array.from({ length: clusters }, () => normals(places, dimensions));
	const random = createRandom(seed + 1_000 * (draw + 1));
	return () => {
		const centre = random.pick(centres);
		return Float32Array.from(normals(random, dimensions), (value, d) => (centre[d] as number) + spread * value);
	};
}

/** Whether each component of a clustered vector is above 0, eight to a byte. */
export function clusteredBits(seed: number, bits: number): Source {
	const next = clustered(seed, { dimensions: bits });
	return () => {
		const packed = new Uint8Array(bits / 8);
		next().forEach((value, bit) => {
			if (value > 0) packed[bit >> 3] = (packed[bit >> 3] as number) | (128 >> (bit & 7));
		});
		return packed;
	};
}

/** Normal around one place, and hard to search: everything is about as far away as everything else. */
export function spreadOut(seed: number, { dimensions = 32, spread = 1.3, at = 0 } = {}): Source {
	const random = createRandom(seed);
	return () => Float32Array.from(normals(random, dimensions), (value, d) => spread * value + (d === 0 ? at : 0));
}

/** What a collection holds, compared one by one with doubles. */
export class Oracle {
	readonly rows = new Map<
		string,
		{ readonly vector: Float64Array; readonly metadata: Readonly<Record<string, number>> }
	>();
	readonly #metric: "l2" | "cosine" | "hamming";

	constructor(metric: "l2" | "cosine" | "hamming") {
		this.#metric = metric;
	}

	put(id: string, vector: Vector, metadata: Readonly<Record<string, number>> = {}): void {
		this.rows.set(id, { vector: this.#own(vector), metadata });
	}

	/** Share of the k nearest of those that match which an answer has. Ties count. */
	recallOf(
		query: Vector,
		k: number,
		hits: readonly Hit[],
		matches: (metadata: Readonly<Record<string, number>>) => boolean = () => true,
	): number {
		const own = this.#own(query);
		const nearest: number[] = [];
		for (const { vector, metadata } of this.rows.values()) {
			if (!matches(metadata)) continue;
			const distance = distanceOf(own, vector);
			if (nearest.length === k && distance >= (nearest[k - 1] as number)) continue;
			let at = nearest.length === k ? k - 1 : nearest.length;
			for (; at > 0 && (nearest[at - 1] as number) > distance; at--) nearest[at] = nearest[at - 1] as number;
			nearest[at] = distance;
		}
		// The kernels compute with floats: what is as far away as the last one but for rounding is a tie.
		const kth = (nearest.at(-1) as number) * (1 + 1e-5) + 1e-9;
		const found = new Set<string>();
		for (const { id } of hits) {
			const row = this.rows.get(id);
			assert.ok(row !== undefined, `${id} is not there`);
			assert.ok(matches(row.metadata), `${id} does not match`);
			assert.ok(!found.has(id), `${id} is found twice`);
			if (distanceOf(own, row.vector) <= kth) found.add(id);
		}
		return found.size / nearest.length;
	}

	/** As squared Euclidean distances: bits one by one, and what is compared by its direction has length 1. */
	#own(vector: Vector): Float64Array {
		if (vector instanceof Uint8Array) {
			return Float64Array.from(
				{ length: 8 * vector.length },
				(_, bit) => ((vector[bit >> 3] as number) >> (bit & 7)) & 1,
			);
		}
		const length = this.#metric === "cosine" ? Math.hypot(...vector) : 1;
		return Float64Array.from(vector, (value) => value / length);
	}
}

function distanceOf(a: Float64Array, b: Float64Array): number {
	let sum = 0;
	for (let d = 0; d < a.length; d++) sum += ((a[d] as number) - (b[d] as number)) ** 2;
	return sum;
}

/**
 * Fails where recalls cannot be of searches whose mean recall is at least `target`, but for one in a million: by the empirical Bernstein bound of
 * Maurer & Pontil (2009) on their mean, from above.
 */
export function assertKept(recalls: readonly number[], target: number, what: string): void {
	const n = recalls.length;
	const mean = meanOf(recalls);
	const variance = recalls.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (n - 1);
	const log = Math.log(2e6);
	const slack = Math.sqrt((2 * variance * log) / n) + (7 * log) / (3 * (n - 1));
	assert.ok(mean + slack >= target, `${what}: ${n} searches found ${mean} on average, and ${target} is promised`);
}

export function meanOf(values: readonly number[]): number {
	return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** ms that nothing that is waited for ever takes. */
const LONGEST_MS = 120_000;

const CHANNELS = ["nigh:certify", "nigh:audit"] as const;

/** Waits for what is looked for again whenever something has been certified or audited. */
export async function untilTold(isThere: () => boolean | Promise<boolean>, what: string): Promise<void> {
	// The threads of an idle database do not keep the process alive.
	const { promise, resolve, reject } = Promise.withResolvers<void>();
	const ending = setTimeout(() => reject(new Error(`it did not come to this: ${what}`)), LONGEST_MS);
	// What is told stands in a table that came just before it.
	const look = () => Promise.resolve(isThere()).then((there) => there && resolve(), reject);
	for (const name of CHANNELS) subscribe(name, look);
	look();
	try {
		await promise;
	} finally {
		clearTimeout(ending);
		for (const name of CHANNELS) unsubscribe(name, look);
	}
}

/** Resolves when something has been certified or audited, or for a while has not. */
async function somethingTold(): Promise<void> {
	const { promise, resolve } = Promise.withResolvers<void>();
	const wake = () => resolve();
	const waking = setTimeout(wake, 100);
	for (const name of CHANNELS) subscribe(name, wake);
	await promise;
	clearTimeout(waking);
	for (const name of CHANNELS) unsubscribe(name, wake);
}

export interface Told {
	readonly certified: CertifyMessage[];
	readonly audited: AuditMessage[];
	readonly failed: { readonly error: string }[];
}

/** Collects what is told of certifications and audits until the test ends. */
export function listen(t: TestContext): Told {
	const told: Told = { certified: [], audited: [], failed: [] };
	for (const [name, list] of [
		["nigh:certify", told.certified],
		["nigh:audit", told.audited],
	] as const) {
		const listener = (message: unknown) => {
			const { error } = message as { readonly error?: string };
			if (error !== undefined) told.failed.push({ error });
			else list.push(message as never);
		};
		subscribe(name, listener);
		t.after(() => unsubscribe(name, listener));
	}
	return told;
}

export interface ExaminedOptions {
	readonly spec: CollectionSpec;
	readonly source: Source;
	readonly records?: number;
}

/** A search, and its recall as it is. */
export interface Checked extends SearchResult {
	readonly measured: number;
}

/** Asked for with a filter on `share`, which runs evenly from 0 to below 1,000: below this. */
export type Asking = Omit<SearchRequest, "vector" | "filter"> & { readonly below?: number };

/** A collection of the records r0, r1, ..., and what it holds. */
export class Examined {
	readonly place: Place = makePlace();
	readonly spec: CollectionSpec;
	readonly oracle: Oracle;
	source: Source;
	/** Number of the next record. */
	next = 0;
	database!: Database;
	collection!: Collection;

	constructor({ spec, source }: ExaminedOptions) {
		this.spec = spec;
		this.source = source;
		this.oracle = new Oracle(spec.type === "bit" ? "hamming" : ((spec.metric ?? "cosine") as "l2" | "cosine"));
	}

	/** One that is filled and has its index, and is gone after the test. */
	static async filled(t: TestContext, options: ExaminedOptions): Promise<Examined> {
		const examined = new Examined(options);
		t.after(() => examined.place.remove());
		await examined.fill(options.records);
		return examined;
	}

	async fill(records = 8_000): Promise<void> {
		await this.open();
		await this.insert(records);
		// Cells have learnt from the first of them, and would be trained anew in a moment.
		if (this.isOfCells) await this.collection.rebuild();
		await this.collection.optimize();
	}

	async open(): Promise<void> {
		this.database = await this.place.open("data");
		this.collection = await this.database.collection("notes", this.spec);
	}

	/** Of what is known of the recall, beside the snapshots; none where nothing is. */
	get recallFiles(): string[] {
		const snapshots = join(this.place.folder, "data", "snapshots");
		return readdirSync(snapshots).flatMap((name) => (name.includes("nigh-recall") ? [join(snapshots, name)] : []));
	}

	get isOfCells(): boolean {
		const { index } = this.spec;
		return typeof index === "object" && index.kind.startsWith("ivf");
	}

	async reopen(): Promise<void> {
		await this.database.close();
		await this.open();
	}

	async insert(count: number, source = this.source): Promise<void> {
		for (const end = this.next + count; this.next < end; ) {
			const batch = Array.from({ length: Math.min(1_000, end - this.next) }, () => {
				const n = this.next++;
				// Nothing to do with where the vector lies.
				const metadata = { n, share: (n * 379) % 1_000 };
				const record = { id: `r${n}`, vector: source(), metadata, text: `word${n % 7} common` };
				this.oracle.put(record.id, record.vector, metadata);
				return record;
			});
			await this.collection.upsert(batch);
		}
	}

	async delete(ids: readonly string[]): Promise<void> {
		await this.collection.delete(ids);
		for (const id of ids) this.oracle.rows.delete(id);
	}

	requestOf({ below, ...request }: Asking, vector: Vector): SearchRequest & { readonly vector: Vector } {
		return { k: 10, ...request, vector, ...(below !== undefined && { filter: { share: { $lt: below } } }) };
	}

	/** Searches with fresh queries; what they find is not checked. */
	async search(count: number, asking: Asking = {}, source = this.source): Promise<SearchResult[]> {
		const results: SearchResult[] = [];
		for (let i = 0; i < count; i++) results.push(await this.collection.search(this.requestOf(asking, source())));
		return results;
	}

	/** Searches with fresh queries, each of which is compared with the oracle. */
	async check(count: number, asking: Asking = {}, source = this.source): Promise<Checked[]> {
		const checked: Checked[] = [];
		const { below, k = 10 } = asking;
		const matches =
			below === undefined ? undefined : ({ share }: Readonly<Record<string, number>>) => (share as number) < below;
		for (let i = 0; i < count; i++) {
			const vector = source();
			const result = await this.collection.search(this.requestOf(asking, vector));
			checked.push({ ...result, measured: this.oracle.recallOf(vector, k, result.hits, matches) });
		}
		return checked;
	}

	/** What is known of the cells of a band of k; all of those without a filter, or with one. */
	async cells(k: number, isFiltered = false): Promise<RecallStatement[]> {
		const { recall } = await this.collection.stats();
		return recall.filter(({ cell }) => cell?.k.to === k && cell.selectivity.from < 1 === isFiltered);
	}

	/** Searches with fresh queries until those of a cell are certified by such. Returns what the searches said meanwhile. */
	async certified(asking: Asking = {}, { least = 1_200, band = asking.k ?? 10 } = {}): Promise<SearchResult[]> {
		const { below, recall = 0 } = asking;
		const isCertified = async () => {
			const cells = (await this.cells(band, below !== undefined)).filter(({ target }) => target >= recall);
			return cells.some(({ state, basis }) => state === "certified" && basis === "queries");
		};
		const results = await this.search(least, asking);
		const end = Date.now() + LONGEST_MS;
		// An alarm on the way forgets the queries from before.
		while (!(await isCertified())) {
			assert.ok(
				Date.now() < end,
				`searches of ${JSON.stringify(asking)} are certified: ${JSON.stringify(states(results))}`,
			);
			await somethingTold();
			results.push(...(await this.search(50, asking)));
		}
		return results;
	}
}

/** How many answers there are of each state. */
export function states(results: readonly SearchResult[]): Record<string, number> {
	const found: Record<string, number> = {};
	for (const { recall } of results) found[recall.state] = (found[recall.state] ?? 0) + 1;
	return found;
}

export function measured(results: readonly Checked[]): number[] {
	return results.map(({ measured }) => measured);
}
