// A process that takes the lock of a folder, says what became of it, and lives until its input ends.
import { isNighError } from "@nigh/contract";
import { takeLock } from "./lock.ts";

try {
	takeLock(process.argv[2] as string);
	// The lock is not referred to any more: a garbage collection must not free it.
	globalThis.gc?.();
	console.log("held");
} catch (error) {
	console.log(isNighError(error) ? `${error.code} ${error.details.pid}` : String(error));
}
process.stdin.on("end", () => process.exit()).resume();
