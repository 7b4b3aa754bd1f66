import {
	BOUNDS,
	type Bound,
	type CollectionSpec,
	checkBound,
	checkInteger,
	checkOptions,
	checkWeights,
	type Embedder,
	type EmbedderIdentity,
	isNighError,
	METRICS,
	type MemoryCap,
	type Metric,
	NighError,
	PRUNE_POLICIES,
	TUNER_ALGORITHMS,
	type TunerSpec,
	type VectorType,
} from "@nigh/contract";
import { checkCells, indexOf, isOfCells } from "./index-settings.ts";
import { checkFlag, oneOf, shown } from "./options.ts";
import { chosenIndex, type StoredSpec } from "./records/catalogue.ts";

/** Fixed when a collection is created. */
const FIXED = [
	"dimensions",
	"type",
	"metric",
	"weights",
	"index",
	"embedder",
] as const satisfies readonly (keyof CollectionSpec)[];

/** What reopening may change. */
const CHANGEABLE = [
	"recall",
	"logQueries",
	"tuner",
	"latencyMs",
	"filterable",
	"memory",
	"maxRecords",
	"memoryLimit",
	"warnAt",
	"pruneAt",
	"prunePolicy",
	"maxAgeMs",
] as const satisfies readonly (keyof CollectionSpec)[];

/** The tuner of a collection for which nobody has asked for another. */
export const DEFAULT_TUNER: StoredSpec["tuner"] = {
	algorithm: "epsilon-greedy",
	epsilon: BOUNDS.epsilonGreedy.default,
	decay: BOUNDS.epsilonDecay.default,
	live: false,
};

const VECTOR_TYPES = ["float", "bit"] as const satisfies readonly VectorType[];

/**
 * The spec of a collection: what the user gave, and for what he left out what is stored, or the defaults.
 *
 * @throws NighError `INVALID_OPTION`; `SPEC_CONFLICT` naming the field that is stored otherwise; `UNSUPPORTED`.
 */
export async function specOf(given: CollectionSpec, stored: StoredSpec | undefined): Promise<StoredSpec> {
	checkOptions(given, [...FIXED, ...CHANGEABLE], "a collection's spec");
	const identity = given.embedder === undefined ? null : await identityOf(given.embedder);
	// Before the dimensions: another embedder is what is wrong where both differ.
	if (identity !== null && stored !== undefined && !isEqual(identity, stored.embedder)) {
		throw conflict("embedder", stored.embedder, identity);
	}
	const spec = filledIn(given, stored, identity);
	const index = chosenIndex(spec);
	// Its dimensions may have been told only now.
	if (isOfCells(index)) checkCells("index.", index, spec);
	if (stored === undefined) return spec;
	for (const field of FIXED) {
		if (isEqual(spec[field], stored[field])) continue;
		// What nobody has told yet may be told now.
		if (field === "dimensions" && stored.dimensions === null) continue;
		throw conflict(field, stored[field], spec[field]);
	}
	return spec;
}

/** A spec as somebody has it in force who only reads: what would have to be written down stays as it is stored. */
export function readersSpec(spec: StoredSpec, { dimensions, filterable }: StoredSpec): StoredSpec {
	return { ...spec, dimensions, filterable };
}

function filledIn(
	given: CollectionSpec,
	stored: StoredSpec | undefined,
	identity: EmbedderIdentity | null,
): StoredSpec {
	const type = oneOf("type", given.type ?? stored?.type ?? "float", VECTOR_TYPES);
	const metric = metricOf(given.metric ?? stored?.metric ?? (type === "bit" ? "hamming" : "cosine"), type);
	const dimensions = dimensionsOf(given, stored, identity, type);
	const { recall, logQueries = stored?.logQueries ?? true } = given;
	checkFlag("logQueries", logQueries);
	return {
		dimensions,
		type,
		metric,
		weights: given.weights === undefined ? (stored?.weights ?? null) : weightsOf(given.weights, dimensions, type),
		recall: checkBound("recall", recall ?? stored?.recall ?? BOUNDS.recall.default, BOUNDS.recall),
		...(stored?.converted !== undefined && { converted: stored.converted }),
		index:
			given.index === undefined ? (stored?.index ?? { kind: "auto" }) : indexOf(given.index, { dimensions, metric }),
		embedder: identity ?? stored?.embedder ?? null,
		logQueries,
		tuner: tunerOf(given.tuner, stored),
		latencyMs: unlessNone("latencyMs", given.latencyMs, stored, BOUNDS.latency),
		filterable: given.filterable === undefined ? (stored?.filterable ?? []) : pathsOf(given.filterable),
		memory: given.memory === undefined ? (stored?.memory ?? null) : capOf(given.memory),
		...limitsOf(given, stored),
	};
}

function limitsOf(given: CollectionSpec, stored: StoredSpec | undefined) {
	const { maxRecords, warnAt, pruneAt, prunePolicy } = { ...stored, ...defined(given) };
	return {
		maxRecords: checkBound("maxRecords", maxRecords ?? BOUNDS.maxRecords.default, BOUNDS.maxRecords),
		memoryLimit: unlessNone("memoryLimit", given.memoryLimit, stored, BOUNDS.memoryLimit),
		warnAt: checkBound("warnAt", warnAt ?? BOUNDS.warnAt.default, BOUNDS.warnAt),
		pruneAt: checkBound("pruneAt", pruneAt ?? BOUNDS.pruneAt.default, BOUNDS.pruneAt),
		prunePolicy: oneOf("prunePolicy", prunePolicy ?? "expired", PRUNE_POLICIES),
		maxAgeMs: unlessNone("maxAgeMs", given.maxAgeMs, stored, BOUNDS.ageMs),
	};
}

function defined<T extends object>(object: T): Partial<T> {
	return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function metricOf(metric: unknown, type: VectorType): Metric {
	const known = oneOf("metric", metric, METRICS);
	if ((known === "hamming") === (type === "bit")) return known;
	const message =
		type === "bit"
			? `metric is ${JSON.stringify(known)}; bits are compared by "hamming". Leave metric out.`
			: 'metric is "hamming", which compares bits: say type: "bit" as well.';
	throw new NighError("INVALID_OPTION", message, { field: "metric", value: known });
}

function dimensionsOf(
	given: CollectionSpec,
	stored: StoredSpec | undefined,
	identity: EmbedderIdentity | null,
	type: VectorType,
): number | null {
	const bound = type === "bit" ? BOUNDS.bits : BOUNDS.dimensions;
	const asked = given.dimensions === undefined ? null : checkInteger("dimensions", given.dimensions, bound);
	// As strictly: they are kept for good.
	const told = identity === null ? null : checkInteger("embedder.dimensions", identity.dimensions, bound);
	if (asked !== null && told !== null && asked !== told) {
		throw new NighError(
			"SPEC_CONFLICT",
			`dimensions is ${asked}, but the embedder ${JSON.stringify(identity?.name)} makes vectors of ${told}: leave dimensions out.`,
			{ field: "dimensions", value: asked, expected: told },
		);
	}
	return asked ?? told ?? stored?.dimensions ?? null;
}

function weightsOf(weights: CollectionSpec["weights"], dimensions: number | null, type: VectorType): readonly number[] {
	if (type === "bit") {
		throw new NighError("UNSUPPORTED", "weights cannot scale bits: leave them out.", { field: "weights" });
	}
	if (dimensions === null) {
		throw new NighError("INVALID_OPTION", "weights need dimensions beside them: say how many there are.", {
			field: "dimensions",
		});
	}
	return [...checkWeights(weights, dimensions)];
}

/** What is given goes before what was stored. */
function tunerOf(given: unknown, stored: Pick<StoredSpec, "tuner"> | undefined): StoredSpec["tuner"] {
	const before = stored?.tuner ?? DEFAULT_TUNER;
	if (given === undefined) return before;
	if (typeof given !== "object" || given === null || Array.isArray(given)) {
		const message = `tuner is ${shown(given)}; it must be an object such as { algorithm: "ucb1" }.`;
		throw new NighError("INVALID_OPTION", message, { field: "tuner", value: shown(given) });
	}
	try {
		checkOptions(given, ["algorithm", "epsilon", "decay", "live"] satisfies (keyof TunerSpec)[], "tuner");
	} catch (error) {
		if (!isNighError(error)) throw error;
		throw new NighError(error.code, error.message, { ...error.details, field: `tuner.${error.details.field}` });
	}
	const { algorithm, epsilon, decay, live } = { ...before, ...defined(given as TunerSpec) };
	checkFlag("tuner.live", live);
	return {
		algorithm: oneOf("tuner.algorithm", algorithm, TUNER_ALGORITHMS),
		epsilon: checkBound("tuner.epsilon", epsilon, BOUNDS.epsilonGreedy),
		decay: checkBound("tuner.decay", decay, BOUNDS.epsilonDecay),
		live,
	};
}

/** What may be there or not: `null` says that it is not to be, also where it is stored. */
function unlessNone(
	field: "latencyMs" | "memoryLimit" | "maxAgeMs",
	given: unknown,
	stored: StoredSpec | undefined,
	bound: Bound,
): number | null {
	const wanted = given === undefined ? (stored?.[field] ?? null) : given;
	return wanted === null ? null : checkBound(field, wanted, bound);
}

function capOf(memory: unknown): MemoryCap {
	if (typeof memory !== "object" || memory === null || Array.isArray(memory)) {
		const message = "memory must be an object with maxMB, megabytes of 2^20 bytes, such as { maxMB: 1024 }.";
		throw new NighError("INVALID_OPTION", message, { field: "memory", value: shown(memory) });
	}
	try {
		checkOptions(memory, ["maxMB"], "memory");
	} catch (error) {
		if (!isNighError(error)) throw error;
		throw new NighError(error.code, error.message, { ...error.details, field: `memory.${error.details.field}` });
	}
	return { maxMB: checkBound("memory.maxMB", (memory as Partial<MemoryCap>).maxMB, BOUNDS.maxMB) };
}

function pathsOf(paths: unknown): readonly string[] {
	const isList = Array.isArray(paths) && paths.length <= BOUNDS.filterablePaths.max;
	const bad = isList ? paths.find((path) => !isPath(path)) : paths;
	if (isList && bad === undefined) return [...new Set(paths as string[])].sort();
	throw new NighError(
		"INVALID_OPTION",
		`filterable must be a list of at most ${BOUNDS.filterablePaths.max} paths of metadata, such as ["type", "author.name"]; ${JSON.stringify(bad)} is none.`,
		{ field: "filterable", value: bad, bound: BOUNDS.filterablePaths },
	);
}

/** As filters name fields: keys that are not empty and do not start with `$`. */
function isPath(path: unknown): boolean {
	if (typeof path !== "string" || path.length > 512 || !path.isWellFormed() || path.includes("\u0000")) return false;
	return path.split(".").every((key) => key !== "" && !key.startsWith("$"));
}

async function identityOf(embedder: Embedder): Promise<EmbedderIdentity> {
	if (typeof embedder?.embed !== "function" || typeof embedder.identity !== "function") {
		throw new NighError("INVALID_OPTION", "embedder must have the functions identity() and embed(texts).", {
			field: "embedder",
		});
	}
	const { name, model, dimensions } = await embedder.identity();
	return { name, model, dimensions };
}

function conflict(field: string, stored: unknown, given: unknown): NighError {
	return new NighError(
		"SPEC_CONFLICT",
		`the collection was created with ${field} ${JSON.stringify(stored)}, not ${JSON.stringify(given)}: leave ${field} out, or copy the records into a new collection.`,
		{ field, expected: stored, value: given },
	);
}

function isEqual(a: unknown, b: unknown): boolean {
	return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

/** The order in which an object was written does not tell two specs apart. */
function sorted(value: unknown): unknown {
	if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
	return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
