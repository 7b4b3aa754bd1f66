import assert from "node:assert/strict";
import { test } from "node:test";
import { randomFrom, UNFILTERED } from "@nigh/recall";
import { servedCell } from "./cells.ts";
import { MOST_MEASURED } from "./parameters.ts";
import { LADDER, processFor } from "./process.test-support.ts";
import { Stratum } from "./stratum.ts";

const GOOD = [1, 1, 1, 0.5] as const;
const BAD = [0.3, 0.3, 0.3, 0.3] as const;

function stratumOf(given: Partial<Pick<Stratum, "byQueries" | "byHeldOut" | "breach">>): Stratum {
	const stratum = new Stratum(10, UNFILTERED, randomFrom(1));
	stratum.addTarget(0.9);
	return Object.assign(stratum, given);
}

const cellOf = (given: Parameters<typeof stratumOf>[0], identity = "first") =>
	servedCell(stratumOf(given), 0.9, identity);
const heldOut = (asked: number, recalls: readonly number[]) => processFor(asked, recalls, { basis: "heldout" });
const breach = { at: 5, audits: 40, mean: 0.7 };

test("by queries it is certified, by held-out vectors only provisional", () => {
	const certified = cellOf({ byQueries: processFor(200, GOOD) });
	assert.equal(certified?.state, "certified");
	assert.deepEqual(certified?.rung, LADDER[2]);
	assert.deepEqual(certified?.rungs, LADDER.slice(0, 3));
	assert.equal(certified?.confidence, 0.95);
	const provisional = cellOf({ byHeldOut: heldOut(200, GOOD) });
	assert.deepEqual([provisional?.state, provisional?.basis], ["provisional", "heldout"]);
});

test("what is known of another index is nothing", () => {
	assert.equal(cellOf({ byQueries: processFor(200, GOOD), byHeldOut: heldOut(200, GOOD) }, "second"), undefined);
});

test("before the first query nothing is known, and before one has passed the exact search serves", () => {
	assert.equal(cellOf({ byQueries: processFor(0, GOOD) }), undefined);
	const first = cellOf({ byQueries: processFor(1, GOOD) });
	assert.deepEqual([first?.state, first?.rung, first?.rungs], ["refused", null, []]);
});

test("held-out vectors serve until there are enough queries, and not where those have said no", () => {
	const byHeldOut = heldOut(200, GOOD);
	assert.equal(cellOf({ byQueries: processFor(100, [0.9, 0.9, 0.9, 0.9]), byHeldOut })?.state, "provisional");
	assert.equal(cellOf({ byQueries: processFor(500, [0.9, 0.9, 0.9, 0.9]), byHeldOut })?.state, "refused");
	assert.equal(cellOf({ byQueries: processFor(100, BAD), byHeldOut })?.state, "refused");
	assert.equal(cellOf({ byQueries: processFor(100, GOOD), byHeldOut: heldOut(100, BAD) })?.state, "certified");
	// However few have certified something.
	assert.equal(cellOf({ byQueries: processFor(100, GOOD), byHeldOut })?.state, "certified");
});

test("a plateau is told only where enough queries have said that no rung will do", () => {
	assert.equal(cellOf({ byQueries: processFor(50, BAD) })?.plateau, undefined);
	const plateau = cellOf({ byQueries: processFor(500, BAD) })?.plateau as number;
	assert.ok(Math.abs(plateau - 0.3) < 1e-9);
	// Nothing is hopeless, and no more will be asked.
	const undecided = [0.9, 0.9, 0.9, 0.9];
	assert.equal(cellOf({ byQueries: processFor(MOST_MEASURED - 1, undecided) })?.plateau, undefined);
	assert.ok(Math.abs((cellOf({ byQueries: processFor(MOST_MEASURED, undecided) })?.plateau as number) - 0.9) < 1e-9);
});

test("a cell that a drop was found in serves nothing but what queries have certified since", () => {
	for (const given of [{}, { byHeldOut: heldOut(900, GOOD) }, { byQueries: processFor(300, [0.9, 0.9, 0.9, 0.9]) }]) {
		const cell = cellOf({ ...given, breach });
		assert.deepEqual([cell?.state, cell?.rung, cell?.rungs, cell?.confidence], ["breached", null, [], 0]);
		assert.deepEqual(cell?.breach, breach);
	}
	assert.equal(cellOf({ byQueries: processFor(300, GOOD), breach })?.state, "certified");
	// Also with another index, until something is known of it.
	assert.equal(cellOf({ byQueries: processFor(300, GOOD), breach }, "second")?.state, "breached");
});
