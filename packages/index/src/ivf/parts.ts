import type { Json } from "@nigh/contract";
import { CELL, CELL_BLOCK, rowBytes } from "@nigh/kernels";
import { RabitqCodec } from "../rabitq/codec.ts";
import type { RabitqMetric } from "../rabitq/parameters.ts";
import type { InvertedFile } from "./inverted-file.ts";
import { type ProductShape, payloadBytes } from "./product-codes.ts";

/** What the arena does not hold. Everything else of an inverted file is in the sections, or follows from them. */
export type IvfState = {
	readonly kind: string;
	readonly dimensions: number;
	readonly metric: string;
	readonly custom: false;
	readonly weights: readonly number[] | null;
	readonly codes: "sq7" | "none";
	/** Step of the 7-bit codes. */
	readonly unit: number;
	/** Rows that the 7-bit codes were learnt from. */
	readonly codesTrainedOn: number;
	readonly nlist: number | string;
	readonly nprobe: number | null;
	readonly budget: number | null;
	readonly rerank: number | null;
	readonly M: number | null;
	readonly bits: number | null;
	readonly rotation: string;
	readonly residual: boolean;
	readonly epsilon: number | null;
	readonly storage: string;
	readonly seed: number;
	readonly maxElements: number | null;
	/** Cells there are; 0 before training. */
	readonly cells: number;
	/** How their number was chosen: by which rule, for how many vectors, and how many it asked for where those were too few. */
	readonly rule: string | null;
	readonly trainedFor: number;
	readonly asked: number | null;
	/** Axes that cells and codes see; 0 where they see rows as they are. */
	readonly axes: number;
	/** Sub-quantisers; 0 where there are none. */
	readonly subs: number;
	readonly size: number;
	readonly slots: number;
	readonly blocksUsed: number;
	readonly nextLabel: number;
};

/** An index in parts that together are all of it, to be kept where bytes are already written and checked. */
export interface IvfParts {
	/** Settings and counts. */
	readonly state: { readonly [name: string]: Json };
	/** Views of the arena, not copies: the index must not change while they are read, nor may an arena that is not shared grow. */
	readonly sections: readonly { readonly name: string; readonly bytes: Uint8Array }[];
}

/** Where the parts of a saved index come from. Nothing that it gives is trusted. */
export interface IvfSource {
	readonly state: Readonly<Record<string, unknown>>;
	/** The sections there are, in the order in which they were saved. */
	readonly sections: readonly { readonly name: string; readonly bytes: number }[];
	/** Fills `into`, which is as long as the section and may be shared memory, with a section. Called once for each, in order. */
	read(name: string, into: Uint8Array): void;
}

export function stateOf(file: InvertedFile): IvfState {
	const { rows, codes, scalar, learnt, parameters } = file;
	const projection = learnt?.coarse.projection;
	return {
		dimensions: rows.dimensions,
		metric: rows.metric as string,
		custom: false,
		weights: rows.weights === undefined ? null : [...rows.weights],
		codes: scalar === undefined ? "none" : "sq7",
		unit: codes?.unit ?? 1,
		codesTrainedOn: codes?.trainedOn ?? 0,
		...parameters,
		nprobe: parameters.nprobe ?? null,
		budget: parameters.budget ?? null,
		rerank: parameters.rerank ?? null,
		M: parameters.M ?? null,
		bits: parameters.bits ?? null,
		epsilon: parameters.epsilon ?? null,
		maxElements: parameters.maxElements ?? null,
		cells: file.nlist,
		rule: learnt?.choice.rule ?? null,
		trainedFor: learnt?.choice.n ?? 0,
		asked: learnt?.choice.asked ?? null,
		axes: projection === undefined || projection.matrix === 0 ? 0 : projection.width,
		subs: learnt?.product?.subs ?? 0,
		size: file.size,
		slots: file.slots,
		blocksUsed: file.cells.blocksUsed,
		nextLabel: file.table.next,
	};
}

export const SECTIONS = [
	"mean",
	"offset",
	"axes",
	"centroids",
	"codebooks",
	"cells",
	"leastTerms",
	"blocks",
	"labels",
	"vectors",
	"codes",
	"errors",
	"origin",
] as const;

export type SectionName = (typeof SECTIONS)[number];

/** Where vectors are on disk there are none to be saved, and 7-bit codes of rows cannot be made of them again; in memory it is the other way round. */
function hasSection(name: SectionName, { isOnDisk, scalar }: InvertedFile): boolean {
	if (name === "vectors") return !isOnDisk;
	return (name !== "codes" && name !== "errors") || (isOnDisk && scalar !== undefined);
}

/**
 * Bytes of the sections of a file with these settings and counts, in their order. Where the vectors are in memory the 7-bit codes of rows are not among
 * them, nor ever what is made of the centroids (panels, codes, turned ones): they are made again, which takes no longer than reading them, and cannot be
 * wrong.
 */
export function sectionBytes(file: InvertedFile, state: IvfState): readonly (readonly [SectionName, number])[] {
	const { rows, codes } = file;
	const { cells, axes, subs, slots, blocksUsed } = state;
	const isTurned = cells > 0 && axes > 0;
	const width = isTurned ? axes : rows.dimensions;
	const bytes: Readonly<Record<SectionName, number>> = {
		mean: isTurned ? rows.bytes : 0,
		offset: isTurned ? rowBytes(4 * width) : 0,
		axes: isTurned ? axes * rows.bytes : 0,
		centroids: cells * rowBytes(4 * width),
		codebooks: subs === 0 ? 0 : 4 * width * 2 ** (file.parameters.bits ?? 0),
		cells: cells * CELL.bytes,
		leastTerms: cells * 4,
		blocks: blocksUsed * (CELL_BLOCK.payload + payloadOf(file, state)),
		labels: slots * 4,
		vectors: slots * rows.bytes,
		codes: slots * file.codeStride,
		errors: slots * ERROR_BYTES,
		origin: codes === undefined ? 0 : rows.bytes,
	};
	return SECTIONS.filter((name) => hasSection(name, file)).map((name) => [name, bytes[name]] as const);
}

/** Beside a row's 7-bit code: its norm and its error. */
const ERROR_BYTES = 8;

/** The product quantiser that a state speaks of. */
export function productShape({ rows, parameters }: InvertedFile, { subs, axes }: IvfState): ProductShape {
	const width = axes > 0 ? axes : rows.dimensions;
	const { bits, residual } = parameters;
	return { subs, width: width / subs, bits: bits as number, hasTerms: rows.metric !== "ip", residual };
}

/** Bytes of a block behind its places. */
function payloadOf(file: InvertedFile, state: IvfState): number {
	if (state.kind === "ivfpq" && state.subs > 0) return payloadBytes(productShape(file, state));
	if (state.kind !== "ivfrabitq") return 0;
	const { dimensions, metric } = file.rows;
	const { bits, epsilon, seed } = file.parameters;
	const spec = { dimensions, metric: metric as RabitqMetric, bits: bits as number, epsilon: epsilon as number, seed };
	return new RabitqCodec(file.arena, spec, { rotation: 0, scratch: 0 }).payloadBytes;
}

/** Where a section of a file is, once there is room for it. */
export function sectionAddress(file: InvertedFile, name: SectionName): number {
	const { learnt, codes } = file;
	switch (name) {
		case "mean":
			return learnt?.coarse.projection.mean ?? 0;
		case "offset":
			return learnt?.coarse.projection.offset ?? 0;
		case "axes":
			return learnt?.coarse.projection.matrix ?? 0;
		case "centroids":
			return learnt?.coarse.centroids ?? 0;
		case "codebooks":
			return learnt?.product?.books ?? 0;
		case "cells":
			return file.cells.tableAddress;
		case "leastTerms":
			return file.cells.leastTermsAddress;
		case "blocks":
			return file.cells.blocksAddress;
		case "labels":
			return file.labelsAddress;
		case "vectors":
			return file.vectors;
		case "codes":
			return file.codeRows;
		case "errors":
			return file.errors;
		case "origin":
			return codes?.origin ?? 0;
	}
}

/** The file in parts: settings, what was learnt, cells and their blocks, rows and labels. */
export function partsOf(file: InvertedFile): IvfParts {
	const state = stateOf(file);
	return {
		state,
		sections: sectionBytes(file, state).map(([name, bytes]) => ({
			name,
			bytes: file.arena.u8(sectionAddress(file, name), bytes),
		})),
	};
}
