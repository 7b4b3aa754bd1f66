import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Once what holds the former generation on the stack is done. */
const SOON_MS = 50;
/** Of small collections many generations may take over in a second, and each time all of a heap is looked through. */
const APART_MS = 1_000;

let collect: (() => void) | undefined;
let planned: NodeJS.Timeout | undefined;
/** Something has taken over since the next time was planned. */
let isAskedAgain = false;

/**
 * Collects this thread's garbage in a moment, after a generation has taken over. V8 does not know how much a shared WebAssembly memory holds,
 * so it sees no reason to collect the few bytes of JavaScript that keep a whole former generation in memory: measured, three of them stayed.
 * The heaps of the workers are small; the thread that calls is left alone, its own work makes it collect.
 */
export function collectGarbageSoon(): void {
	if (planned === undefined) plan();
	else isAskedAgain = true;
}

function plan(): void {
	isAskedAgain = false;
	planned = setTimeout(collectGarbage, SOON_MS).unref();
}

function collectGarbage(): void {
	collect ??= takeCollector();
	collect?.();
	planned = setTimeout(() => {
		planned = undefined;
		if (isAskedAgain) plan();
	}, APART_MS).unref();
}

/** Flags hold for the whole process: another thread may take this one back in between, and then it is tried again the next time. */
function takeCollector(): (() => void) | undefined {
	setFlagsFromString("--expose-gc");
	const gc = runInNewContext("globalThis.gc") as (() => void) | undefined;
	setFlagsFromString("--no-expose-gc");
	return gc;
}
