import assert from "node:assert/strict";
import { test } from "node:test";
import type { Database } from "@nigh/contract";
import { ATTEMPTED, attempt } from "./end-to-end.ts";

/** So few queries that the certificate of 0.99 could go on with more. */
const SMALL = { n: 1_500, queries: 700, judged: 300 };
const [AT_90, AT_95, AT_99] = [0, 1, 2] as const;

test("a database certifies a target, and is judged by queries that have no part in it", async () => {
	for (const at of [AT_90, AT_95]) {
		const { target, state, setting, recall, queries } = await attempt(2, at, SMALL);
		assert.equal(target, ATTEMPTED[at]);
		assert.equal(state, "certified");
		assert.match(setting, /^index, ef \d+$/);
		assert.ok(queries > 64 && queries <= SMALL.queries, `${queries}`);
		// Of 300 queries that miss hits here and there; the full run is of 4,000.
		assert.ok(recall > target - 0.03 && recall <= 1, `${recall}`);
	}
});

test("what is searched for through the database itself has a part in what is certified next, and is refused", async () => {
	const itself = async (database: Database) => ({
		collection: database.collection.bind(database) as Database["collection"],
		close: async () => {},
	});
	await assert.rejects(attempt(2, AT_99, SMALL, itself), /by another certificate in between|after the fresh queries/);
});
