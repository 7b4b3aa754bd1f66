import { BOUNDS, type Bound, checkBound, checkInteger, type Metric, NighError } from "@nigh/contract";
import { checkFlag } from "../call-options.ts";
import type { CustomMetric } from "../vector-index.ts";
import { checkNlist, type NlistRule } from "./nlist.ts";

/** Kinds of inverted file: what its cells hold. */
export const IVF_KINDS = ["ivf", "ivfpq", "ivfrabitq"] as const;

export type IvfKind = (typeof IVF_KINDS)[number];

/** Every number of the inverted-file family with its bounds and default, in one place. */
export const IVF_BOUNDS = {
	/** Cells. Default: the rule `adaptive`. More: smaller cells, so a cheaper probe that finds less; training takes longer. */
	nlist: BOUNDS.nlist,
	/** Cells that a search looks into, at most nlist. Default: the square root of nlist. More: better recall, slower, about in proportion. */
	nprobe: BOUNDS.nprobe,
	/** Rows that a search may scan; the cell in which they run out is finished. Default: no limit. */
	budget: BOUNDS.budget,
	/** Candidates that are ranked again by the vectors; 0: none, distances are estimates then. */
	rerank: BOUNDS.rerank,
	/** Sub-quantisers of a product quantiser. More: finer codes, more memory, slower scans. */
	M: BOUNDS.pqM,
	/** Bits of a sub-quantiser's code that are understood; {@link PQ_BITS} are those that can be had. */
	bits: BOUNDS.pqBits,
	/** Bits a dimension of a RaBitQ code. */
	rabitqBits: BOUNDS.rabitqBits,
	/** Half-width of RaBitQ's error bound, in standard deviations of what it bounds. Larger: fewer misses, more re-ranking. */
	epsilon: BOUNDS.epsilon,
	/** Seed of everything that is drawn. */
	seed: { min: 0, max: 0xffffffff, integer: true, default: 42 },
	/** Vectors the index may hold. */
	maxElements: { min: 1, max: 0x7fffffff, integer: true },
} as const satisfies Readonly<Record<string, Bound>>;

/** Bits of a sub-quantiser that there are kernels for. */
export const PQ_BITS = { min: 4, max: 8 } as const;

/** Named settings of a product quantiser, as a colour engine had them. */
export const PQ_PROFILES = {
	memory: { M: 8, bits: 8, nlist: 100, nprobe: 10 },
	accuracy: { M: 16, bits: 8, nlist: 200, nprobe: 20 },
	speed: { M: 4, bits: 6, nlist: 50, nprobe: 5 },
} as const;

export type PqProfile = keyof typeof PQ_PROFILES;

/** How rows are turned before cells and codes see them. */
export const ROTATIONS = ["auto", "none", "opq"] as const;

export type Rotation = (typeof ROTATIONS)[number];

/** Where the vectors of an index are. */
export const IVF_STORAGES = ["memory", "disk"] as const;

export type IvfStorage = (typeof IVF_STORAGES)[number];

export interface IvfParameterOptions {
	/** What cells hold: the vectors (`"ivf"`), product codes (`"ivfpq"`) or RaBitQ codes (`"ivfrabitq"`). */
	readonly kind: IvfKind;
	/** Cells: a number, or the name of a rule. Default `"adaptive"`. */
	readonly nlist?: number | NlistRule;
	/** Cells a search looks into that does not say. Default: the square root of nlist. */
	readonly nprobe?: number;
	/** Rows that a search may scan. Default: no limit. */
	readonly budget?: number;
	/** Candidates that a search ranks again by the vectors. Default: by k and how fine the codes are. Not for `"ivf"`, which has nothing coarser. */
	readonly rerank?: number;
	/** `"ivfpq"`: sub-quantisers, a divisor of the dimensions. Default: one for two of the axes that are kept. */
	readonly M?: number;
	/** `"ivfpq"`: bits of a sub-quantiser, 4 to 8 (default 4, which is looked up in registers); `"ivfrabitq"`: bits a dimension, 1 to 8 (default 1). */
	readonly bits?: number;
	/**
	 * `"opq"`: cells and codes see vectors along their principal axes, of which the last may be left out, in groups of evenly spread variance (not for
	 * `"ivfrabitq"`). `"none"`: as they are. `"auto"` (default): `"opq"` from 32 dimensions on, unless M is given.
	 *
	 * At most as many axes are principal ones, and are kept without M, as have 2^19 elements together (all up to 724 dimensions, 455 of 1,152, 128 of 4,096), or 64.
	 * Beside M, which needs all axes, the others are any at right angles to those, and there may be no more than 4,096 dimensions. They are learnt from up to 16,384
	 * rows; from fewer where there are many dimensions, 2,048 of 2,000 and some 700 of 16,384.
	 */
	readonly rotation?: Rotation;
	/** `"ivfpq"`: whether codes are of what a cell's centroid leaves over. Default true. */
	readonly residual?: boolean;
	/** `"ivfpq"`: named settings; a single one given beside it wins. */
	readonly profile?: PqProfile;
	/** `"ivfrabitq"`: half-width of the error bound, 0.1 to 10, default 1.9. */
	readonly epsilon?: number;
	/**
	 * `"memory"` (default): the index holds the vectors. `"disk"`: it holds cells, codes and labels, and whoever owns it keeps the vectors and gives those that
	 * decide an answer to the last step of a search (`probe`, then `rank`). Takes the bytes of the vectors off, and costs some reads a search. Not for l1, nor
	 * for `"ivf"` with `codes: "none"`: without codes there would be nothing in memory to scan.
	 */
	readonly storage?: IvfStorage;
	/** 0 to 4,294,967,295. The same rows in the same order under the same seed give the same index. */
	readonly seed?: number;
	/** Refuse more vectors than this with `COLLECTION_FULL`. Default: what the arena holds. */
	readonly maxElements?: number;
}

export const IVF_NAMES = [
	"kind",
	"nlist",
	"nprobe",
	"budget",
	"rerank",
	"M",
	"bits",
	"rotation",
	"residual",
	"profile",
	"epsilon",
	"storage",
	"seed",
	"maxElements",
] as const satisfies readonly (keyof IvfParameterOptions)[];

export interface IvfParameters {
	readonly kind: IvfKind;
	readonly nlist: number | NlistRule;
	/** `undefined`: the square root of nlist. */
	readonly nprobe: number | undefined;
	readonly budget: number | undefined;
	/** `undefined`: by k and codes. */
	readonly rerank: number | undefined;
	/** `undefined`: one for two of the axes that are kept. Of `"ivfpq"` alone. */
	readonly M: number | undefined;
	/** Of codes; `undefined` where there are none. */
	readonly bits: number | undefined;
	readonly rotation: "none" | "opq";
	readonly residual: boolean;
	readonly epsilon: number | undefined;
	readonly storage: IvfStorage;
	readonly seed: number;
	readonly maxElements: number | undefined;
}

/** What belongs to one kind alone. */
const OF_KIND: Readonly<Record<string, readonly IvfKind[]>> = {
	M: ["ivfpq"],
	bits: ["ivfpq", "ivfrabitq"],
	residual: ["ivfpq"],
	profile: ["ivfpq"],
	epsilon: ["ivfrabitq"],
	rerank: ["ivfpq", "ivfrabitq"],
	rotation: ["ivf", "ivfpq"],
};

const LEAST_ROTATED = 32;
/** Dimensions of which all axes are kept, at most: those of a quantiser whose sub-quantisers are counted. Every row and query is multiplied with each. */
const MOST_TURNED_WHOLE = 4_096;

/**
 * Fills in what was left out and checks the whole.
 *
 * @throws NighError `INVALID_OPTION` naming the option, the value and the bound; `UNSUPPORTED` for what there is no kernel for.
 */
export function resolveIvfParameters(
	options: IvfParameterOptions & { readonly dimensions: number; readonly metric: Metric | CustomMetric },
): IvfParameters {
	const { kind, metric } = options;
	checkKind(kind);
	checkMetric(kind, metric);
	for (const [name, kinds] of Object.entries(OF_KIND)) {
		if (options[name as keyof typeof options] === undefined || kinds.includes(kind)) continue;
		throw new NighError(
			"INVALID_OPTION",
			`${name} is an option of ${kinds.join(" and ")}, not of ${kind}: leave it out`,
			{
				field: name,
			},
		);
	}
	const profile = profileOf(options.profile);
	const nlist = checkNlist(options.nlist ?? profile?.nlist ?? "adaptive");
	const most = typeof nlist === "number" ? nlist : IVF_BOUNDS.nprobe.max;
	const M = options.M ?? profile?.M;
	const rotation = rotationOf(options, M);
	checkFlag("residual", options.residual);
	return {
		kind,
		nlist,
		// What comes from a profile is held to the cells that were asked for beside it.
		nprobe: optional("nprobe", options.nprobe ?? (profile && Math.min(profile.nprobe, most)), {
			...IVF_BOUNDS.nprobe,
			max: most,
		}),
		budget: optional("budget", options.budget, IVF_BOUNDS.budget),
		rerank: optional("rerank", options.rerank, IVF_BOUNDS.rerank),
		M: M === undefined ? undefined : checkM(M, options.dimensions),
		bits: bitsOf(kind, options.bits ?? profile?.bits),
		rotation,
		residual: options.residual ?? true,
		epsilon:
			kind === "ivfrabitq"
				? checkBound("epsilon", options.epsilon ?? IVF_BOUNDS.epsilon.default, IVF_BOUNDS.epsilon)
				: undefined,
		storage: storageOf(options),
		seed: checkInteger("seed", options.seed ?? IVF_BOUNDS.seed.default, IVF_BOUNDS.seed),
		maxElements: optional("maxElements", options.maxElements, IVF_BOUNDS.maxElements),
	};
}

function optional(field: string, value: number | undefined, bound: Bound): number | undefined {
	return value === undefined ? undefined : checkInteger(field, value, bound);
}

function checkKind(kind: unknown): void {
	if (IVF_KINDS.some((name) => name === kind)) return;
	throw new NighError("INVALID_OPTION", `kind is one of ${IVF_KINDS.join(", ")}, not ${JSON.stringify(kind)}`, {
		field: "kind",
		value: kind,
	});
}

function checkMetric(kind: IvfKind, metric: Metric | CustomMetric): void {
	const name = typeof metric === "string" ? metric : metric.name;
	if (metric === "l2" || metric === "cosine" || metric === "ip" || (metric === "l1" && kind === "ivf")) return;
	throw new NighError(
		"UNSUPPORTED",
		`${kind} cannot compare by ${JSON.stringify(name)}: its cells lie around means, and its codes stand for products of floats. Use l2, cosine or ip${kind === "ivf" ? ", or l1" : ""}; or a flat or HNSW index.`,
		{ field: "metric", value: name },
	);
}

function profileOf(name: unknown): (typeof PQ_PROFILES)[PqProfile] | undefined {
	if (name === undefined) return undefined;
	if (typeof name === "string" && Object.hasOwn(PQ_PROFILES, name)) return PQ_PROFILES[name as PqProfile];
	throw new NighError(
		"INVALID_OPTION",
		`profile is one of ${Object.keys(PQ_PROFILES).join(", ")}, not ${JSON.stringify(name)}`,
		{ field: "profile", value: name },
	);
}

function checkM(M: unknown, dimensions: number): number {
	const checked = checkInteger("M", M, { ...IVF_BOUNDS.M, max: Math.min(IVF_BOUNDS.M.max, dimensions) });
	if (dimensions % checked === 0) return checked;
	throw new NighError(
		"INVALID_OPTION",
		`M is ${checked}; it must divide the ${dimensions} dimensions, since every sub-quantiser codes as many of them`,
		{ field: "M", value: checked, dimensions },
	);
}

function bitsOf(kind: IvfKind, bits: number | undefined): number | undefined {
	if (kind === "ivf") return undefined;
	if (kind === "ivfrabitq") return checkInteger("bits", bits ?? IVF_BOUNDS.rabitqBits.default, IVF_BOUNDS.rabitqBits);
	const checked = checkInteger("bits", bits ?? IVF_BOUNDS.bits.default, IVF_BOUNDS.bits);
	if (checked >= PQ_BITS.min && checked <= PQ_BITS.max) return checked;
	const reason =
		checked < PQ_BITS.min
			? "so few centroids leave out more than a larger M costs"
			: "tables of so many centroids no longer fit the caches that make a scan quick, and training them takes millions of vectors";
	throw new NighError(
		"UNSUPPORTED",
		`bits is ${checked}; there are kernels for ${PQ_BITS.min} to ${PQ_BITS.max}: ${reason}`,
		{
			field: "bits",
			value: checked,
			bound: PQ_BITS,
		},
	);
}

function rotationOf(
	{ kind, rotation = "auto", dimensions, metric }: Parameters<typeof resolveIvfParameters>[0],
	M: number | undefined,
) {
	if (!ROTATIONS.includes(rotation)) {
		throw new NighError(
			"INVALID_OPTION",
			`rotation is one of ${ROTATIONS.join(", ")}, not ${JSON.stringify(rotation)}`,
			{
				field: "rotation",
				value: rotation,
			},
		);
	}
	if (rotation === "opq" && metric === "l1") {
		throw new NighError("UNSUPPORTED", "l1 changes when vectors are turned: leave rotation out", { field: "rotation" });
	}
	if (rotation === "opq" && M !== undefined && dimensions > MOST_TURNED_WHOLE) {
		throw new NighError(
			"UNSUPPORTED",
			`rotation "opq" beside M keeps all ${dimensions} axes, and more than ${MOST_TURNED_WHOLE} take too long to turn vectors along: leave M out, so that the leading ones are kept, or rotation`,
			{ field: "rotation", value: rotation, dimensions },
		);
	}
	if (rotation !== "auto") return rotation;
	const isPlain = kind === "ivfrabitq" || metric === "l1" || dimensions < LEAST_ROTATED || M !== undefined;
	return isPlain ? "none" : "opq";
}

function storageOf({ storage = "memory", metric }: Parameters<typeof resolveIvfParameters>[0]): IvfStorage {
	if (!IVF_STORAGES.includes(storage)) {
		throw new NighError(
			"INVALID_OPTION",
			`storage is one of ${IVF_STORAGES.join(", ")}, not ${JSON.stringify(storage)}`,
			{ field: "storage", value: storage },
		);
	}
	if (storage === "disk" && metric === "l1") {
		throw new NighError(
			"UNSUPPORTED",
			'storage "disk" needs codes, and there are none for l1: without codes there would be nothing in memory to scan. Use l2, cosine or ip; or storage "memory".',
			{ field: "storage", value: storage },
		);
	}
	return storage;
}

/** Cells that a search looks into that does not say. */
export function defaultNprobe(nlist: number): number {
	return Math.max(1, Math.ceil(Math.sqrt(nlist)));
}

/** Least bits of code a dimension from which a short list of candidates holds the nearest. */
const FINE = 0.25;

/**
 * Candidates that a search ranks again that does not say: 6 k, at least k + 50, where codes have a quarter of a bit for each dimension or
 * more; 20 k where they are coarser and only find the neighbourhood.
 */
export function defaultRerank(k: number, bitsPerDimension: number): number {
	const depth = bitsPerDimension >= FINE ? Math.max(k + 50, 6 * k) : Math.max(k + 190, 20 * k);
	return Math.min(Math.max(k, IVF_BOUNDS.rerank.max), depth);
}

/** As many candidates more than k, by the root of k, as codes of one bit need; and as many times fewer for each bit more. */
const BOUNDED = { least: 8, perRoot: 80, perBit: 3 } as const;

/**
 * Candidates of RaBitQ codes whose vectors are brought from elsewhere, where nobody says how many: k + 8 + 80 sqrt(k) / 3^(bits - 1). In memory the bounds of the codes
 * say while a search goes on which vectors it needs; where these have to be asked for all at once, they are the best by their estimates. Measured with 1, 2 and
 * 4 bits on 20,963 passages of 300 dimensions, 60,000 images of 784 and 30,000 made vectors of 128, among so many are no fewer of the nearest 1, 10 and 100
 * than a search in memory finds: what is needed beyond k grows about as the root of k, and falls to about a third with each bit.
 */
export function boundedDepth(k: number, bits: number): number {
	const beyond = BOUNDED.least + (BOUNDED.perRoot * Math.sqrt(k)) / BOUNDED.perBit ** (bits - 1);
	return Math.min(Math.max(k, IVF_BOUNDS.rerank.max), k + Math.ceil(beyond));
}

/** Dimensions from which vectors in cells are scanned by codes of 7 bits: below, scanning them costs no more. */
export const LEAST_CODED_DIMENSIONS = 32;

/** Rows to learn each entry of a product quantiser's codebooks from. */
export const ROWS_PER_ENTRY = 256;

/**
 * Axes of a sub-quantiser where nobody says how many there are to be. One axis each asks for twice the codes to scan: measured on a million vectors of 128
 * dimensions, that took longer for the same recall than ranking more rows exactly.
 */
export function partWidth(width: number): number {
	return width % 2 === 0 ? 2 : 1;
}
