// Collections whose vectors are on disk, each beside a model of what it is to hold.
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type {
	CellKind,
	Collection,
	CollectionSpec,
	Database,
	Hit,
	IndexSettings,
	RecordInput,
	SearchRequest,
	SearchResult,
} from "@nigh/contract";
import {
	checkApproximateAnswer,
	checkExactAnswer,
	collect,
	createRandom,
	Model,
	plain,
	type Random,
	rank,
	type Space,
} from "@nigh/contract/suite";
import type { OpenOptions } from "@nigh/embedded";
import { listCollections } from "../src/records/catalogue.ts";
import { openReader } from "../src/records/connection.ts";
import { keyOfRowFile } from "../src/row-files/folder.ts";
import { EXTENSION } from "../src/snapshot/folder.ts";
import { namesRowFiles } from "../src/snapshot/header.ts";
import { readInfo } from "../src/snapshot/read.ts";
import { rowFilesNamed } from "../src/snapshot/saved-rows.ts";
import type { RecoverMessage } from "../src/watch/events.ts";
import { makePlace, type Place, until } from "./points.test-support.ts";

export const DIMENSIONS = 32;
const CLUSTERS = 40;
/** Places in the order of which filters take bands: it has nothing to do with where a vector lies. */
export const PLACES = 3_000;

export interface Kind {
	readonly index: Extract<IndexSettings, { readonly kind: CellKind }>;
	readonly metric: "l2" | "cosine" | "ip";
}

/** What is asked for, which may keep vectors in memory. */
export interface OnDiskKind {
	readonly index: IndexSettings;
	readonly metric: Kind["metric"];
}

/** Of each kind one metric; each metric once. */
export const KINDS: readonly Kind[] = [
	{ index: { kind: "ivf", storage: "disk" }, metric: "l2" },
	{ index: { kind: "ivfpq", storage: "disk" }, metric: "cosine" },
	{ index: { kind: "ivfrabitq", storage: "disk" }, metric: "ip" },
];

/** Vectors around centres, of length 1, so that each is its own nearest under every metric. */
export class Clusters {
	readonly random: Random;
	readonly #centres: readonly (readonly number[])[];

	constructor(seed: number) {
		this.random = createRandom(seed);
		this.#centres = Array.from({ length: CLUSTERS }, () => this.#normals());
	}

	next(): Float32Array {
		const centre = this.random.pick(this.#centres);
		const vector = this.#normals().map((value, i) => (centre[i] as number) + 0.5 * value);
		const length = Math.hypot(...vector);
		return Float32Array.from(vector, (value) => value / length);
	}

	#normals(): number[] {
		return Array.from({ length: DIMENSIONS }, () => this.random.normal());
	}
}

export function recordOf(n: number, vector: Float32Array, version = 0) {
	const metadata = { n, place: (n * 1_279) % PLACES, version };
	return { id: `r${n}`, vector, metadata, text: `word${n} all part${n % 10}` };
}

/** Numbers from `from` on. */
export function range(from: number, count: number): number[] {
	return Array.from({ length: count }, (_, i) => from + i);
}

/** A request by vector, whose answer can be held against the model. */
export type VectorRequest = SearchRequest & { readonly vector: Float32Array };

/** A collection with its vectors on disk, in a database that is closed and opened again, and the model of it. */
export class OnDisk {
	readonly place: Place;
	readonly clusters: Clusters;
	readonly clock = { now: 1_000_000 };
	readonly model = new Model(this.clock);
	readonly space: Space;
	readonly spec: CollectionSpec;
	database!: Database;
	notes!: Collection;

	constructor(seed: number, { index, metric }: OnDiskKind) {
		this.place = makePlace();
		this.clusters = new Clusters(seed);
		this.space = { metric, dimensions: DIMENSIONS };
		this.spec = { dimensions: DIMENSIONS, metric, index };
	}

	/** One with so many records, which is gone after the test. */
	static async filled(t: TestContext, seed: number, kind: OnDiskKind, records: number): Promise<OnDisk> {
		const life = new OnDisk(seed, kind);
		t.after(() => life.remove());
		await life.open();
		await life.write(range(0, records));
		return life;
	}

	get folder(): string {
		return join(this.place.folder, "data");
	}

	get snapshots(): string {
		return join(this.folder, "snapshots");
	}

	/** Opens it; tells what the opening found. */
	async open(options: OpenOptions = {}): Promise<RecoverMessage> {
		const recovered = heard("nigh:recover");
		this.database = await this.place.open("data", { now: () => this.clock.now, ...options });
		this.notes = await this.database.collection("notes", this.spec);
		return recovered as Promise<RecoverMessage>;
	}

	async reopen(): Promise<RecoverMessage> {
		await this.database.close();
		return this.open();
	}

	async write(ns: readonly number[], version = 0): Promise<void> {
		await this.upsert(ns.map((n) => recordOf(n, this.clusters.next(), version)));
	}

	async upsert(records: readonly RecordInput[]): Promise<void> {
		this.model.upsert(records);
		await this.notes.upsert(records);
	}

	async delete(ids: readonly string[]): Promise<void> {
		this.model.delete(ids);
		await this.notes.delete(ids);
	}

	/** Until there are cells, for about as many records as there are, which have all of them. */
	async settled(): Promise<void> {
		let last = "";
		const isSettled = async () => {
			const { cells } = await this.notes.analyze();
			const { index, records } = await this.notes.stats();
			const { status, reasons } = await this.notes.health();
			last = JSON.stringify({ ...index, records, trainedFor: cells?.trainedFor, status, reasons });
			if (cells === undefined || index.tail > 0) return false;
			return Math.abs(cells.trainedFor - records) <= Math.max(1_024, records / 4) && status === "ok";
		};
		await until(isSettled, "everything in cells").catch((error) => {
			throw new Error(`${error.message}, but to ${last}`);
		});
	}

	/**
	 * Lays it out anew until nothing else has done so meanwhile (cells that do not fit any more are trained anew in the background): then there is
	 * no row file but that which the snapshot names.
	 */
	async tidy(): Promise<void> {
		const isTidy = async () => {
			await this.notes.optimize();
			const [there, named] = [this.rowFiles(), this.named()];
			return there.length <= 1 && there[0] === named[0];
		};
		await until(isTidy, "no row file that nobody needs");
	}

	/** Checks one answer as far as it must be right; returns it, and the share of the nearest that it has. */
	async check(request: VectorRequest, on = this.notes, note = ""): Promise<{ result: SearchResult; recall: number }> {
		const result = await on.search(request);
		return { result, recall: this.checkResult(result, request, note) };
	}

	checkResult(result: SearchResult, request: VectorRequest, note = ""): number {
		const { k = 10, filter } = request;
		const ranked = rank(this.model.list(filter), request.vector, this.space);
		const expected = { ranked, k, space: this.space, note: `${note} ${JSON.stringify({ ...request, vector: "..." })}` };
		if (result.recall.state !== "exact") {
			return checkApproximateAnswer({ assert }, result, expected) / Math.max(1, Math.min(k, ranked.length));
		}
		checkExactAnswer({ assert }, result, expected);
		return 1;
	}

	/** Over so many new queries, each of whose answers is checked. */
	async meanRecall(request: Omit<SearchRequest, "vector"> = {}, queries = 20, on = this.notes): Promise<number> {
		let sum = 0;
		for (let i = 0; i < queries; i++) {
			sum += (await this.check({ ...request, vector: this.clusters.next() } as VectorRequest, on)).recall;
		}
		return sum / queries;
	}

	/** The records are found by their own vectors. */
	async findsOwn(ns: readonly number[], on = this.notes): Promise<void> {
		for (const n of ns) {
			const record = this.model.get(`r${n}`);
			assert.ok(record !== undefined, `r${n} is in the model`);
			const { hits } = await on.search({ vector: record.vector as Float32Array, k: 1 });
			assert.equal(hits[0]?.id, record.id);
		}
	}

	/** Every record is there with everything it has, and no other. */
	async checkRecords(on = this.notes): Promise<void> {
		const found = await collect(on.scan({ include: { vector: true, metadata: true, text: true } }));
		assert.deepEqual(found.map(plain), this.model.list().map(plain));
	}

	/** Names of the row files there are. */
	rowFiles(): string[] {
		return readdirSync(this.snapshots).filter((name) => keyOfRowFile(name) !== undefined);
	}

	snapshotFiles(): string[] {
		return readdirSync(this.snapshots).filter((name) => name.endsWith(EXTENSION));
	}

	/** Names of the row files that snapshots name, in the order of their slots for each. */
	named(): string[] {
		const names = this.snapshotFiles().flatMap((name) => {
			const info = readInfo(join(this.snapshots, name));
			const { key } = info.collection;
			return namesRowFiles(info) ? rowFilesNamed(info, key).segments.map(({ file }) => file) : [];
		});
		return [...new Set(names)];
	}

	bytesOf(file: string): number {
		return statSync(join(this.snapshots, file)).size;
	}

	/** The key of the collection. */
	key(): number {
		const db = openReader(join(this.folder, "records.sqlite"));
		try {
			return listCollections(db).find(({ name }) => name === "notes")?.key as number;
		} finally {
			db.close();
		}
	}

	/** Closes everything and deletes the folder. */
	remove(): Promise<void> {
		return this.place.remove();
	}
}

/** The next message on a channel. */
export function heard(channel: string): Promise<unknown> {
	// The threads of an idle database do not keep the process alive.
	const alive = setInterval(() => {}, 1_000);
	const { promise, resolve } = Promise.withResolvers<unknown>();
	const listener = (message: unknown) => {
		unsubscribe(channel, listener);
		clearInterval(alive);
		resolve(message);
	};
	subscribe(channel, listener);
	return promise;
}

/** What can be compared of answers: two of the same index are equal bit by bit. */
export function answersOf(hits: readonly Hit[]): [id: string, distance: number][] {
	return hits.map(({ id, distance }) => [id, distance]);
}
