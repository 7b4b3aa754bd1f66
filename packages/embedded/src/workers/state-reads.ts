import type { FilterNode, IncludeOptions } from "@nigh/contract";
import type { Generation } from "../memory/generation.ts";
import type { WordHit } from "../records/find-words.ts";
import { buffersOf, type PackedRecords } from "../records/packed-records.ts";
import type { RecordReader } from "../records/reader.ts";
import type { HeldState } from "./held-state.ts";
import { type Implementation, Transferred } from "./rpc.ts";

/** In which state something is read: in the newest, or in the one that is held. */
interface Read {
	readonly key: number;
	readonly isHeld?: boolean;
}

/** What a search reads beside the memory. Answers say which change they are of, where that is not known by other means. */
export type StateReads = {
	/** Holds the newest state of the records until `release`, and tells its change. */
	hold(key: number): Promise<number>;
	release(request: undefined): void;
	/** Slots of a generation that match, as bits written to a bitmap of the caller's area. */
	match(
		request: Read & { generation: number; node: FilterNode; bitmap: number; now: number },
	): { matches: number; change: number } | undefined;
	words(request: Read & { text: string; limit: number; now: number; node: FilterNode | undefined }): {
		hits: WordHit[];
		change: number;
	};
	/** Records in the order of the labels. */
	records(request: Read & { labels: readonly number[]; include: IncludeOptions }): PackedRecords;
};

/** Where they are read. */
export interface StateSources {
	readonly latest: RecordReader;
	readonly held: HeldState;
	/** The generation that the caller means; `undefined` where another has taken over. */
	generationOf(key: number, number: number): Generation | undefined;
}

export function stateReads({ latest, held, generationOf }: StateSources): Implementation<Omit<StateReads, "hold">> {
	const readerFor = ({ isHeld }: Read) => (isHeld === true ? held.reader : latest);
	return {
		release: () => held.release(),
		match: (request) => {
			const { key, generation: number, node, bitmap, now } = request;
			const generation = generationOf(key, number);
			if (generation === undefined) return undefined;
			const { labels, change } = matchingLabels(readerFor(request), key, node, now);
			return { matches: setBits(generation, bitmap, labels), change };
		},
		words: (request) => {
			const { key, text, limit, now, node } = request;
			const reader = readerFor(request);
			return reader.atOnce(() => ({
				hits: reader.words(key, text, limit, now, node),
				change: reader.state(key).change,
			}));
		},
		records: (request) => {
			const packed = readerFor(request).packedByLabels(request.key, request.labels, request.include);
			return new Transferred(packed, buffersOf(packed));
		},
	};
}

/** Labels of the records that match, and the change that they are of. */
export function matchingLabels(
	reader: RecordReader,
	key: number,
	node: FilterNode,
	now: number,
): { labels: Uint32Array; change: number } {
	return reader.atOnce(() => ({ labels: reader.matches(key, node, now), change: reader.state(key).change }));
}

/** Sets the bit of every slot whose label is among `labels`; both are ascending. Returns how many there are. */
function setBits(generation: Generation, bitmap: number, labels: Uint32Array): number {
	const { handle, size, slotEnd } = generation;
	const words = new Uint32Array(handle.memory.buffer, bitmap, Math.ceil(size.capacity / 32)).fill(0);
	let matches = 0;
	let slot = 0;
	for (const label of labels) {
		while (slot < slotEnd && (generation.labels[slot] as number) < label) slot++;
		if (slot === slotEnd || generation.labels[slot] !== label) continue;
		words[slot >>> 5] = (words[slot >>> 5] as number) | (1 << (slot & 31));
		matches++;
	}
	return matches;
}
