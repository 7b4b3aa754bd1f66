import assert from "node:assert/strict";
import { test } from "node:test";
import { randomFrom, UNFILTERED } from "@nigh/recall";
import fc from "fast-check";
import { QUERIES_KEPT } from "../recall/sampling.ts";
import { servedCell } from "./cells.ts";
import { processFor } from "./process.test-support.ts";
import { Stratum } from "./stratum.ts";

function stratumOf(seed = 1): Stratum {
	const stratum = new Stratum(10, UNFILTERED, randomFrom(seed));
	stratum.addTarget(0.9);
	return stratum;
}

const vectorOf = (n: number) => ({ vector: Float32Array.of(n), node: undefined });

test("no query is both a pilot's and one that certifies, and each is asked once by a process", () => {
	fc.assert(
		fc.property(fc.integer({ min: 1, max: 400 }), fc.integer(), (n, seed) => {
			const stratum = stratumOf(seed);
			for (let i = 0; i < n; i++) stratum.keep(vectorOf(i));
			const process = processFor(0, []);
			const pilot = new Set(stratum.queries.items.filter(({ isPilot }) => isPilot));
			const asked = new Set<object>();
			while (stratum.unused(process).length > 0) {
				for (const query of stratum.unused(process).slice(0, 50)) {
					assert.ok(!asked.has(query) && !pilot.has(query));
					asked.add(query);
					query.usedBy = process;
				}
				if (asked.size === 100) stratum.keep(vectorOf(-1));
			}
			// Another index may be asked by the same.
			assert.equal(stratum.unused(processFor(0, [])).length, asked.size);
		}),
		{ numRuns: 40 },
	);
});

test("about every eighth is a pilot's; none where no query may be kept", () => {
	const stratum = stratumOf(5);
	for (let i = 0; i < 4_000; i++) stratum.keep(vectorOf(i));
	const pilots = stratum.queries.items.filter(({ isPilot }) => isPilot).length;
	assert.ok(Math.abs(pilots - 500) < 5 * Math.sqrt(437), `${pilots}`);
	const unlogged = stratumOf(5);
	for (let i = 0; i < 400; i++) unlogged.keep(vectorOf(i), { mayPlace: false });
	assert.equal(unlogged.unused(undefined).length, 400);
});

test("the order in which queries are asked is drawn, and one that was interrupted comes first again", () => {
	const stratum = stratumOf(9);
	for (let i = 0; i < 300; i++) stratum.keep(vectorOf(i), { mayPlace: false });
	const process = processFor(0, []);
	const order = stratum.unused(process);
	assert.notDeepEqual(
		order.map(({ vector }) => vector[0]),
		Array.from({ length: 300 }, (_, i) => i),
	);
	for (const query of order.slice(0, 40)) query.usedBy = process;
	assert.deepEqual(stratum.unused(process), order.slice(40));
});

test("queries that are given again count once, and stay what they were drawn for", () => {
	const stratum = stratumOf(2);
	const queries = Array.from({ length: 200 }, (_, i) => vectorOf(i));
	stratum.give(queries, undefined);
	const before = stratum.queries.items.map(({ isPilot }) => isPilot);
	for (let i = 0; i < 5; i++) stratum.give(queries, undefined);
	assert.deepEqual(
		stratum.queries.items.map(({ isPilot }) => isPilot),
		before,
	);
	// Also once they have been measured and forgotten.
	const process = processFor(0, []);
	for (const query of stratum.unused(process)) {
		query.usedBy = process;
		process.given.add(query.given as string);
	}
	stratum.forgetUsed();
	const left = stratum.queries.items.length;
	stratum.give(queries, process);
	assert.equal(stratum.queries.items.length, left);
	// Another process has not seen them.
	stratum.give(queries, processFor(0, []));
	assert.equal(stratum.queries.items.length, 200);
	// With another filter it is another query.
	stratum.give([{ ...vectorOf(0), node: { op: "all" } as never }], process);
	assert.equal(stratum.queries.items.length, 201);
});

test("no more queries are kept than there is room for", () => {
	const stratum = stratumOf(3);
	for (let i = 0; i < QUERIES_KEPT + 500; i++) stratum.keep(vectorOf(i));
	assert.equal(stratum.queries.items.length, QUERIES_KEPT);
});

test("what only the exact search keeps is no target", () => {
	const stratum = new Stratum(10, UNFILTERED, randomFrom(1));
	stratum.addTarget(1);
	assert.equal(stratum.targets.size, 0);
});

test("what is known of an index goes with it; queries stay", () => {
	const stratum = stratumOf();
	stratum.keep(vectorOf(1));
	stratum.byQueries = processFor(100, [1, 1, 1, 1]);
	stratum.byHeldOut = processFor(100, [1, 1, 1, 1], { basis: "heldout" });
	stratum.beginIndex("first");
	assert.ok(stratum.byQueries !== undefined && stratum.byHeldOut !== undefined);
	stratum.beginIndex("second");
	assert.ok(stratum.byQueries === undefined && stratum.byHeldOut === undefined);
	assert.equal(stratum.queries.items.length, 1);
});

test("what is known of an index before it serves waits for it, whatever takes over before", () => {
	const stratum = stratumOf();
	const next = processFor(100, [1, 1, 1, 1], { basis: "heldout", identity: "second" });
	stratum.ofNext = next;
	stratum.beginIndex("first");
	assert.equal(stratum.byHeldOut, undefined);
	stratum.beginIndex("second");
	assert.equal(stratum.byHeldOut, next);
	assert.equal(stratum.ofNext, undefined);
});

test("an index that is built after one that was asked and not certified is a further attempt, whatever the reason", () => {
	const bad = [0.5, 0.4, 0.3, 0.2];
	const undecided = [0.9, 0.5, 0.4, 0.4];
	for (const [asked, recalls, rebuilds] of [
		[100, bad, 1],
		[600, undecided, 1],
		[100, undecided, 1],
		[1, [1, 1, 1, 1], 1],
		[200, [1, 1, 1, 0.2], 0],
		[0, bad, 0],
	] as const) {
		for (const basis of ["queries", "heldout"] as const) {
			const stratum = stratumOf();
			const process = processFor(asked, recalls, { basis });
			if (basis === "queries") stratum.byQueries = process;
			else stratum.byHeldOut = process;
			assert.equal(stratum.rebuildsBefore("first"), 0);
			assert.equal(stratum.rebuildsBefore("second"), rebuilds, `${asked} ${recalls}`);
			stratum.beginIndex("second");
			assert.equal(stratum.rebuilds, rebuilds);
			// Nothing was found out about this one: it is as many attempts as before.
			stratum.beginIndex("third");
			assert.equal(stratum.rebuilds, rebuilds);
		}
	}
});

test("after a drop nothing from before it is left", () => {
	const stratum = stratumOf();
	for (let i = 0; i < 50; i++) stratum.keep(vectorOf(i));
	stratum.byQueries = processFor(100, [1, 1, 1, 1]);
	stratum.byHeldOut = processFor(100, [1, 1, 1, 1], { basis: "heldout" });
	stratum.ofNext = processFor(100, [1, 1, 1, 1], { basis: "heldout", identity: "second" });
	stratum.voidAll({ at: 1, audits: 1, mean: 0.1 });
	stratum.beginIndex("second");
	assert.deepEqual([stratum.byQueries, stratum.byHeldOut, stratum.ofNext], [undefined, undefined, undefined]);
	assert.equal(stratum.queries.items.length, 0);
	assert.ok(stratum.breach !== undefined);
});

test("a target that is asked for later is one of all that may serve", () => {
	const stratum = stratumOf();
	stratum.byHeldOut = processFor(100, [1, 1, 1, 1], { basis: "heldout" });
	stratum.ofNext = processFor(100, [1, 1, 1, 1], { basis: "heldout", identity: "second" });
	stratum.beginProcess(processFor(100, [1, 1, 1, 1]));
	stratum.beginProcess(processFor(3, [1, 1, 1, 1]));
	stratum.addTarget(0.8);
	for (const process of [stratum.byQueries, stratum.earlier, stratum.byHeldOut, stratum.ofNext])
		assert.deepEqual(process?.certification.targets, [0.9, 0.8]);
	assert.equal(servedCell(stratum, 0.8, "first")?.process, stratum.earlier?.id);
});
