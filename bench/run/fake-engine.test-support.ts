// An engine that does nothing but what it is told: the protocol without an index. Its first argument is a FakePlan in JSON.
import { appendFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseJob } from "../engines/protocol.ts";
import type { EngineEntry } from "../engines/registry.ts";
import { grid, parseSetting } from "../engines/setting.ts";

export interface FakePlan {
	readonly name: string;
	/** Gets a line for everything that is asked. */
	readonly log: string;
	/** The line, and which time it is asked, that it fails on: `"search ef=20 #2"`. */
	readonly failsOn?: string;
	/** How many times longer than others it takes for a setting, by the setting's word. */
	readonly slow?: Readonly<Record<string, number>>;
	/** Whether it ends there without a word instead of saying what is wrong. */
	readonly dies?: boolean;
}

/**
 * The entry of a fake engine. Its nearest are labels 0, 1, 2 and so on: a tenth of its knobs' sum of them, then none. The nth time that a
 * setting is asked takes n milliseconds a query, and its ith query i x n microseconds.
 */
export function fakeEngine(plan: FakePlan, more: Partial<EngineEntry> = {}): EngineEntry {
	const command = [process.execPath, "--conditions=@nigh/source", fileURLToPath(import.meta.url), JSON.stringify(plan)];
	return { about: `fake ${plan.name}`, command, settings: grid({ ef: [10, 20, 30, 40] }), ...more };
}

async function run({ name, log, failsOn, dies, slow }: FakePlan, words: readonly string[]): Promise<void> {
	const job = parseJob(words);
	const asked = new Map<string, number>();
	for await (const line of createInterface({ input: process.stdin })) {
		const [verb, setting, count, out] = line.split(" ") as [string, string, string, string];
		const what = verb === "build" ? verb : `${verb} ${setting}`;
		const times = (asked.get(what) ?? 0) + 1;
		asked.set(what, times);
		appendFileSync(log, `${name} ${what}\n`);
		if (`${what} #${times}` === failsOn) {
			if (dies) process.exit(3);
			console.log(JSON.stringify({ error: `told to fail on ${failsOn}` }));
		} else if (verb === "build") {
			console.log(JSON.stringify({ seconds: 1, bytes: 100, version: JSON.stringify(job) }));
		} else {
			const n = Number(count);
			const wanted = Object.values(parseSetting(setting)).reduce((sum, value) => sum + value, 0) / 10;
			const labels = Int32Array.from({ length: n * job.k }, (_, at) => (at % job.k < wanted ? at % job.k : -1));
			const micros = Float32Array.from({ length: n }, (_, at) => (at + 1) * times);
			writeFileSync(out, Buffer.concat([Buffer.from(labels.buffer), Buffer.from(micros.buffer)]));
			console.log(JSON.stringify({ seconds: (n * times * (slow?.[setting] ?? 1)) / 1_000 }));
		}
	}
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	await run(JSON.parse(process.argv[2] as string) as FakePlan, process.argv.slice(3));
}
