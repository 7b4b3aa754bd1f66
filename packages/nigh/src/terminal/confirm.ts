import { createInterface } from "node:readline/promises";

/** Asks on the error output, so that the answer of the command stays apart. Anything but `y` or `yes`, and the end of the input, is no. */
export async function confirm(
	question: string,
	input: NodeJS.ReadableStream = process.stdin,
	output: NodeJS.WritableStream = process.stderr,
): Promise<boolean> {
	const reader = createInterface({ input, output });
	const ended = new Promise<string>((resolve) => reader.once("close", () => resolve("")));
	try {
		const answer = await Promise.race([reader.question(`${question} [y/N] `), ended]);
		return /^y(es)?$/i.test(answer.trim());
	} finally {
		reader.close();
	}
}
