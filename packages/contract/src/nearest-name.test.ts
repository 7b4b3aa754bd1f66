import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { alignmentDistance, nearestName } from "./nearest-name.ts";

/** The definition of optimal string alignment, without a table. */
function slowDistance(a: string, b: string): number {
	if (a === "" || b === "") return a.length + b.length;
	const same = a.at(-1) === b.at(-1);
	const candidates = [
		slowDistance(a.slice(0, -1), b) + 1,
		slowDistance(a, b.slice(0, -1)) + 1,
		slowDistance(a.slice(0, -1), b.slice(0, -1)) + (same ? 0 : 1),
	];
	const isSwap = a.length > 1 && b.length > 1 && a.at(-1) === b.at(-2) && a.at(-2) === b.at(-1);
	if (isSwap) candidates.push(slowDistance(a.slice(0, -2), b.slice(0, -2)) + 1);
	return Math.min(...candidates);
}

test("the distance is that of the recursive definition", () => {
	const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 6 });
	fc.assert(fc.property(word, word, (a, b) => assert.equal(alignmentDistance(a, b), slowDistance(a, b))));
});

test("two swapped letters are one mistake, and no substring is edited twice", () => {
	assert.equal(alignmentDistance("fliter", "filter"), 1);
	assert.equal(alignmentDistance("ca", "abc"), 3);
});

test("the nearest name is found through a typing mistake and through letter case", () => {
	const names = ["filter", "k", "minScore", "efConstruction", "$gte"];
	assert.equal(nearestName("fliter", names), "filter");
	assert.equal(nearestName("minscore", names), "minScore");
	assert.equal(nearestName("ef_construction", names), "efConstruction");
	assert.equal(nearestName("$ge", names), "$gte");
	assert.equal(nearestName("K", names), "k");
});

test("of equally near names the first wins, and nothing is suggested for a name that resembles none", () => {
	assert.equal(nearestName("cat", ["bat", "car"]), "bat");
	assert.equal(nearestName("colour", ["filter", "k"]), undefined);
	assert.equal(nearestName("x".repeat(1_000_000), ["filter"]), undefined);
	assert.equal(nearestName("filter", []), undefined);
});
