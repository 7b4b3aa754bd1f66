import assert from "node:assert/strict";
import { test } from "node:test";
import { BOUNDS } from "@nigh/contract";
import { checkIds } from "./check-ids.ts";

test("few ids are checked at once, many in turns; both name the row that is wrong", async () => {
	for (const count of [3, 2_000]) {
		const ids = Array.from({ length: count }, (_, i) => `r${i}`);
		assert.deepEqual(await checkIds(ids), ids);
		assert.equal(checkIds(ids) instanceof Promise, count > 3);
		for (const wrong of [5, "", "a\0b", undefined]) {
			const bad: unknown[] = ids.with(count - 1, wrong as string);
			await assert.rejects(async () => checkIds(bad as string[]), { code: "INVALID_RECORD" });
		}
		const holed = ids.slice();
		delete holed[count - 2];
		await assert.rejects(
			async () => checkIds(holed),
			(error: { details?: object }) => {
				assert.equal((error.details as { row?: number }).row, count - 2);
				return true;
			},
		);
	}
	assert.throws(() => checkIds(Array(BOUNDS.recordsPerCall.max + 1).fill("a")), { code: "INVALID_OPTION" });
});

test("what the caller does to many ids afterwards does not reach the call", async () => {
	const ids = Array.from({ length: 2_000 }, (_, i) => `r${i}`);
	const checking = checkIds(ids);
	ids.length = 0;
	assert.equal((await checking).length, 2_000);
});
