import type { InvertedFile } from "../../packages/index/src/ivf/inverted-file.ts";
import { numberCells } from "../../packages/index/src/ivf/own-scratch.ts";
import { viewOf } from "../../packages/index/src/ivf/owner-view.ts";
import { Probe } from "../../packages/index/src/ivf/probe.ts";
import { type IvfScratch, layOutScratch } from "../../packages/index/src/ivf/scratch.ts";
import { searchCells } from "../../packages/index/src/ivf/search-cells.ts";
import type { IvfView } from "../../packages/index/src/ivf/view.ts";
import type { VerticalKernels } from "./kernels.ts";
import type { VerticalCells } from "./vertical-cells.ts";

/** One way of finding the nearest k rows of the probed cells. */
export interface Way {
	readonly name: string;
	/** Leaves pairs {f32 key, u32 label} at {@link Bench.answer}; returns how many there are. */
	search(query: Float32Array, nprobe: number): number;
	/** Share of the float elements of the probed rows that the last search looked at. */
	elements(): number;
}

/** An inverted file whose probed cells are searched by several ways, with the working memory of one search. */
export class Bench {
	readonly #file: InvertedFile;
	readonly #view: IvfView;
	readonly #scratch: IvfScratch;
	readonly #kernels: VerticalKernels;
	readonly #k: number;
	readonly #taken: number[] = [];

	/** The file has been trained with 7-bit codes, filled and compacted. */
	constructor(file: InvertedFile, kernels: VerticalKernels, k: number) {
		this.#file = file;
		this.#view = viewOf(file);
		this.#kernels = kernels;
		this.#k = k;
		const address = this.#take(layOutScratch(this.#view, 0, k).bytes);
		this.#scratch = layOutScratch(this.#view, address, k);
		numberCells(this.#view, this.#scratch);
	}

	get nlist(): number {
		return this.#view.nlist;
	}

	get answer(): number {
		return this.#scratch.answer;
	}

	/** As the index does it: by the rows alone, or by 7-bit codes and their bounds first. */
	rowMajor(name: string, codes: "none" | "sq7"): Way {
		const view = codes === "sq7" ? this.#view : { ...this.#view, scalar: undefined };
		const settings = { budget: undefined, rerank: undefined, eligibility: 0, abort: 0 };
		let share = 0;
		return {
			name,
			search: (query, nprobe) => {
				this.#file.rows.write(query, this.#scratch.query);
				const report = searchCells(view, this.#scratch, { k: this.#k, wanted: this.#k, nprobe, ...settings });
				share = report.ranked / report.rows;
				return report.found;
			},
			elements: () => share,
		};
	}

	/** By cells stored dimension-major. `epsilon` is that of ADSampling; `undefined` gives up only what is certain. */
	vertical(name: string, cells: VerticalCells, epsilon: number | undefined): Way {
		const { table, transform, vertical, chunks } = cells;
		const { arena } = this.#file;
		const list = stepsOf(cells, epsilon);
		const steps = this.#take(8 * list.length);
		list.forEach(({ elements, factor }, i) => {
			arena.i32(steps + 8 * i, 1)[0] = elements;
			arena.f32(steps + 8 * i + 4, 1)[0] = factor;
		});
		const query = this.#take(4 * transform.width);
		const work = this.#take(512);
		const { probes, answer } = this.#scratch;
		let last = 0;
		return {
			name,
			search: (asked, nprobe) => {
				this.#file.rows.write(asked, this.#scratch.query);
				const probe = new Probe(this.#view, this.#scratch);
				transform.write(this.#scratch.query, query);
				const owed = Math.min(this.#k, this.#file.size);
				// As the index does it: more cells than were asked for, where those have too few rows.
				for (let count = nprobe; ; count = Math.min(this.nlist, 2 * count)) {
					probe.list(count);
					last = count;
					const division = [vertical, chunks, steps] as const;
					const found = this.#kernels.scanVertical(table, probes, count, query, ...division, work, answer, this.#k);
					if (found >= owed) return found;
				}
			},
			elements: () => this.#kernels.elementsLookedAt() / (this.#rowsProbed(last) * transform.width),
		};
	}

	dispose(): void {
		for (const address of this.#taken) this.#file.arena.free(address);
	}

	#rowsProbed(nprobe: number): number {
		const probed = this.#file.arena.u32(this.#scratch.probes, 2 * nprobe);
		let rows = 0;
		for (let i = 0; i < nprobe; i++) rows += this.#file.cells.liveIn(probed[2 * i] as number);
		return rows;
	}

	#take(bytes: number): number {
		const address = this.#file.arena.alloc(bytes);
		this.#taken.push(address);
		return address;
	}
}

/** Of six schedules the fastest on generated sets of 128 and 768 dimensions. */
const FIRST_STEPS = [24, 24];
const NEXT_STEPS = 32;
const LEAST_STEP = 8;
const CHUNK = 64;

/**
 * After how many elements a row is given up whose part exceeds `factor` times the k-th distance so far. Of a rotated row, d of D elements hold
 * d / D of the length, give or take; ADSampling takes it for too far where even (1 + epsilon / sqrt(d))^2 times that is (Gao, Long 2023, section 3).
 */
export function stepsOf(
	{ vertical, chunks, transform }: Pick<VerticalCells, "vertical" | "chunks" | "transform">,
	epsilon: number | undefined,
): { readonly elements: number; readonly factor: number }[] {
	const { width } = transform;
	const ends: number[] = [];
	for (let at = 0; at < vertical; ) {
		at += FIRST_STEPS[ends.length] ?? NEXT_STEPS;
		if (at > vertical - LEAST_STEP) at = vertical;
		ends.push(at);
	}
	for (let chunk = 1; chunk <= chunks; chunk++) ends.push(vertical + CHUNK * chunk);
	const factorOf = (d: number) =>
		epsilon === undefined || d === width ? 1 : Math.min(1, (d / width) * (1 + epsilon / Math.sqrt(d)) ** 2);
	return ends.map((elements) => ({ elements, factor: factorOf(elements) }));
}
