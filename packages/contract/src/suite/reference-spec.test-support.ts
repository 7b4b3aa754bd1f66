import { BOUNDS } from "../bounds.ts";
import { type Capabilities, requireFeature } from "../capabilities.ts";
import { type CollectionSpec, type EffectiveSettings, PRUNE_POLICIES, TUNER_ALGORITHMS } from "../collection-spec.ts";
import { NighError } from "../errors.ts";
import { parseFilter } from "../filter/parse.ts";
import { METRICS } from "../metric.ts";
import { checkBound, checkOptions } from "../options.ts";
import { checkWeights } from "../vectors.ts";
import { indexFor } from "./reference-index.test-support.ts";

const NAMES = [
	...["dimensions", "type", "metric", "weights", "recall", "index", "embedder", "logQueries", "filterable"],
	...["tuner", "latencyMs"],
	...["memory", "maxRecords", "memoryLimit", "warnAt", "pruneAt", "prunePolicy", "maxAgeMs"],
];

/** The settings of a collection after it was opened with `spec`: the stored ones, where there are some, with what may change changed. */
export async function settle(
	capabilities: Capabilities,
	spec: CollectionSpec,
	stored: EffectiveSettings | undefined,
): Promise<EffectiveSettings> {
	checkSpec(capabilities, spec);
	const identity = await spec.embedder?.identity();
	const dimensions = spec.dimensions ?? identity?.dimensions;
	if (identity !== undefined && dimensions !== identity.dimensions) {
		throw new NighError("SPEC_CONFLICT", `The embedder makes ${identity.dimensions} dimensions, not ${dimensions}.`);
	}
	const type = spec.type ?? "float";
	const base: EffectiveSettings = stored ?? {
		dimensions: dimensions ?? null,
		type,
		metric: spec.metric ?? (type === "bit" ? "hamming" : "cosine"),
		weights: spec.weights === undefined ? null : Array.from(spec.weights),
		recall: BOUNDS.recall.default,
		index: { kind: "flat", parameters: {} },
		embedder: identity ?? null,
		logQueries: true,
		tuner: { algorithm: "epsilon-greedy", epsilon: 0.1, decay: 1, live: false },
		latencyMs: null,
		filterable: [],
		memory: null,
		maxRecords: BOUNDS.maxRecords.default,
		memoryLimit: null,
		warnAt: BOUNDS.warnAt.default,
		pruneAt: BOUNDS.pruneAt.default,
		prunePolicy: "expired",
		maxAgeMs: null,
		database: {},
	};
	requireMetric(capabilities, base);
	const index = spec.index === undefined ? base.index : indexFor(capabilities, spec.index, base);
	if (stored !== undefined) checkConflicts({ ...spec, index }, identity, stored);
	const { recall, logQueries, filterable, memory, maxRecords, memoryLimit, warnAt, pruneAt, prunePolicy, maxAgeMs } =
		spec;
	const limits = { maxRecords, memoryLimit, warnAt, pruneAt, prunePolicy, maxAgeMs };
	const tuner = { ...base.tuner, ...spec.tuner };
	const { latencyMs } = spec;
	const watched = { logQueries, tuner, latencyMs };
	const changes = { recall, ...watched, filterable, memory: memory && { maxMB: memory.maxMB }, ...limits };
	return { ...base, index, ...Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)) };
}

function invalid(field: string, message: string): NighError {
	return new NighError("INVALID_OPTION", `${field} ${message}.`, { field });
}

function requireMetric(capabilities: Capabilities, { metric }: EffectiveSettings): void {
	if (capabilities.metrics.includes(metric)) return;
	throw new NighError("UNSUPPORTED", `The metric ${metric} is not supported.`, { field: "metric", value: metric });
}

function checkSpec(capabilities: Capabilities, spec: CollectionSpec): void {
	checkOptions(spec, NAMES, "collection");
	const { dimensions, type = "float", metric, weights, embedder } = spec;
	if (!["float", "bit"].includes(type)) throw invalid("type", 'must be "float" or "bit"');
	if (type === "bit") requireFeature(capabilities, "bits");
	if (metric !== undefined && !METRICS.includes(metric)) throw invalid("metric", `must be one of ${METRICS}`);
	if (metric !== undefined && (metric === "hamming") !== (type === "bit"))
		throw invalid("metric", "is not for this type");
	if (dimensions !== undefined) {
		checkBound("dimensions", dimensions, type === "bit" ? BOUNDS.bits : BOUNDS.dimensions);
		const limit = capabilities.limits[type === "bit" ? "bits" : "dimensions"];
		if (dimensions > limit) throw new NighError("UNSUPPORTED", `At most ${limit} dimensions are supported.`);
	}
	if (weights !== undefined) {
		requireFeature(capabilities, "weights");
		if (type === "bit") throw invalid("weights", "are not for bits");
		checkWeights(weights, dimensions ?? weights.length);
	}
	if (embedder !== undefined && typeof embedder.identity !== "function")
		throw invalid("embedder", "must be an embedder");
	checkMemory(capabilities, spec.memory);
	checkChangeable(spec);
}

function checkMemory(capabilities: Capabilities, memory: unknown): void {
	if (memory === undefined) return;
	if (typeof memory !== "object" || memory === null) throw invalid("memory", "must be an object with maxMB");
	try {
		checkOptions(memory, ["maxMB"], "memory");
		checkBound("memory.maxMB", (memory as { maxMB?: unknown }).maxMB, BOUNDS.maxMB);
	} catch {
		throw invalid("memory.maxMB", "must be a number of megabytes, and all that there is");
	}
	requireFeature(capabilities, "memoryPlan", "the option memory");
}

function checkChangeable(spec: CollectionSpec): void {
	const bounds = {
		recall: BOUNDS.recall,
		maxRecords: BOUNDS.maxRecords,
		memoryLimit: BOUNDS.memoryLimit,
		warnAt: BOUNDS.warnAt,
		latencyMs: BOUNDS.latency,
	};
	const all = { ...bounds, pruneAt: BOUNDS.pruneAt, maxAgeMs: BOUNDS.ageMs };
	for (const [field, bound] of Object.entries(all)) {
		const value = spec[field as keyof typeof all];
		if (value === null && ["memoryLimit", "latencyMs", "maxAgeMs"].includes(field)) continue;
		if (value !== undefined) checkBound(field, value, bound);
	}
	const { logQueries, filterable, prunePolicy } = spec;
	if (logQueries !== undefined && typeof logQueries !== "boolean") throw invalid("logQueries", "must be true or false");
	if (prunePolicy !== undefined && !PRUNE_POLICIES.includes(prunePolicy)) throw invalid("prunePolicy", "is not known");
	checkTuner(spec.tuner);
	if (filterable === undefined) return;
	if (!Array.isArray(filterable)) throw invalid("filterable", "must be a list of paths");
	checkBound("filterable", filterable.length, BOUNDS.filterablePaths);
	try {
		for (const path of filterable) parseFilter({ [path]: { $exists: true } });
	} catch {
		throw invalid("filterable", "has something that is no path");
	}
}

function checkTuner(tuner: CollectionSpec["tuner"]): void {
	if (tuner === undefined) return;
	if (typeof tuner !== "object" || tuner === null) throw invalid("tuner", "must be an object");
	try {
		checkOptions(tuner, ["algorithm", "epsilon", "decay", "live"], "tuner");
		if (tuner.epsilon !== undefined) checkBound("tuner.epsilon", tuner.epsilon, BOUNDS.epsilonGreedy);
		if (tuner.decay !== undefined) checkBound("tuner.decay", tuner.decay, BOUNDS.epsilonDecay);
	} catch {
		throw invalid("tuner", "has something that is not allowed");
	}
	const { algorithm = "ucb1", live = true } = tuner;
	if (!TUNER_ALGORITHMS.includes(algorithm)) throw invalid("tuner.algorithm", "is not known");
	if (typeof live !== "boolean") throw invalid("tuner.live", "must be true or false");
}

function checkConflicts(
	spec: Omit<CollectionSpec, "index"> & Pick<EffectiveSettings, "index">,
	identity: EffectiveSettings["embedder"] | undefined,
	stored: EffectiveSettings,
): void {
	const given: Partial<Record<keyof EffectiveSettings, unknown>> = {
		type: spec.type,
		metric: spec.metric,
		weights: spec.weights && Array.from(spec.weights),
		embedder: identity,
		dimensions: spec.dimensions,
		index: spec.index,
	};
	for (const [field, value] of Object.entries(given)) {
		if (value === undefined) continue;
		if (JSON.stringify(value) === JSON.stringify(stored[field as keyof EffectiveSettings])) continue;
		throw new NighError("SPEC_CONFLICT", `The collection is stored with another ${field}.`, { field });
	}
}
