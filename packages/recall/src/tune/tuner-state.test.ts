import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "@nigh/contract";
import fc from "fast-check";
import { randomFrom } from "../random.ts";
import { armsFor } from "./arms.ts";
import { CELL, graphRungs, ORIGIN_ARMS } from "./origin-arms.test-support.ts";
import { Tuner } from "./tuner.ts";
import { keyOf, readTunerState, type TunerState } from "./tuner-state.ts";

const INDEX = "index 1";

function stateOf(): TunerState {
	const tuner = new Tuner({ index: INDEX, settings: { epsilon: 0.2, live: true }, random: randomFrom(1) });
	const bandit = tuner.restrict(CELL, ORIGIN_ARMS);
	for (const [at, arm] of ORIGIN_ARMS.entries()) bandit.credit(arm, at + 1);
	const graph = armsFor([...graphRungs(60, 54), { kind: "graph", ef: 49, patience: 9 }]);
	const other = tuner.restrict({ ...CELL, target: 0.9 }, graph);
	for (const arm of graph) other.fellBack(arm);
	return tuner.state;
}

const plain = (): TunerState => JSON.parse(JSON.stringify(stateOf()));

/** Every path into a JSON value. */
function pathsOf(value: Json, path: readonly string[] = []): (readonly string[])[] {
	if (typeof value !== "object" || value === null) return [path];
	return [path, ...Object.entries(value).flatMap(([key, each]) => pathsOf(each ?? null, [...path, key]))];
}

function replaced(value: Json, path: readonly string[], by: Json | undefined): Json | undefined {
	const [key, ...rest] = path;
	if (key === undefined) return by;
	const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string, Json | undefined>;
	copy[key] = replaced(copy[key] as Json, rest, by);
	return JSON.parse(JSON.stringify(copy));
}

/** A tuner of what was read chooses none but what is certified, and tells nothing but finite numbers. */
function assertHarmless(value: unknown): boolean {
	for (const settings of [{}, { algorithm: "ucb1" }, { algorithm: "epsilon-greedy", epsilon: 1 }] as const) {
		const tuner = Tuner.from(value, { index: INDEX, settings, random: randomFrom(2) });
		if (tuner === undefined) return false;
		const certified = ORIGIN_ARMS.slice(0, 2);
		for (const { cell } of tuner.state.cells) {
			assert.equal(tuner.of(cell)?.choose(), undefined);
			const bandit = tuner.restrict(cell, certified);
			for (let search = 0; search < 20; search++) {
				const arm = bandit.choose();
				assert.ok(arm !== undefined && certified.includes(arm));
				bandit.credit(arm, 1);
			}
			assert.ok(certified.includes(bandit.best() as never));
		}
		const told = tuner.stats(5);
		assert.deepEqual(JSON.parse(JSON.stringify(told)), told, "a number that is not finite would be null");
		assert.notEqual(
			Tuner.from(JSON.parse(JSON.stringify(tuner.state)), { index: INDEX, random: randomFrom(3) }),
			undefined,
		);
	}
	return true;
}

test("what was kept is read as it was", () => {
	assert.deepEqual(readTunerState(plain(), INDEX), stateOf());
	assert.ok(assertHarmless(plain()));
});

test("any JSON value that is no state is nothing", () => {
	fc.assert(fc.property(fc.jsonValue(), (value) => assert.equal(readTunerState(value, INDEX), undefined)));
});

test("a state with any part replaced by anything is nothing, or harmless", () => {
	const state = plain() as unknown as Json;
	const paths = pathsOf(state).slice(1);
	let readable = 0;
	const numbers = fc.oneof(fc.double(), fc.integer(), fc.nat(3), fc.constantFrom(1e308, 5e-324, -0, 2 ** 53));
	const by = fc.oneof(fc.jsonValue() as fc.Arbitrary<Json>, numbers, fc.constant(undefined));
	fc.assert(
		fc.property(fc.constantFrom(...paths), by, (path, value) => {
			if (assertHarmless(replaced(state, path, value))) readable++;
		}),
		{ numRuns: 2_000 },
	);
	assert.ok(readable > 0 && readable < 1_900, `${readable} of 2,000 were read: both must happen`);
});

test("a state in which one part is of the wrong type is dropped whole", () => {
	const state = plain() as unknown as Json;
	for (const path of pathsOf(state).slice(1)) {
		const broken = replaced(state, path, [[]]);
		assert.equal(readTunerState(broken, INDEX), undefined, path.join("."));
	}
});

test("a state in which a part is missing is dropped whole, unless that part may be missing", () => {
	const state = plain() as unknown as Json;
	for (const path of pathsOf(state).slice(1)) {
		if (/^\d+$/.test(path.at(-1) as string)) continue;
		const isOptional = path.at(-2) === "rung" && ["patience", "budget", "arm"].includes(path.at(-1) as string);
		const read = readTunerState(replaced(state, path, undefined), INDEX);
		assert.equal(read !== undefined, isOptional, path.join("."));
	}
});

test("numbers that cannot be are dropped whole", () => {
	const arm = ["cells", "0", "arms", "0"];
	const wrong: readonly (readonly [path: readonly string[], value: Json])[] = [
		[[...arm, "pulls"], -1],
		[[...arm, "pulls"], 1.5],
		[[...arm, "pulls"], 0],
		[[...arm, "totalReward"], 0],
		[[...arm, "totalReward"], -5],
		[[...arm, "totalMs"], 1e300],
		[[...arm, "fallbacks"], -1],
		[["cells", "0", "searches"], -1],
		[["cells", "0", "cell", "target"], 1.5],
		[["cells", "0", "cell", "k", "from"], 11],
		[["settings", "epsilon"], 1.1],
		[["settings", "decay"], 0.5],
		[["settings", "algorithm"], "thompson"],
		[["version"], 0],
	];
	for (const [path, value] of wrong) {
		const read = readTunerState(replaced(plain() as unknown as Json, path, value), INDEX);
		assert.equal(read, undefined, `${path.join(".")} = ${value}`);
	}
});

test("a cell or an arm that is there twice is dropped whole", () => {
	const state = plain();
	const [first] = state.cells;
	assert.ok(first !== undefined);
	assert.equal(readTunerState({ ...state, cells: [...state.cells, first] }, INDEX), undefined);
	const twice = { ...first, arms: [...first.arms, first.arms[0]] };
	assert.equal(readTunerState({ ...state, cells: [twice] }, INDEX), undefined);
});

test("cells have the same key when they are the same cell, and only then", () => {
	const band = fc.tuple(fc.double({ noNaN: true }), fc.double({ noNaN: true })).map(([from, to]) => ({ from, to }));
	const cell = fc.record({ k: band, selectivity: band, target: fc.constantFrom(0.9, 0.95) });
	const flat = ({ k, selectivity, target }: typeof CELL) =>
		[k.from, k.to, selectivity.from, selectivity.to, target].map((number) => number + 0);
	fc.assert(
		fc.property(cell, cell, (a, b) => {
			assert.equal(keyOf(a), keyOf(structuredClone(a)));
			const isSame = flat(a).every((number, at) => number === flat(b)[at]);
			assert.equal(keyOf(a) === keyOf(b), isSame);
		}),
	);
});
