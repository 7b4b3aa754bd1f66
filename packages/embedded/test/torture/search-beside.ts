import type { Collection, SearchRequest, SearchResult } from "@nigh/contract";
import type { Random } from "@nigh/contract/suite";
import { idOf, vectorFor } from "./records.ts";
import { Versions, type WriteLog } from "./write-log.ts";

/** Records that are replaced over and over, and as many beside them that stay. */
export const REPLACED = 300;
export const RECORDS = 600;
const EVERYTHING = 10_000;
const INDICES: ReadonlyMap<string, number> = new Map(Array.from({ length: RECORDS }, (_, i) => [idOf(i), i]));

/** What the metadata of a record tells. */
export type Versioned = { readonly id: string; readonly version: number; readonly parity: string };

export function parityOf(index: number, version: number): "even" | "odd" {
	return (version + index) % 2 === 0 ? "even" : "odd";
}

/** Searches in several ways, one at random after the other, and compares every answer with the state that it says it is of. */
export class BesideSearcher {
	readonly #collection: Collection<Versioned>;
	readonly #log: WriteLog;
	readonly #random: Random;
	readonly #versions: Versions;

	constructor(collection: Collection<Versioned>, log: WriteLog, random: Random) {
		this.#collection = collection;
		this.#log = log;
		this.#random = random;
		this.#versions = new Versions(log, RECORDS);
	}

	/** Returns what is wrong with the answer. */
	async search(): Promise<string | undefined> {
		const random = this.#random;
		const least = this.#log.acknowledgedChange;
		const vector = vectorFor("query", random.below(1_000));
		const all: SearchRequest<Versioned> = {
			vector,
			k: EVERYTHING,
			exact: true,
			include: { metadata: true, vector: true },
		};
		const answer = async (request: SearchRequest<Versioned>, wanted: Wanted) =>
			this.#wrongWith(await this.#collection.search(request), least, wanted);
		switch (random.below(5)) {
			case 0:
				return answer(all, {});
			case 1: {
				const parity = random.pick(["even", "odd"]);
				return answer({ ...all, filter: { parity } }, { parity });
			}
			case 2:
				return answer({ ...all, text: random.pick(["even", "odd"]) }, {});
			case 3: {
				const k = 1 + random.below(20);
				const near = vectorFor(idOf(random.below(REPLACED)), Math.max(1, this.#log.acknowledged - random.below(9)));
				return answer({ ...all, vector: near, exact: random.below(2) === 0, k }, { k });
			}
			default: {
				const results = await this.#collection.searchMany([all, { ...all, vector: vectorFor("other", 1) }]);
				const states = new Set(results.map(({ changeNumber }) => changeNumber));
				if (states.size !== 1) return `searchMany answers of the changes ${[...states]}`;
				return results.map((result) => this.#wrongWith(result, least, {})).find((wrong) => wrong !== undefined);
			}
		}
	}

	/** Each record that belongs there has to be there once, with the vector and the metadata of the version of that state. */
	#wrongWith(
		{ hits, changeNumber }: SearchResult<Versioned>,
		least: number,
		{ parity, k }: Wanted,
	): string | undefined {
		const where = `at change ${changeNumber}`;
		if (changeNumber < least) return `${where}, though ${least} was acknowledged`;
		const versions = this.#versions.at(changeNumber);
		if (versions === undefined) return `${where}, which no write has made`;
		const found = new Set<number>();
		for (const { id, metadata, vector } of hits) {
			const index = INDICES.get(id);
			if (index === undefined) return `${where}: ${id} was not written`;
			if (found.has(index)) return `${where}: ${id} is there twice`;
			found.add(index);
			const version = versions[index] as number;
			if (metadata?.id !== id || metadata.version !== version)
				return `${where}: ${id} has version ${version} and the metadata ${JSON.stringify(metadata)}`;
			if (!isEqual(vector as Float32Array, vectorFor(id, version)))
				return `${where}: ${id} has version ${version} and the vector of another`;
			if (parity !== undefined && metadata.parity !== parity) return `${where}: ${id} is not ${parity}`;
		}
		const expected = Math.min(k ?? EVERYTHING, matchesOf(versions, parity));
		return found.size === expected ? undefined : `${where}: ${found.size} hits, not ${expected}`;
	}
}

/** What an answer is to have: all records, those of one parity, or so many. */
interface Wanted {
	readonly parity?: string;
	readonly k?: number;
}

function matchesOf(versions: Uint32Array, parity: string | undefined): number {
	if (parity === undefined) return RECORDS;
	return versions.reduce((sum, version, index) => sum + Number(parityOf(index, version) === parity), 0);
}

function isEqual(a: Float32Array, b: Float32Array): boolean {
	return a.length === b.length && a.every((value, i) => value === b[i]);
}
