import { checkBound } from "@nigh/contract";
import { METRIC_CODES, RABITQ_CANDIDATE, RABITQ_QUERY, rowBytes } from "@nigh/kernels";
import type { ArenaView } from "../arena-view.ts";
import type { RabitqCodec } from "./codec.ts";
import { RABITQ_BOUNDS } from "./parameters.ts";

/** What is known of a row by its code. The key is at most as far above the estimate as `lower` is below it, with the same likelihood. */
export interface RabitqEstimate {
	/** The key is hardly ever less. */
	readonly lower: number;
	/** The key as it is expected. Under l2 and cosine it may come out a little below 0. */
	readonly estimate: number;
	readonly place: number;
}

/** Bytes of a query: the struct of the kernels, then the rotated query, its tables and its int16 form. */
export function rabitqQueryBytes(rotatedDimensions: number): number {
	return rowBytes(RABITQ_QUERY.bytes) + 10 * rotatedDimensions;
}

/**
 * One query on its way through the cells: {@link RabitqQuery.open} it, then for each cell {@link RabitqQuery.probe} it and scan the blocks,
 * by {@link RabitqQuery.scan} or by a kernel that walks chains and is given {@link RabitqQuery.struct}.
 */
export class RabitqQuery {
	/** Address of the kernels' query struct. */
	readonly struct: number;
	readonly #arena: ArenaView;
	readonly #codec: RabitqCodec;
	readonly #rotated: number;

	constructor(arena: ArenaView, codec: RabitqCodec, address: number) {
		this.#arena = arena;
		this.#codec = codec;
		this.struct = address;
		const { rotatedDimensions: D, rowBytes: bytes, spec } = codec;
		const rotated = address + rowBytes(RABITQ_QUERY.bytes);
		this.#rotated = rotated;
		const rooms = [rotated, rotated + 4 * D, rotated + 8 * D];
		const words = [D, spec.bits, METRIC_CODES[spec.metric], 0, bytes, ...rooms];
		arena.u32(address, words.length).set(words);
	}

	/**
	 * Takes a query row, as the row format writes it, which has to stay until the last cell is probed, and the width of its bound where it is not
	 * the codec's.
	 *
	 * @throws NighError `INVALID_OPTION` for an epsilon out of bounds.
	 */
	open(row: number, epsilon: number = this.#codec.spec.epsilon): void {
		const width = checkBound("epsilon", epsilon, RABITQ_BOUNDS.epsilon);
		this.#arena.f32(this.struct + RABITQ_QUERY.epsilon, 1)[0] = width;
		this.#arena.u32(this.struct + RABITQ_QUERY.row, 1)[0] = row;
		this.#arena.u32(this.struct + RABITQ_QUERY.refined, 1)[0] = 0;
		this.#codec.rotate(row, 0, this.#rotated);
		this.#arena.kernels.rabitqPrepare(this.struct);
	}

	/** Goes to the cell with this centroid, the row that its own rows were coded with. Takes far less time than {@link RabitqQuery.open}. */
	probe(centroid: number): void {
		this.#arena.kernels.rabitqProbe(this.struct, centroid);
	}

	/**
	 * Scans `n` rows in blocks that follow each other every `stride` bytes, with 32 places (u32, 0xffffffff for none) a block. Writes a
	 * candidate ({@link RABITQ_CANDIDATE}) to `out` for each row whose lower bound is at most `threshold`, which is the k-th least exact key so
	 * far, or Infinity; returns how many. With several bits a row that the first bit does not exclude is looked at by all of them.
	 */
	scan(
		blocks: { readonly payload: number; readonly stride: number; readonly places: number; readonly n: number },
		threshold: number,
		out: number,
	): number {
		const { payload, stride, places, n } = blocks;
		return this.#arena.kernels.rabitqScan(this.struct, payload, stride, places, n, threshold, out);
	}

	/** Reads candidates that a scan wrote. */
	read(out: number, n: number): RabitqEstimate[] {
		const words = RABITQ_CANDIDATE.bytes / 4;
		const keys = this.#arena.f32(out, n * words);
		const places = this.#arena.u32(out, n * words);
		return Array.from({ length: n }, (_, i) => ({
			lower: keys[words * i] as number,
			estimate: keys[words * i + RABITQ_CANDIDATE.estimate / 4] as number,
			place: places[words * i + RABITQ_CANDIDATE.place / 4] as number,
		}));
	}

	/** Rows whose other bits have been looked at since the query was opened. */
	get refined(): number {
		return this.#arena.u32(this.struct + RABITQ_QUERY.refined, 1)[0] as number;
	}
}
