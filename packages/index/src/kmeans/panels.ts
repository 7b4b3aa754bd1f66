import { type Arena, assignScratch, centroidCodesBytes, PANEL, panelBytes } from "@nigh/kernels";
import { Borrowed } from "./borrowed.ts";
import { packCodes } from "./codes.ts";
import { checkPoints, type PointRows } from "./points.ts";

/** With fewer centroids than this, coding the points costs more than it saves. */
const LEAST_CODED = 64;

/** Bytes of the panels of so many centroids of `bytes` each, and of their codes. */
export function panelsBytes(k: number, bytes: number): number {
	return panelCount(k) * panelBytes(bytes) + codesBytes(k, bytes);
}

function panelCount(k: number): number {
	return Math.ceil(k / PANEL.centroids);
}

function codesBytes(k: number, bytes: number): number {
	return k < LEAST_CODED ? 0 : centroidCodesBytes(bytes, k);
}

/**
 * Centroids as the assignment reads them: transposed, in panels of eight (assembly/kmeans/panel.ts draws them), with their mean taken away.
 * With m for the mean and c' = c - m the kernel's keys are |c'|^2 + 2 m.c' - 2 x.c', which is |x - c|^2 - |x - m|^2: rows that lie far from
 * the origin and near one another lose fewer digits than in |c|^2 - 2 x.c. Where there are many centroids their codes go with them, which
 * spare the kernel most comparisons and change none of its answers.
 */
export class CentroidPanels {
	readonly k: number;
	readonly dimensions: number;
	/** Bytes of a centroid, and of a point. */
	readonly bytes: number;
	readonly address: number;
	/** Address of the codes; 0 without. */
	readonly codes: number;
	readonly #arena: Arena;

	/** @throws NighError `MEMORY_LIMIT` */
	constructor(arena: Arena, { k, dimensions, bytes }: { k: number; dimensions: number; bytes: number }) {
		this.#arena = arena;
		this.k = k;
		this.dimensions = dimensions;
		this.bytes = bytes;
		const borrowed = new Borrowed(arena, "panels of centroids");
		try {
			this.address = borrowed.take(this.#count * panelBytes(bytes));
			this.codes = k < LEAST_CODED ? 0 : borrowed.take(codesBytes(k, bytes));
			borrowed.keep(this.address);
			borrowed.keep(this.codes);
		} finally {
			borrowed.release();
		}
	}

	/** Bytes that a lane needs to assign points to these. */
	get scratchBytes(): number {
		return assignScratch(this.bytes, this.k, this.codes !== 0);
	}

	get #count(): number {
		return panelCount(this.k);
	}

	/** Writes the centroids, `stride` bytes apart, into the panels. */
	pack(centroids: number, stride: number): void {
		const mean = this.#meanOf(centroids, stride);
		const floats = panelBytes(this.bytes) / 4;
		const panels = this.#arena.f32(this.address, this.#count * floats);
		for (let c = 0; c < this.#count * PANEL.centroids; c++) {
			const constant = Math.floor(c / PANEL.centroids) * floats + (c % PANEL.centroids);
			if (c >= this.k) {
				panels[constant] = Number.POSITIVE_INFINITY;
				continue;
			}
			const row = this.#arena.f32(centroids + c * stride, this.dimensions);
			let sum = 0;
			let at = constant + PANEL.elements / 4;
			for (let i = 0; i < row.length; i++) {
				const middle = mean[i] as number;
				panels[at] = (row[i] as number) - middle;
				// As it was rounded: the keys belong to the centroids that are in the panels.
				const x = panels[at] as number;
				sum += x * (x + 2 * middle);
				at += PANEL.centroids;
			}
			panels[constant] = sum;
		}
		if (this.codes !== 0) packCodes(this.#arena, this, mean);
	}

	/** Gives the memory back. */
	dispose(): void {
		this.#arena.free(this.address);
		this.#arena.free(this.codes);
	}

	#meanOf(centroids: number, stride: number): Float32Array {
		const mean = new Float64Array(this.dimensions);
		for (let c = 0; c < this.k; c++) {
			const row = this.#arena.f32(centroids + c * stride, this.dimensions);
			for (let i = 0; i < row.length; i++) (mean[i] as number) += row[i] as number;
		}
		return Float32Array.from(mean, (sum) => sum / this.k);
	}
}

/**
 * Packs trained centroids so that points can be assigned to them. The panels are a copy, and the caller's to dispose of.
 *
 * @throws NighError `INVALID_OPTION`, `MEMORY_LIMIT`
 */
export function packCentroids(arena: Arena, centroids: PointRows): CentroidPanels {
	checkPoints(centroids, "centroids");
	const { n: k, dimensions, bytes } = centroids;
	const panels = new CentroidPanels(arena, { k, dimensions, bytes });
	panels.pack(centroids.address, centroids.stride);
	return panels;
}
