import assert from "node:assert/strict";
import { test } from "node:test";
import { GroupCommit, type Transactions } from "./group-commit.ts";
import { turn } from "./turn.ts";

/** A group commit over transactions that only write down what is asked of them. */
function recorded() {
	const log: string[] = [];
	const note = (what: string) => () => void log.push(what);
	const transactions: Transactions = {
		begin: note("begin"),
		commit: note("commit"),
		rollback: note("rollback"),
		savepoint: () => {},
		release: () => {},
		rollbackTo: note("undo"),
	};
	const group = new GroupCommit(transactions);
	const write = (name: string) =>
		group.run({
			apply: () => {
				log.push(`apply ${name}`);
				return name;
			},
			show: async () => void log.push(`show ${name}`),
		});
	return { group, log, write };
}

test("writes that arrive together share a transaction, and are shown in their order", async () => {
	const { log, write } = recorded();
	assert.deepEqual(await Promise.all([write("a"), write("b")]), ["a", "b"]);
	assert.deepEqual(log, ["begin", "apply a", "apply b", "commit", "show a", "show b"]);
});

test("an interlude runs when all before it is shown and nothing after it is applied", async () => {
	const { group, log, write } = recorded();
	const pause = () =>
		group.between(async () => {
			log.push("enter");
			await new Promise((resolve) => setImmediate(resolve));
			log.push("leave");
			return 7;
		});
	const [, , seven, , again] = await Promise.all([write("a"), write("b"), pause(), write("c"), pause()]);
	assert.deepEqual([seven, again], [7, 7]);
	assert.deepEqual(log, [
		...["begin", "apply a", "apply b", "commit", "show a", "show b"],
		...["enter", "leave"],
		...["begin", "apply c", "commit", "show c"],
		...["enter", "leave"],
	]);
});

test("what an interlude throws is its own affair", async () => {
	const { group, log, write } = recorded();
	const failing = group.between(async () => {
		throw new Error("no");
	});
	const after = write("a");
	await assert.rejects(failing, /no/);
	assert.equal(await after, "a");
	assert.deepEqual(log, ["begin", "apply a", "commit", "show a"]);
	await group.settled();
});

test("what waits to be shown holds up its own collection, and no other; an interlude waits for it", async () => {
	const { group, log } = recorded();
	const full = Promise.withResolvers<void>();
	const write = (name: string, key: number, shown = Promise.resolve()) =>
		group.run({
			key,
			apply: () => void log.push(`apply ${name}`),
			show: async () => {
				await shown;
				log.push(`show ${name}`);
			},
		});
	const waiting = write("a1", 1, full.promise);
	await write("b1", 2);
	const next = write("a2", 1);
	await write("b2", 2);
	assert.deepEqual(log.slice(log.indexOf("show b1")), ["show b1", "begin", "apply b2", "commit", "show b2"]);
	const pause = group.between(async () => void log.push("between"));
	const behind = write("b3", 2);
	await Promise.all([turn(), turn()]);
	assert.equal(log.at(-1), "show b2", "nothing passes by an interlude");
	full.resolve();
	await Promise.all([waiting, next, pause, behind]);
	assert.deepEqual(log.slice(log.indexOf("show b2") + 1), [
		...["show a1", "begin", "apply a2", "commit", "show a2"],
		...["between", "begin", "apply b3", "commit", "show b3"],
	]);
});

test("who closes a collection waits for what has to do with it, not for others", async () => {
	const { group, log } = recorded();
	const full = Promise.withResolvers<void>();
	const slow = group.run({ key: 1, apply: () => {}, show: () => full.promise });
	void group.run({ key: 2, apply: () => {}, show: async () => void log.push("shown") });
	void group.between(async () => void log.push("between"), 3);
	await group.settled(2);
	assert.equal(log.at(-1), "shown");
	let isSettled = false;
	const all = Promise.all([group.settled(1), group.settled()]).then(() => {
		isSettled = true;
	});
	await turn();
	assert.equal(isSettled, false);
	full.resolve();
	await Promise.all([slow, all]);
	assert.equal(log.at(-1), "between");
});

test("writes of one collection that come while it is being shown are all written, in their order", async () => {
	const { group, log } = recorded();
	const full = Promise.withResolvers<void>();
	const names = Array.from({ length: 3_000 }, (_, i) => i);
	const write = (i: number) =>
		group.run({ key: 1, apply: () => i, show: async () => (i === 0 ? full.promise : void log.push(`${i}`)) });
	const first = write(0);
	await turn();
	await turn();
	const others = names.slice(1).map(write);
	full.resolve();
	assert.deepEqual(await Promise.all([first, ...others]), names);
	assert.deepEqual(
		log.filter((line) => /^\d/.test(line)),
		names.slice(1).map(String),
	);
});
