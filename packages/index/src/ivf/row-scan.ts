import { CodeBounds } from "./code-bounds.ts";
import { listCellRows } from "./list-rows.ts";
import type { IvfScratch } from "./scratch.ts";
import type { CellQuery } from "./search-cells.ts";
import type { IvfView } from "./view.ts";

/** Fewer rows than this many answers each: bounds exclude next to nothing. */
const MANY = 8;

/** Cells that hold the vectors themselves: every row is compared, or first looked at by its code. */
export class RowScan {
	readonly #view: IvfView;
	readonly #scratch: IvfScratch;
	readonly #query: Pick<CellQuery, "k" | "eligibility">;
	readonly #bounds: CodeBounds | undefined;
	readonly pool = 0;
	readonly room = 0;
	ranked = 0;
	#size = 0;

	constructor(view: IvfView, scratch: IvfScratch, query: Pick<CellQuery, "k" | "eligibility">) {
		this.#view = view;
		this.#scratch = scratch;
		this.#query = query;
		this.#bounds = view.scalar === undefined ? undefined : new CodeBounds(view, view.scalar, scratch, query);
	}

	run(): void {
		for (let n = listCellRows(this.#view, this.#scratch); n > 0; n = listCellRows(this.#view, this.#scratch)) {
			this.rank(n);
		}
	}

	found(): number {
		return this.#size;
	}

	finish(): number {
		return this.#size;
	}

	/** Compares the places that are listed in the scratch, with their labels. */
	rank(listed: number): void {
		const { arena, rows, vectors } = this.#view;
		const { places, labels, keys, answer, query } = this.#scratch;
		const { k, eligibility } = this.#query;
		let n = listed;
		let checked = eligibility;
		if (this.#bounds !== undefined && (this.#bounds.isOpen || listed >= MANY * k)) {
			n = this.#exclude(this.#bounds, listed);
			checked = 0;
		}
		arena.kernels.distanceMany(rows.metricCode, query, vectors, rows.bytes, rows.bytes, places, n, keys);
		this.#size = arena.kernels.topk(keys, labels, n, k, answer, this.#size, checked);
		this.ranked += n;
	}

	/** Leaves of the listed places those that may be among the k nearest and may be answered; returns how many. */
	#exclude(bounds: CodeBounds, n: number): number {
		const { arena } = this.#view;
		const { places, labels } = this.#scratch;
		const kept = bounds.judge(n);
		const [chosen, named] = [arena.u32(places, kept), arena.u32(labels, kept)];
		let left = 0;
		bounds.forEach(kept, (place, label) => {
			chosen[left] = place;
			named[left++] = label;
		});
		return left;
	}
}
