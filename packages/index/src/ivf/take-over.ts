import { assignPoints } from "../kmeans/assign.ts";
import type { Parallel } from "../parallel.ts";
import type { Coarse } from "./coarse.ts";
import { Encoder } from "./insert.ts";
import type { InvertedFile } from "./inverted-file.ts";
import type { Learnt } from "./learnt.ts";
import { Projector } from "./projector.ts";
import type { TrainingRows } from "./train.ts";

/** Rows that are assigned and coded at a time. */
const STEP = 4_096;
/** Rows from which 7-bit codes are learnt. */
const SCALAR_ROWS = 16_384;

/**
 * Puts what was learnt in the place of what a file has, and its rows into the new cells. All that may fail is done by {@link prepareTakeOver}
 * and at the very beginning of {@link commit}: where it does, the file is as it was.
 */
export class TakeOver {
	readonly #file: InvertedFile;
	readonly #learnt: Learnt;
	readonly #places: Uint32Array;
	readonly #cells: Uint32Array;
	readonly #sample: { readonly n: number; readonly address: number };
	readonly #encoder: Encoder;
	readonly #projector: Projector;

	constructor(file: InvertedFile, learnt: Learnt, places: Uint32Array, cells: Uint32Array, source: TrainingRows) {
		this.#file = file;
		this.#learnt = learnt;
		this.#places = places;
		this.#cells = cells;
		this.#sample = sampleOf(file, source);
		let encoder: Encoder | undefined;
		try {
			encoder = new Encoder(file, learnt);
			this.#projector = new Projector(file, learnt.coarse.projection, Math.max(1, Math.min(STEP, places.length)));
		} catch (error) {
			encoder?.dispose();
			file.arena.free(this.#sample.address);
			throw error;
		}
		this.#encoder = encoder;
	}

	/** @throws ArenaFullError before anything has changed. */
	commit(): void {
		this.#file.learn(this.#learnt);
		const { n, address } = this.#sample;
		const { codes, rows } = this.#file;
		codes?.train(n, (row) => address + row * rows.bytes);
		const { bytes } = this.#learnt.coarse.projection;
		for (let from = 0; from < this.#places.length; from += STEP) {
			const places = this.#places.subarray(from, from + STEP);
			const projected = this.#projector.project((i) => places[i] as number, places.length);
			for (let i = 0; i < places.length; i++) {
				this.#encoder.put(places[i] as number, this.#cells[from + i] as number, projected + i * bytes);
			}
		}
	}

	dispose(): void {
		this.#encoder.dispose();
		this.#projector.dispose();
		this.#file.arena.free(this.#sample.address);
	}
}

/** Finds the new cell of every row, and takes the memory for what is to follow. The file serves meanwhile as it is. */
export async function prepareTakeOver(
	file: InvertedFile,
	learnt: Learnt,
	source: TrainingRows,
	options: { readonly parallel?: Parallel | undefined },
): Promise<TakeOver> {
	const places = Uint32Array.from(file.table.entries(), ([, place]) => place);
	const cells = await assignPlaces(file, learnt.coarse, places, options.parallel);
	return new TakeOver(file, learnt, places, cells, source);
}

async function assignPlaces(
	file: InvertedFile,
	{ panels, projection }: Coarse,
	places: Uint32Array,
	parallel: Parallel | undefined,
): Promise<Uint32Array> {
	const { arena } = file;
	const { bytes, width: dimensions } = projection;
	const cells = new Uint32Array(places.length);
	if (places.length === 0) return cells;
	const projector = new Projector(file, projection, Math.min(STEP, places.length));
	try {
		for (let from = 0; from < places.length; from += STEP) {
			const some = places.subarray(from, from + STEP);
			const address = projector.project((i) => some[i] as number, some.length);
			const points = { address, stride: bytes, bytes, n: some.length, dimensions };
			const { labels, keys } = await assignPoints(arena, panels, points, parallel === undefined ? {} : { parallel });
			cells.set(arena.u32(labels, some.length), from);
			arena.free(labels);
			arena.free(keys);
		}
		return cells;
	} finally {
		projector.dispose();
	}
}

/** Rows from which 7-bit codes are to be learnt, at even distances. */
function sampleOf({ arena, codes, rows }: InvertedFile, source: TrainingRows): { n: number; address: number } {
	if (codes === undefined) return { n: 0, address: 0 };
	const n = Math.min(source.n, SCALAR_ROWS);
	const address = arena.alloc(n * rows.bytes);
	for (let i = 0; i < n; i++) source.write(Math.floor((i * source.n) / n), address + i * rows.bytes);
	return { n, address };
}
