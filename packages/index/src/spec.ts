import { BOUNDS, checkInteger, checkOptions, METRICS, type Metric, NighError, nearestName } from "@nigh/contract";
import { Arena, ArenaFullError } from "@nigh/kernels";
import type { CustomMetric } from "./vector-index.ts";

/** What every kind of index is told. */
export interface IndexSpec {
	/** Length of every vector: 1 to 16,384 floats, or 8 to 131,072 bits (a multiple of 8) under hamming. */
	readonly dimensions: number;
	/** How vectors are compared; or a function of your own, much slower. */
	readonly metric: Metric | CustomMetric;
	/** One factor a dimension, at least 0, that scales its part in the metric. Not for bits. */
	readonly weights?: Float32Array | readonly number[];
	/** Whether other threads may work on it. Default false. */
	readonly shared?: boolean;
	/** The memory to live in, which several indexes may share. Default: one of its own. */
	readonly arena?: Arena;
}

const SPEC_NAMES = ["dimensions", "metric", "weights", "shared", "arena", "codes"] as const;
const CODES = ["auto", "none", "sq7"] as const;

/** Checks the common options, refuses unknown ones, and makes the arena where none is given. */
export function checkSpec(
	options: IndexSpec,
	moreNames: readonly string[],
): Omit<IndexSpec, "arena" | "shared"> & { arena: Arena } {
	if (options === undefined || options === null) {
		throw new NighError("INVALID_OPTION", "an index needs options: at least { dimensions, metric }", {
			field: "options",
		});
	}
	checkOptions(options, [...SPEC_NAMES, ...moreNames], "an index");
	const { metric, weights } = options;
	const custom = checkMetric(metric);
	const dimensions = checkInteger(
		"dimensions",
		options.dimensions,
		metric === "hamming" ? BOUNDS.bits : BOUNDS.dimensions,
	);
	checkCodes((options as { readonly codes?: unknown }).codes);
	const shared = checkShared(options.shared, custom);
	if (options.arena !== undefined) {
		if (!(options.arena instanceof Arena)) {
			throw new NighError("INVALID_OPTION", "arena is an Arena of @nigh/kernels: make one with new Arena()", {
				field: "arena",
			});
		}
		if (options.shared !== undefined) {
			throw new NighError("INVALID_OPTION", "shared is a property of the arena: leave it out beside arena", {
				field: "shared",
			});
		}
		if (custom)
			throw new NighError("INVALID_OPTION", "a metric of your own needs an arena of its own: leave arena out", {
				field: "arena",
			});
		return { arena: options.arena, metric, dimensions, weights };
	}
	if (custom) {
		const distance = checkedDistance(metric as CustomMetric);
		return { arena: createArena({ custom: { dimensions, distance } }), metric, dimensions, weights };
	}
	return { arena: createArena({ shared }), metric, dimensions, weights };
}

/** A user's distance that fails by name where its value cannot be ranked. Distances are kept as float32. */
function checkedDistance({ name, distance }: CustomMetric): CustomMetric["distance"] {
	return (a, b) => {
		const value = distance(a, b);
		if (Number.isFinite(Math.fround(value))) return value;
		throw new NighError(
			"INVALID_VECTOR",
			`the metric ${JSON.stringify(name)} has returned ${value}: a distance is a finite number that float32 can hold`,
			{ field: "metric", value },
		);
	};
}

/** An arena, or the error that says that there is no memory for one. */
export function createArena(options: ConstructorParameters<typeof Arena>[0]): Arena {
	try {
		return new Arena(options);
	} catch (cause) {
		if (!(cause instanceof ArenaFullError) && !(cause instanceof RangeError)) throw cause;
		throw new NighError(
			"MEMORY_LIMIT",
			"the system gives no memory for another index: dispose of one, or let indexes share an arena",
			{},
			{ cause },
		);
	}
}

function checkCodes(codes: unknown): void {
	if (codes === undefined || CODES.some((name) => name === codes)) return;
	throw new NighError("INVALID_OPTION", `codes is one of ${CODES.join(", ")}, not ${JSON.stringify(codes)}`, {
		field: "codes",
		value: codes,
	});
}

/** Whether other threads may work on it. */
export function checkShared(shared: unknown, custom: boolean): boolean {
	if (shared !== undefined && typeof shared !== "boolean") {
		throw new NighError("INVALID_OPTION", `shared is true or false, not ${JSON.stringify(shared)}`, {
			field: "shared",
			value: shared,
		});
	}
	if (!custom || shared !== true) return shared ?? false;
	throw new NighError(
		"INVALID_OPTION",
		"a metric of your own is a function of this thread, which no other can call: leave shared out",
		{
			field: "shared",
			value: shared,
		},
	);
}

/** Whether the metric is a user's own. */
export function checkMetric(metric: Metric | CustomMetric): boolean {
	if (typeof metric === "string") {
		if (METRICS.includes(metric)) return false;
		const near = nearestName(metric, METRICS);
		throw new NighError(
			"INVALID_OPTION",
			`metric is one of ${METRICS.join(", ")}, not ${JSON.stringify(metric)}${near === undefined ? "" : `: did you mean ${near}?`}`,
			{ field: "metric", value: metric },
		);
	}
	if (typeof metric?.distance === "function" && typeof metric.name === "string" && metric.name !== "") return true;
	throw new NighError("INVALID_OPTION", "metric is a name or an object with a name and a function distance(a, b)", {
		field: "metric",
	});
}
