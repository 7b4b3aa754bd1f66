import { type Arena, METRIC_CODES, RABITQ_BLOCK, rowBytes } from "@nigh/kernels";
import type { ArenaView } from "../arena-view.ts";
import { type RabitqOptions, type RabitqSpec, resolveRabitq } from "./parameters.ts";
import { RabitqQuery, rabitqQueryBytes } from "./query.ts";
import { rotate, rotatedDimensions, rotationBytes, writeRotation } from "./rotation.ts";

/** Where a codec's memory lies. Threads share the rotation; each has a residual of its own. */
export interface RabitqMemory {
	/** The table of the rotation, {@link rotationBytes}. */
	readonly rotation: number;
	/** Room for one rotated row, which encoding uses: {@link RabitqCodec.rotatedBytes}. */
	readonly residual: number;
}

/** Bytes of a vector in a block, codes and what its estimates need beside them apart. Places are not among them. */
export interface RabitqBytes {
	readonly code: number;
	readonly factors: number;
}

/**
 * RaBitQ (Gao & Long, SIGMOD 2024, arXiv 2405.12497; several bits: arXiv 2409.09913): codes of 1 to 8 bits a dimension for the rotated
 * residuals of the rows of a cell, from which keys are estimated without bias and with an error bound. Nothing is trained: the spec is all.
 *
 * Codes stand in blocks of {@link RABITQ_BLOCK}`.rows` rows, whose payload is drawn in the kernels' assembly/rabitq/payload.ts. Keys are those of the
 * exact kernels: l2 squared, ip minus the dot product, cosine 1 - dot of rows of length 1.
 *
 * The bound: a key lies within `estimate - lower` of its estimate, on either side, for about the share of rows that a normal distribution
 * has within epsilon (94.3 % at 1.9; 97.1 % are not nearer than `lower`). The share is over the random rotation, so rows that are alike
 * err alike. The bound is widened by what rounding the query leaves out.
 */
export class RabitqCodec {
	readonly spec: RabitqSpec;
	/** Dimensions of what is coded: those of the vectors, to the next multiple of 64. */
	readonly rotatedDimensions: number;
	/** Bytes of a rotated row. */
	readonly rotatedBytes: number;
	/** Bytes of the payload of one block: codes and factors of 32 rows. A multiple of 128. */
	readonly payloadBytes: number;
	readonly bytesPerVector: RabitqBytes;
	/** Bytes that {@link RabitqCodec.query} needs. */
	readonly queryBytes: number;
	readonly memory: RabitqMemory;
	readonly #arena: ArenaView;
	readonly #metric: number;
	readonly #rowBytes: number;

	/** Over memory whose rotation has been written by {@link createRabitqCodec}; takes none of its own. */
	constructor(arena: ArenaView, spec: RabitqSpec, memory: RabitqMemory) {
		this.#arena = arena;
		this.spec = spec;
		this.memory = memory;
		this.#metric = METRIC_CODES[spec.metric];
		this.#rowBytes = rowBytes(4 * spec.dimensions);
		this.rotatedDimensions = rotatedDimensions(spec.dimensions);
		this.rotatedBytes = 4 * this.rotatedDimensions;
		this.bytesPerVector = {
			code: (this.rotatedDimensions / 8) * spec.bits,
			factors: 4 * (spec.bits === 1 ? RABITQ_BLOCK.factors : RABITQ_BLOCK.fineFactors),
		};
		this.payloadBytes = RABITQ_BLOCK.rows * (this.bytesPerVector.code + this.bytesPerVector.factors);
		this.queryBytes = rabitqQueryBytes(this.rotatedDimensions);
	}

	/** Writes the rotation of a row, {@link RabitqCodec.rotatedBytes} bytes: centroids are rotated once, since every query meets them. */
	rotate(row: number, out: number): void {
		rotate(
			this.#arena,
			this.memory.rotation,
			{ address: row, origin: 0, bytes: this.#rowBytes },
			this.rotatedDimensions,
			out,
		);
	}

	/**
	 * Codes a row into slot 0 to 31 of a block. Row and centroid are as they are, not rotated, and may be the same. Two rows share bytes, so
	 * one thread at a time may write to a block.
	 */
	encodeRow(row: number, centroid: number, payload: number, slot: number): void {
		const { rotation, residual } = this.memory;
		const bytes = this.#rowBytes;
		const D = this.rotatedDimensions;
		rotate(this.#arena, rotation, { address: row, origin: centroid, bytes }, D, residual);
		const { bits } = this.spec;
		this.#arena.kernels.rabitqEncode(this.#metric, row, centroid, bytes, residual, D, bits, payload, slot);
	}

	/** A query over {@link RabitqCodec.queryBytes} bytes at `address`, a multiple of 16; used for one query after another. */
	query(address: number): RabitqQuery {
		return new RabitqQuery(this.#arena, this, address);
	}
}

/** A codec with memory of its own, the rotation written. Its memory is given back by the owner: {@link RabitqCodec.memory}. */
export function createRabitqCodec(arena: Arena, options: RabitqOptions): RabitqCodec {
	const spec = resolveRabitq(options);
	const rotation = arena.alloc(rotationBytes(spec.dimensions));
	const residual = arena.alloc(4 * rotatedDimensions(spec.dimensions));
	writeRotation(arena, rotation, spec.dimensions, spec.seed);
	return new RabitqCodec(arena, spec, { rotation, residual });
}

/** Gives back what {@link createRabitqCodec} took. */
export function disposeRabitqCodec(arena: Arena, { memory }: RabitqCodec): void {
	arena.free(memory.rotation);
	arena.free(memory.residual);
}
