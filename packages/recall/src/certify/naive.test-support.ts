import { BETS } from "../bounds/betting.ts";

/** Rungs that pass for a target, and how many queries were looked at on each that was tested: by the definitions, from a whole matrix. */
export function naivePassed(
	matrix: readonly (readonly number[])[],
	queries: number,
	target: number,
	delta: number,
): { passed: number; looked: number[] } {
	const looked: number[] = [];
	let passed = 0;
	for (const rung of matrix) {
		const n = firstPass(rung.slice(0, queries), target, delta);
		looked.push(n ?? queries);
		if (n === undefined) break;
		passed++;
	}
	return { passed, looked };
}

/** After how many recalls the wealth has first reached 1 / delta. */
function firstPass(recalls: readonly number[], target: number, delta: number): number | undefined {
	const products = BETS.map(() => 1);
	for (const [i, recall] of recalls.entries()) {
		for (const [j, c] of BETS.entries()) products[j] = (products[j] as number) * (1 - c + (c * recall) / target);
		if (products.reduce((sum, each) => sum + each, 0) / BETS.length >= 1 / delta) return i + 1;
	}
	return undefined;
}
