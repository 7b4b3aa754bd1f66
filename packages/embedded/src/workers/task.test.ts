import assert from "node:assert/strict";
import { test } from "node:test";
import { Task } from "./task.ts";

test("the share is that of all stages by their weights, as the other side of the memory sees it", () => {
	const task = new Task();
	const other = new Task(task.words);
	const shares: number[] = [];
	const note = () => shares.push(other.share);
	note();
	task.plan(10);
	task.begin(8);
	task.advance(1, 4);
	note();
	task.advance(4, 4);
	note();
	task.begin(2);
	note();
	task.advance(1, 2);
	note();
	task.begin(0);
	task.advance(1, 1);
	note();
	assert.deepEqual(shares, [0, 0.2, 0.8, 0.8, 0.9, 1]);
});

test("it never falls, nor is it more than all", () => {
	const task = new Task();
	task.plan(2);
	task.begin(2);
	task.advance(1, 2);
	task.advance(1, 4);
	assert.equal(task.share, 0.5);
	task.begin(4);
	task.advance(1, 1);
	assert.equal(task.share, 1);
});

test("another plan is for what is left", () => {
	const task = new Task();
	task.plan(1);
	task.begin(0.5);
	task.advance(1, 1);
	assert.equal(task.share, 0.5);
	task.plan(100);
	assert.equal(task.share, 0.5);
	task.begin(50);
	task.advance(1, 1);
	assert.equal(task.share, 0.75);
});

test("without a plan, or where there is nothing to do, nothing is told", () => {
	const task = new Task();
	task.begin(1);
	task.advance(1, 1);
	task.plan(1);
	task.advance(0, 0);
	assert.equal(task.share, 0);
});

test("one that is not wanted any more fails on the other side with ABORTED", () => {
	const task = new Task();
	const other = new Task(task.words);
	other.check();
	assert.equal(other.isAborted, false);
	task.abort();
	assert.equal(other.isAborted, true);
	assert.throws(() => other.check(), { code: "ABORTED" });
});

test("work that was given up before it was taken up does not begin", () => {
	const wanted = new Task();
	assert.equal(wanted.isTakenUp, false);
	assert.equal(new Task(wanted.words).takeUp(), true);
	assert.deepEqual([wanted.isTakenUp, wanted.isAborted, wanted.share], [true, false, 0]);
	const unwanted = new Task();
	unwanted.abort();
	assert.equal(new Task(unwanted.words).takeUp(), false);
});
