/** ms that calls which are answered on this thread may take one after the other before the event loop gets its turn. */
const SLICE_MS = 2;

/** When the first such call since the last turn came; each thread has one event loop. */
let since = 0;
let isCounting = false;

/** A call that waits for its turn, and the one behind it. */
interface Waiter {
	readonly goOn: () => void;
	next: Waiter | undefined;
}

/** Those that wait, in the order in which they came. */
let first: Waiter | undefined;
let last: Waiter | undefined;
let isLettingGo = false;

/**
 * Gives the event loop its turn where calls have kept it waiting: a loop that awaits answers of this thread goes from microtask to microtask,
 * and no timer, no message and no acknowledgement would get through. `undefined`, without having waited, where it is not due.
 */
export function fairTurn(): Promise<void> | undefined {
	// Nobody overtakes those that wait.
	if (first === undefined && !isDue()) return undefined;
	return new Promise((goOn) => wait({ goOn, next: undefined }));
}

function wait(waiter: Waiter): void {
	if (last === undefined) first = waiter;
	else last.next = waiter;
	last = waiter;
	if (isLettingGo) return;
	isLettingGo = true;
	setImmediate(letGo);
}

/** Lets one after the other go on until a slice is used up: were all to wake in every turn, many calls would cost their number squared. */
async function letGo(): Promise<void> {
	while (first !== undefined && !isDue()) {
		const { goOn, next } = first;
		first = next;
		if (next === undefined) last = undefined;
		goOn();
		// What a call does at once it does here.
		await undefined;
	}
	isLettingGo = first !== undefined;
	if (isLettingGo) setImmediate(letGo);
}

function isDue(): boolean {
	const now = performance.now();
	if (isCounting) return now - since > SLICE_MS;
	isCounting = true;
	since = now;
	// Does not keep the process alive.
	setImmediate(stopCounting).unref();
	return false;
}

function stopCounting(): void {
	isCounting = false;
}
