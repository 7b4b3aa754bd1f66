import { CELL, CELL_BLOCK, CELL_ROWS } from "@nigh/kernels";
import type { MemoryReport } from "../vector-index.ts";
import type { InvertedFile } from "./inverted-file.ts";
import { codeBytes } from "./product-codes.ts";

/** What an inverted file takes, part by part, in bytes. */
export interface IvfMemoryReport extends MemoryReport {
	/** Bytes of code alone for each vector: what compression figures are made of. All that stands beside it is in {@link index}. */
	readonly codeBytesPerVector: number;
	/** Numbers by which vectors are known: labels, places in cells, the way back. */
	readonly ids: number;
	/** Centroids in all their forms, and what turns a vector before it is compared with them. */
	readonly centroids: number;
	readonly codebooks: number;
	/** {@link total} for each vector. */
	readonly bytesPerVector: number;
	/** Bytes of the exact vectors, padded, that whoever owns the index keeps elsewhere; 0 where they are in memory. Not in {@link total}. */
	readonly onDisk: number;
}

/** What is measured, beside the formula of the layout: rows, codes, places, and blocks that are full. */
export function memoryOf(file: InvertedFile, scratch: number): IvfMemoryReport {
	const { learnt, scalar, capacity, nlist, table, size } = file;
	const { blockCapacity, blockStride } = file.cells;
	const { product, rabitq } = learnt ?? {};
	const perRowInBlock = blockStride / CELL_ROWS;
	const placesInBlocks = blockCapacity * CELL_BLOCK.payload;
	const inBlocks = blockCapacity * (blockStride - (blockStride === 0 ? 0 : CELL_BLOCK.payload));
	const codes = inBlocks + (scalar === undefined ? 0 : capacity * (file.codeStride + 8));
	const ids = (blockStride === 0 ? 0 : placesInBlocks) + capacity * 8 + table.bytes;
	const centroids = (learnt?.coarse.memoryBytes ?? 0) + (rabitq?.memoryBytes ?? 0) + nlist * (CELL.bytes + 4);
	const codebooks = product?.memoryBytes ?? 0;
	const rowBytes = file.isOnDisk ? 0 : file.rows.bytes;
	const vectors = capacity * rowBytes;
	const index = codes + ids + centroids + codebooks + scratch;
	const scalarBytes = scalar === undefined ? 0 : file.codeStride + 8;
	return {
		codes,
		index,
		vectors,
		total: index + vectors,
		formula: Math.ceil(size * (rowBytes + scalarBytes + perRowInBlock + 12)) + centroids + codebooks,
		codeBytesPerVector: codeBytesOf(learnt, scalar?.bytes ?? 0),
		ids,
		centroids,
		codebooks,
		bytesPerVector: size === 0 ? 0 : (index + vectors) / size,
		onDisk: file.isOnDisk ? size * file.rows.bytes : 0,
	};
}

function codeBytesOf(learnt: InvertedFile["learnt"], scalarBytes: number): number {
	if (learnt?.product !== undefined) return codeBytes(learnt.product);
	return learnt?.rabitq?.codec.bytesPerVector.code ?? scalarBytes;
}
