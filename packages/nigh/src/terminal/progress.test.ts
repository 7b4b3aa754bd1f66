import assert from "node:assert/strict";
import { test } from "node:test";
import { barLine, progressBar, withProgress } from "./progress.ts";

function stream(isTTY: boolean, columns = 80) {
	const written: string[] = [];
	return { written, isTTY, columns, write: (text: string) => written.push(text) };
}

test("a bar shows the share that is done", () => {
	assert.equal(barLine("building", 0, 10), `building [${".".repeat(30)}]   0%`);
	assert.equal(barLine("building", 5, 10), `building [${"#".repeat(15)}${".".repeat(15)}]  50%`);
	assert.equal(barLine("building", 10, 10), `building [${"#".repeat(30)}] 100%`);
	assert.equal(barLine("building", 0, 0), `building [${"#".repeat(30)}] 100%`);
});

test("on a terminal the line is drawn when it changes, fits, and is taken away at the end", () => {
	const terminal = stream(true, 20);
	const bar = progressBar(terminal, "building");
	bar.update(1, 1_000_000);
	bar.update(2, 1_000_000);
	bar.clear();
	bar.clear();
	assert.deepEqual(terminal.written, ["\r\u001b[Kbuilding [.........", "\r\u001b[K"]);
});

test("on a pipe nothing is written", () => {
	const pipe = stream(false);
	const bar = progressBar(pipe, "building");
	bar.update(1, 2);
	bar.clear();
	assert.deepEqual(pipe.written, []);
});

test("a note stands behind the bar", () => {
	const terminal = stream(true);
	progressBar(terminal, "importing").update(1, 2, "5 rows/s");
	assert.deepEqual(terminal.written, [`\r\u001b[K${barLine("importing", 1, 2)}  5 rows/s`]);
});

test("the bar of some work is gone when it ends, however it ends", async () => {
	for (const fails of [false, true]) {
		const terminal = stream(true);
		const work = withProgress(terminal, "indexing", async (onProgress) => {
			onProgress(1, 2);
			if (fails) throw new Error("failed");
			return 5;
		});
		if (fails) await assert.rejects(work, /failed/);
		else assert.equal(await work, 5);
		assert.equal(terminal.written.at(-1), "\r\u001b[K");
	}
});
