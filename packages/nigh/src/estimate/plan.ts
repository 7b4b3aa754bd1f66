import { BOUNDS, type IndexSettings, type PlannedIndex } from "@nigh/contract";
import type { PlannedMemory, PlanOptions } from "@nigh/embedded";
import { type Arguments, plainNumber } from "../terminal/arguments.ts";
import { bytesText } from "../terminal/quantities.ts";
import { grouped, tableRows } from "../terminal/table.ts";
import { UsageError } from "../terminal/usage-error.ts";

/** What belongs to one index alone, where a database chooses. */
const OF_ONE_INDEX = ["index", "param", "storage"] as const;

/**
 * The cap that was typed for `--max-mb`, in bytes; `undefined`: none.
 *
 * @throws UsageError.
 */
export function capOf(parsed: Arguments): number | undefined {
	const typed = parsed.value("max-mb");
	if (typed === undefined) return undefined;
	for (const name of OF_ONE_INDEX) {
		if (!parsed.has(name)) continue;
		throw new UsageError(
			`--max-mb tells what a database would choose, and --${name} has chosen: leave one of them out.`,
		);
	}
	return Math.floor(plainNumber("--max-mb", typed, BOUNDS.maxMB) * 2 ** 20);
}

/**
 * What a database would choose under a cap.
 *
 * @throws NighError `MEMORY_LIMIT` where nothing fits.
 */
export async function planOf(options: PlanOptions): Promise<PlannedMemory> {
	// On demand: an estimate of one index needs no database.
	const { planMemory } = await import("@nigh/embedded");
	return planMemory(options);
}

/** The choice, the reason, and all that was considered. */
export function planLines(
	plan: PlannedMemory,
	{ dimensions, metric }: Pick<PlanOptions, "dimensions" | "metric">,
): string[] {
	const { index, vectors, maxBytes, reason, considered, bytes, onDisk } = plan;
	const { header, row } = tableRows([
		{ title: "index", align: "left", width: Math.max(...considered.map((each) => nameOf(each.index).length)) },
		{ title: "memory", align: "right", width: 10 },
		{ title: "a quarter more", align: "right" },
		{ title: "on disk", align: "right", width: 10 },
		{ title: "", align: "left" },
	]);
	return [
		`${grouped(vectors)} vectors of ${grouped(dimensions)} dimensions, ${metric}, within ${bytesText(maxBytes)}: ${nameOf(index)}`,
		"",
		header,
		...considered.map((each) =>
			row([
				nameOf(each.index),
				bytesText(each.bytes),
				bytesText(each.bytesAhead),
				each.onDisk === 0 ? "" : bytesText(each.onDisk),
				remark(each, index),
			]),
		),
		"",
		reason,
		`That is ${grouped(bytes / vectors)} bytes a vector in memory${onDisk === 0 ? "" : ` and ${grouped(onDisk / vectors)} on disk`}: tables and index twice, since the next is built beside the one that serves, the tail, and what a training works in.`,
	];
}

function remark({ index, fits }: PlannedIndex, chosen: IndexSettings): string {
	if (index === chosen) return "chosen";
	return fits ? "fits" : "does not fit";
}

/** `ivfpq storage=disk` */
function nameOf({ kind, ...parameters }: IndexSettings): string {
	return [kind, ...Object.entries(parameters).map(([name, value]) => `${name}=${value}`)].join(" ");
}
