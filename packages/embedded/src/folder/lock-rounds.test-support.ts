// A thread that tries for a lock again and again, at the same moments as the other threads.
import { parentPort, workerData } from "node:worker_threads";
import { isNighError } from "@nigh/contract";
import { type Lock, takeLock } from "./lock.ts";

const { folder, rounds, threads, arrivals } = workerData as {
	readonly folder: string;
	readonly rounds: number;
	readonly threads: number;
	/** One counter of threads that have arrived for each meeting: three a round. */
	readonly arrivals: Int32Array<SharedArrayBuffer>;
};

let meetings = 0;

function meet(): void {
	const at = meetings++;
	if (Atomics.add(arrivals, at, 1) + 1 === threads) Atomics.notify(arrivals, at);
	for (let count = Atomics.load(arrivals, at); count < threads; count = Atomics.load(arrivals, at)) {
		Atomics.wait(arrivals, at, count, 5);
	}
}

const won: boolean[] = [];
for (let round = 0; round < rounds; round++) {
	let lock: Lock | undefined;
	meet();
	try {
		lock = takeLock(folder);
	} catch (error) {
		if (!isNighError(error, "LOCKED")) throw error;
	}
	won.push(lock !== undefined);
	meet();
	lock?.release();
	meet();
}
parentPort?.postMessage(won);
