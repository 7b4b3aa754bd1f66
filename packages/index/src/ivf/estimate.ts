import { type Metric, NighError } from "@nigh/contract";
import { CELL, CELL_BLOCK, CELL_ROWS, RABITQ_BLOCK, rowBytes } from "@nigh/kernels";
import { type MemoryParts, TABLE_BYTES } from "../memory-parts.ts";
import { mostAxes } from "../projection/learn-projection.ts";
import { rabitqScratchBytes } from "../rabitq/codec.ts";
import { rotatedDimensions, rotationBytes } from "../rabitq/rotation.ts";
import type { CustomMetric } from "../vector-index.ts";
import { coarseBytes } from "./coarse.ts";
import { type IvfOptions, isCoded } from "./create-file.ts";
import { chooseNlist } from "./nlist.ts";
import {
	defaultNprobe,
	type IvfParameterOptions,
	type IvfParameters,
	partWidth,
	resolveIvfParameters,
} from "./parameters.ts";
import { codeBytes, type ProductShape, payloadBytes } from "./product-codes.ts";
import { AXES_STEP } from "./train.ts";

/** Of the axes of a turned vector so many are kept, as a rule, where nobody says how many. */
const USUAL_SHARE = 0.5;
/** The label, and the way from the place to the cell. */
const PLACE_BYTES = 8;
/** Behind a row's 7-bit code: its norm and its error. */
const SCALAR_TAIL = 8;
/** A cell's entry in the table, and the least term of its rows. */
const CELL_BYTES = CELL.bytes + 4;

export interface IvfEstimateOptions extends IvfParameterOptions, Pick<IvfOptions, "codes"> {
	/** Vectors there may be one day: the ceiling of the rule `adaptive` grows with it. Default: as many as there are. */
	readonly capacity?: number;
	/**
	 * Axes that training keeps where it turns vectors and M is left out, as `effective().width` tells of an index. Default: half of the dimensions,
	 * or the most that are kept. All of them (and nothing else) where vectors are not turned, or M is given.
	 */
	readonly width?: number;
}

type Shaped<Options> = Options & { readonly dimensions: number; readonly metric: Metric | CustomMetric };

/**
 * Bytes that an inverted file takes for one vector beside the vector itself, before there is one: its code, its place in a full block of a cell, its
 * label. Blocks that are not full take more: half a block a cell. Centroids and codebooks are not among them.
 *
 * @throws NighError as `createIvf`.
 */
export function cellBytesPerVector(options: Shaped<IvfEstimateOptions>): number {
	const { codes, ids } = rowOf(options, resolveIvfParameters(options));
	return codes + ids;
}

/** What {@link InvertedFile} takes once it has been trained for `n` vectors, holds them and has been compacted. */
export function ivfParts(options: Shaped<IvfEstimateOptions>, n: number): MemoryParts {
	const { dimensions, metric } = options;
	const parameters = resolveIvfParameters(options);
	const vectors = n * rowBytes(4 * dimensions);
	const isOnDisk = parameters.storage === "disk";
	const { nlist } = chooseNlist(parameters.nlist, n, options.capacity);
	const width = widthOf(parameters, options);
	const row = rowOf(options, parameters);
	const { product } = row;
	const turned = parameters.rotation === "none" ? 0 : (width + 1) * rowBytes(4 * dimensions) + rowBytes(4 * width);
	const rotation = parameters.kind === "ivfrabitq" ? rotationBytes(dimensions) + rabitqScratchBytes(dimensions) : 0;
	return {
		codeBytesPerVector: row.code,
		codes: n * row.codes,
		ids: n * row.ids,
		centroids: coarseBytes(nlist, width, metric === "l1") + nlist * CELL_BYTES + turned + rotation,
		codebooks: product === undefined ? 0 : 4 * product.subs * product.width * 2 ** product.bits,
		links: 0,
		slack: Math.round(emptyRows(n, nlist) * row.inBlock),
		vectors: isOnDisk ? 0 : vectors,
		onDisk: isOnDisk ? vectors : 0,
		settings: settingsOf(parameters, nlist, width, row),
	};
}

interface Row {
	/** Bytes of code alone. */
	readonly code: number;
	/** Bytes of codes and of numbers. */
	readonly codes: number;
	readonly ids: number;
	/** Bytes of its share of a full block: what an empty row of one takes as well. */
	readonly inBlock: number;
	readonly product: ProductShape | undefined;
}

function rowOf(options: Shaped<IvfEstimateOptions>, parameters: IvfParameters): Row {
	const { kind, dimensions, metric } = options;
	const { bits = 0, residual } = parameters;
	const inPlaces = CELL_BLOCK.payload / CELL_ROWS;
	const ids = inPlaces + PLACE_BYTES + TABLE_BYTES;
	const coded = isCoded(options, dimensions);
	if (kind === "ivf") {
		const code = coded ? rowBytes(dimensions) : 0;
		return { code, codes: coded ? code + SCALAR_TAIL : 0, ids, inBlock: inPlaces, product: undefined };
	}
	if (kind === "ivfrabitq") {
		const code = (rotatedDimensions(dimensions) * bits) / 8;
		const codes = code + 4 * (bits === 1 ? RABITQ_BLOCK.factors : RABITQ_BLOCK.fineFactors);
		return { code, codes, ids, inBlock: inPlaces + codes, product: undefined };
	}
	const width = widthOf(parameters, options);
	const subs = parameters.M ?? width / partWidth(width);
	const product = { subs, width: width / subs, bits, hasTerms: metric !== "ip", residual };
	const codes = payloadBytes(product) / CELL_ROWS;
	return { code: codeBytes(product), codes, ids, inBlock: inPlaces + codes, product };
}

/** Elements of a vector as cells and codes see it. */
function widthOf({ rotation, M }: IvfParameters, { dimensions, width }: Shaped<IvfEstimateOptions>): number {
	if (rotation === "none" || M !== undefined) {
		if (width === undefined || width === dimensions) return dimensions;
		throw new NighError(
			"INVALID_OPTION",
			`width is ${width}, but ${M === undefined ? "vectors are not turned" : "M sub-quantisers code all axes"}: all ${dimensions} are kept. Leave it out${M === undefined ? ', or ask for rotation "opq"' : ", or M"}.`,
			{ field: "width", value: width, dimensions },
		);
	}
	if (width !== undefined) return width;
	const step = Math.min(AXES_STEP, dimensions);
	return Math.min(mostAxes(dimensions, step), Math.max(step, Math.ceil((dimensions * USUAL_SHARE) / step) * step));
}

/**
 * Rows that there is room for in the last blocks of cells whose sizes are strewn about their mean as k-means strews them, about exponentially: a cell has
 * more than j blocks with probability exp(-32 j / mean).
 */
function emptyRows(n: number, nlist: number): number {
	return (nlist * CELL_ROWS) / (1 - Math.exp((-CELL_ROWS * nlist) / n)) - n;
}

function settingsOf(
	{ kind, bits, rotation, residual, nprobe, epsilon, storage }: IvfParameters,
	nlist: number,
	width: number,
	{ code, product }: Row,
): MemoryParts["settings"] {
	return {
		nlist,
		nprobe: Math.min(nlist, nprobe ?? defaultNprobe(nlist)),
		storage,
		...(rotation !== "none" && { rotation, width }),
		...(kind === "ivf" && { codes: code === 0 ? "none" : "sq7" }),
		...(product !== undefined && { M: product.subs, bits: product.bits, residual }),
		...(kind === "ivfrabitq" && { bits: bits as number, epsilon: epsilon as number }),
	};
}
