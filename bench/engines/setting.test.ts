import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { covers, grid, knob, parseSetting, settingsWith, settingText, settingWord } from "./setting.ts";

const anySetting = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.nat(), { maxKeys: 4, noNullPrototype: true });

describe("a setting's word", () => {
	test("is its knobs in their order, or a dash", () => {
		assert.equal(settingWord({ nprobe: 8, rerank: 100 }), "nprobe=8,rerank=100");
		assert.equal(settingWord({ ef: 0 }), "ef=0");
		assert.equal(settingWord({}), "-");
	});
	test("gives the setting back, and holds no space", () => {
		fc.assert(
			fc.property(anySetting, (setting) => {
				const word = settingWord(setting);
				assert.doesNotMatch(word, /\s/);
				assert.deepEqual(parseSetting(word), setting);
			}),
		);
	});
	for (const word of ["", "8", "ef=", "=8", "ef=-1", "ef=1.5", "ef=8,", "ef=8 rerank=9", "EF=8", "ef=8,-"]) {
		test(`"${word}" is refused with what one is like`, () => {
			assert.throws(() => parseSetting(word), /is no setting: it has to be like nprobe=8,rerank=100, or -/);
		});
	}
});

test("a knob that a setting lacks is refused by name", () => {
	assert.equal(knob({ ef: 20 }, "ef"), 20);
	assert.throws(() => knob({ ef: 20 }, "nprobe"), /^Error: the setting ef=20 has no nprobe$/);
});

test("a setting in words names its knobs; none without any", () => {
	assert.equal(settingText({ nprobe: 8, rerank: 100 }), "nprobe 8, rerank 100");
	assert.equal(settingText({}), "none");
});

test("a grid holds every combination, the last knob's values changing first", () => {
	assert.deepEqual(grid({ nprobe: [1, 2], rerank: [20, 40] }), [
		{ nprobe: 1, rerank: 20 },
		{ nprobe: 1, rerank: 40 },
		{ nprobe: 2, rerank: 20 },
		{ nprobe: 2, rerank: 40 },
	]);
	assert.deepEqual(grid({ ef: [10, 20] }), [{ ef: 10 }, { ef: 20 }]);
	assert.deepEqual(grid({}), [{}]);
});

test("a setting covers another that is no wider in any knob", () => {
	const middle = { nprobe: 8, rerank: 40 };
	assert.ok(covers(middle, middle));
	assert.ok(covers({ nprobe: 8, rerank: 80 }, middle));
	assert.ok(!covers({ nprobe: 16, rerank: 20 }, middle));
	assert.ok(!covers({ nprobe: 4, rerank: 80 }, middle));
	assert.ok(covers({}, {}));
});

describe("the settings of a run", () => {
	const own = grid({ nprobe: [1, 4], rerank: [20, 40] });
	test("are the engine's own where none of its knobs was asked for", () => {
		assert.deepEqual(settingsWith(own, {}, 10), own);
		assert.deepEqual(settingsWith(own, { ef: [10] }, 10), own);
		assert.deepEqual(settingsWith([{}], { ef: [10], nprobe: [1] }, 10), [{}]);
	});
	test("have the values asked for, with the engine's own of its other knobs", () => {
		assert.deepEqual(settingsWith(own, { nprobe: [2, 3, 5] }, 10), grid({ nprobe: [2, 3, 5], rerank: [20, 40] }));
		assert.deepEqual(settingsWith(own, { nprobe: [2], rerank: [30] }, 10), [{ nprobe: 2, rerank: 30 }]);
	});
	test("look at k candidates at least, each once, whatever the number of cells", () => {
		assert.deepEqual(settingsWith(grid({ ef: [1, 2, 4, 10] }), {}, 4), [{ ef: 4 }, { ef: 10 }]);
		assert.deepEqual(settingsWith(own, {}, 50), grid({ nprobe: [1, 4], rerank: [50] }));
	});
});
