import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Task } from "../workers/task.ts";
import { Progress } from "./progress.ts";

test("progress grows, and the end is told once", () => {
	const told: [number, number][] = [];
	const progress = new Progress((...each) => void told.push(each), 10);
	for (const done of [0, 0, 3, 2, 3, 7, 10, 11]) progress.advance(done);
	progress.finish();
	assert.deepEqual(told, [
		[0, 10],
		[3, 10],
		[7, 10],
		[10, 10],
	]);
});

test("where there is nothing to do, that is told as the end", () => {
	const told: [number, number][] = [];
	const progress = new Progress((...each) => void told.push(each), 0);
	progress.advance(0);
	progress.finish();
	assert.deepEqual(told, [[0, 0]]);
});

test("a task is looked at while it goes on, and no longer", (t: TestContext) => {
	t.mock.timers.enable({ apis: ["setInterval"] });
	const told: number[] = [];
	const task = new Task();
	task.plan(4);
	task.begin(4);
	const stop = new Progress((done) => void told.push(done), 100).watch(task);
	task.advance(1, 4);
	t.mock.timers.tick(50);
	t.mock.timers.tick(50);
	task.advance(3, 4);
	t.mock.timers.tick(50);
	stop();
	task.advance(15, 16);
	t.mock.timers.tick(500);
	assert.deepEqual(told, [25, 75]);
});

test("a listener that throws is told the rest all the same", () => {
	let told = 0;
	const progress = new Progress(() => {
		told++;
		throw new Error("the listener's own mistake");
	}, 2);
	progress.advance(1);
	progress.finish();
	assert.equal(told, 2);
});
