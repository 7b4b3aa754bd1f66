/**
 * The scalar twin of the compiled kernels: the same names, arguments and bits, in plain TypeScript. It is what the kernel tests compare
 * with, what runs where there is no SIMD, and the engine of a user's own metric. Each file mirrors the one of the same name in
 * ../../assembly; struct layouts and reasons stand there.
 */

import type { Kernels } from "../kernels.ts";
import type { WasmMemory } from "../wasm.ts";
import { boundMany, boundScan, residual } from "./bounds.ts";
import { fastScan, putFastCodes } from "./cells/fast-scan.ts";
import { listCells } from "./cells/list.ts";
import { productDecode, productEncode, productScan, productTables, quantizeTables } from "./cells/product-codes.ts";
import { rabitqCells } from "./cells/rabitq-cells.ts";
import { CellSearch } from "./cells/state.ts";
import { checksum } from "./checksum.ts";
import { codeDot, codeKeysBlock, codeKeysMany, codeKeysTiles, codeL2 } from "./codes.ts";
import { distance, distanceBlock, distanceMany, distanceTiles } from "./distance.ts";
import { Eligibility } from "./eligibility.ts";
import { encodePlanes, encodeRow, encodeSigned } from "./encode.ts";
import { bfs, permuteRows, remapLinks } from "./graph/arrange.ts";
import { insertRange } from "./graph/insert.ts";
import { linkRange } from "./graph/link.ts";
import { repairRange } from "./graph/repair.ts";
import { searchGraph, searchMatching, searchRange } from "./graph/search.ts";
import { GraphState } from "./graph/state.ts";
import { assignRange, meanRange } from "./kmeans.ts";
import { encodeMany, nearestMany } from "./many.ts";
import { listEligible, listMatches, sampleMatches } from "./matches.ts";
import { TwinMemory } from "./memory.ts";
import { normalizeRow, scaleRow, sumOfSquares } from "./prepare.ts";
import { rabitqEncode } from "./rabitq/encode.ts";
import { rabitqPrepare, rabitqProbe } from "./rabitq/query.ts";
import { rabitqScan } from "./rabitq/scan.ts";
import { rotateRow } from "./rotate.ts";
import { topk } from "./topk.ts";
import { type CustomDistance, UserMetric } from "./user-metric.ts";

export interface TwinOptions {
	/**
	 * What metric 5 (custom) computes: any number, smaller for nearer vectors, equal either way round, never NaN. Both arguments are
	 * views into the memory that are only valid during the call; it must not write to them, nor call the kernels of the same memory.
	 * A NaN throws `RangeError` out of the kernel that asked.
	 */
	readonly custom?: CustomDistance;
	/** How many floats the views have that `custom` is given; required with it. */
	readonly dimensions?: number;
}

/**
 * The kernels over a memory, shared or not, which may grow between calls. Throws `RangeError` where `custom` comes without its
 * dimensions, and on a big-endian platform.
 */
export function createTwin(memory: WasmMemory, options: TwinOptions = {}): Kernels {
	refuseBigEndian();
	const m = new TwinMemory(memory, userMetric(options));
	const eligible = new Eligibility(m);
	const graph = new GraphState(eligible);
	const cells = new CellSearch(eligible);

	/** A kernel with its state filled in, which looks first whether the memory has grown. */
	function over<S, A extends number[], R>(state: S, kernel: (state: S, ...args: A) => R): (...args: A) => R {
		return (...args) => {
			m.refresh();
			return kernel(state, ...args);
		};
	}

	return {
		distance: over(m, distance),
		distanceMany: over(m, distanceMany),
		distanceBlock: over(m, distanceBlock),
		distanceTiles: over(m, distanceTiles),
		codeDot: over(m, codeDot),
		codeL2: over(m, codeL2),
		codeKeysMany: over(m, codeKeysMany),
		codeKeysBlock: over(m, codeKeysBlock),
		codeKeysTiles: over(m, codeKeysTiles),
		sumOfSquares: over(m, sumOfSquares),
		scaleRow: over(m, scaleRow),
		normalizeRow: over(m, normalizeRow),
		encodeRow: over(m, encodeRow),
		encodeSigned: over(m, encodeSigned),
		encodePlanes: over(m, encodePlanes),
		rotateRow: over(m, rotateRow),
		rabitqEncode: over(m, rabitqEncode),
		rabitqPrepare: over(m, rabitqPrepare),
		rabitqProbe: over(m, rabitqProbe),
		rabitqScan: over(m, rabitqScan),
		residual: over(m, residual),
		boundScan: over(eligible, boundScan),
		boundMany: over(eligible, boundMany),
		listMatches: over(m, listMatches),
		sampleMatches: over(eligible, sampleMatches),
		listEligible: over(eligible, listEligible),
		encodeMany: over(m, encodeMany),
		nearestMany: over(m, nearestMany),
		topk: over(eligible, topk),
		searchGraph: over(graph, searchGraph),
		searchMatching: over(graph, searchMatching),
		searchRange: over(graph, searchRange),
		insertRange: over(graph, insertRange),
		linkRange: over(graph, linkRange),
		repairRange: over(graph, repairRange),
		bfs: over(graph, bfs),
		permuteRows: over(m, permuteRows),
		remapLinks: over(graph, remapLinks),
		fastScan: over(cells, fastScan),
		putFastCodes: over(m, putFastCodes),
		listCells: over(cells, listCells),
		rabitqCells: over(cells, rabitqCells),
		productEncode: over(m, productEncode),
		productDecode: over(m, productDecode),
		productTables: over(m, productTables),
		quantizeTables: over(m, quantizeTables),
		productScan: over(cells, productScan),
		assignRange: over(m, assignRange),
		meanRange: over(m, meanRange),
		checksum: over(m, checksum),
	};
}

function userMetric({ custom, dimensions }: TwinOptions): UserMetric | undefined {
	if (custom === undefined) return undefined;
	if (dimensions === undefined || !Number.isInteger(dimensions) || dimensions < 1) {
		throw new RangeError(
			`A custom metric needs to know how long its vectors are: pass createTwin the option "dimensions", a whole number of at least 1 (it was ${dimensions}).`,
		);
	}
	return new UserMetric(custom, dimensions);
}

/** WebAssembly's memory is little-endian, typed arrays have the platform's order. */
function refuseBigEndian(): void {
	if (new Uint8Array(Uint32Array.of(1).buffer)[0] !== 1) {
		throw new RangeError("The scalar kernels need a little-endian platform: use the compiled ones here.");
	}
}
