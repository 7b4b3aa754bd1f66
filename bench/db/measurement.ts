import { grouped } from "../../packages/nigh/src/terminal/table.ts";
import { piped } from "../report/markdown.ts";
import { cut, raise } from "../report/rounding.ts";

/** What every measurement is told. */
export interface DatabaseBenchOptions {
	/** Vectors, instead of the number that the measurement's target is about. */
	readonly size: number | undefined;
	/** An empty folder on the disk that is measured; what is made in it is removed afterwards. */
	readonly folder: string;
	readonly onStep: (text: string) => void;
}

/** What a figure has to be. */
export type Target = { readonly atMost: number } | { readonly atLeast: number };

/** One thing that was measured. */
export interface Figure {
	readonly what: string;
	/** What it was measured on, where the same things were on several: a row of a table that has a column for each thing. */
	readonly of?: string;
	/** Not rounded. */
	readonly value: number;
	/** `"records/s"`, `"ms"`, `"times"`, ... Empty for a share or a count. */
	readonly unit: string;
	readonly target?: Target;
}

/** What a measurement found. */
export interface Measured {
	readonly title: string;
	/** What was measured and how, and what could not be; each a sentence or more. */
	readonly about: readonly string[];
	readonly figures: readonly Figure[];
}

export type Measurement = (options: DatabaseBenchOptions) => Promise<Measured>;

/** Dimensions of every vector here, and the seed of every set. */
export const DIMENSIONS = 128;
export const SEED = 1;
/** Neighbours that every search asks for. */
export const K = 10;

/** `undefined` where a figure has no target. */
export function keeps({ value, target }: Figure): boolean | undefined {
	if (target === undefined) return undefined;
	return "atMost" in target ? value <= target.atMost : value >= target.atLeast;
}

/** A measurement as a section of a document. */
export function markdownOf({ title, about, figures }: Measured): string {
	const single = figures.filter(({ of }) => of === undefined);
	const grid = figures.filter(({ of }) => of !== undefined);
	const tables = [...(single.length === 0 ? [] : [listOf(single)]), ...(grid.length === 0 ? [] : [gridOf(grid)])];
	return [`### ${title}`, ...about, ...tables].join("\n\n");
}

const left = (title: string) => ({ title, align: "left" as const });
const right = (title: string) => ({ title, align: "right" as const });

/** A figure a row. */
function listOf(figures: readonly Figure[]): string {
	const rows = figures.map((figure) => [
		figure.what,
		`${shown(figure)}${figure.unit === "" ? "" : ` ${figure.unit}`}`,
		targetText(figure.target),
		{ true: "yes", false: MISSED, undefined: "" }[String(keeps(figure)) as "true" | "false" | "undefined"],
	]);
	return piped({ columns: [left("what"), right("measured"), right("target"), left("kept")], rows });
}

/** Everything that was measured on the same is a row; what was missed is marked. */
function gridOf(figures: readonly Figure[]): string {
	const columns = [...Map.groupBy(figures, ({ what }) => what).values()];
	const titles = columns.map(([first, ...others]) => {
		const { what, unit, target } = [first as Figure, ...others].find((figure) => figure.target) ?? (first as Figure);
		return [what, unit, targetText(target)].filter((text) => text !== "").join(", ");
	});
	const rows = [...Map.groupBy(figures, ({ of }) => of as string)].map(([of, measured]) => [
		of,
		...columns.map(([first]) => {
			const figure = measured.find(({ what }) => what === first?.what);
			if (figure === undefined) return "";
			return keeps(figure) === false ? `${shown(figure)} ${MISSED}` : shown(figure);
		}),
	]);
	return piped({ columns: [left(""), ...titles.map(right)], rows });
}

const MISSED = "**NO**";

/** Three digits or more, rounded against the target, so that a figure that misses it never reads as if it did not. */
function shown({ value, target }: Figure): string {
	const size = Math.abs(value);
	const decimals = size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 4;
	const round = target !== undefined && "atLeast" in target ? cut : raise;
	return round(value, decimals).toLocaleString("en-US", {
		minimumFractionDigits: decimals,
		maximumFractionDigits: decimals,
	});
}

function targetText(target: Target | undefined): string {
	if (target === undefined) return "";
	return "atMost" in target ? `<= ${limitText(target.atMost)}` : `>= ${limitText(target.atLeast)}`;
}

function limitText(limit: number): string {
	return Number.isInteger(limit) ? grouped(limit) : String(limit);
}
