import type { AnalyzeReport, MemoryStats } from "@nigh/contract";
import { SLOT_BYTES } from "../memory/sizes.ts";
import { tailCodeBytes } from "../memory/tail-codes.ts";
import { diedSince } from "./built.ts";
import type { IndexedCollection } from "./indexed-collection.ts";
import type { GraphCheck, IndexState } from "./messages.ts";

/** How well the graph is built. Takes time in proportion to it. */
export function analyzeIndex({ owned: { main } }: IndexedCollection): AnalyzeReport {
	if (main === undefined) return { index: "flat", issues: [] };
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

/** A node is on its highest layer and on all below. */
function nodesOfLayers(highest: readonly number[]): number[] {
	return highest.map((_, layer) => highest.slice(layer).reduce((sum, nodes) => sum + nodes, 0));
}

/** What damage would show in, as far as there is a graph. */
export function checkGraph({ owned: { main } }: IndexedCollection): GraphCheck | null {
	if (main === undefined || main.size === 0) return null;
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
	// Room that was reserved and never written to takes no memory.
	const used = owned.main === undefined ? 0 : owned.main.size / size.capacity;
	const codes = Math.round((main?.codes ?? 0) * used) + tailCodes;
	const index = Math.round((main?.index ?? 0) * used) + tables + tail * 4 + tailCodes;
	const vectors = Math.round((main?.vectors ?? 0) * used) + tail * size.rowBytes;
	const formula = (main?.formula ?? 0) + tables + tail * (size.rowBytes + 4) + tailCodes;
	return { codes, index, vectors, total: index + vectors, formula };
}

/** What `stats` and `health` tell of an index. */
export function stateOf(collection: IndexedCollection): IndexState {
	const { generation, owned } = collection;
	const effective = owned.main?.effective() ?? {};
	const parameters = Object.fromEntries(
		["M", "efConstruction", "ef", "codes", "seed", "mL"].flatMap((name) =>
			name in effective ? [[name, effective[name] as number | string]] : [],
		),
	);
	const isGraph = owned.main !== undefined || collection.choice.kind === "hnsw";
	const { built } = collection;
	const since = (time: number | null) => (time === null ? null : performance.timeOrigin + time);
	return {
		kind: isGraph ? "hnsw" : "flat",
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
		built:
			built === undefined
				? null
				: { records: built.records, live: generation.live, died: diedSince(built, generation) },
	};
}
