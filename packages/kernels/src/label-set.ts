import type { Arena } from "./arena.ts";

/**
 * A set of labels as a bitmap in the arena, one bit for every label from 0 to the largest: what a search may answer. Free it with
 * {@link LabelSet.dispose}.
 */
export class LabelSet {
	readonly arena: Arena;
	#address = 0;
	#words = 0;
	#size = 0;

	constructor(arena: Arena, labels: Iterable<number> = []) {
		this.arena = arena;
		for (const label of labels) this.add(label);
	}

	/** How many labels it holds. */
	get size(): number {
		return this.#size;
	}

	/** Where the bitmap is; changes when the set grows. */
	get address(): number {
		return this.#address;
	}

	/** Labels below this have a bit; larger ones are not in the set. */
	get covered(): number {
		return this.#words * 32;
	}

	has(label: number): boolean {
		if (label >= this.covered) return false;
		return ((this.#bits()[label >>> 5] as number) & (1 << (label & 31))) !== 0;
	}

	add(label: number): this {
		if (!Number.isInteger(label) || label < 0 || label > 0xfffffffe) {
			throw new RangeError(`a label is an integer from 0 to 4,294,967,294, not ${label}`);
		}
		const word = label >>> 5;
		if (word >= this.#words) {
			const words = Math.max(word + 1, Math.ceil(this.#words * 1.5), 16);
			this.#address = this.arena.resize(this.#address, words * 4);
			this.#words = words;
		}
		const bits = this.#bits();
		const before = bits[word] as number;
		const after = (before | (1 << (label & 31))) >>> 0;
		if (after !== before) this.#size++;
		bits[word] = after;
		return this;
	}

	/** A set of its own with the same labels, to be freed by itself. */
	clone(): LabelSet {
		const copy = new LabelSet(this.arena);
		if (this.#words === 0) return copy;
		copy.#address = this.arena.alloc(this.#words * 4);
		copy.#words = this.#words;
		copy.#size = this.#size;
		copy.#bits().set(this.#bits());
		return copy;
	}

	delete(label: number): boolean {
		if (!this.has(label)) return false;
		const bits = this.#bits();
		bits[label >>> 5] = (bits[label >>> 5] as number) & ~(1 << (label & 31));
		this.#size--;
		return true;
	}

	clear(): void {
		this.#bits().fill(0);
		this.#size = 0;
	}

	*[Symbol.iterator](): Generator<number> {
		for (let word = 0; word < this.#words; word++) {
			let rest = this.#bits()[word] as number;
			while (rest !== 0) {
				const bit = 31 - Math.clz32(rest & -rest);
				rest &= rest - 1;
				yield word * 32 + bit;
			}
		}
	}

	/** Gives the memory back; the set is empty afterwards. */
	dispose(): void {
		this.arena.free(this.#address);
		this.#address = 0;
		this.#words = 0;
		this.#size = 0;
	}

	#bits(): Uint32Array {
		return this.arena.u32(this.#address, this.#words);
	}
}
