import assert from "node:assert/strict";
import { test } from "node:test";
import { storedQueriesText } from "./stored-queries.ts";

test("from a tenth of the queries on, that they are stored is told", () => {
	assert.equal(storedQueriesText(0, 0), undefined);
	assert.equal(storedQueriesText(0, 5), undefined);
	assert.equal(storedQueriesText(99, 1_000), undefined);
	assert.match(storedQueriesText(100, 1_000) ?? "", /^100 of 1,000 queries are equal to a stored vector\. An index/);
});
