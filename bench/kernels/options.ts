import { parseArgs } from "node:util";
import { UsageError } from "../../packages/nigh/src/terminal/usage-error.ts";
import { KERNEL_CASES } from "./cases.ts";
import { DEFAULT_DIMENSIONS, DEFAULT_SECONDS } from "./report.ts";

export interface KernelBenchOptions {
	readonly json: boolean;
	readonly dimensions: readonly number[];
	readonly seconds: number;
	readonly kernels: readonly string[] | undefined;
}

const MOST_DIMENSIONS = 4_096;

/** @throws UsageError */
export function parseKernelOptions(args: readonly string[]): KernelBenchOptions {
	const { json, dimensions, seconds, kernels } = parse(args);
	return {
		json: json ?? false,
		dimensions: dimensions === undefined ? DEFAULT_DIMENSIONS : dimensions.split(",").map(parseDimensions),
		seconds: seconds === undefined ? DEFAULT_SECONDS : parseSeconds(seconds),
		kernels: kernels?.split(",").map(checkKernel),
	};
}

function parse(args: readonly string[]) {
	try {
		return parseArgs({
			args: [...args],
			options: {
				json: { type: "boolean" },
				dimensions: { type: "string" },
				seconds: { type: "string" },
				kernels: { type: "string" },
			},
		}).values;
	} catch (error) {
		throw new UsageError(
			`${(error as Error).message}\nusage: [--json] [--dimensions 128,784] [--seconds S] [--kernels NAMES]`,
		);
	}
}

function parseDimensions(text: string): number {
	const value = Number(text);
	if (Number.isInteger(value) && value >= 8 && value <= MOST_DIMENSIONS) return value;
	throw new UsageError(
		`--dimensions takes whole numbers from 8 to ${MOST_DIMENSIONS} with commas between, like 128,784; "${text}" is none`,
	);
}

function parseSeconds(text: string): number {
	const value = Number(text);
	if (value >= 0.01 && value <= 60) return value;
	throw new UsageError(`--seconds is the time for each case, from 0.01 to 60; "${text}" is not`);
}

function checkKernel(name: string): string {
	const names = [...new Set<string>(KERNEL_CASES.map(({ kernel }) => kernel))];
	if (names.includes(name)) return name;
	throw new UsageError(`--kernels "${name}": the kernels measured here are ${names.join(", ")}`);
}
