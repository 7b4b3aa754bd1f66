// Tables about Nigh alone. A check that does not hold makes the exit code 3.
//
//   npm run bench:tables -- [ef-sweep] [presets] [sizes] [flat] [threads] [kmeans] [kinds] [limits] [pdx] [larger-than-memory] [declared] [--scale 0.05] [--json] [--data FOLDER]

import { UsageError } from "../../packages/nigh/src/terminal/usage-error.ts";
import { machineLine, thisMachine } from "../report/machine.ts";
import { declared } from "./declared.ts";
import { efSweep } from "./ef-sweep.ts";
import { CHECK_FAILED } from "./exit-code.ts";
import { flat } from "./flat.ts";
import { kinds } from "./kinds.ts";
import { kmeans } from "./kmeans.ts";
import { largerThanMemory } from "./larger-than-memory.ts";
import { limits } from "./limits.ts";
import { parseTablesOptions } from "./options.ts";
import { pdx } from "./pdx.ts";
import { presets } from "./presets.ts";
import { sizes } from "./sizes.ts";
import type { Table, TableOptions } from "./table.ts";
import { threads } from "./threads.ts";

const TABLES: Readonly<Record<string, (options: TableOptions) => Promise<Table>>> = {
	"ef-sweep": efSweep,
	presets,
	sizes,
	flat,
	threads,
	kmeans,
	kinds,
	limits,
	pdx,
	"larger-than-memory": largerThanMemory,
	declared,
};

function onStep(text: string): void {
	if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}

try {
	const { names, json, scale, data } = parseTablesOptions(process.argv.slice(2), Object.keys(TABLES));
	const machine = thisMachine();
	if (!json) console.log(`Measured on ${machineLine(machine)}.${scale === 1 ? "" : ` Scale ${scale}.`}`);
	const tables: Omit<Table, "markdown">[] = [];
	for (const name of names) {
		if (!process.stderr.isTTY) console.error(`${name}: measuring`);
		const { markdown, ...table } = await (TABLES[name] as (typeof TABLES)[string])({ scale, data, onStep });
		onStep("");
		tables.push(table);
		// One at a time: what is done is there to read while the next is measured.
		if (!json) console.log(`\n${markdown}`);
	}
	if (json) console.log(JSON.stringify({ format: 1, machine, scale, tables }, null, "\t"));
	if (tables.some(({ checks }) => checks.some(({ holds }) => !holds))) process.exitCode = CHECK_FAILED;
} catch (error) {
	if (!(error instanceof UsageError)) throw error;
	console.error(error.message);
	process.exitCode = 2;
}
