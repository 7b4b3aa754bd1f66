import type { Command } from "../src/commands/command.ts";

/** What a command printed, run in this process and without a terminal. */
export interface Printed {
	readonly lines: readonly string[];
	/** The lines, each read as JSON. */
	// biome-ignore lint/suspicious/noExplicitAny: tests look into it.
	readonly objects: readonly any[];
	/** What it threw. */
	readonly error: unknown;
}

/** Runs a command here, which is quicker than a process of its own: main.ts has tests of its own. */
export async function run(command: Command, args: readonly string[]): Promise<Printed> {
	const lines: string[] = [];
	const silent = { isTTY: false, write: () => true };
	let error: unknown;
	try {
		await command.run(args, {
			print: (text) => lines.push(...text.split("\n")),
			output: silent,
			errors: silent,
			isInteractive: false,
		});
	} catch (thrown) {
		error = thrown;
	}
	return {
		lines,
		get objects() {
			return lines.map((line) => JSON.parse(line));
		},
		error,
	};
}

/** Runs a command that has to come to its end. */
export async function succeed(command: Command, args: readonly string[]): Promise<Printed> {
	const printed = await run(command, args);
	if (printed.error !== undefined) throw printed.error;
	return printed;
}

/** Numbers from 0 to 1 that are the same in every run (a linear congruential generator, Numerical Recipes). */
export function numbers(count: number, seed: number): Float32Array<ArrayBuffer> {
	let state = seed;
	return Float32Array.from({ length: count }, () => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		return state / 2 ** 32;
	});
}
