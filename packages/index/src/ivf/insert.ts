import { NighError } from "@nigh/contract";
import { METRIC_CODES } from "@nigh/kernels";
import { assignPoints } from "../kmeans/assign.ts";
import type { Parallel } from "../parallel.ts";
import { zeroRowTerm } from "../rows/zero-row.ts";
import type { Label } from "../vector-index.ts";
import type { InvertedFile } from "./inverted-file.ts";
import type { Learnt } from "./learnt.ts";
import { putProductCode } from "./product-codes.ts";
import { Projector } from "./projector.ts";

/** Rows that are assigned and coded at a time. */
const STEP = 4_096;

export interface PlaceOptions {
	readonly parallel?: Parallel | undefined;
	/** Called after each step; what it throws ends it. */
	readonly onStep?: ((done: number) => void) | undefined;
}

/**
 * Puts rows, whose vectors are written, into their cells: that of the nearest centroid. Searches see each once it is complete, and what its label stood for
 * until then: a label is given another row only when nothing can go wrong with it any more.
 *
 * @throws NighError `NOT_TRAINED`, `MEMORY_LIMIT`. What has been placed by then stays.
 */
export async function placeRows(
	file: InvertedFile,
	places: ArrayLike<number>,
	labels: ArrayLike<Label>,
	options: PlaceOptions,
): Promise<void> {
	if (places.length === 0) return;
	const { arena } = file;
	const { coarse } = learntBy(file);
	const { bytes, width: dimensions } = coarse.projection;
	const lanes = options.parallel === undefined ? {} : { parallel: options.parallel };
	const encoder = new Encoder(file);
	let projector: Projector | undefined;
	try {
		projector = new Projector(file, coarse.projection, Math.min(STEP, places.length));
		for (let from = 0; from < places.length; from += STEP) {
			const n = Math.min(STEP, places.length - from);
			const rows = projector.project((i) => places[from + i] as number, n);
			const points = { address: rows, stride: bytes, bytes, n, dimensions };
			const assigned = await assignPoints(arena, coarse.panels, points, lanes);
			const cells = arena.u32(assigned.labels, n).slice();
			arena.free(assigned.labels);
			arena.free(assigned.keys);
			for (let i = 0; i < n; i++) {
				const place = places[from + i] as number;
				file.name(place, labels[from + i] as number);
				encoder.put(place, cells[i] as number, rows + i * bytes);
			}
			options.onStep?.(from + n);
		}
	} finally {
		encoder.dispose();
		projector?.dispose();
	}
}

/** One row, at once. `take` writes its vector into a place with its label, once nothing can go wrong any more. */
export function placeRow(file: InvertedFile, take: () => number): void {
	const { arena } = file;
	const { coarse } = learntBy(file);
	const { bytes, panels, nlist, projection } = coarse;
	const encoder = new Encoder(file);
	let projector: Projector | undefined;
	let lane = 0;
	try {
		projector = new Projector(file, projection, 1);
		// What a lane needs to assign one point: room of its own, a cell, a key and a cursor.
		lane = arena.alloc(panels.scratchBytes + 16);
		const place = take();
		const row = projector.project(() => place, 1);
		const cell = lane + panels.scratchBytes;
		const centroids = [panels.address, panels.codes, nlist] as const;
		arena.kernels.assignRange(row, bytes, bytes, 0, ...centroids, lane, cell, cell + 4, 1, cell + 8);
		encoder.put(place, arena.u32(cell, 1)[0] as number, row);
	} finally {
		arena.free(lane);
		projector?.dispose();
		encoder.dispose();
	}
}

export function learntBy({ learnt }: InvertedFile): Learnt {
	if (learnt !== undefined) return learnt;
	throw new NighError(
		"NOT_TRAINED",
		"the index has not been trained: call train(rows) before vectors are inserted",
		{},
	);
}

/** Writes what is scanned of a row into its cell. */
export class Encoder {
	readonly #file: InvertedFile;
	readonly #learnt: Learnt;
	/** Room for what a centroid leaves over, what a code stands for, and the code. */
	readonly #scratch: number;

	/** @param learnt What the file has learnt, or is about to take over. */
	constructor(file: InvertedFile, learnt: Learnt = learntBy(file)) {
		this.#file = file;
		this.#learnt = learnt;
		const { coarse, product } = this.#learnt;
		this.#scratch = file.arena.alloc(2 * coarse.bytes + (product?.subs ?? 0) + file.codeStride + 16);
	}

	/** Puts the row in a place, seen by the projection at an address, at the end of a cell. */
	put(place: number, cell: number, projected: number): void {
		const file = this.#file;
		const { block, row } = file.append(place, cell);
		const { coarse, product, rabitq } = this.#learnt;
		const term = product === undefined ? 0 : this.#putProduct(place, cell, projected, block, row);
		rabitq?.codec.encodeRow(file.vectorOf(place), coarse.centroidOf(cell), file.cells.payloadOf(block), row);
		putScalarCode(file, place, this.#scratch + 2 * coarse.bytes);
		file.publishRow(block, row, cell, term);
	}

	#putProduct(place: number, cell: number, projected: number, block: number, row: number): number {
		const { arena } = this.#file;
		const { coarse, product } = this.#learnt;
		if (product === undefined) return 0;
		const { bytes } = coarse;
		const centroid = coarse.centroidOf(cell);
		let coded = projected;
		if (product.residual) {
			coded = this.#scratch;
			const left = arena.f32(coded, bytes / 4);
			left.set(arena.f32(projected, bytes / 4));
			const middle = arena.f32(centroid, bytes / 4);
			for (let j = 0; j < left.length; j++) left[j] = (left[j] as number) - (middle[j] as number);
		}
		const decoded = this.#scratch + bytes;
		const besides = product.hasTerms ? this.#besides(place, projected) : 0;
		const parts = { coded, centroid, bytes, besides };
		return putProductCode(
			arena,
			product,
			{ code: decoded + bytes, decoded },
			parts,
			this.#file.cells.payloadOf(block),
			row,
		);
	}

	/** What a row's key has beside what is seen of it: the part of its squared length from the mean along axes that were left out, and that of a zero row. */
	#besides(place: number, projected: number): number {
		const { arena, rows } = this.#file;
		const { projection } = this.#learnt.coarse;
		const vector = this.#file.vectorOf(place);
		const term = zeroRowTerm(arena, rows.metricCode, vector, rows.bytes);
		if (projection.matrix === 0 || projection.width === rows.dimensions) return term;
		const all = arena.kernels.distance(METRIC_CODES.l2, vector, projection.mean, rows.bytes);
		return term + Math.max(0, all - arena.kernels.sumOfSquares(projected, projection.bytes));
	}

	dispose(): void {
		this.#file.arena.free(this.#scratch);
	}
}

/** Writes the 7-bit code of the row in a place, and what bounds need of it; `code` has room for a code and its norm. */
export function putScalarCode(file: InvertedFile, place: number, code: number): void {
	const { arena, scalar, codeRows, codeStride, errors, rows } = file;
	if (scalar === undefined) return;
	const vector = file.vectorOf(place);
	const norm = scalar.encode(vector, code);
	arena.u8(codeRows + place * codeStride, codeStride).set(arena.u8(code, codeStride));
	arena.i32(errors + 8 * place, 1)[0] = norm;
	// A residual of 0 would stand for one that is not known.
	const residual = arena.kernels.residual(vector, scalar.origin, scalar.unit, rows.bytes, code);
	arena.f32(errors + 8 * place + 4, 1)[0] = Math.max(residual, LEAST_RESIDUAL);
}

const LEAST_RESIDUAL = 2 ** -126;
