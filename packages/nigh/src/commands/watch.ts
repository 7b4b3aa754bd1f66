import { setTimeout as pause } from "node:timers/promises";
import { DATA_OPTIONS, dataFolder, dataHelp } from "../database/data-folder.ts";
import { positionalsOf } from "../database/typed.ts";
import { withDatabase } from "../database/with-database.ts";
import { parseArguments, wholeNumber } from "../terminal/arguments.ts";
import { interruptible } from "../terminal/interruption.ts";
import { wrapped } from "../terminal/quantities.ts";
import { liveScreen } from "../terminal/screen.ts";
import { type Look, Watcher } from "../watch/look.ts";
import { FOOTNOTE, logLine, screenLines } from "../watch/view.ts";
import type { Command, Terminal } from "./command.ts";

const INTERVAL = { min: 100, max: 86_400_000, integer: true, default: 1_000, unit: "ms" } as const;

const HELP = `nigh watch: a live view of a database

Usage: nigh watch [--data DIR] [--interval MS] [--once] [--json]

${dataHelp(17)}
  --interval MS    between two looks: ${INTERVAL.min} to ${INTERVAL.max}, default ${INTERVAL.default}
  --once           one look, then it ends

Opens the database for reading only, beside the process that writes it or
without one, and shows for each collection: its records and change number, the
index, the tail that is still to be taken into it (folded: the share that has
been), tombstones, what has come in a second since the look before, times of a
few searches it makes itself, and what its health has to say. On a terminal the
picture is drawn over again, elsewhere a line is printed for each look. Ctrl-C
ends.

${wrapped(FOOTNOTE, 80).join("\n")}

Examples
  nigh watch --data ./data
  nigh watch --data ./data --once --json`;

export const watchCommand: Command = {
	name: "watch",
	summary: "a live view of a database",
	help: HELP,
	run: async (args, terminal) => {
		const parsed = parseArguments(args, { ...DATA_OPTIONS, interval: "value", once: "flag" });
		positionalsOf(parsed, "watch", []);
		const folder = dataFolder(parsed);
		const typed = parsed.value("interval");
		const interval = typed === undefined ? INTERVAL.default : wholeNumber("--interval", typed, INTERVAL);
		await watch(folder, { interval, once: parsed.has("once") }, shower(folder, parsed.has("json"), terminal));
	},
};

interface Pace {
	/** ms between two looks. */
	readonly interval: number;
	readonly once: boolean;
}

function watch(folder: string, { interval, once }: Pace, show: (look: Look) => void): Promise<void> {
	return interruptible((signal) =>
		withDatabase(folder, "read", async (database) => {
			const watcher = new Watcher(database);
			while (!signal.aborted) {
				show(await watcher.look());
				if (once) return;
				// Being asked to end is the end of the pause, and no failure.
				await pause(interval, undefined, { signal }).catch(() => {});
			}
		}),
	);
}

function shower(folder: string, json: boolean, { print, output }: Terminal): (look: Look) => void {
	if (json) return (look) => print(JSON.stringify(look));
	if (output.isTTY !== true) return (look) => print(logLine(look));
	const screen = liveScreen(output);
	return (look) => screen.draw(screenLines(folder, look, (output.columns ?? 80) - 1));
}
