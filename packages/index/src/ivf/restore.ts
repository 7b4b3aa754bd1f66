import { BOUNDS } from "@nigh/contract";
import { NO_PLACE } from "@nigh/kernels";
import { corrupt } from "../image.ts";
import { withinArena } from "../memory-limit.ts";
import { Projection } from "../projection/projection.ts";
import { MAX_LABEL } from "../rows/label-table.ts";
import { checkCells } from "./check-cells.ts";
import { Coarse } from "./coarse.ts";
import { putScalarCode } from "./insert.ts";
import type { InvertedFile } from "./inverted-file.ts";
import type { Learnt } from "./learnt.ts";
import { NLIST_RULES, type NlistChoice } from "./nlist.ts";
import {
	type IvfSource,
	type IvfState,
	productShape,
	type SectionName,
	sectionAddress,
	sectionBytes,
} from "./parts.ts";
import { ProductCodes } from "./product-codes.ts";
import type { RabitqCells } from "./rabitq-cells.ts";
import { rabitqOf } from "./train.ts";

/** The settings that a saved file is created again with. */
export function ivfOptionsOf(saved: IvfSource["state"]): Record<string, unknown> {
	const { kind, dimensions, metric, codes, nlist, bits, rotation, residual, epsilon, seed, ...state } =
		saved as IvfState;
	const given = {
		storage: state.storage,
		nprobe: state.nprobe,
		budget: state.budget,
		rerank: state.rerank,
		maxElements: state.maxElements,
	};
	return {
		kind,
		dimensions,
		metric,
		nlist,
		seed,
		...(state.weights === null ? {} : { weights: state.weights }),
		...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null && value !== undefined)),
		...(kind === "ivf" && { codes, rotation }),
		...(kind === "ivfpq" && { bits, rotation, residual, ...(state.M !== null && { M: state.M }) }),
		...(kind === "ivfrabitq" && { bits, epsilon }),
	};
}

/**
 * Fills a new file from its parts, with room for `room` rows in all from the start, so that nothing has to move later. Nothing is trusted that
 * could make a later search read outside of the file, go round in circles, or answer with what is not there.
 */
export function fillFile(file: InvertedFile, source: IvfSource, room = 0): void {
	const state = source.state as IvfState;
	checkCounts(state);
	checkSettings(file, source.state);
	checkShape(file, state);
	const lengths = new Map(sectionBytes(file, state));
	// Before any memory is taken for what may be a lie.
	checkSections(lengths, source);
	const { arena } = file;
	const read: Read = (name, address) => source.read(name, arena.u8(address, lengths.get(name) as number));
	withinArena("a saved index", () => {
		learn(file, readLearnt(file, state, read));
		for (const name of ["cells", "leastTerms"] as const) read(name, sectionAddress(file, name));
		file.adopt(state, room);
		for (const name of AFTER_CELLS) if (lengths.has(name)) read(name, sectionAddress(file, name));
		fillTable(file, state);
		if (!file.isOnDisk) checkRows(file);
		checkCells(file);
		takeCodes(file, state);
		if (file.isOnDisk) checkCodes(file);
		else fillCodes(file);
	});
}

/** What lies where there has to be room first. */
const AFTER_CELLS = ["blocks", "labels", "vectors", "codes", "errors", "origin"] as const satisfies SectionName[];

type Read = (name: SectionName, address: number) => void;

function isCount(value: unknown): value is number {
	return Number.isSafeInteger(value) && (value as number) >= 0;
}

function checkCounts({ cells, size, slots, blocksUsed, nextLabel, axes, subs, trainedFor, ...state }: IvfState): void {
	const counts = [cells, size, slots, blocksUsed, nextLabel, axes, subs, trainedFor, state.codesTrainedOn];
	if (!counts.every(isCount)) throw corrupt("the header's counts are not whole numbers");
	if (nextLabel > MAX_LABEL + 1 || slots > MAX_LABEL) throw corrupt("the header counts more labels than there are");
	if (size > slots) throw corrupt("the header counts more rows than places");
	if (cells > BOUNDS.nlist.max) throw corrupt("the header counts more cells than there can be");
	if (cells === 0 && slots + blocksUsed + axes + subs > 0) throw corrupt("there are rows, but no cells");
	if (state.maxElements !== null && size > state.maxElements) {
		throw corrupt("the header counts more rows than it allows");
	}
}

/** What a header leaves out would otherwise be read as its default, whatever the codes were made by. */
function checkSettings({ parameters }: InvertedFile, state: IvfSource["state"]): void {
	// Where vectors are the sections tell, and what was saved before there was a choice leaves it out.
	const { storage: _, ...settings } = parameters;
	for (const [name, value] of Object.entries(settings)) {
		if ((state[name] ?? undefined) !== value) throw corrupt(`the header does not tell ${name}`);
	}
}

/** What was learnt must be what these settings learn. */
function checkShape({ rows, parameters, codes }: InvertedFile, state: IvfState): void {
	const { cells, axes, subs, rule, asked, trainedFor, unit } = state;
	if (codes !== undefined && !(Number.isFinite(unit) && unit > 0))
		throw corrupt("the step of the codes is not above 0");
	if (cells === 0) return;
	const isRule = typeof rule === "string" && (rule === "given" || Object.hasOwn(NLIST_RULES, rule));
	if (!isRule || trainedFor === 0 || !(asked === null || isCount(asked))) {
		throw corrupt("the header does not tell how the number of cells was chosen");
	}
	const isTurned = parameters.rotation === "opq";
	if (isTurned !== axes > 0 || axes > rows.dimensions) throw corrupt("the header counts axes that there cannot be");
	const isProduct = parameters.kind === "ivfpq";
	const width = isTurned ? axes : rows.dimensions;
	const isCut = subs > 0 && width % subs === 0 && (parameters.M === undefined || parameters.M === subs);
	if (isProduct ? !isCut : subs > 0) throw corrupt("the header counts sub-quantisers that there cannot be");
}

function checkSections(lengths: ReadonlyMap<SectionName, number>, { sections }: IvfSource): void {
	const expected = [...lengths];
	const fit =
		sections.length === expected.length &&
		expected.every(([name, bytes], i) => sections[i]?.name === name && sections[i]?.bytes === bytes);
	if (fit) return;
	const listed = expected.map(([name, bytes]) => `"${name}" of ${bytes} bytes`).join(", ");
	throw corrupt(`the sections are not those that the header's counts ask for: ${listed}`);
}

/** What training had found; `undefined` for a file that has not been trained. */
function readLearnt(file: InvertedFile, state: IvfState, read: Read): Learnt | undefined {
	const { arena, rows, parameters } = file;
	const { cells, axes } = state;
	const projection = new Projection(arena, rows.dimensions, axes);
	let centroids = 0;
	let coarse: Coarse | undefined;
	let product: ProductCodes | undefined;
	let rabitq: RabitqCells | undefined;
	try {
		read("mean", projection.mean);
		read("offset", projection.offset);
		read("axes", projection.matrix);
		if (axes > 0) checkProjection(file, projection);
		centroids = cells === 0 ? 0 : arena.alloc(cells * projection.bytes);
		read("centroids", centroids);
		const shape = { n: cells, bytes: projection.bytes, width: projection.width };
		checkFloats(file, "a centroid", { address: centroids, ...shape, most: 4 * MOST_SQUARES });
		if (cells === 0) {
			read("codebooks", 0);
			projection.dispose();
			return undefined;
		}
		coarse = new Coarse(arena, projection, centroids, cells, rows.metricCode);
		product = parameters.kind === "ivfpq" ? new ProductCodes(arena, productShape(file, state)) : undefined;
		read("codebooks", product?.books ?? 0);
		if (product !== undefined) checkBooks(file, product);
		rabitq = parameters.kind === "ivfrabitq" ? rabitqOf(arena, rows, parameters) : undefined;
		return { choice: choiceOf(state), coarse, product, rabitq };
	} catch (error) {
		rabitq?.dispose();
		product?.dispose();
		if (coarse !== undefined) coarse.dispose();
		else {
			arena.free(centroids);
			projection.dispose();
		}
		throw error;
	}
}

function choiceOf({ rule, trainedFor, cells, asked }: IvfState): NlistChoice {
	return {
		rule: rule as NlistChoice["rule"],
		n: trainedFor,
		nlist: cells,
		vectorsPerCell: trainedFor / cells,
		...(asked !== null && { asked }),
	};
}

function learn(file: InvertedFile, learnt: Learnt | undefined): void {
	if (learnt === undefined) return;
	try {
		file.learn(learnt);
	} catch (error) {
		for (const part of [learnt.rabitq, learnt.product, learnt.coarse]) part?.dispose();
		throw error;
	}
}

/** The square of the longest vector there can be, with room for rounding. */
const MOST_SQUARES = 1.001 * BOUNDS.vectorNorm.max ** 2;
/** As far from 0 as the part of a vector can be that a centroid leaves over, or a sum of such. */
const MOST_FLOAT = 4 * BOUNDS.vectorNorm.max;

function checkProjection(file: InvertedFile, { mean, offset, matrix, bytes, width }: Projection): void {
	const { rows } = file;
	const row = { bytes: rows.bytes, width: rows.dimensions };
	checkFloats(file, "the mean", { address: mean, n: 1, ...row, most: MOST_SQUARES });
	checkFloats(file, "the mean", { address: offset, n: 1, bytes, width, most: MOST_SQUARES });
	checkFloats(file, "an axis", { address: matrix, n: width, ...row, most: 1.001 });
}

interface Floats {
	readonly address: number;
	readonly n: number;
	/** Of a row, the zeros behind it included. */
	readonly bytes: number;
	readonly width: number;
	/** The largest sum of squares. */
	readonly most: number;
}

/** Rows of floats must be finite, not too long, and zero behind the last. */
function checkFloats({ arena }: InvertedFile, what: string, { address, n, bytes, width, most }: Floats): void {
	const words = bytes / 4;
	const all = arena.f32(address, n * words);
	for (let row = 0; row < n; row++) {
		// Also where it is NaN.
		if (!(arena.kernels.sumOfSquares(address + row * bytes, bytes) <= most)) throw corrupt(`${what} is out of bounds`);
		for (let i = row * words + width; i < (row + 1) * words; i++) {
			if (all[i] !== 0) throw corrupt(`${what} has more elements than it should`);
		}
	}
}

function checkBooks({ arena }: InvertedFile, { books, memoryBytes }: ProductCodes): void {
	const sound = arena.f32(books, memoryBytes / 4).every((x) => Math.abs(x) <= MOST_FLOAT);
	if (!sound) throw corrupt("a codebook is out of bounds");
}

/** Fills the table of labels and finds the free places. */
function fillTable(file: InvertedFile, { size, slots, nextLabel }: IvfState): void {
	const { table, freePlaces } = file;
	const labels = file.labels();
	let used = 0;
	let last = -1;
	for (let place = 0; place < slots; place++) {
		const label = labels[place] as number;
		if (label === NO_PLACE) continue;
		used++;
		last = Math.max(last, label);
	}
	table.reserve(used, last + 1);
	for (let place = slots - 1; place >= 0; place--) {
		const label = labels[place] as number;
		if (label === NO_PLACE) freePlaces.push(place);
		else table.set(label, place);
	}
	if (table.size !== used) throw corrupt("two rows have the same label");
	if (used !== size) throw corrupt("there are not as many rows as the header counts");
	table.next = Math.max(table.next, nextLabel);
}

function checkRows(file: InvertedFile): void {
	const { rows, slots } = file;
	const labels = file.labels();
	for (let place = 0; place < slots; place++) {
		if (labels[place] === NO_PLACE) continue;
		if (!rows.isSound(file.vectorOf(place))) throw corrupt(`row ${place} is not a vector`);
	}
}

/** Takes over what 7-bit codes mean. */
function takeCodes(file: InvertedFile, { unit, codesTrainedOn }: IvfState): void {
	const { codes, rows } = file;
	if (codes === undefined) return;
	checkFloats(file, "the origin of the codes", {
		address: codes.origin,
		n: 1,
		bytes: rows.bytes,
		width: rows.dimensions,
		most: Number.MAX_VALUE,
	});
	codes.unit = unit;
	codes.trainedOn = codesTrainedOn;
}

/** Makes the 7-bit codes of rows again, where they have any. */
function fillCodes(file: InvertedFile): void {
	const { arena, scalar, slots, codeStride } = file;
	if (scalar === undefined) return;
	const code = arena.alloc(codeStride + 16);
	try {
		const labels = file.labels();
		for (let place = 0; place < slots; place++) if (labels[place] !== NO_PLACE) putScalarCode(file, place, code);
	} finally {
		arena.free(code);
	}
}

/** Codes that were read must be of 7 bits, with the norm that they have, and an error that can be. */
function checkCodes(file: InvertedFile): void {
	const { arena, scalar, slots, codeRows, codeStride, errors, rows } = file;
	if (scalar === undefined) return;
	const all = arena.u8(codeRows, slots * codeStride);
	const norms = arena.i32(errors, 2 * slots);
	const residuals = arena.f32(errors, 2 * slots);
	const labels = file.labels();
	for (let place = 0; place < slots; place++) {
		if (labels[place] === NO_PLACE) continue;
		const from = place * codeStride;
		let norm = 0;
		for (let i = from; i < from + rows.dimensions; i++) {
			const code = all[i] as number;
			if (code > MOST_CODE) throw corrupt(`the code of row ${place} is not of 7 bits`);
			norm += code * code;
		}
		for (let i = from + rows.dimensions; i < from + codeStride; i++) {
			if (all[i] !== 0) throw corrupt(`the code of row ${place} has more elements than it should`);
		}
		if (norms[2 * place] !== norm) throw corrupt(`the code of row ${place} has not the norm that it tells`);
		// Also where it is NaN. 0 would stand for one that is not known.
		const residual = residuals[2 * place + 1] as number;
		if (!(residual > 0 && residual <= MOST_FLOAT))
			throw corrupt(`the code of row ${place} has an error that cannot be`);
	}
}

const MOST_CODE = 127;
