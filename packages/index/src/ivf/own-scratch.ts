import type { InvertedFile } from "./inverted-file.ts";
import { viewOf } from "./owner-view.ts";
import { type IvfScratch, layOutScratch } from "./scratch.ts";
import type { IvfView } from "./view.ts";

/** Writes the numbers of all cells, which are never written again. */
export function numberCells({ arena, nlist }: IvfView, { cellNumbers }: IvfScratch): void {
	arena.u32(cellNumbers, nlist).forEach((_, cell, numbers) => {
		numbers[cell] = cell;
	});
}

/** The least answers that there is room for. */
const LEAST_ANSWERS = 256;

/** The working memory of the owner's searches; grows with the largest k, and is taken anew after training. */
export class OwnScratch {
	readonly #file: InvertedFile;
	#address = 0;
	#scratch: IvfScratch | undefined;
	#answers = 0;

	constructor(file: InvertedFile) {
		this.#file = file;
	}

	get bytes(): number {
		return this.#scratch?.bytes ?? 0;
	}

	/** Room for so many answers. */
	get(answers: number): IvfScratch {
		if (this.#scratch !== undefined && answers <= this.#answers) return this.#scratch;
		this.free();
		const { arena } = this.#file;
		const most = Math.max(LEAST_ANSWERS, answers);
		const view = viewOf(this.#file);
		this.#address = arena.alloc(layOutScratch(view, 0, most).bytes);
		const scratch = layOutScratch(view, this.#address, most);
		numberCells(view, scratch);
		this.#scratch = scratch;
		this.#answers = most;
		return scratch;
	}

	free(): void {
		this.#file.arena.free(this.#address);
		this.#address = 0;
		this.#scratch = undefined;
		this.#answers = 0;
	}
}
