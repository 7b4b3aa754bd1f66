import { type Arena, FREE_LEVEL } from "@nigh/kernels";

/** Records inside the used range that belong to no node. */
interface Gap {
	start: number;
	length: number;
}

/** A new graph has room for so many records; a full one grows by half. */
const FIRST_CAPACITY = 16;

/**
 * The links of the upper layers: records of a count and M links. A node of level L has L records, one after the other, for the layers
 * 1 to L. Records are given out from the first gap that is long enough, so that where they lie depends only on what is in the graph
 * and not on the order in which nodes went: a loaded graph goes on exactly as the saved one would have.
 */
export class UpperRecords {
	readonly #arena: Arena;
	/** Bytes of a record. */
	readonly stride: number;
	address = 0;
	/** Records from the first to the last in use. */
	used = 0;
	#capacity = 0;
	/** The first gap stands last. */
	#gaps: Gap[] = [];

	constructor(arena: Arena, M: number) {
		this.#arena = arena;
		this.stride = 4 * (1 + M);
	}

	/** Records there is room for. */
	get capacity(): number {
		return this.#capacity;
	}

	get bytes(): number {
		return this.#capacity * this.stride;
	}

	/** Makes room for so many records in all, and for half as many more unless exactly so many are asked for. */
	reserve(records: number, exactly = false): void {
		if (records <= this.#capacity) return;
		const grown = exactly ? records : Math.max(records, Math.ceil(this.#capacity * 1.5), FIRST_CAPACITY);
		this.address = this.#arena.resize(this.address, grown * this.stride);
		this.#capacity = grown;
	}

	/** Takes records for a node of a level above 0; returns the number of the first. */
	take(level: number): number {
		const at = this.#gaps.findLastIndex(({ length }) => length >= level);
		const gap = this.#gaps[at];
		if (gap === undefined) {
			this.reserve(this.used + level);
			this.used += level;
			return this.used - level;
		}
		const { start } = gap;
		gap.start += level;
		gap.length -= level;
		if (gap.length === 0) this.#gaps.splice(at, 1);
		return start;
	}

	/** Finds the gaps that removed nodes have left. */
	findGaps(levels: Uint8Array, upperOf: Uint32Array): void {
		const taken = new Uint8Array(this.used);
		for (let node = 0; node < levels.length; node++) {
			const level = levels[node] as number;
			if (level === 0 || level === FREE_LEVEL) continue;
			const start = upperOf[node] as number;
			taken.fill(1, start, start + level);
		}
		this.used = taken.lastIndexOf(1) + 1;
		this.#gaps = [];
		for (let at = this.used; at > 0; ) {
			const end = taken.lastIndexOf(0, at - 1) + 1;
			if (end === 0) break;
			at = taken.lastIndexOf(1, end - 1) + 1;
			this.#gaps.push({ start: at, length: end - at });
		}
	}

	/** Lays the records out anew, node after node without gaps, and gives back what is not needed. */
	pack(levels: Uint8Array, upperOf: Uint32Array): void {
		const arena = this.#arena;
		const from = arena.u8(this.address, this.used * this.stride).slice();
		let used = 0;
		for (let node = 0; node < levels.length; node++) {
			const level = levels[node] as number;
			if (level === 0 || level === FREE_LEVEL) continue;
			const start = (upperOf[node] as number) * this.stride;
			arena
				.u8(this.address + used * this.stride, level * this.stride)
				.set(from.subarray(start, start + level * this.stride));
			upperOf[node] = used;
			used += level;
		}
		this.used = used;
		this.#gaps = [];
		if (this.address === 0) return;
		this.address = this.#arena.resize(this.address, Math.max(1, used) * this.stride);
		this.#capacity = Math.max(1, used);
	}

	clear(): void {
		this.used = 0;
		this.#gaps = [];
	}

	dispose(): void {
		this.#arena.free(this.address);
	}
}
