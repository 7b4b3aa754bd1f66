// One process of a torture run: opens the database, checks it against the history, and writes until it is killed. Its arguments are the
// folder, a seed, and what it is to do (see `LifeOptions`). It says on its standard output what it has come to, a line each.
import { writeSync } from "node:fs";
import { join } from "node:path";
import type { Database } from "@nigh/contract";
import { createRandom } from "@nigh/contract/suite";
import { openFolder } from "@nigh/embedded";
import { perform } from "./calls.ts";
import { checkDatabase } from "./check.ts";
import { History, type Lane } from "./history.ts";
import { nextStep, type Step } from "./plan.ts";

/** What one life is like. */
export interface LifeOptions {
	readonly folder: string;
	readonly seed: number;
	/** After so many steps the database is closed and the process ends. */
	readonly steps: number;
	readonly durability: "full" | "normal";
}

/**
 * What a life says, in this order; from `opening` on it may come several times. `recovering`: what has been found is optimized, to be opened and
 * checked once more before anything else is done. `optimizing`: beside writes.
 */
export type Said = "opening" | "recovering" | "checked" | "optimizing" | "closing" | "closed";

const options = JSON.parse(process.argv[2] as string) as LifeOptions;
const history = new History(join(options.folder, "history.jsonl"));
const random = createRandom(options.seed);

/** A write to a pipe that nothing is lost of when the process is killed. */
function say(what: Said | `failed ${string}` | `records ${number}`): void {
	writeSync(1, `${what}\n`);
}

function open(): Promise<Database> {
	say("opening");
	const { folder, durability } = options;
	return openFolder(join(folder, "data"), { threads: 1, durability, pruneEveryMs: 25, now: () => history.clock.now });
}

async function reopen(database: Database): Promise<Database> {
	say("closing");
	await database.close();
	return open();
}

async function check(database: Database): Promise<void> {
	say(`records ${await checkDatabase(database, history)}`);
}

async function live(): Promise<void> {
	history.note(`a life begins: ${JSON.stringify(options)}`);
	let database = await open();
	await check(database);
	say("recovering");
	for (const lane of Object.values(history.lanes)) await maintain(database, lane, "optimize");
	await database.close();
	database = await open();
	await check(database);
	say("checked");
	for (let step = 0; step < options.steps; step++) {
		history.wait(1 + random.below(40));
		await Promise.all(
			Object.values(history.lanes).map((lane) => take(database, lane, nextStep(lane, random, history.clock.now))),
		);
		// Everything has been acknowledged: the models follow.
		for (const lane of Object.values(history.lanes)) while (lane.pending.length > 0) lane.advance();
		history.settle();
		if (random.below(40) === 0) {
			database = await reopen(database);
			await check(database);
		}
	}
	say("closing");
	await database.close();
	say("closed");
}

async function take(database: Database, lane: Lane, step: Step): Promise<void> {
	if ("maintain" in step) {
		if (step.maintain === "optimize") say("optimizing");
		return maintain(database, lane, step.maintain);
	}
	const { name } = lane;
	const issued = step.calls.map((call) => [history.issue(name, call), perform(database, name, call)] as const);
	await Promise.all(
		issued.map(async ([entry, done]) => {
			await done;
			history.acknowledge(name, entry);
		}),
	);
}

/** Work that changes no record. */
async function maintain(database: Database, lane: Lane, what: "optimize" | "rebuild" | "close"): Promise<void> {
	if (lane.model === undefined) return;
	const collection = await database.collection(lane.name);
	history.note(`${what} ${lane.name}`);
	await collection[what]();
}

live().catch((error: unknown) => {
	const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
	history.note(`failed: ${text}`);
	say(`failed ${JSON.stringify(text)}`);
	process.exit(1);
});
