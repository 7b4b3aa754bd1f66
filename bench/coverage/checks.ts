import { HEARD_WITHIN } from "@nigh/recall";
import { ATTEMPTED, type Attempt, MOST_WRONG_SEEDS } from "./end-to-end.ts";
import { TARGETS } from "./measure.ts";
import { mostWrong } from "./most-wrong.ts";
import { median, type Outcome } from "./redraw.ts";
import type { CellResult, CollectionResult, PlantedResult, TaskResult } from "./task.ts";
import { DELTA } from "./task.ts";
import { SILENT_FOR } from "./watch.ts";

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
		...(attempts.length === 0 ? [] : [endToEndCheck(attempts)]),
		...(power.length === 0 ? [] : [powerCheck(power)]),
		...(cells.length === 0 ? [] : watchChecks(cells)),
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

function endToEndCheck(attempts: readonly Attempt[]): Check {
	const wrong = ATTEMPTED.map(
		(target) => attempts.filter((each) => each.target === target && each.recall < target).length,
	);
	return {
		promise: `at most ${MOST_WRONG_SEEDS} of ${attempts.length / ATTEMPTED.length} databases serve less than the target, at each target`,
		holds: wrong.every((count) => count <= MOST_WRONG_SEEDS),
		found: wrong.join(" / "),
	};
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

function watchChecks(cells: readonly CellResult[]): Check[] {
	const sums = watchSums(cells);
	const silent = Math.min(...sums.map((each) => each.silent));
	const shifts = [...new Set(sums.flatMap((each) => [...each.heard.keys()]))];
	return [
		{
			promise: `no alarm in ${SILENT_FOR} audits without a drop, in nine of ten certifications of each k and target`,
			holds: sums.every((each) => !(each.silent < WATCHED)),
			found: `at least ${percent(silent)}`,
		},
		...shifts.map((shift) => {
			const shares = sums.flatMap((each) => each.heard.get(shift)?.share ?? []);
			return {
				promise: `${shift}: an alarm within ${HEARD_WITHIN} audits, in nine of ten certifications of each k and target`,
				holds: shares.every((share) => share >= WATCHED),
				found: `at least ${percent(Math.min(...shares))}, at most ${percent(Math.max(...shares))}`,
			};
		}),
	];
}

/** The watch of all collections together, for one k and target. */
export interface WatchSum {
	readonly k: number;
	readonly target: number;
	readonly watched: number;
	/** Shares. */
	readonly silent: number;
	readonly heard: ReadonlyMap<string, { readonly share: number; readonly watched: number; readonly delay: number }>;
}

export function watchSums(cells: readonly CellResult[]): WatchSum[] {
	const ks = [...new Set(cells.map(({ k }) => k))].sort((a, b) => a - b);
	return ks.flatMap((k) =>
		TARGETS.flatMap((target) => {
			const own = cells
				.filter((cell) => cell.k === k)
				.flatMap((cell) => cell.watched.filter((each) => each.target === target));
			const watched = own.reduce((sum, each) => sum + each.watched, 0);
			if (watched === 0) return [];
			const names = new Set(own.flatMap(({ shifts }) => shifts.map(({ shift }) => shift)));
			const heard = [...names].flatMap((name) => {
				const each = own.flatMap(({ shifts }) =>
					shifts.filter(({ shift, watched: some }) => shift === name && some > 0),
				);
				const some = each.reduce((sum, shift) => sum + shift.watched, 0);
				if (some === 0) return [];
				const share = each.reduce((sum, shift) => sum + shift.heard, 0) / some;
				return [
					[name, { share, watched: some, delay: median(Float64Array.from(each, ({ delay }) => delay)) }] as const,
				];
			});
			return [
				{
					k,
					target,
					watched,
					silent: own.reduce((sum, each) => sum + each.silent, 0) / watched,
					heard: new Map(heard),
				},
			];
		}),
	);
}

/** Cut, not rounded, so that what is below a bound reads so. */
export function percent(share: number): string {
	return `${(Math.floor(1_000 * share + 1e-9) / 10).toFixed(1)} %`;
}
