import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { createRandom, type Random } from "@nigh/contract/suite";
import type { LifeOptions, Said } from "./life.ts";

/** Kills of the same database, one after the other. */
const KILLS_PER_ROUND = 8;
/** A life that says nothing for so many ms hangs. */
const HANG_MS = 60_000;

export interface KillOptions {
	readonly kills: number;
	readonly seed: number;
	/** Rounds at the same time. */
	readonly parallel: number;
	readonly onRound?: (result: KillResult) => void;
}

export interface KillResult {
	kills: number;
	rounds: number;
	/** Times that a database was checked from end to end, and the records that were compared. */
	checks: number;
	records: number;
	/** Kills by what the process had said last. */
	readonly during: Partial<Record<Said, number>>;
	/** What went wrong, with the seed and the folder, which is kept. */
	readonly failures: string[];
}

/** Kills processes that write, and checks what they leave. */
export async function killRounds({ kills, seed, parallel, onRound }: KillOptions): Promise<KillResult> {
	const result: KillResult = { kills: 0, rounds: 0, checks: 0, records: 0, during: {}, failures: [] };
	// Modules that were compiled once are not compiled again by each life.
	const cache = mkdtempSync(join(tmpdir(), "nigh-torture-cache-"));
	let begun = 0;
	const work = async () => {
		while (begun * KILLS_PER_ROUND < kills) {
			const roundSeed = seed + begun++;
			await round({ seed: roundSeed, cache }, result);
			result.rounds++;
			onRound?.(result);
		}
	};
	await Promise.all(Array.from({ length: parallel }, work));
	rmSync(cache, { recursive: true });
	return result;
}

interface Round {
	readonly seed: number;
	readonly cache: string;
}

/** One database from its creation over its kills to its last check. */
async function round({ seed, cache }: Round, result: KillResult): Promise<void> {
	const folder = mkdtempSync(join(tmpdir(), `nigh-torture-${seed}-`));
	const random = createRandom(seed);
	try {
		for (let kill = 0; kill < KILLS_PER_ROUND; ) {
			const steps = random.below(3) === 0 ? 1 + random.below(6) : 1_000_000;
			// A kill takes nothing from either: what the process has handed over, the system has.
			const durability = random.pick(["full", "full", "normal"] as const);
			const options = { folder, seed: random.below(2 ** 31), steps, durability };
			if (await live(options, cache, planKill(random, steps), result)) kill++;
		}
		await live({ folder, seed: 0, steps: 0, durability: "full" }, cache, undefined, result);
		rmSync(folder, { recursive: true });
	} catch (error) {
		result.failures.push(`seed ${seed}, kept in ${folder}: ${error instanceof Error ? error.message : error}`);
	}
}

/** When to kill: so many ms after the process has said something. */
interface PlannedKill {
	readonly after: Said;
	readonly ms: number;
}

function planKill(random: Random, steps: number): PlannedKill {
	if (steps < 1_000) return { after: "closing", ms: random.next() * 40 };
	const dice = random.below(10);
	if (dice < 2) return { after: "opening", ms: random.next() * 600 };
	if (dice < 3) return { after: "recovering", ms: random.next() * 400 };
	if (dice < 5) return { after: "optimizing", ms: random.next() * 120 };
	return { after: "checked", ms: random.next() * 700 };
}

/** Runs one process until it is killed or has ended. Returns whether it was killed. */
function live(
	options: LifeOptions,
	cache: string,
	kill: PlannedKill | undefined,
	result: KillResult,
): Promise<boolean> {
	const life = fileURLToPath(new URL("./life.ts", import.meta.url));
	const child = spawn(process.execPath, ["--conditions=@nigh/source", life, JSON.stringify(options)], {
		stdio: ["ignore", "pipe", "pipe"],
		env: { ...process.env, NODE_COMPILE_CACHE: cache },
	});
	let said: Said | undefined;
	let failure: string | undefined;
	let errors = "";
	let timer: NodeJS.Timeout | undefined;
	const hang = setTimeout(() => {
		failure = `the process hangs; the last thing it said was ${said}`;
		child.kill("SIGKILL");
	}, HANG_MS);
	child.stderr.on("data", (chunk) => {
		errors += chunk;
	});
	createInterface({ input: child.stdout }).on("line", (line) => {
		hang.refresh();
		if (line.startsWith("records ")) {
			result.checks++;
			result.records += Number(line.slice("records ".length));
			return;
		}
		if (line.startsWith("failed ")) {
			failure ??= JSON.parse(line.slice("failed ".length)) as string;
			return;
		}
		said = line as Said;
		if (kill?.after === said && timer === undefined) timer = setTimeout(() => child.kill("SIGKILL"), kill.ms);
	});
	return new Promise((resolve, reject) => {
		child.on("error", reject);
		child.on("close", (code, signal) => {
			clearTimeout(hang);
			clearTimeout(timer);
			if (failure !== undefined) return reject(new Error(failure));
			if (signal === "SIGKILL" && timer !== undefined) {
				result.kills++;
				const last = said as Said;
				result.during[last] = (result.during[last] ?? 0) + 1;
				return resolve(true);
			}
			if (code !== 0 || said !== "closed") {
				return reject(new Error(`the process ended with ${code ?? signal} after it said ${said}: ${errors}`));
			}
			resolve(false);
		});
	});
}
