import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { isNighError, type NighError } from "@nigh/contract";
import { runChild, testFolder } from "./folder.test-support.ts";
import { pathsIn } from "./layout.ts";
import { takeLock } from "./lock.ts";

const HOLDER = "hold-lock.test-support.ts";

function refusal(folder: string): NighError {
	try {
		takeLock(folder).release();
	} catch (error) {
		if (isNighError(error)) return error;
		throw error;
	}
	throw new Error("The lock was given.");
}

test("a second opener in the same process is refused and told the process; release frees it", (t) => {
	const folder = testFolder(t);
	const lock = takeLock(folder);
	const error = refusal(folder);
	assert.equal(error.code, "LOCKED");
	assert.equal(error.details.pid, process.pid);
	assert.match(error.message, new RegExp(`this process \\(${process.pid}, since .*close it there.*readOnly: true`));
	lock.release();
	const next = takeLock(folder);
	lock.release();
	assert.equal(refusal(folder).code, "LOCKED", "releasing twice takes nothing from the next holder");
	next.release();
	assert.equal(existsSync(pathsIn(folder).holder), false);
});

test("of several processes one gets the lock, the others learn which", async (t) => {
	const folder = testFolder(t);
	const children = [1, 2, 3].map(() => runChild(t, HOLDER, folder));
	const lines = await Promise.all(children.map((child) => child.line()));
	const holder = children[lines.indexOf("held")];
	assert.ok(holder !== undefined);
	assert.deepEqual(lines.toSorted(), [`LOCKED ${holder.process.pid}`, `LOCKED ${holder.process.pid}`, "held"]);
	assert.match(refusal(folder).message, new RegExp(`process ${holder.process.pid} `));
	await Promise.all(children.map((child) => child.end()));
	takeLock(folder).release();
});

test("killing the holder frees the lock; the file with its name means nothing", async (t) => {
	const folder = testFolder(t);
	const child = runChild(t, HOLDER, folder);
	assert.equal(await child.line(), "held");
	await child.kill();
	assert.ok(existsSync(pathsIn(folder).holder));
	takeLock(folder).release();
});

test("a name left behind, of a process that lives, does not keep anybody out", (t) => {
	const folder = testFolder(t);
	writeFileSync(pathsIn(folder).holder, JSON.stringify({ pid: process.ppid, host: "elsewhere", since: "" }));
	takeLock(folder).release();
});

test("when threads try at the same moment, exactly one gets it each time", async (t) => {
	const folder = testFolder(t);
	const rounds = 300;
	const threads = 3;
	const arrivals = new Int32Array(new SharedArrayBuffer(rounds * 3 * 4));
	const workers = Array.from({ length: threads }, () => {
		return new Worker(new URL("lock-rounds.test-support.ts", import.meta.url), {
			workerData: { folder, rounds, threads, arrivals },
		});
	});
	const won = (await Promise.all(workers.map((worker) => once(worker, "message")))).map(([wins]) => wins as boolean[]);
	for (let round = 0; round < rounds; round++) {
		assert.equal(won.filter((wins) => wins[round]).length, 1, `round ${round}`);
	}
});

test("a lock file that is something else, and a folder that is not there, are named", (t) => {
	const folder = testFolder(t);
	assert.equal(refusal(join(folder, "nowhere")).code, "NOT_FOUND");
	const { lock } = pathsIn(folder);
	writeFileSync(lock, "the shopping list, long enough to be taken for a page of a database ".repeat(20));
	const error = refusal(folder);
	assert.equal(error.code, "CORRUPT_RECORDS");
	assert.ok(error.message.includes(lock) && error.message.includes("delete it"), error.message);
});
