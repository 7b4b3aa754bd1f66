import { Certification, RecallCounts } from "@nigh/recall";
import type { ExaminedSetting, Outcome, SearchSetting } from "./examination.ts";
import type { Judged } from "./questions.ts";
import { isBelow, queriesNeeded } from "./too-few.ts";

export interface ClimbOptions {
	readonly target: number;
	readonly delta: number;
	/** Queries there are, in their drawn order. */
	readonly queries: number;
	/** Queries that the pilot takes of a file, where so many more are needed. */
	readonly pilotBeside: (queries: number) => number;
	readonly onProgress: (done: number, total: number) => void;
}

/** What the measured settings have shown. */
export interface Climbed {
	/** The measured ones, the dearest first. */
	readonly settings: readonly Omit<ExaminedSetting, "queriesPerSecond">[];
	/** Which of them is the cheapest that passes; -1: none. */
	readonly cheapest: number;
	/** By setting: the recalls, in the order of the queries. */
	readonly recalls: readonly (readonly number[])[];
}

/**
 * Tests settings, the dearest first, until one does not pass by all queries there are (see `Certification`). The last that passes is then measured
 * by all of them: where a test has ended by passing, it has seen the queries that made it pass, and a share of them says less.
 */
export async function climb(
	ladder: readonly SearchSetting[],
	{ target, delta, queries, pilotBeside, onProgress }: ClimbOptions,
	judge: (query: number, setting: SearchSetting) => Promise<Judged>,
): Promise<Climbed> {
	const certification = new Certification({ rungs: ladder.length, targets: [target], delta });
	const exactly = ladder.map(() => 0);
	const measure = async (rung: number, query: number) => {
		const { recall, isExact } = await judge(query, ladder[rung] as SearchSetting);
		if (isExact) exactly[rung] = (exactly[rung] as number) + 1;
		certification.record({ rung, query }, recall);
		onProgress(rung * queries + query + 1, ladder.length * queries);
	};
	for (let ask = certification.next(queries); ask !== undefined; ask = certification.next(queries)) {
		await measure(ask.rung, ask.query);
	}
	const { rung: cheapest } = certification.certificate(target);
	const { recalls } = certification;
	if (cheapest >= 0)
		for (let query = recalls[cheapest]?.length ?? 0; query < queries; query++) await measure(cheapest, query);

	const settings = ladder.flatMap((setting, rung) => {
		const report = certification.report(rung);
		if (report === undefined) return [];
		const counts = RecallCounts.of(recalls[rung] ?? []);
		const outcome: Outcome = rung <= cheapest ? "passes" : isBelow(counts, target, delta) ? "fails" : "undecided";
		const needed = outcome === "undecided" ? queriesNeeded(counts, target, delta) : undefined;
		return [
			{
				setting,
				...report,
				answeredExactly: exactly[rung] as number,
				outcome,
				queriesNeeded: needed === undefined ? null : needed + pilotBeside(needed),
			},
		];
	});
	return { settings, cheapest, recalls };
}
