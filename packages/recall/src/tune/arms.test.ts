import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cellsLadder } from "../ladder/cells.ts";
import { graphLadder, graphRung } from "../ladder/graph.ts";
import { armOf, armsFor, endsEarly, FLAT, isSameArm, settingOf } from "./arms.ts";
import { cellsRungs, graphRungs, ORIGIN_ARMS } from "./origin-arms.test-support.ts";

const namesOf = (arms: readonly { readonly name: string }[]) => arms.map(({ name }) => name);

test("N-4: the four arms of NanoIndex, with their cells and rows", () => {
	const arms = ORIGIN_ARMS.map(({ name, rung }) => [name, settingOf(rung)]);
	assert.deepEqual(arms, [
		["flat", null],
		["ivf_aggressive", { nprobe: 20, budget: 100_000 }],
		["ivf_balanced", { nprobe: 10, budget: 50_000 }],
		["ivf_conservative", { nprobe: 5, budget: 10_000 }],
	]);
});

test("a graph has the served rung and the next two dearer ones", () => {
	assert.deepEqual(namesOf(armsFor(graphRungs(60, 54, 49, 44, 40))), ["ef 49", "ef 44", "ef 40"]);
	assert.deepEqual(namesOf(armsFor(graphRungs(60, 54))), ["ef 60", "ef 54"]);
});

test("what is cheaper than the rung that may serve is no arm, though it has passed", () => {
	assert.deepEqual(namesOf(armsFor(graphRungs(60, 54, 49, 44, 40), 2)), ["ef 60", "ef 54", "ef 49"]);
	const passed = cellsLadder({ nlist: 1_000, vectors: 1_000_000, dearest: 30 });
	const served = passed.findIndex((rung) => rung.arm === "ivf_balanced");
	assert.ok(passed.slice(served + 1).some((rung) => rung.arm === "ivf_conservative"));
	const names = namesOf(armsFor(passed, served));
	assert.ok(names.includes("ivf_balanced") && !names.includes("ivf_conservative"), names.join());
});

test("cells have the exact search, the named arms that have passed, the served rung and the next dearer one", () => {
	// 1,000 vectors a cell: in the order of the rows, nprobe 20 comes just before ivf_aggressive.
	const passed = cellsLadder({ nlist: 1_000, vectors: 1_000_000, dearest: 30 });
	const until = (nprobe: number) => passed.findIndex((rung) => rung.nprobe === nprobe && rung.arm === undefined);
	assert.deepEqual(namesOf(armsFor(passed.slice(0, until(22) + 1))), ["flat", "nprobe 24", "nprobe 22"]);
	assert.deepEqual(namesOf(armsFor(passed.slice(0, until(14) + 1))), [
		"flat",
		"ivf_aggressive",
		"nprobe 15",
		"nprobe 14",
	]);
	assert.deepEqual(namesOf(armsFor(passed.slice(0, until(7) + 1))), [
		"flat",
		"ivf_aggressive",
		"ivf_balanced",
		"nprobe 8",
		"nprobe 7",
	]);
});

test("N-10: where nothing has passed the exact search is the only arm", () => {
	assert.deepEqual(armsFor([]), [FLAT]);
	assert.deepEqual(armsFor(graphRungs(60, 54), -1), [FLAT]);
	assert.deepEqual(armsFor(cellsRungs(20, 10), -1), [FLAT]);
});

test("a rung that has not passed is refused", () => {
	assert.throws(() => armsFor(graphRungs(60, 54), 2), RangeError);
	assert.throws(() => armsFor(graphRungs(60, 54), -2), RangeError);
	assert.throws(() => armsFor(graphRungs(60, 54), 0.5), RangeError);
});

test("an arm is called by its setting, as far as that is given", () => {
	assert.equal(armOf({ kind: "graph", ef: 40 }).name, "ef 40");
	assert.equal(armOf({ kind: "graph", ef: 40, patience: 12 }).name, "ef 40, patience 12");
	assert.equal(armOf({ kind: "cells", nprobe: 12 }).name, "nprobe 12");
	assert.equal(armOf({ kind: "cells", nprobe: 12, rerank: 200 }).name, "nprobe 12, rerank 200");
	assert.equal(armOf({ kind: "cells", nprobe: 12, budget: 900 }).name, "nprobe 12, budget 900");
});

test("a setting has what a search can be asked for; that walks end early is told beside it", () => {
	assert.deepEqual(settingOf(graphRung(40, true)), { ef: 40 });
	assert.deepEqual([endsEarly(graphRung(40, true)), endsEarly(graphRung(40)), endsEarly(null)], [true, false, false]);
	const deep = { kind: "cells", arm: "ivf_balanced", nprobe: 10, rerank: 200, budget: 900 } as const;
	assert.deepEqual(settingOf(deep), { nprobe: 10, rerank: 200, budget: 900 });
	assert.equal(endsEarly(deep), false);
});

test("arms are one when they ask for the same search by the same name", () => {
	assert.ok(isSameArm(armOf({ kind: "graph", ef: 40 }), armOf({ kind: "graph", ef: 40 })));
	assert.ok(isSameArm(FLAT, { name: "flat", rung: null }));
	assert.ok(!isSameArm(FLAT, { name: "flat", rung: { kind: "graph", ef: 40 } }));
	assert.ok(!isSameArm({ name: "flat", rung: { kind: "graph", ef: 40 } }, FLAT));
	const clipped = { kind: "cells", arm: "ivf_balanced", nprobe: 8, budget: 50_000 } as const;
	assert.ok(!isSameArm(armOf(clipped), armOf({ ...clipped, nprobe: 10 })));
});

test("on any ladder the arms are exact or have passed, are in its order and have names of their own", () => {
	const graph = fc.record({ k: fc.integer({ min: 1, max: 100 }), dearest: fc.integer({ min: 1, max: 800 }) });
	const cells = fc
		.record({ nlist: fc.integer({ min: 1, max: 2_000 }), vectors: fc.nat(2_000_000), dearest: fc.nat(199) })
		.map(({ dearest, ...rest }) => ({ ...rest, dearest: Math.min(rest.nlist, dearest + 1) }));
	const ladder = fc.oneof(graph.map(graphLadder), cells.map(cellsLadder));
	fc.assert(
		fc.property(ladder, fc.nat(), fc.nat(), (rungs, drawnPassed, drawnServed) => {
			const passed = rungs.slice(0, drawnPassed % (rungs.length + 1));
			const served = (drawnServed % (passed.length + 1)) - 1;
			const arms = armsFor(passed, served);
			assert.ok(arms.length > 0 && arms.length <= 6);
			assert.equal(new Set(namesOf(arms)).size, arms.length);
			assert.equal(arms.at(-1)?.rung, passed[served] ?? null);
			const places = arms.filter(({ rung }) => rung !== null).map(({ rung }) => passed.indexOf(rung as never));
			assert.ok(places.every((place, at) => place >= 0 && place <= served && place > (places[at - 1] ?? -1)));
			assert.ok(arms.slice(1).every(({ rung }) => rung !== null));
		}),
	);
});
