import assert from "node:assert/strict";
import { test } from "node:test";
import { seriesStyle } from "./series-style.ts";

const KNOWN = ["nigh", ...Array.from({ length: 24 }, (_, at) => `peer-${at}`)];

test("no two of two dozen peers look alike, and none has Nigh's colour", () => {
	const looks = KNOWN.slice(1).map((name) => {
		const { colour, dashes } = seriesStyle(name, KNOWN);
		assert.notEqual(colour, seriesStyle("nigh", KNOWN).colour);
		return `${colour} ${dashes}`;
	});
	assert.equal(new Set(looks).size, looks.length);
});

test("Nigh's other indexes have its colour, each with a line of its own", () => {
	const kinds = ["nigh", "nigh-ivf", "nigh-ivfpq", "nigh-ivfrabitq", "nigh-flat"];
	const styles = kinds.map((name) => seriesStyle(name, [...kinds, ...KNOWN.slice(1)]));
	assert.equal(new Set(styles.map(({ colour }) => colour)).size, 1);
	assert.equal(new Set(styles.map(({ dashes }) => dashes)).size, kinds.length);
	assert.deepEqual(
		JSON.stringify(seriesStyle("peer-3", [...kinds, ...KNOWN.slice(1)])),
		JSON.stringify(seriesStyle("peer-3", KNOWN)),
	);
});

test("an engine looks alike wherever Nigh stands among the known", () => {
	const last = [...KNOWN.slice(1), "nigh"];
	assert.deepEqual(JSON.stringify(seriesStyle("peer-3", KNOWN)), JSON.stringify(seriesStyle("peer-3", last)));
});

test("Nigh's line is the widest", () => {
	for (const name of KNOWN.slice(1)) {
		assert.ok(seriesStyle("nigh", KNOWN).width > seriesStyle(name, KNOWN).width);
	}
});
