import { type Arena, METRIC_CODES, RABITQ_BLOCK, rowBytes } from "@nigh/kernels";
import type { ArenaView } from "../arena-view.ts";
import { zeroRowTerm } from "../rows/zero-row.ts";
import { type RabitqOptions, type RabitqSpec, resolveRabitq } from "./parameters.ts";
import { RabitqQuery, rabitqQueryBytes } from "./query.ts";
import { rotate, rotatedDimensions, rotationBytes, writeRotation } from "./rotation.ts";

/** Where a codec's memory lies. Threads share the rotation; each that encodes has a scratch of its own. */
export interface RabitqMemory {
	/** The table of the rotation, {@link rotationBytes}. */
	readonly rotation: number;
	/** Room for two rotated rows, which encoding uses: {@link rabitqScratchBytes}. */
	readonly scratch: number;
}

/** Bytes of the scratch that encoding uses. */
export function rabitqScratchBytes(dimensions: number): number {
	return 8 * rotatedDimensions(dimensions);
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
 * exact kernels: l2 squared, ip minus the dot product, cosine 1 - dot of rows of length 1, or of zero rows, which are 1 from all.
 *
 * The bound: a key lies within `estimate - lower` of its estimate, on either side, for about the share of rows that a normal distribution
 * has within epsilon (94.3 % at 1.9; 97.1 % are not nearer than `lower`). The share is over the random rotation, so rows that are alike
 * err alike. The bound is widened by what rounding the query leaves out.
 */
export class RabitqCodec {
	readonly spec: RabitqSpec;
	/** Bytes of a row as the row format writes it: floats, padded to 16 bytes. */
	readonly rowBytes: number;
	/** Dimensions of what is coded: those of the vectors, to the next multiple of 64. */
	readonly rotatedDimensions: number;
	/** Bytes of the payload of one block: codes and factors of 32 rows. A multiple of 128. */
	readonly payloadBytes: number;
	readonly bytesPerVector: RabitqBytes;
	/** Bytes that {@link RabitqCodec.query} needs. */
	readonly queryBytes: number;
	readonly memory: RabitqMemory;
	readonly #arena: ArenaView;
	readonly #metric: number;

	/** Over memory whose rotation has been written by {@link createRabitqCodec}; takes none of its own. */
	constructor(arena: ArenaView, spec: RabitqSpec, memory: RabitqMemory) {
		this.#arena = arena;
		this.spec = spec;
		this.memory = memory;
		this.#metric = METRIC_CODES[spec.metric];
		this.rowBytes = rowBytes(4 * spec.dimensions);
		this.rotatedDimensions = rotatedDimensions(spec.dimensions);
		this.bytesPerVector = {
			code: (this.rotatedDimensions / 8) * spec.bits,
			factors: 4 * (spec.bits === 1 ? RABITQ_BLOCK.factors : RABITQ_BLOCK.fineFactors),
		};
		this.payloadBytes = RABITQ_BLOCK.rows * (this.bytesPerVector.code + this.bytesPerVector.factors);
		this.queryBytes = rabitqQueryBytes(this.rotatedDimensions);
	}

	/** Writes the rotation of `row - origin` (of `row` where `origin` is 0), {@link RabitqCodec.rotatedDimensions} floats, to `out`. */
	rotate(row: number, origin: number, out: number): void {
		rotate(
			this.#arena,
			this.memory.rotation,
			{ address: row, origin, bytes: this.rowBytes },
			this.rotatedDimensions,
			out,
		);
	}

	/**
	 * Codes a row into slot 0 to 31 of a block, as the row of a cell with this centroid. Both are as they are, not rotated. Two rows of a block
	 * share bytes, so one thread at a time may write to a block.
	 */
	encodeRow(row: number, centroid: number, payload: number, slot: number): void {
		const residual = this.memory.scratch;
		const rotatedCentroid = residual + 4 * this.rotatedDimensions;
		this.rotate(row, centroid, residual);
		this.rotate(centroid, 0, rotatedCentroid);
		const { bits } = this.spec;
		const D = this.rotatedDimensions;
		this.#arena.kernels.rabitqEncode(this.#metric, residual, rotatedCentroid, D, bits, payload, slot);
		this.#addToOwn(zeroRowTerm(this.#arena, this.#metric, row, this.rowBytes), payload, slot);
	}

	/** Adds to what a row adds to its key by itself, in the unit of squared distances. Bounds are as wide as before: what float32 rounds here they hold. */
	#addToOwn(term: number, payload: number, slot: number): void {
		if (term === 0) return;
		const own = payload + 4 * this.rotatedDimensions + 4 * slot;
		const fine = RABITQ_BLOCK.factors * RABITQ_BLOCK.factorBytes;
		for (const at of this.spec.bits === 1 ? [own] : [own, own + fine]) {
			const floats = this.#arena.f32(at, 1);
			floats[0] = (floats[0] as number) + term;
		}
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
	let scratch: number;
	try {
		scratch = arena.alloc(rabitqScratchBytes(spec.dimensions));
	} catch (error) {
		arena.free(rotation);
		throw error;
	}
	writeRotation(arena, rotation, spec.dimensions, spec.seed);
	return new RabitqCodec(arena, spec, { rotation, scratch });
}

/** Gives back what {@link createRabitqCodec} took. */
export function disposeRabitqCodec(arena: Arena, { memory }: RabitqCodec): void {
	arena.free(memory.rotation);
	arena.free(memory.scratch);
}
