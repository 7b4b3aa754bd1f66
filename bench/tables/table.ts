import { piped } from "../report/markdown.ts";
import type { Rows } from "../report/rows.ts";
import type { SetOptions } from "../sets/load.ts";

/** What every table is told. */
export interface TableOptions {
	/** Share of the vectors to take, above 0 to 1. */
	readonly scale: number;
	/** Folder with the known sets. */
	readonly data: string;
	readonly onStep: (text: string) => void;
}

/** Something that the figures have to show. */
export interface Check {
	readonly promise: string;
	readonly holds: boolean;
}

/** What a table found, for programs; nothing in it is rounded but the text for people. */
export interface Table<Row = unknown> {
	readonly name: string;
	/** What was measured and how, each a sentence or more. */
	readonly about: readonly string[];
	readonly rows: readonly Row[];
	readonly checks: readonly Check[];
	/** All of it as a section of a document. */
	readonly markdown: string;
}

export interface TableContent<Row> extends Omit<Table<Row>, "markdown"> {
	readonly title: string;
	/** The rows in words, unless all of them stand in parts. */
	readonly cells?: Rows;
	/** Further tables of it, each under a heading of its own. */
	readonly parts?: readonly TablePart[];
}

export interface TablePart {
	readonly title: string;
	/** What was measured and what it means, each a paragraph. */
	readonly about: readonly string[];
	readonly cells: Rows;
}

/** Neighbours that every table asks for. */
export const K = 10;

/** Queries of every table. They are not scaled: fewer would make recall and the 95th percentile uncertain. */
export const QUERIES = 1_000;

/** Fewer vectors than this have no graph worth measuring. */
const LEAST_VECTORS = 200;

/** The number of vectors that a scale leaves of `n`: rounded, and at least 200 or all of them. */
export function scaledCount(n: number, scale: number): number {
	return Math.max(Math.min(n, LEAST_VECTORS), Math.round(n * scale));
}

/** The set that the tables make: `n` vectors before scaling, and the neighbours of its queries. */
export function madeSet(
	set: "generated" | "uniform",
	shape: { readonly n: number; readonly dimensions: number; readonly metric: "l2" | "cosine" },
	{ scale, data }: TableOptions,
): SetOptions {
	return { ...shape, set, n: scaledCount(shape.n, scale), data, queries: QUERIES, seed: 1, k: K };
}

/** A table with its section: the figures, then what they have to show. */
export function tableOf<Row>({ title, cells, parts: further = [], ...table }: TableContent<Row>): Table<Row> {
	const { about, checks } = table;
	const marks = checks.map(({ promise, holds }) => `- ${holds ? "yes" : "**NO**"}: ${promise}`);
	const parts = [
		`## ${title}`,
		...about,
		...(cells === undefined ? [] : [piped(cells)]),
		...further.flatMap((part) => [`### ${part.title}`, ...part.about, piped(part.cells)]),
		marks.join("\n"),
	];
	return { ...table, markdown: parts.filter((part) => part !== "").join("\n\n") };
}
