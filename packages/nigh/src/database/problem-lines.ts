import type { VerifyProblem } from "@nigh/contract";

/** Two lines for each problem: what is the matter, and what to do. */
export function problemLines(problems: readonly VerifyProblem[]): string[] {
	return problems.flatMap(({ collection, code, message, recommendation }) => [
		`${collection ?? "database"}: ${code}: ${message}`,
		`  ${recommendation}`,
	]);
}
