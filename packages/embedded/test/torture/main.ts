// Heavy runs that look for lost records and wrong answers.
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { searchBesideWrites } from "./beside.ts";
import { killRounds } from "./rounds.ts";

const HELP = `Usage: npm run torture -- [--kills N | --concurrency SECONDS] [--seed N]

  --kills N              kills processes that write, N times (default 1000), and checks what they leave behind
  --concurrency SECONDS  searches beside a writer for so long, and checks every answer
  --seed N               the plan; without, another one each time, which is printed
  --help                 this text

Exit codes: 0 nothing was found, 1 something was.`;

const { values } = parseArgs({
	options: {
		kills: { type: "string" },
		concurrency: { type: "string" },
		seed: { type: "string" },
		help: { type: "boolean" },
	},
});
if (values.help === true) {
	console.log(HELP);
	process.exit();
}
const seed = numberOf("seed", values.seed) ?? Math.floor(Math.random() * 1_000_000);
const seconds = numberOf("concurrency", values.concurrency);
console.log(`seed ${seed}`);
const start = performance.now();
const { failures, ...result } = seconds === undefined ? await kill() : await searchBeside(seconds);
for (const failure of failures) console.error(failure);
const took = Math.round((performance.now() - start) / 1_000);
console.log(JSON.stringify({ seed, ...result, failures: failures.length, seconds: took }));
process.exitCode = failures.length === 0 ? 0 : 1;

function kill() {
	return killRounds({
		kills: numberOf("kills", values.kills) ?? 1_000,
		seed,
		parallel: availableParallelism(),
		onRound: ({ kills, rounds, records, failures }) =>
			console.log(`${kills} kills, ${rounds} rounds, ${records} records checked, ${failures.length} failures`),
	});
}

function searchBeside(seconds: number) {
	return searchBesideWrites({ seconds, seed });
}

function numberOf(name: string, value: string | undefined): number | undefined {
	if (value === undefined || Number.isSafeInteger(Number(value)))
		return value === undefined ? undefined : Number(value);
	throw new Error(`--${name} is ${value}; it must be a whole number.`);
}
