import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as pause, setImmediate as turn } from "node:timers/promises";
import type { Collection } from "@nigh/contract";
import { grouped } from "../../packages/nigh/src/terminal/table.ts";
import { withCollection } from "./collection.ts";
import { type DatabaseBenchOptions, DIMENSIONS, type Figure, K, type Measured, SEED } from "./measurement.ts";
import { BATCH, batches, rowOf, vectors } from "./records.ts";
import { settled } from "./settle.ts";
import { processorTime, quantile } from "./times.ts";

const VECTORS = 100_000;
const QUERIES = 2_000;
/** At the default of 10 ms the histogram reads 10 ms when nothing happens. */
const RESOLUTION_MS = 1;
const IDLE_MS = 1_000;

/** How long the calling thread is kept from its other work. */
export async function eventLoop({ size = VECTORS, folder, onStep }: DatabaseBenchOptions): Promise<Measured> {
	onStep("making the set");
	const { base, queries } = vectors(size, Math.min(QUERIES, size));
	const all = batches(base, BATCH);
	const whole = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
	const figures: Figure[] = [];
	const during = async (name: string, work: () => Promise<unknown>) => {
		onStep(name);
		const part = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
		const turns = watchTurns();
		part.enable();
		await work();
		part.disable();
		figures.push(...delaysOf(name, part), ...turnsOf(name, turns.stop()));
	};
	await withCollection({ folder, name: "loop" }, async (collection) => {
		await during("idle", () => pause(IDLE_MS));
		whole.enable();
		await during("import", async () => {
			for (const batch of all) await collection.upsert(batch);
		});
		await during("folding, with searches", async () => {
			let isSettled = false;
			const waiting = settled(collection, size).finally(() => {
				isSettled = true;
			});
			while (!isSettled) {
				await searchAll(collection, queries.subarray(0, 100 * DIMENSIONS));
				await pause(1);
			}
			await waiting;
		});
		await during("searching", () => searchAll(collection, queries));
		whole.disable();
	});
	figures.push(...delaysOf("throughout", whole, { atMost: 10 }));
	return {
		title: "The event loop of the calling thread",
		about: [
			`${grouped(size)} generated vectors of ${DIMENSIONS} dimensions under l2 (seed ${SEED}) in batches of ${grouped(BATCH)}, made before; taken into the graph while searches (k ${K}, with metadata) run one after the other; then ${grouped(queries.length / DIMENSIONS)} searches. Delays by monitorEventLoopDelay at a resolution of ${RESOLUTION_MS} ms, which is also what it reads when nothing happens. A search lets others have their turn after each answer. Where the machine is busy, delays are mostly waiting for a core; the processor time that the thread has used between two of its turns is beside them.`,
		],
		figures,
	};
}

/** Milliseconds of the processor that this thread has used from one turn of its loop to the next, a ms or more apart. */
function watchTurns(): { stop(): number[] } {
	const turns: number[] = [];
	let before = processorTime().caller;
	const timer = setInterval(() => {
		const now = processorTime().caller;
		turns.push(now - before);
		before = now;
	}, RESOLUTION_MS);
	return {
		stop() {
			clearInterval(timer);
			return turns;
		},
	};
}

function turnsOf(name: string, turns: readonly number[]): Figure[] {
	if (turns.length === 0) return [];
	return [
		{ what: `processor time of a turn, ${name}, p99.9`, value: quantile(turns, 0.999), unit: "ms" },
		{ what: `processor time of a turn, ${name}, most`, value: quantile(turns, 1), unit: "ms" },
	];
}

async function searchAll(collection: Collection, queries: Float32Array): Promise<void> {
	for (let i = 0; i < queries.length / DIMENSIONS; i++) {
		await collection.search({ vector: rowOf(queries, i), k: K });
		// As a server does that answers each from an event of its own: promises alone never let the loop go on.
		await turn();
	}
}

function delaysOf(
	name: string,
	histogram: ReturnType<typeof monitorEventLoopDelay>,
	target?: { readonly atMost: number },
): Figure[] {
	const figure = (what: string, nanoseconds: number): Figure => ({
		what: `delay, ${name}, ${what}`,
		value: nanoseconds / 1e6,
		unit: "ms",
	});
	return [
		{ ...figure("p99.9", histogram.percentile(99.9)), ...(target !== undefined && { target }) },
		figure("most", histogram.max),
	];
}
