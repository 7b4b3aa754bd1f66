import { mkdirSync, readdirSync, rmdirSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** How long a lock folder without a name in it may be somebody who is just about to write it. */
const NAMELESS_MS = 5_000;
const POLL_MS = 100;
const GIVE_UP_MS = 20 * 60_000;

/**
 * Runs `work` while no other process runs it under the same lock. The lock is a folder that holds one file named after its
 * owner's process id. The lock of a process that died is taken over: only one process can unlink that file, and `rmdir` refuses
 * a folder that has got a new owner meanwhile, so two can never take it at once.
 *
 * @param {string} folder
 * @param {() => Promise<void> | void} work
 * @param {(owner: string) => void} [onWait] called once when somebody else holds the lock
 */
export async function withLock(folder, work, onWait = () => {}) {
	const name = join(folder, String(process.pid));
	const started = Date.now();
	let waited = false;
	while (!take(folder, name)) {
		const owner = clearIfAbandoned(folder);
		if (owner === undefined) continue;
		if (!waited && owner !== "") {
			waited = true;
			onWait(owner);
		}
		if (Date.now() - started > GIVE_UP_MS) {
			throw new Error(
				`another setup (process ${owner}) has held ${folder} for too long. If none runs, remove that folder.`,
			);
		}
		await new Promise((resolve) => setTimeout(resolve, POLL_MS));
	}
	const release = () => {
		ignoreMissing(() => unlinkSync(name));
		ignoreMissing(() => rmdirSync(folder));
	};
	process.once("exit", release);
	try {
		await work();
	} finally {
		process.off("exit", release);
		release();
	}
}

/**
 * @param {string} folder
 * @param {string} name
 */
function take(folder, name) {
	try {
		mkdirSync(folder);
		writeFileSync(name, "");
		return true;
	} catch (error) {
		if (isCode(error, "EEXIST", "ENOENT")) return false;
		throw error;
	}
}

/**
 * The process id of a live owner ("" where it has not written it yet), or `undefined` when the folder is gone now.
 *
 * @param {string} folder
 */
function clearIfAbandoned(folder) {
	try {
		const owner = readdirSync(folder)[0];
		if (owner !== undefined && isAlive(Number(owner))) return owner;
		if (owner === undefined && Date.now() - statSync(folder).mtimeMs < NAMELESS_MS) return "";
		if (owner !== undefined) unlinkSync(join(folder, owner));
		rmdirSync(folder);
	} catch (error) {
		// Somebody else was quicker: have another look.
		if (!isCode(error, "ENOENT", "ENOTEMPTY", "EEXIST")) throw error;
	}
	return undefined;
}

/** @param {number} pid */
function isAlive(pid) {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return isCode(error, "EPERM");
	}
}

/** @param {() => void} action */
function ignoreMissing(action) {
	try {
		action();
	} catch (error) {
		if (!isCode(error, "ENOENT", "ENOTEMPTY", "EEXIST")) throw error;
	}
}

/**
 * @param {unknown} error
 * @param {...string} codes
 */
function isCode(error, ...codes) {
	return error instanceof Error && "code" in error && codes.includes(String(error.code));
}
