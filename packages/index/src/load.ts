import { checkInteger, checkOptions, NighError } from "@nigh/contract";
import type { Arena } from "@nigh/kernels";
import { createRows, FlatIndex, type FlatOptions } from "./flat/flat.ts";
import { flatOptionsOf, readFlat } from "./flat/serialize.ts";
import type { HnswGraph } from "./hnsw/graph.ts";
import { createGraph, HnswIndex, type HnswOptions } from "./hnsw/hnsw.ts";
import type { HnswSource } from "./hnsw/parts.ts";
import { fillGraph, optionsOf } from "./hnsw/restore.ts";
import { corrupt, type ImageHeader, ImageReader } from "./image.ts";
import { createFile, type IvfOptions } from "./ivf/create-file.ts";
import type { InvertedFile } from "./ivf/inverted-file.ts";
import { IvfIndex } from "./ivf/ivf.ts";
import type { IvfSource } from "./ivf/parts.ts";
import { fillFile, ivfOptionsOf } from "./ivf/restore.ts";
import { checkShared, createArena } from "./spec.ts";
import type { CustomMetric } from "./vector-index.ts";

export interface LoadOptions {
	/** Whether other threads may work on it. Default false. */
	readonly shared?: boolean;
	/** The memory to live in. Default: one of its own. */
	readonly arena?: Arena;
	/** The function of an index that was made with a metric of your own; its name must be the saved one. */
	readonly metric?: CustomMetric;
	/** Take room for so many vectors in all before the first is read, so that nothing moves until there are more. Not for flat. */
	readonly reserve?: number;
}

/**
 * Reads an index that `serialize` wrote, in chunks of any size. It answers as the saved one did, and goes on from there.
 *
 * @throws NighError `CORRUPT_SNAPSHOT` with the byte offset for bytes that are damaged, cut off or not an index; `NEWER_VERSION` for a
 * format that this version does not know; `SPEC_CONFLICT` where the metric's name is another one; `MEMORY_LIMIT` where the arena cannot
 * hold it; `INVALID_OPTION` for an option of yours.
 */
export function loadIndex(chunks: Iterable<Uint8Array>, options: LoadOptions = {}): FlatIndex | HnswIndex | IvfIndex {
	const room = roomOf(options, "loadIndex");
	const reader = new ImageReader(chunks);
	const { arena, memory } = memoryFor(options);
	const header = reader.readHeader(arena);
	if (header.kind === "flat") {
		const metric = metricOf(header.state, options);
		const rows = created(() => createRows({ ...(flatOptionsOf(header) as unknown as FlatOptions), ...memory, metric }));
		return filled(rows, () => {
			readFlat(rows, header, reader);
			return new FlatIndex(rows);
		});
	}
	if (header.kind === "ivf") {
		const file = fileFor(header.state, memory, options);
		return filled(file, () => {
			fillFile(file, sourceOf(header, reader, file.arena), room);
			reader.finish();
			return new IvfIndex(file);
		});
	}
	const graph = graphFor(header.state, memory, options);
	return filled(graph, () => {
		fillGraph(graph, sourceOf(header, reader, graph.arena), room);
		reader.finish();
		return new HnswIndex(graph);
	});
}

/** The parts that stand in an image. */
function sourceOf(header: ImageHeader, reader: ImageReader, arena: Arena): HnswSource & IvfSource {
	return { ...header, read: (name, into) => reader.readSection(arena, name, into.length, into.byteOffset) };
}

/**
 * Makes the index again whose parts were saved ({@link HnswIndex.parts}), each section read straight to where it stays. Whoever gives the
 * parts answers for the bytes being those that were saved; that they make a graph which no search leaves is checked here.
 *
 * @throws NighError `CORRUPT_SNAPSHOT` for parts that make no graph; `SPEC_CONFLICT`, `MEMORY_LIMIT`, `INVALID_OPTION` as
 * {@link loadIndex}. What `read` throws.
 */
export function restoreHnsw(source: HnswSource, options: LoadOptions = {}): HnswIndex {
	const room = roomOf(options, "restoreHnsw");
	const graph = graphFor(source.state, memoryFor(options).memory, options);
	return filled(graph, () => {
		fillGraph(graph, source, room);
		return new HnswIndex(graph);
	});
}

/**
 * Makes the index again whose parts were saved ({@link IvfIndex.parts}), each section read straight to where it stays. What is made of them
 * on the way (codes of rows, panels and codes of centroids) comes out bit for bit as it was. All that was read is checked.
 *
 * @throws NighError `CORRUPT_SNAPSHOT` for parts that make no inverted file; `SPEC_CONFLICT`, `MEMORY_LIMIT`, `INVALID_OPTION` as
 * {@link loadIndex}. What `read` throws.
 */
export function restoreIvf(source: IvfSource, options: LoadOptions = {}): IvfIndex {
	const room = roomOf(options, "restoreIvf");
	const file = fileFor(source.state, memoryFor(options).memory, options);
	return filled(file, () => {
		fillFile(file, source, room);
		return new IvfIndex(file);
	});
}

function roomOf(options: LoadOptions, what: string): number {
	checkOptions(options, ["shared", "arena", "metric", "reserve"] satisfies (keyof LoadOptions)[], what);
	return options.reserve === undefined ? 0 : checkInteger("reserve", options.reserve, { min: 0, max: 0xffffffff });
}

/** The empty graph that saved settings ask for. */
function graphFor(
	state: HnswSource["state"],
	memory: Pick<HnswOptions, "arena" | "shared">,
	options: LoadOptions,
): HnswGraph {
	const metric = metricOf(state, options);
	return created(() => createGraph({ ...(optionsOf(state) as unknown as HnswOptions), ...memory, metric }));
}

/** The empty inverted file that saved settings ask for. */
function fileFor(
	state: IvfSource["state"],
	memory: Pick<IvfOptions, "arena" | "shared">,
	options: LoadOptions,
): InvertedFile {
	const metric = metricOf(state, options);
	return created(() => createFile({ ...(ivfOptionsOf(state) as unknown as IvfOptions), ...memory, metric }));
}

/** What reads the header, and what the index is told of its memory. */
function memoryFor({ arena, shared, metric }: LoadOptions): {
	arena: Arena;
	memory: Pick<FlatOptions, "arena" | "shared">;
} {
	const custom = metric !== undefined;
	const asked = shared === undefined ? {} : { shared: checkShared(shared, custom) };
	if (arena !== undefined) return { arena, memory: { arena, ...asked } };
	// The arena of a metric of your own has to know the dimensions, which the header tells: so it is made later.
	if (custom) return { arena: createArena({ engine: "scalar" }), memory: asked };
	const own = createArena(asked);
	return { arena: own, memory: { arena: own } };
}

/** Settings that are refused can only come from a damaged header, unless the caller's own are at fault. */
function created<T>(create: () => T): T {
	try {
		return create();
	} catch (cause) {
		const field = cause instanceof NighError ? cause.details.field : undefined;
		if (!(cause instanceof NighError) || field === "arena" || field === "shared" || cause.code === "MEMORY_LIMIT")
			throw cause;
		throw corrupt(`the header's settings are impossible: ${cause.message}`);
	}
}

function filled<T>(storage: { dispose(): void }, fill: () => T): T {
	try {
		return fill();
	} catch (error) {
		storage.dispose();
		throw error;
	}
}

function metricOf(state: ImageHeader["state"], { metric }: LoadOptions): HnswOptions["metric"] {
	const { custom, metric: name } = state;
	if (typeof name !== "string") throw corrupt("the header names no metric");
	if (custom !== true) {
		if (metric === undefined) return name as HnswOptions["metric"];
		throw new NighError("SPEC_CONFLICT", `the index was made with the metric ${name}: leave metric out`, {
			field: "metric",
			value: metric.name,
		});
	}
	if (metric?.name === name) return metric;
	throw new NighError(
		"SPEC_CONFLICT",
		`the index was made with a metric of your own named ${JSON.stringify(name)}: give it as { metric: { name, distance } }`,
		{ field: "metric", value: metric?.name, expected: name },
	);
}
