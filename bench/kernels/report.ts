import { cpus } from "node:os";
import { median } from "../report/operating-points.ts";
import { KERNEL_CASES } from "./cases.ts";
import { processNanoseconds } from "./clock.ts";
import { ignoresDimensions, type Place } from "./kernel-case.ts";
import { type Measurement, measure } from "./measure.ts";
import { Workbench } from "./workbench.ts";

export interface KernelReportOptions {
	/** Default 128 and 784. */
	readonly dimensions?: readonly number[];
	/** Time for each case in each place. Default 0.25. */
	readonly seconds?: number;
	/** Only these kernels; default all. */
	readonly kernels?: readonly string[];
	/** The larger working set. Default 1.5 GiB: more than the caches of the largest processors hold. */
	readonly memoryBytes?: number;
	readonly onStep?: (text: string) => void;
}

export interface KernelReport {
	readonly machine: string;
	/** Nanoseconds of a call from JavaScript that has nothing to do: part of every figure of a kernel that takes one row. */
	readonly callNanoseconds: number;
	readonly rows: readonly Measurement[];
	readonly markdown: string;
}

export const DEFAULT_DIMENSIONS: readonly number[] = [128, 784];
export const DEFAULT_SECONDS = 0.25;
const MEMORY_BYTES = 1.5 * 2 ** 30;

/** Measures all kernels but those of the graph. */
export async function kernelReport(options: KernelReportOptions = {}): Promise<KernelReport> {
	const { dimensions = DEFAULT_DIMENSIONS, seconds = DEFAULT_SECONDS, kernels, onStep } = options;
	const cases = KERNEL_CASES.filter(({ kernel }) => kernels === undefined || kernels.includes(kernel));
	const bench = await Workbench.open(options.memoryBytes ?? MEMORY_BYTES);
	const rows: Measurement[] = [];
	for (const d of dimensions) {
		for (const each of cases) {
			if (ignoresDimensions(each) && d !== dimensions[0]) continue;
			for (const place of each.places) {
				onStep?.(`${each.kernel} ${each.variant}, ${d} dimensions, ${place}`);
				rows.push(await measure(each, bench, d, place, seconds));
			}
		}
	}
	const machine = `${cpus()[0]?.model ?? "unknown processor"}, ${bench.arena.engine} kernels, Node ${process.version}`;
	const report = { machine, callNanoseconds: callCost(bench), rows };
	return { ...report, markdown: markdownOf(report) };
}

/** A distance of no bytes, called as the loops over single rows call it. */
function callCost({ kernels, region }: Workbench): number {
	const calls = 100_000;
	const times = Array.from({ length: 11 }, () => {
		const start = processNanoseconds();
		for (let i = 0; i < calls; i++) kernels.distance(0, region, region, 0);
		return (processNanoseconds() - start) / calls;
	});
	return median(times);
}

/** One line for each case, the cache beside the memory; rows taken in random order have a line of their own. */
export function markdownOf({ machine, callNanoseconds, rows }: Omit<KernelReport, "markdown">): string {
	const lines = [
		"## Kernels",
		"",
		`${machine}. Each kernel in turns with a loop that only reads the same bytes: from the cache, and from memory.`,
		"",
		"| kernel | dimensions | of a | cache: ns | GB/s | of reading | memory: ns | GB/s | of reading |",
		"|---|---:|---|---:|---:|---:|---:|---:|---:|",
	];
	const inPlace = (row: Measurement, place: Place) =>
		rows.find((other) => isSameCase(row, other) && other.place === place);
	for (const row of rows) {
		const name = `\`${row.kernel}\`${row.variant === "" ? "" : ` ${row.variant}`}`;
		const about = (text: string) => `${text} | ${row.dimensions ?? ""} | ${row.unit}`;
		if (row.place === "random") lines.push(`| ${about(`${name}, random rows`)} | | | | ${cells(row)} |`);
		else if (row.place === "cache") {
			lines.push(`| ${about(name)} | ${cells(row)} | ${cells(inPlace(row, "memory"))} |`);
		}
	}
	lines.push(
		"",
		readingLine(rows),
		"",
		`A call from JavaScript that has nothing to do takes ${callNanoseconds.toFixed(1)} ns.`,
	);
	return lines.join("\n");
}

function cells(row: Measurement | undefined): string {
	if (row === undefined) return "| |";
	const ns = `${significant(row.nanoseconds)} ± ${Math.round(row.spread * 50)} %`;
	return `${ns} | ${significant(row.gigabytesPerSecond)} | ${Math.floor(row.share * 100)} %`;
}

/** What the read loop itself does, which the shares are of. */
function readingLine(rows: readonly Measurement[]): string {
	const texts: Record<Place, string> = {
		cache: "from the cache",
		memory: "from memory in order",
		random: "from memory in random rows",
	};
	const parts = (Object.keys(texts) as Place[]).flatMap((place) => {
		const speeds = rows.filter((row) => row.place === place).map((row) => row.readGigabytesPerSecond);
		if (speeds.length === 0) return [];
		const [least, middle, most] = [Math.min(...speeds), median(speeds), Math.max(...speeds)].map(significant);
		return [`${texts[place]} ${middle} GB/s (${least} to ${most})`];
	});
	return `The read loop: ${parts.join(", ")}.`;
}

function isSameCase(a: Measurement, b: Measurement): boolean {
	return a.kernel === b.kernel && a.variant === b.variant && a.dimensions === b.dimensions;
}

function significant(value: number): string {
	return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
