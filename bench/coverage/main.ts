// Whether certificates are as often right as they say: npm run coverage:recall -- [NAME...] [options].
// Redrawn by the thousand: with a database's certification, choice of the serving rung and settings of the watch, but ladders that begin where a
// thousand pilot queries find enough, without walks that end early and without re-rank depths. End to end, by the hundred: through all that a database does.
// Exit code 1 where a bound is exceeded, 2 for a wrong command line.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { UsageError } from "../../packages/nigh/src/terminal/usage-error.ts";
import { withSection } from "../docs/document.ts";
import { thisMachine } from "../report/machine.ts";
import { checksOf, resultsOf } from "./checks.ts";
import { COLLECTIONS } from "./collections.ts";
import { SEEDS } from "./end-to-end.ts";
import { coverageMarkdown } from "./markdown.ts";
import { TARGETS } from "./measure.ts";
import { type CoverageOptions, parseCoverageOptions } from "./options.ts";
import { PLANTED, type PlantedName } from "./planted.ts";
import { POWER_CASES } from "./power.ts";
import { isThere } from "./rows.ts";
import { runTasks } from "./run.ts";
import { FULL_RUN, type Task } from "./task.ts";

const DOCUMENT = fileURLToPath(new URL("../../docs/recall.md", import.meta.url));
const HEAD = "# Recall";

async function main(args: readonly string[]): Promise<void> {
	const options = parseCoverageOptions(args);
	const { tasks, missing } = tasksOf(options);
	if (tasks.length === 0) throw new UsageError(`nothing is called ${options.names.join(" or ")}`);
	const size = { ...FULL_RUN, redraws: options.redraws ?? FULL_RUN.redraws };
	const onStep = (text: string) => process.stderr.write(`${text}\n`);
	for (const name of missing) onStep(`${name}: its files are not in ${options.data}`);
	const results = resultsOf(await runTasks(tasks, { threads: options.threads, size, onStep }));
	const checks = checksOf(results);
	const machine = thisMachine();
	const own = [...options.names, ...(options.redraws === undefined ? [] : ["--redraws", String(options.redraws)])];
	const command = ["npm run coverage:recall", ...(own.length === 0 ? [] : ["--", ...own])].join(" ");
	const markdown = coverageMarkdown({ machine, size, results, checks, command, missing });
	process.stdout.write(`${markdown}\n`);
	if (options.out !== undefined) {
		writeFileSync(
			options.out,
			`${JSON.stringify({ format: 1, machine, command, size, checks, ...results }, null, "\t")}\n`,
		);
	}
	if (options.write) {
		writeFileSync(
			DOCUMENT,
			withSection(existsSync(DOCUMENT) ? readFileSync(DOCUMENT, "utf8") : HEAD, "coverage", markdown),
		);
	}
	if (checks.some(({ holds }) => !holds)) process.exitCode = 1;
}

/** Seeds together are one piece, so that threads have something to share. */
const SEEDS_TOGETHER = 25;

function endToEnd(): Task[] {
	return Array.from({ length: SEEDS / SEEDS_TOGETHER }, (_, i) => ({
		type: "end-to-end",
		seeds: Array.from({ length: SEEDS_TOGETHER }, (_, j) => i * SEEDS_TOGETHER + j),
	}));
}

/** What is asked for: first what may end a run by failing, then what takes longest. */
function tasksOf({ names, data, cache }: CoverageOptions): { tasks: Task[]; missing: string[] } {
	const isAsked = (name: string) => names.length === 0 || names.some((asked) => name.startsWith(asked));
	const asked = COLLECTIONS.filter(({ name }) => isAsked(name));
	const planted = (Object.keys(PLANTED) as PlantedName[]).flatMap((name) =>
		TARGETS.map((target) => ({ name, target })),
	);
	return {
		tasks: [
			...(isAsked("end-to-end") ? endToEnd() : []),
			...asked
				.filter((collection) => isThere(collection, data))
				.map((collection): Task => ({ type: "collection", collection, data, cache })),
			...(isAsked("planted") ? planted.map((each): Task => ({ type: "planted", ...each })) : []),
			...(isAsked("power") ? POWER_CASES.map((power): Task => ({ type: "power", power })) : []),
		],
		missing: asked.filter((collection) => !isThere(collection, data)).map(({ name }) => name),
	};
}

try {
	await main(process.argv.slice(2));
} catch (error) {
	if (!(error instanceof UsageError)) throw error;
	process.stderr.write(`${error.message}\n`);
	process.exitCode = 2;
}
