import { writeFileSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { generatedRows } from "../../sets/generated.ts";
import { K } from "../table.ts";
import { Nearest } from "./nearest.ts";
import { type OnStep, pathsOf, SEED, type SetShape, type Truths } from "./run.ts";
import { VectorFile } from "./vector-file.ts";

/** Rows that are in memory at a time, twice: 128 MB of 128 dimensions. */
const PIECE = 250_000;

export interface MakeJob extends SetShape {
	readonly folder: string;
	readonly queries: number;
	/** The first so many vectors have neighbours of their own for each query, beside those of all. */
	readonly prefix: number;
}

/** Writes vectors, queries and the exact neighbours of the queries into the folder, a piece at a time. */
export async function makeSet(
	{ folder, n, dimensions, queries: count, prefix }: MakeJob,
	onStep: OnStep,
): Promise<void> {
	const paths = pathsOf(folder);
	const draw = generatedRows({ n, dimensions, seed: SEED });
	const written = new VectorFile(paths.base, dimensions, "w");
	for (const [from, to] of pieces(0, n)) {
		onStep(`making the set, ${from} of ${n}`);
		written.append(draw(to - from));
		// Between two pieces, or never, it is heard of that nobody waits any more.
		await turn();
	}
	written.close();
	const queries = draw(count);
	writeFileSync(paths.queries, queries);
	const nearest = new Nearest(queries, dimensions, K);
	const base = new VectorFile(paths.base, dimensions, "r");
	const add = async (of: readonly (readonly [number, number])[]) => {
		for (const [from, to] of of) {
			onStep(`looking for the true neighbours, ${from} of ${n}`);
			await nearest.add(base.read(from, to), from);
			await turn();
		}
		return nearest.rows();
	};
	const truths: Truths = { prefix: await add(pieces(0, prefix)), all: await add(pieces(prefix, n)) };
	base.close();
	writeFileSync(paths.truths, JSON.stringify(truths));
}

function pieces(from: number, to: number): (readonly [from: number, to: number])[] {
	const count = Math.ceil((to - from) / PIECE);
	return Array.from({ length: count }, (_, i) => [from + i * PIECE, Math.min(to, from + (i + 1) * PIECE)] as const);
}
