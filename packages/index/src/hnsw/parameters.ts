import { BOUNDS, checkBound, checkInteger, NighError } from "@nigh/contract";
import { uniform } from "../random.ts";

/** Every number of HNSW with its bounds and default, in one place. Sizes of lists and beams are in nodes. */
export const HNSW_BOUNDS = {
	/** Links of a node on the upper layers; layer 0 has twice as many. More: better recall in high dimensions, more memory (8 M bytes a vector). */
	M: BOUNDS.M,
	/** Beam width while building, at least max(4, 2 M). Wider: a better graph, a longer build. */
	efConstruction: BOUNDS.efConstruction,
	/** Beam width of a search. Wider: better recall, slower, about in proportion. */
	ef: BOUNDS.ef,
	/** Expansions in a row that change nothing in the best of the pool, after which a search ends; 0: it goes on. Fewer: quicker, less recall. */
	patience: { min: 0, max: 10_000, integer: true, default: 0 },
	/** Level factor: level = floor(-ln U * mL). Default 1 / ln M. */
	mL: { min: 0.01, max: 10 },
	/** Seed of the levels. */
	seed: { min: 0, max: 0xffffffff, integer: true, default: 42 },
	/** Vectors the index may hold. */
	maxElements: { min: 1, max: 0x7fffffff, integer: true },
} as const;

/** Named settings: M, efConstruction and the ef of a search. */
export const PRESETS = {
	dev: { M: 8, efConstruction: 32, ef: 20 },
	balanced: { M: 16, efConstruction: 64, ef: 40 },
	high: { M: 24, efConstruction: 128, ef: 80 },
	max: { M: 32, efConstruction: 200, ef: 100 },
	accuracy: { M: 32, efConstruction: 500, ef: 500 },
	speed: { M: 8, efConstruction: 64, ef: 50 },
} as const;

export type PresetName = keyof typeof PRESETS;

/** The M that serves a collection of a size, by rising size (check F-1). */
export const M_BY_SIZE = [
	{ from: 0, M: 8 },
	{ from: 100_000, M: 16 },
	{ from: 1_000_001, M: 32 },
	{ from: 10_000_001, M: 48 },
] as const;

/** The M that {@link M_BY_SIZE} gives for `n` vectors. */
export function mForSize(n: number): number {
	return M_BY_SIZE.findLast(({ from }) => n >= from)?.M ?? M_BY_SIZE[0].M;
}

/** The beam width while building that serves a collection of a size, by rising size: larger graphs need wider searches to stay as good. */
export const EF_CONSTRUCTION_BY_SIZE = [
	{ from: 0, efConstruction: 64 },
	{ from: 100_000, efConstruction: 128 },
	{ from: 1_000_000, efConstruction: 200 },
] as const;

/** The beam width while building for a graph that has `n` vectors when it is done: the one asked for, or {@link EF_CONSTRUCTION_BY_SIZE}. */
export function efConstructionFor(n: number, { efConstruction, M }: HnswParameters): number {
	if (efConstruction !== undefined) return efConstruction;
	const bySize = EF_CONSTRUCTION_BY_SIZE.findLast(({ from }) => n >= from) ?? EF_CONSTRUCTION_BY_SIZE[0];
	return Math.max(bySize.efConstruction, 2 * M);
}

/** The least ef worth asking for k neighbours (check F-2): 40 to k = 10, 80 to 40, then 2 k, 3 k from 51 to 66, then at least 200 and 2 k. */
export function adaptiveEf(k: number): number {
	if (k <= 10) return 40;
	if (k <= 50) return Math.max(80, 2 * k);
	return Math.max(Math.min(200, 3 * k), 2 * k);
}

export interface HnswParameters {
	readonly M: number;
	/** `undefined`: grows with the number of vectors. */
	readonly efConstruction: number | undefined;
	readonly ef: number;
	readonly mL: number;
	readonly seed: number;
	readonly maxElements: number | undefined;
}

export interface HnswParameterOptions {
	/** Named settings; a single one given beside it wins. Default `"balanced"`. */
	readonly preset?: PresetName;
	/** Links of a node on the upper layers, 2 to 200; layer 0 has twice as many. */
	readonly M?: number;
	/** Beam width while building, max(4, 2 M) to 4,000. Default: the preset's where one is named, else 64, growing with the number of vectors. */
	readonly efConstruction?: number;
	/** Beam width of a search that names none, 1 to 10,000. */
	readonly ef?: number;
	/** Level factor, 0.01 to 10. Default 1 / ln M. */
	readonly mL?: number;
	/** Seed of the levels, 0 to 4,294,967,295. The same rows in the same order under the same seed give the same graph. */
	readonly seed?: number;
	/** Refuse more vectors than this with `COLLECTION_FULL`. Default: what the arena holds. */
	readonly maxElements?: number;
}

/** Fills in what was left out and checks the whole. */
export function resolveParameters(options: HnswParameterOptions): HnswParameters {
	const presetName = options.preset ?? "balanced";
	const preset = Object.hasOwn(PRESETS, presetName) ? PRESETS[presetName] : undefined;
	if (preset === undefined) {
		throw new NighError(
			"INVALID_OPTION",
			`preset is one of ${Object.keys(PRESETS).join(", ")}, not ${JSON.stringify(presetName)}`,
			{
				field: "preset",
				value: presetName,
			},
		);
	}
	const M = checkInteger("M", options.M === undefined ? preset.M : options.M, HNSW_BOUNDS.M);
	return {
		M,
		efConstruction: givenEfConstruction(
			options,
			preset.efConstruction,
			Math.max(HNSW_BOUNDS.efConstruction.min, 2 * M),
		),
		ef: checkInteger("ef", options.ef === undefined ? preset.ef : options.ef, HNSW_BOUNDS.ef),
		mL: options.mL === undefined ? 1 / Math.log(M) : checkBound("mL", options.mL, HNSW_BOUNDS.mL),
		seed: options.seed === undefined ? HNSW_BOUNDS.seed.default : checkInteger("seed", options.seed, HNSW_BOUNDS.seed),
		maxElements:
			options.maxElements === undefined
				? undefined
				: checkInteger("maxElements", options.maxElements, HNSW_BOUNDS.maxElements),
	};
}

/** The beam width asked for while building: by number or by a preset's name. `undefined`: it grows with the number of vectors. */
function givenEfConstruction(options: HnswParameterOptions, ofPreset: number, least: number): number | undefined {
	if (options.efConstruction !== undefined) {
		return checkInteger("efConstruction", options.efConstruction, { ...HNSW_BOUNDS.efConstruction, min: least });
	}
	// A preset's width is raised to fit an M given beside it; a width that was asked for is refused when it cannot serve.
	return options.preset === undefined ? undefined : Math.max(ofPreset, least);
}

/** The level of a label: floor(-ln U * mL), with U from seed and label alone. */
export function levelFor(label: number, { seed, mL }: Pick<HnswParameters, "seed" | "mL">): number {
	return Math.min(MAX_LEVEL, Math.floor(-Math.log(uniform(seed, label)) * mL));
}

/** Levels are bytes, and 255 marks a free place; with mL at its largest a label reaches 228. */
const MAX_LEVEL = 254;
