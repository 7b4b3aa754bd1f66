import { CodeBounds } from "./code-bounds.ts";
import { listCellRows } from "./list-rows.ts";
import type { IvfScratch } from "./scratch.ts";
import type { CellQuery, CellScan } from "./search-cells.ts";
import type { IvfView, ScalarView } from "./view.ts";

/** Rows there is room for at first. */
const FIRST_ROOM = 1_024;

/**
 * Finds the rows that the bounds of 7-bit codes do not exclude from the k nearest, without a look at a vector: among them are the k nearest by exact keys,
 * whatever the data. Outside of the arena there is room for as many as come, since of equal rows none can be excluded.
 */
export class BoundScan implements CellScan {
	readonly #view: IvfView;
	readonly #scratch: IvfScratch;
	readonly #bounds: CodeBounds;
	readonly pool = 0;
	readonly room = 0;
	#labels = new Uint32Array(FIRST_ROOM);
	#lower = new Float32Array(FIRST_ROOM);
	#size = 0;

	constructor(view: IvfView, scalar: ScalarView, scratch: IvfScratch, query: Pick<CellQuery, "k" | "eligibility">) {
		this.#view = view;
		this.#scratch = scratch;
		this.#bounds = new CodeBounds(view, scalar, scratch, query);
	}

	run(): void {
		for (let n = listCellRows(this.#view, this.#scratch); n > 0; n = listCellRows(this.#view, this.#scratch)) {
			this.judge(n);
		}
	}

	found(): number {
		return this.#bounds.found;
	}

	/** Judges the places that are listed in the scratch, with their labels. */
	judge(listed: number): void {
		const kept = this.#bounds.judge(listed);
		if (this.#size + kept > this.#labels.length) this.#makeRoom(kept);
		this.#bounds.forEach(kept, (_, label, lower) => {
			this.#labels[this.#size] = label;
			this.#lower[this.#size++] = lower;
		});
	}

	/** Labels of what no bound excludes, in the order of their lower bounds. */
	candidates(): Uint32Array {
		this.#drop();
		const order = Uint32Array.from({ length: this.#size }, (_, i) => i);
		const [labels, lower] = [this.#labels, this.#lower];
		order.sort((a, b) => (lower[a] as number) - (lower[b] as number) || (labels[a] as number) - (labels[b] as number));
		return order.map((i) => labels[i] as number);
	}

	/** Drops what is known by now to be out; what is left then has room beside as many again. */
	#makeRoom(more: number): void {
		this.#drop();
		const needed = 2 * (this.#size + more);
		if (needed <= this.#labels.length) return;
		const [labels, lower] = [this.#labels, this.#lower];
		this.#labels = new Uint32Array(needed);
		this.#lower = new Float32Array(needed);
		this.#labels.set(labels);
		this.#lower.set(lower);
	}

	#drop(): void {
		const { most } = this.#bounds;
		let left = 0;
		for (let i = 0; i < this.#size; i++) {
			const lower = this.#lower[i] as number;
			if (lower > most) continue;
			this.#labels[left] = this.#labels[i] as number;
			this.#lower[left++] = lower;
		}
		this.#size = left;
	}
}
