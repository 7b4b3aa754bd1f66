import { CELL_PROBE, CODE_FORMS, METRIC_CODES } from "@nigh/kernels";
import { projectRow } from "../projection/projection.ts";
import { zeroRowTerm } from "../rows/zero-row.ts";
import type { IvfScratch } from "./scratch.ts";
import type { IvfView } from "./view.ts";

/** A query that is farther from its code than this many steps a dimension lies outside of what codes can tell apart. */
const MOST_ERROR = 1;

/** Finds the cells nearest to a query, as many as are asked for, and lists them with their biases for the kernels. */
export class Probe {
	readonly #view: IvfView;
	readonly #scratch: IvfScratch;
	/** Where the query is as cells see it. */
	readonly query: number;
	/** Cells that are listed. */
	count = 0;
	/** The least of bias and term among the cells that were listed first and have rows, and how far these lie apart. */
	from = Number.POSITIVE_INFINITY;
	biasSpread = 0;

	/** The query must have been written to the scratch as a row. */
	constructor(view: IvfView, scratch: IvfScratch) {
		this.#view = view;
		this.#scratch = scratch;
		const isDot = view.rows.metric === "ip";
		this.query = projectRow(view.arena, view.projection, scratch.query, scratch.projected, !isDot);
		this.#writeKeys();
	}

	/** Whether a cell of product codes is listed that has (or had) rows: what they are scanned by depends on them. */
	get hasRows(): boolean {
		return this.from !== Number.POSITIVE_INFINITY;
	}

	/** Lists the `nprobe` nearest cells; those that were listed before stay where they are. */
	list(nprobe: number): void {
		const { arena } = this.#view;
		const { cellKeys, cellNumbers, nearest, probes, probed } = this.#scratch;
		arena.kernels.topk(cellKeys, cellNumbers, this.#view.nlist, nprobe, nearest, 0, 0);
		const pairs = arena.u32(nearest, 2 * nprobe);
		const listed = arena.u32(probes, 2 * nprobe);
		const numbers = arena.u32(probed, nprobe);
		for (let i = this.count; i < nprobe; i++) {
			const cell = pairs[2 * i + 1] as number;
			listed[(CELL_PROBE.bytes / 4) * i] = cell;
			numbers[i] = cell;
		}
		if (this.#view.product !== undefined) this.#writeBiases(this.count, nprobe);
		this.count = nprobe;
	}

	/** The exact part of a key that all rows of a cell have in common. */
	#writeBiases(from: number, to: number): void {
		const { arena, rows, centroids, centroidBytes, product, leastTerms, nlist } = this.#view;
		const { probes, probed, biases } = this.#scratch;
		const metric = rows.metric === "ip" ? METRIC_CODES.ip : METRIC_CODES.l2;
		const ids = probed + 4 * from;
		const count = to - from;
		const out = arena.f32(biases, count);
		if (product?.residual === true) {
			arena.kernels.distanceMany(metric, this.query, centroids, centroidBytes, centroidBytes, ids, count, biases);
		} else {
			// What is coded is the row itself: nothing depends on its cell.
			out.fill(metric === METRIC_CODES.ip ? 0 : arena.kernels.sumOfSquares(this.query, centroidBytes));
		}
		const zeroTerm = zeroRowTerm(arena, rows.metricCode, this.#scratch.query, rows.bytes);
		const listed = arena.f32(probes, 2 * to);
		const terms = arena.f32(leastTerms, nlist);
		const numbers = arena.u32(probed, to);
		const isFirst = !this.hasRows;
		let most = Number.NEGATIVE_INFINITY;
		for (let i = 0; i < count; i++) {
			const bias = (out[i] as number) + zeroTerm;
			listed[2 * (from + i) + 1] = bias;
			if (!isFirst) continue;
			const term = product?.hasTerms === true ? (terms[numbers[from + i] as number] as number) : 0;
			if (term === Number.POSITIVE_INFINITY) continue;
			this.from = Math.min(this.from, bias + term);
			most = Math.max(most, bias + term);
		}
		if (isFirst) this.biasSpread = Math.max(0, most - this.from);
	}

	#writeKeys(): void {
		const { arena, rows, nlist, centroids, centroidBytes, coarseCodes } = this.#view;
		const { cellKeys } = this.#scratch;
		if (coarseCodes !== undefined && this.#writeCodeKeys()) return;
		const metric = rows.metric === "ip" ? METRIC_CODES.ip : METRIC_CODES.l2;
		arena.kernels.distanceBlock(metric, this.query, centroids, centroidBytes, centroidBytes, nlist, cellKeys);
	}

	/** Keys by codes, which are a quarter of the bytes; `false` where they cannot tell. */
	#writeCodeKeys(): boolean {
		const { arena, rows, nlist, centroidBytes, projection } = this.#view;
		const { coder, rows: codes, stride } = this.#view.coarseCodes as NonNullable<IvfView["coarseCodes"]>;
		const { queryCode, cellKeys } = this.#scratch;
		const { kernels } = arena;
		if (rows.metric === "ip") {
			if (kernels.encodeSigned(this.query, centroidBytes, queryCode, coder.bytes) === 0) return false;
			kernels.codeKeysBlock(CODE_FORMS.dot, queryCode, 0, codes, stride, coder.bytes, nlist, cellKeys);
			return true;
		}
		const norm = coder.encode(this.query, queryCode);
		const error = kernels.residual(this.query, coder.origin, coder.unit, centroidBytes, queryCode);
		if (!(error <= MOST_ERROR * coder.unit * Math.sqrt(projection.width))) return false;
		kernels.codeKeysBlock(CODE_FORMS.l2, queryCode, norm, codes, stride, coder.bytes, nlist, cellKeys);
		return true;
	}
}
