import assert from "node:assert/strict";
import { test } from "node:test";
import { GroupCommit, type Transactions } from "./group-commit.ts";

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
