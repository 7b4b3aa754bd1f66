import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFilter } from "@nigh/contract";
import type { RecordReader } from "../records/reader.ts";
import { KEY, openRecords } from "../records/records.test-support.ts";
import { stillMatching } from "./still-matching.ts";

const vector = Uint8Array.of(0, 0, 0, 0);
const RED = { color: "red" };
const BLUE = { color: "blue" };

/** Ten records that were red at change 5, of which some have been changed in place since; what is looked up is noted. */
function looked() {
	const { db, reader } = openRecords(
		Array.from({ length: 10 }, (_, i) => ({ id: `r${i}`, vector, metadata: RED, born: i < 9 ? 1 : 7 })),
	);
	const labels = (db.prepare(`SELECT label FROM records_${KEY} ORDER BY label`).all() as { label: number }[]).map(
		({ label }) => label,
	);
	const asked: number[][] = [];
	const watched = {
		touched: (key: number, change: number) => reader.touched(key, change),
		byLabels(...given: Parameters<RecordReader["byLabels"]>) {
			asked.push(Array.from(given[1]));
			return reader.byLabels(...given);
		},
	} as RecordReader;
	const change = (i: number, metadata: typeof RED, at: number) =>
		db
			.prepare(`UPDATE records_${KEY} SET metadata = ?, change = ? WHERE id = ?`)
			.run(JSON.stringify(metadata), at, `r${i}`);
	const matching = (matched: readonly number[]) => {
		const node = parseFilter({ color: "red" });
		return [...stillMatching(watched, KEY, { labels: Uint32Array.from(matched), node, seen: 5 })];
	};
	return { labels, asked, change, matching };
}

test("what has been changed since and does not match any more is left out; only what has been changed is looked at", () => {
	const { labels, asked, change, matching } = looked();
	change(0, BLUE, 3);
	change(2, BLUE, 6);
	change(4, RED, 6);
	change(6, BLUE, 7);
	change(9, BLUE, 8);
	const found = labels.filter((_, i) => i !== 6);
	assert.deepEqual(
		matching(found),
		found.filter((label) => label !== labels[2] && label !== labels[9]),
	);
	assert.deepEqual(asked, [[2, 4, 9].map((i) => labels[i])]);
});

test("where nothing has been changed since, no record is looked at", () => {
	const { labels, asked, change, matching } = looked();
	change(1, BLUE, 5);
	assert.deepEqual(matching(labels), labels);
	assert.deepEqual(asked, []);
});
