import assert from "node:assert/strict";
import { test } from "node:test";
import { ADVISED_FROM, type IndexFacts, indexAdvice } from "./index-advice.ts";

const AS_BUILT: IndexFacts = {
	records: 1_000,
	builtRecords: 1_000,
	died: 0,
	searchP95: { built: 10, now: 10 },
	asked: { M: 16 },
	used: { M: 16, efConstruction: 200 },
};

function codes(changed: Partial<IndexFacts>): string[] {
	const reasons = indexAdvice({ ...AS_BUILT, ...changed });
	for (const { status, message, recommendation } of reasons) {
		assert.equal(status, "degraded", "answers are right");
		assert.match(recommendation, /(optimize|rebuild)\(\)/);
		assert.ok(message.length > 5);
	}
	return reasons.map(({ code }) => code);
}

test("an index as it was built needs no advice", () => {
	assert.deepEqual(codes({}), []);
	assert.deepEqual(ADVISED_FROM, { slower: 1.3, grown: 2, churned: 0.2 });
});

test("searches that are 30 % slower than after the build, and no sooner", () => {
	assert.deepEqual(codes({ searchP95: { built: 10, now: 13 } }), ["index-slower"]);
	assert.deepEqual(codes({ searchP95: { built: 10, now: 12.999 } }), []);
	assert.deepEqual(codes({ searchP95: undefined }), [], "nothing is known of them");
	const [reason] = indexAdvice({ ...AS_BUILT, searchP95: { built: 10, now: 14.1234 } });
	assert.match(reason?.message ?? "", /14\.1 ms; .* 10 ms/);
});

test("twice the records that it was built with, and no sooner", () => {
	assert.deepEqual(codes({ records: 2_000 }), ["index-outgrown"]);
	assert.deepEqual(codes({ records: 1_999 }), []);
	assert.deepEqual(codes({ records: 0 }), []);
});

test("more than 20 % of the records gone or replaced since, and no sooner", () => {
	assert.deepEqual(codes({ died: 201 }), ["index-churned"]);
	assert.deepEqual(codes({ died: 200 }), []);
});

test("other parameters than it was built with, if they are asked for by name", () => {
	assert.deepEqual(codes({ asked: { M: 17 } }), ["index-parameters"]);
	assert.deepEqual(codes({ asked: { M: 16, efConstruction: 199 } }), ["index-parameters"]);
	assert.deepEqual(codes({ asked: { M: 16, efConstruction: 200 } }), []);
	assert.deepEqual(codes({ asked: { M: undefined } }), []);
	assert.deepEqual(codes({ asked: {} }), []);
	const [reason] = indexAdvice({ ...AS_BUILT, asked: { M: 16, efConstruction: 300 } });
	assert.match(reason?.message ?? "", /asks for an index with efConstruction 300, .* with efConstruction 200\./);
});

test("an index that was built without records has neither doubled nor lost any of them", () => {
	assert.deepEqual(codes({ builtRecords: 0, records: 5 }), []);
});

test("several reasons are all told", () => {
	const all = { searchP95: { built: 1, now: 2 }, records: 3_000, died: 500, asked: { M: 8 } };
	assert.deepEqual(codes(all), ["index-slower", "index-outgrown", "index-churned", "index-parameters"]);
});
