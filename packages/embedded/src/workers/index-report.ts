import type { AnalyzeReport, IndexSettings, MemoryPlan, MemoryStats } from "@nigh/contract";
import { HnswIndex, IvfIndex, type IvfMemoryReport, type MemoryReport } from "@nigh/index";
import { SLOT_BYTES } from "../memory/sizes.ts";
import { tailCodeBytes } from "../memory/tail-codes.ts";
import { askedKind } from "../records/catalogue.ts";
import { cellAdvice } from "../watch/index-advice.ts";
import { diedSince } from "./built.ts";
import type { IndexedCollection } from "./indexed-collection.ts";
import { planFor } from "./memory-plan.ts";
import type { GraphCheck, IndexState } from "./messages.ts";

/** How well the graph is built. Takes time in proportion to it. */
export function analyzeIndex({ owned: { main }, generation }: IndexedCollection): AnalyzeReport {
	if (main === undefined) return { index: "flat", issues: [] };
	if (main instanceof IvfIndex) return analyzeCells(main, generation.live);
	const { connectivityPercentage, averagePathLength, degree, layers, issues, recommendation } = main.analyze();
	return {
		index: "hnsw",
		graph: {
			layers: nodesOfLayers(layers),
			degree: { min: degree.min, mean: degree.mean, max: degree.max },
			reachable: connectivityPercentage / 100,
			meanPathLength: averagePathLength,
		},
		issues: issues.map((message) => ({ code: "graph", status: "degraded", message, recommendation })),
	};
}

function analyzeCells(main: IvfIndex, records: number): AnalyzeReport {
	const cells = main.analyze();
	const { nlist, rule = "given", tombstones: _, ...rest } = cells;
	return {
		index: main.kind,
		cells: { ...rest, count: nlist, rule },
		issues: cellAdvice(cells, records),
	};
}

/** A node is on its highest layer and on all below. */
function nodesOfLayers(highest: readonly number[]): number[] {
	return highest.map((_, layer) => highest.slice(layer).reduce((sum, nodes) => sum + nodes, 0));
}

/** What damage would show in, as far as there is a graph. */
export function checkGraph({ owned: { main } }: IndexedCollection): GraphCheck | null {
	if (!(main instanceof HnswIndex) || main.size === 0) return null;
	const { danglingLinks, connectivityPercentage } = main.analyze();
	return { dangling: danglingLinks, reachable: connectivityPercentage / 100 };
}

/** Bytes in use, and by the formula of the layout. */
export function memoryOf({ owned, generation, tail }: IndexedCollection): MemoryStats {
	const { size, handle } = generation;
	const slots = generation.slotEnd;
	const ids = generation.idStarts[slots] as number;
	const tables = slots * SLOT_BYTES + ids;
	const tailCodes = handle.tailCodes === null ? 0 : tail * tailCodeBytes(handle.format).stride;
	const main = owned.main?.memory();
	// Room that was reserved and never written to takes no memory. Centroids and codebooks are there from the start.
	const used = owned.main === undefined ? 0 : owned.main.size / size.capacity;
	const learnt = main === undefined ? 0 : learntBytes(main);
	const codes = Math.round((main?.codes ?? 0) * used) + tailCodes;
	const index = Math.round(((main?.index ?? 0) - learnt) * used) + learnt + tables + tail * 4 + tailCodes;
	const vectors = Math.round((main?.vectors ?? 0) * used) + tail * size.rowBytes;
	const formula = (main?.formula ?? 0) + tables + tail * (size.rowBytes + 4) + tailCodes;
	const onDisk = owned.rows === undefined ? {} : { onDisk: owned.rows.end * size.rowBytes };
	const parts = main === undefined || !("ids" in main) ? {} : partsOf(main as IvfMemoryReport, used, tables);
	return { codes, index, vectors, total: index + vectors, formula, ...onDisk, ...parts };
}

function learntBytes(main: MemoryReport | IvfMemoryReport): number {
	return "centroids" in main ? main.centroids + main.codebooks : 0;
}

function partsOf({ ids, centroids, codebooks, codeBytesPerVector }: IvfMemoryReport, used: number, tables: number) {
	return { ids: Math.round(ids * used) + tables, centroids, codebooks, links: 0, codeBytesPerVector };
}

function planOf(collection: IndexedCollection): { readonly plan?: MemoryPlan } {
	const planned = planFor(collection, collection.generation.live);
	if (planned === undefined) return {};
	const { tailRows: _, trainingRows: __, ...plan } = planned;
	return { plan };
}

/** Of the settings in force, those that tell one index from another. */
const PARAMETERS = [
	...["M", "efConstruction", "ef", "codes", "seed", "mL"],
	...[
		"storage",
		"nlist",
		"nlistRule",
		"trainedFor",
		"nprobe",
		"rerank",
		"bits",
		"rotation",
		"width",
		"residual",
		"epsilon",
	],
];

/** What `stats` and `health` tell of an index. */
export function stateOf(collection: IndexedCollection): IndexState {
	const { generation, owned } = collection;
	const effective = owned.main?.effective() ?? {};
	const parameters = Object.fromEntries(
		PARAMETERS.flatMap((name) =>
			effective[name] === undefined ? [] : [[name, effective[name] as number | string | boolean]],
		),
	);
	const { built } = collection;
	const since = (time: number | null) => (time === null ? null : performance.timeOrigin + time);
	return {
		kind: owned.main?.kind ?? askedKind({ index: collection.choice as IndexSettings }),
		choice: collection.choice,
		parameters,
		main: owned.main === undefined ? generation.live : generation.mainEnd - generation.deadInMain,
		tail: owned.main === undefined ? 0 : collection.tail,
		tombstones: generation.deleted,
		foldedAt: since(collection.foldedAt),
		snapshotAt: since(collection.snapshotAt),
		snapshotChange: collection.snapshotChange,
		oldestSnapshot: collection.oldestSnapshot,
		change: generation.change,
		problems: [...collection.problems.values()],
		building: collection.building,
		...planOf(collection),
		cells: owned.main instanceof IvfIndex ? owned.main.analyze() : null,
		built:
			built === undefined
				? null
				: { records: built.records, live: generation.live, died: diedSince(built, generation) },
	};
}
