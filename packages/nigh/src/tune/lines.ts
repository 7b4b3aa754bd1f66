import type { CellTuning, TuneReport, TuneStats } from "@nigh/contract";
import { settingText } from "../doctor/lines.ts";
import { factLines } from "../terminal/facts.ts";
import { countText, durationText, numberText } from "../terminal/quantities.ts";
import { promiseText } from "../terminal/recall-in-words.ts";
import { grouped, tableRows } from "../terminal/table.ts";

/** What tuning has changed, and what it cannot. */
export function tuneLines(name: string, { changed, before, after, tooSlow }: TuneReport): string[] {
	const times =
		before === null || after === null
			? "there are no logged queries of what is certified to measure by. Searches of programs that open the folder for writing are logged, and nigh certify --query FILE takes queries of your own"
			: `a search takes ${durationText(after)} in the mean, ${durationText(before)} before`;
	const is = changed === 1 ? "has" : "have";
	return [
		`${name}: ${changed === 0 ? "no cell has" : `${countText(changed, "cell")} ${is}`} another certified setting now; ${times}.`,
		...tooSlow.map(
			({ cell, meanMs }) =>
				`${promiseText(cell.target, cell)} is kept by searches that take ${durationText(meanMs)} in the mean at best: longer than the collection's latencyMs.`,
		),
	];
}

/** What the tuner knows: its settings, and a table of the arms of each cell. */
export function tuneStatsLines(stats: TuneStats): string[] {
	const { algorithm, epsilon, decay, live, totalPulls, latencyMs, cells } = stats;
	const tries = `tries another setting in ${numberText(epsilon * 100)} % of them`;
	// What says how searches explore says nothing where they do not.
	const unused = live ? "" : ", where searches explore";
	return [
		...factLines([
			["algorithm", `${algorithm}${unused}`],
			[
				"searches",
				`${grouped(totalPulls)} counted; ${live ? "they explore by themselves" : "they do not explore, nigh tune alone measures"}`,
			],
			[
				"epsilon",
				live && algorithm === "epsilon-greedy"
					? `${tries}${decay === 1 ? "" : `, times ${decay} after each`}`
					: undefined,
			],
			["latency", latencyMs === null ? undefined : `${durationText(latencyMs)} wanted`],
		]),
		...(cells.length === 0
			? ["", "Nothing is certified: there is nothing to choose from. nigh certify writes certificates."]
			: []),
		...cells.flatMap(cellLines),
	];
}

function cellLines({ cell, arms, serving, keepsLatency }: CellTuning): string[] {
	const rows = arms.map(({ arm, setting, endsEarly, pulls, averageLatencyMs, averageReward }) => [
		arm,
		setting === null ? "exact" : settingText(setting, endsEarly),
		grouped(pulls),
		averageLatencyMs === null ? "-" : averageLatencyMs.toFixed(3),
		pulls === 0 ? "-" : numberText(averageReward),
		arm === serving ? "serves" : "",
	]);
	const widest = (at: number) => Math.max(0, ...rows.map((cells) => (cells[at] ?? "").length));
	const { header, row } = tableRows([
		{ title: "arm", align: "left", width: widest(0) },
		{ title: "setting", align: "left", width: widest(1) },
		{ title: "searches", align: "right" },
		{ title: "mean ms", align: "right", width: widest(3) },
		{ title: "reward", align: "right", width: widest(4) },
		{ title: "", align: "left", width: 6 },
	]);
	const latency = keepsLatency === null ? "" : keepsLatency ? ", as quick as wanted" : ", slower than wanted";
	return ["", `${promiseText(cell.target, cell)}${latency}`, header, ...rows.map(row)];
}
