import { generated } from "../../sets/generated.ts";
import { type BuiltKind, buildKind, CONTENDERS, type Rows } from "../built-kind.ts";
import { scaledCount, type TableOptions } from "../table.ts";
import { eachRow } from "../time-searches.ts";
import { ASKED } from "./weakness.ts";

/** What the limits compare: every kind, and the coarsest codes. Flat, which is exact, comes first. */
export const COMPARED = [
	CONTENDERS.flat,
	CONTENDERS.hnsw,
	CONTENDERS.ivf,
	CONTENDERS.ivfpq,
	CONTENDERS.memory,
	CONTENDERS.rabitq1,
] as const;

/** Vectors of the sets that the limits make. */
export const COUNT = 50_000;
export const DIMENSIONS = 128;

export interface CommonSet {
	readonly rows: Rows;
	readonly queries: readonly Float32Array[];
}

/** Generated vectors as the other tables have them, and queries of the same mixture. */
export function commonSet(options: Pick<TableOptions, "scale">, n = COUNT, seed = 1): CommonSet {
	const count = scaledCount(n, options.scale);
	const { base, queries } = generated({ n: count, dimensions: DIMENSIONS, queries: ASKED, seed });
	return {
		rows: { base, n: count, dimensions: DIMENSIONS, metric: "l2" },
		queries: eachRow(queries, DIMENSIONS),
	};
}

export async function buildCompared(rows: Rows): Promise<BuiltKind[]> {
	const built: BuiltKind[] = [];
	for (const contender of COMPARED) built.push(await buildKind(contender, rows));
	return built;
}
