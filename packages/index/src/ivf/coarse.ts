import { type Arena, METRIC_CODES, rowBytes } from "@nigh/kernels";
import { type CentroidPanels, packCentroids, panelsBytes } from "../kmeans/panels.ts";
import type { Projection } from "../projection/projection.ts";
import { ScalarCodes } from "../rows/scalar-codes.ts";

/** From so many bytes of centroids on, which no longer stay in the nearest cache, cells are found by codes of a quarter of that. */
const LEAST_CODED_BYTES = 2 ** 15;
const LEAST_CODED_WIDTH = 16;
/** Behind a code stands its norm, padded. */
const CODE_TAIL = 16;

/** Whether centroids have codes by which they are found. */
function hasCodes(nlist: number, width: number, isL1: boolean): boolean {
	return nlist * rowBytes(4 * width) >= LEAST_CODED_BYTES && width >= LEAST_CODED_WIDTH && !isL1;
}

/** Bytes of so many centroids in all their forms. */
export function coarseBytes(nlist: number, width: number, isL1: boolean): number {
	const bytes = rowBytes(4 * width);
	const codes = hasCodes(nlist, width, isL1) ? bytes + nlist * (rowBytes(width) + CODE_TAIL) : 0;
	return nlist * bytes + panelsBytes(nlist, bytes) + codes;
}

/** Centroids of cells, in the space of a projection, and what finds the nearest of them. */
export class Coarse {
	readonly projection: Projection;
	readonly nlist: number;
	/** Address of the centroids, which follow one another. */
	readonly centroids: number;
	/** Bytes of a centroid. */
	readonly bytes: number;
	/** For assigning many rows. */
	readonly panels: CentroidPanels;
	readonly codes: ScalarCodes | undefined;
	/** Address of the centroids' codes, and bytes from one to the next. */
	readonly codeRows: number;
	readonly codeStride: number;
	readonly #arena: Arena;

	/** Takes the projection and the centroids over: both are given back with it. */
	constructor(arena: Arena, projection: Projection, centroids: number, nlist: number, metricCode: number) {
		this.#arena = arena;
		this.projection = projection;
		this.nlist = nlist;
		this.centroids = centroids;
		this.bytes = projection.bytes;
		const { bytes, width: dimensions } = projection;
		this.panels = packCentroids(arena, { address: centroids, stride: bytes, bytes, n: nlist, dimensions });
		const isCoded = hasCodes(nlist, dimensions, metricCode === METRIC_CODES.l1);
		let codes: ScalarCodes | undefined;
		let codeRows = 0;
		try {
			codes = isCoded ? new ScalarCodes(arena, dimensions, bytes) : undefined;
			codeRows = codes === undefined ? 0 : arena.alloc(nlist * (codes.bytes + CODE_TAIL));
		} catch (error) {
			codes?.dispose();
			this.panels.dispose();
			throw error;
		}
		this.codes = codes;
		this.codeStride = codes === undefined ? 0 : codes.bytes + CODE_TAIL;
		this.codeRows = codeRows;
		codes?.train(nlist, (cell) => this.centroidOf(cell));
		for (let cell = 0; codes !== undefined && cell < nlist; cell++) {
			codes.encode(this.centroidOf(cell), codeRows + cell * this.codeStride);
		}
	}

	centroidOf(cell: number): number {
		return this.centroids + cell * this.bytes;
	}

	/** Bytes of centroids in all their forms, and of the projection. */
	get memoryBytes(): number {
		const codes = this.codes === undefined ? 0 : this.bytes + this.nlist * this.codeStride;
		return this.nlist * this.bytes + panelsBytes(this.nlist, this.bytes) + codes + this.projection.memoryBytes;
	}

	dispose(): void {
		this.panels.dispose();
		this.codes?.dispose();
		this.#arena.free(this.codeRows);
		this.#arena.free(this.centroids);
		this.projection.dispose();
	}
}
