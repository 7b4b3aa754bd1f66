import { setTimeout as pause } from "node:timers/promises";
import { median } from "../report/operating-points.ts";
import { processNanoseconds } from "./clock.ts";
import { ignoresDimensions, type KernelCase, type OpenCase, type Place, workingSet } from "./kernel-case.ts";
import type { Workbench } from "./workbench.ts";

/** What one case costs in one place. Medians of the repetitions. */
export interface Measurement {
	readonly kernel: string;
	readonly variant: string;
	/** `undefined` where they make no difference. */
	readonly dimensions: number | undefined;
	readonly place: Place;
	readonly workingSetBytes: number;
	/** What the nanoseconds are for. */
	readonly unit: string;
	readonly nanoseconds: number;
	/** Third quartile less first quartile of the nanoseconds, over their median. */
	readonly spread: number;
	/** Bytes that the kernel must read (10^9 a second). */
	readonly gigabytesPerSecond: number;
	/** The read loop over the same bytes, run in between. */
	readonly readGigabytesPerSecond: number;
	/** Bytes a second of the kernel over those of the read loop: the median over neighbouring pairs of runs. */
	readonly share: number;
}

/** Pairs of runs, the read loop and the kernel in turns. Odd, so that the median is one of them. */
const REPETITIONS = 11;

/** Warm-up runs; between them the runtime is given the time to compile the kernel for speed. */
const WARM_UPS = 4;

/** Nanoseconds. */
const CLOCK_TICK = 1_000;

/** Starts of runs are multiples of this many items, where a run has so many. */
const STEP = 512;

/** How much one run does. */
interface Load {
	/** Times over the whole working set; 1 outside of the cache. */
	readonly passes: number;
	readonly items: number;
}

/** Measures a case for about `seconds`. */
export async function measure(
	kernelCase: KernelCase,
	bench: Workbench,
	dimensions: number,
	place: Place,
	seconds: number,
): Promise<Measurement> {
	bench.fill(kernelCase.content, dimensions);
	try {
		const open = kernelCase.open(bench, dimensions, place);
		const runner = new Runner(open, place);
		const target = (seconds * 1e9) / (2 * REPETITIONS);
		const kernelLoad = await runner.load((from, count) => open.run(from, count), target);
		const readLoad = await runner.load((from, count) => open.read(from, count), target);
		const kernel: number[] = [];
		const read: number[] = [];
		for (let i = 0; i < REPETITIONS; i++) {
			read.push(runner.time((from, count) => open.read(from, count), readLoad));
			kernel.push(runner.time((from, count) => open.run(from, count), kernelLoad));
		}
		const perItem = median(kernel);
		const readBytes = open.readBytesPerItem ?? open.bytesPerItem;
		return {
			kernel: kernelCase.kernel,
			variant: kernelCase.variant,
			dimensions: ignoresDimensions(kernelCase) ? undefined : dimensions,
			place,
			workingSetBytes: workingSet(bench, place),
			unit: kernelCase.unit,
			nanoseconds: perItem / (open.unitsPerItem ?? 1),
			spread: (quantile(kernel, 0.75) - quantile(kernel, 0.25)) / perItem,
			gigabytesPerSecond: open.bytesPerItem / perItem,
			readGigabytesPerSecond: readBytes / median(read),
			share: (median(kernel.map((time, i) => (read[i] as number) / time)) * open.bytesPerItem) / readBytes,
		};
	} finally {
		bench.release();
	}
}

/** Times runs over the working set, each going on where the last one ended. */
class Runner {
	readonly #open: OpenCase;
	readonly #place: Place;
	#next = 0;

	constructor(open: OpenCase, place: Place) {
		this.#open = open;
		this.#place = place;
	}

	/** Nanoseconds an item. */
	time(run: (from: number, count: number) => void, { passes, items }: Load): number {
		if (this.#next + items > this.#open.items) this.#next = 0;
		const from = this.#next;
		this.#next += items;
		this.#open.before?.(from, items);
		const start = processNanoseconds();
		for (let pass = 0; pass < passes; pass++) run(from, items);
		// A run that is too short for the clock counts as one tick, so that what is derived from it stays finite.
		return Math.max(CLOCK_TICK, processNanoseconds() - start) / (passes * items);
	}

	/** Warms up, and finds what takes about `target` nanoseconds. */
	async load(run: (from: number, count: number) => void, target: number): Promise<Load> {
		const { items, mostItems = items } = this.#open;
		const most = Math.min(items, mostItems);
		let load: Load = { passes: 1, items: this.#place === "cache" ? most : Math.min(most, STEP) };
		for (let i = 0; i < WARM_UPS; i++) {
			let took = this.time(run, load);
			load = this.#scaled(load, most, target / took);
			// A run that was over at once says little: look again before the load counts.
			took = this.time(run, load);
			load = this.#scaled(load, most, target / took);
			await pause(1);
		}
		return load;
	}

	#scaled(load: Load, most: number, wanted: number): Load {
		if (this.#place === "cache") return { passes: Math.max(1, Math.round(wanted / most)), items: most };
		const count = Math.min(most, Math.max(1, Math.round(wanted)));
		return { ...load, items: count < STEP ? count : Math.floor(count / STEP) * STEP };
	}
}

function quantile(values: readonly number[], at: number): number {
	return values.toSorted((a, b) => a - b)[Math.round(at * (values.length - 1))] as number;
}
