import { ATTEMPTED, type Attempt, MOST_WRONG_SEEDS } from "./end-to-end.ts";
import { mostWrong } from "./most-wrong.ts";
import { median, type Outcome } from "./redraw.ts";
import { SHIFTS, type ShiftName, toBeHeardWithin } from "./shifts.ts";
import type { CollectionResult, PlantedResult, TaskResult } from "./task.ts";
import { DELTA } from "./task.ts";
import { SILENT_FOR } from "./watch.ts";
import { type PooledShare, watchSums } from "./watch-sums.ts";

/** What a run has to show. */
export interface Check {
	readonly promise: string;
	readonly holds: boolean;
	/** What there was, in words. */
	readonly found: string;
}

/** How likely a sound procedure fails one cell. */
export const FALSE_ALARM = 0.001;
/** What a served rung may cost, as a multiple of the cheapest that would do: the median. */
const DEAREST = 1.3;
/** Share of the certifications in which the watch does what it is there for. */
const WATCHED = 0.9;
/** Share of the databases that an approximate rung is certified for: what always answers exactly is never wrong. */
const CERTIFIED = 0.9;
/** How far the power may lie below what the design tells, which was simulated of recalls that it does not name. */
const POWER_SLACK = 0.05;

/** The results of a run by what they are of. */
export interface Results {
	readonly collections: readonly CollectionResult[];
	readonly planted: readonly PlantedResult[];
	readonly power: readonly Extract<TaskResult, { type: "power" }>["power"][];
	readonly attempts: readonly Attempt[];
}

export function resultsOf(results: readonly TaskResult[]): Results {
	return {
		collections: results.filter((each) => each.type === "collection"),
		planted: results.filter((each) => each.type === "planted"),
		power: results.filter((each) => each.type === "power").map(({ power }) => power),
		attempts: results.filter((each) => each.type === "end-to-end").flatMap(({ attempts }) => attempts),
	};
}

/** All checks of which there is something to look at. */
export function checksOf({ collections, planted, power, attempts }: Results): Check[] {
	const cells = collections.flatMap((each) => each.cells);
	const outcomes = cells.flatMap((cell) => cell.outcomes);
	return [
		...wrongCheck("of a collection", outcomes),
		...wrongCheck(
			"of a planted matrix",
			planted.map(({ certified }) => certified),
		),
		...wrongCheck(
			"of a planted matrix that is peeked at",
			planted.map(({ peeked }) => peeked),
		),
		...costCheck(outcomes),
		...(attempts.length === 0 ? [] : endToEndChecks(attempts)),
		...(power.length === 0 ? [] : [powerCheck(power)]),
		...(cells.length === 0 ? [] : watchChecks(collections)),
	];
}

function wrongCheck(what: string, outcomes: readonly Outcome[]): Check[] {
	const [first] = outcomes;
	if (first === undefined) return [];
	const bound = mostWrong(first.redraws, DELTA, FALSE_ALARM);
	const most = Math.max(...outcomes.map(({ wrong }) => wrong));
	return [
		{
			promise: `at most ${bound} of ${first.redraws} certificates are wrong in each cell ${what}`,
			holds: most <= bound,
			found: `at most ${most}, in ${outcomes.length} cells`,
		},
	];
}

function costCheck(outcomes: readonly Outcome[]): Check[] {
	const ratios = outcomes.filter(({ attainable }) => attainable).map(({ costRatio }) => costRatio);
	if (ratios.length === 0) return [];
	const above = ratios.filter((ratio) => !(ratio <= DEAREST)).length;
	return [
		{
			promise: `a served rung costs at most ${DEAREST} times the cheapest that keeps the target, the median of each cell in which one does`,
			holds: above === 0,
			found: `${above} of ${ratios.length} cells are above, the median cell has ${median(Float64Array.from(ratios)).toFixed(2)}, the worst ${Math.max(...ratios).toFixed(2)}`,
		},
	];
}

function endToEndChecks(attempts: readonly Attempt[]): Check[] {
	const each = ATTEMPTED.map((target) => attempts.filter((attempt) => attempt.target === target));
	const wrong = ATTEMPTED.map((target, i) => (each[i] as Attempt[]).filter(({ recall }) => recall < target).length);
	const shares = each.map(certifiedShare);
	return [
		{
			promise: `at most ${MOST_WRONG_SEEDS} of ${attempts.length / ATTEMPTED.length} databases serve less than the target, at each target`,
			holds: wrong.every((count) => count <= MOST_WRONG_SEEDS),
			found: wrong.join(" / "),
		},
		{
			promise: `at least ${percent(CERTIFIED)} of the databases are certified, and served by an approximate search, at each target`,
			holds: shares.every((share) => share >= CERTIFIED),
			found: shares.map(percent).join(" / "),
		},
	];
}

/** The share of the attempts whose answers came with a certificate; NaN of none. */
export function certifiedShare(attempts: readonly Attempt[]): number {
	return attempts.filter(({ state }) => state === "certified").length / attempts.length;
}

function powerCheck(power: Results["power"]): Check {
	const by = power.flatMap(({ byDesign }) => (byDesign === undefined ? [] : [byDesign]));
	const [half, most] = [Math.min(...by.map(([each]) => each)), Math.min(...by.map(([, each]) => each))];
	return {
		promise:
			"by the design's numbers of queries half of the runs have passed, and nine of ten, but for five of a hundred",
		holds: half >= 0.5 - POWER_SLACK && most >= 0.9 - POWER_SLACK,
		found: `at least ${percent(half)} and ${percent(most)}`,
	};
}

function watchChecks(collections: readonly CollectionResult[]): Check[] {
	const sums = watchSums(collections);
	return [
		watchCheck(
			`no alarm in ${SILENT_FOR} audits without a drop`,
			sums.map(({ silent, ...cell }) => ({ ...cell, share: silent })),
		),
		...(Object.keys(SHIFTS) as ShiftName[]).map((shift) =>
			watchCheck(
				`${shift}: an alarm within ${toBeHeardWithin(shift)} audits`,
				sums.map(({ heard, ...cell }) => ({ ...cell, share: heard.get(shift) })),
			),
		),
	];
}

/** Also fails where nothing was watched at all: that keeps every promise. */
function watchCheck(
	what: string,
	cells: readonly { readonly k: number; readonly target: number; readonly share: PooledShare | undefined }[],
): Check {
	const shares = cells.flatMap(({ share }) => share ?? []);
	const nothing = cells.filter(({ share }) => share === undefined).map(({ k, target }) => `k ${k} at ${target}`);
	const least = Math.min(...shares.map(({ share }) => share));
	const most = Math.max(...shares.map(({ share }) => share));
	const worst = shares.map((each) => each.worst).sort((a, b) => a.share - b.share)[0];
	return {
		promise: `${what}, in nine of ten certifications of each k and target`,
		holds: shares.length > 0 && shares.every(({ share }) => share >= WATCHED),
		found:
			worst === undefined
				? "nothing was watched"
				: [
						`at least ${percent(least)}, at most ${percent(most)}`,
						`the worst collection ${worst.collection}, k ${worst.k} at ${worst.target}: ${percent(worst.share)} of ${worst.watched}`,
						...(nothing.length === 0 ? [] : [`nothing was watched of ${nothing.join(", ")}`]),
					].join("; "),
	};
}

/** Cut, not rounded, so that what is below a bound reads so. */
export function percent(share: number): string {
	return `${(Math.floor(1_000 * share + 1e-9) / 10).toFixed(1)} %`;
}
