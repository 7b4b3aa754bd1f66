import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { builtNow, carriedOver, diedSince, restoredBuilt, savedBuilt } from "./built.ts";

test("however records come, go, are left out and are saved, those that have gone since the build are counted", () => {
	const step = fc.record({
		verb: fc.constantFrom("come" as const, "go" as const, "leave out" as const, "save and open" as const),
		count: fc.nat(20),
	});
	const run = fc.property(fc.nat(50), fc.nat(50), fc.array(step), (live, deleted, steps) => {
		let counts = { live, deleted };
		let built = builtNow(counts);
		let gone = 0;
		for (const { verb, count } of steps) {
			if (verb === "come") counts = { ...counts, live: counts.live + count };
			if (verb === "go") {
				const died = Math.min(count, counts.live);
				counts = { live: counts.live - died, deleted: counts.deleted + died };
				gone += died;
			}
			if (verb === "leave out") {
				const next = { ...counts, deleted: Math.max(0, counts.deleted - count) };
				built = carriedOver(built, counts, next);
				counts = next;
			}
			if (verb === "save and open") {
				const saved: unknown = JSON.parse(JSON.stringify(savedBuilt(built, counts)));
				const restored = restoredBuilt(saved, counts);
				assert.ok(restored !== undefined);
				built = restored;
			}
		}
		assert.deepEqual([built.records, diedSince(built, counts)], [live, gone]);
	});
	fc.assert(run);
});

test("a snapshot that tells nothing, or what cannot be, is not believed", () => {
	const wrong = [undefined, null, 7, {}, { records: 5 }, { records: -1, died: 0 }, { records: 5, died: "3" }];
	for (const saved of wrong) assert.equal(restoredBuilt(saved, { live: 5, deleted: 0 }), undefined);
});
