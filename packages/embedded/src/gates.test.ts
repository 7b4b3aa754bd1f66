import assert from "node:assert/strict";
import { test } from "node:test";
import { Gates } from "./gates.ts";

function table() {
	return new Map([
		["a", Promise.resolve(1)],
		["b", Promise.resolve(2)],
	]);
}

test("who asks meanwhile waits, and gets what was there", async () => {
	const entries = table();
	const gates = new Gates(entries, ["a", "new"]);
	assert.deepEqual(await gates.before(), [1]);
	const waiting = entries.get("a");
	const order: string[] = [];
	const asked = waiting?.then((value) => order.push(`got ${value}`));
	assert.equal(await entries.get("b"), 2);
	order.push("left");
	gates.leave(true);
	await asked;
	assert.deepEqual(order, ["left", "got 1"]);
	assert.equal(await entries.get("a"), 1);
	assert.equal(entries.has("new"), false);
});

test("who asks meanwhile finds nothing where the entry is gone, and nothing stays in the table", async () => {
	const entries = table();
	const gates = new Gates(entries, ["a", "new"]);
	const waiting = ["a", "new"].map((name) => entries.get(name));
	gates.leave(false);
	for (const each of waiting) await assert.rejects(each as Promise<number>, /gone/);
	assert.deepEqual([...entries.keys()], ["b"]);
});

test("a promise that was put there meanwhile stays", async () => {
	for (const asBefore of [true, false]) {
		const entries = table();
		const gates = new Gates(entries, ["a"]);
		const mine = Promise.resolve(3);
		entries.set("a", mine);
		gates.leave(asBefore);
		assert.equal(entries.get("a"), mine);
	}
});

test("entries that failed are none", async () => {
	const failed = Promise.reject<number>(new Error("no"));
	failed.catch(() => {});
	assert.deepEqual(await new Gates(new Map([["a", failed]]), ["a"]).before(), []);
});
