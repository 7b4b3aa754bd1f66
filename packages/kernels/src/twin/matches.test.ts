import assert from "node:assert/strict";
import { test } from "node:test";
import { Bench, bitmapOf, randomNumbers } from "../kernels.test-support.ts";
import { ELIGIBILITY } from "../layout.ts";

const LABELS = 700;
/** Labels below have no place, nor has every eleventh behind it. */
const FIRST = 40;

interface Placed {
	readonly bench: Bench;
	/** The places of labels from {@link FIRST} on. */
	readonly places: number;
	readonly placeOf: (label: number) => number | undefined;
}

function placed(): Placed {
	const bench = new Bench();
	const random = randomNumbers(4);
	const table = Uint32Array.from({ length: LABELS - FIRST }, (_, i) =>
		i % 11 === 0 ? 0 : 1 + Math.floor(1e6 * random()),
	);
	return { bench, places: bench.put(table), placeOf: (label) => (table[label - FIRST] || undefined) as number };
}

/** All labels that the kernel lists in calls with so much room, and their places. */
function list({ bench, places }: Placed, bitmap: number, words: number, room: number): [number, number][] {
	const [labels, nodes, cursor] = [bench.room(4 * room), bench.room(4 * room), bench.room(4)];
	const found: [number, number][] = [];
	while ((bench.u32(cursor, 1)[0] as number) < words) {
		const range = [places, FIRST, LABELS - FIRST] as const;
		const n = bench.run("listMatches", bitmap, cursor, words, ...range, room, labels, nodes);
		assert.ok(n <= room);
		const at = bench.u32(nodes, n);
		bench.u32(labels, n).forEach((label, i) => {
			found.push([label, at[i] as number]);
		});
	}
	return found;
}

test("the labels of a bitmap that have a place are listed in order, in calls of any room", () => {
	const all = placed();
	for (const share of [0, 0.02, 0.5, 1]) {
		const random = randomNumbers(7);
		const chosen = Array.from({ length: LABELS + 60 }, () => random() < share);
		const words = Math.ceil(chosen.length / 32);
		const bitmap = all.bench.put(bitmapOf(32 * words, (label) => chosen[label] === true));
		const expected = [...chosen.keys()].flatMap((label): [number, number][] => {
			const place = all.placeOf(label);
			return chosen[label] && place !== undefined ? [[label, place - 1]] : [];
		});
		for (const room of [32, 100, 1_000]) assert.deepEqual(list(all, bitmap, words, room), expected);
	}
});

test("a sample has one eligible label of each part that has any", () => {
	const all = placed();
	const { bench } = all;
	const words = Math.ceil(LABELS / 32);
	const isChosen = (label: number) => label % 5 === 0 || (label > 300 && label < 400);
	const bitmap = bench.put(bitmapOf(32 * words, isChosen));
	const born = bench.put(new Float64Array(LABELS).fill(1));
	const died = bench.put(Float64Array.from({ length: LABELS }, (_, label) => (label % 3 === 0 || label > 600 ? 2 : 9)));
	const eligibility = bench.putWords(ELIGIBILITY, { allow: bitmap, allowed: LABELS, born, died, dated: LABELS });
	bench.write(eligibility + ELIGIBILITY.reader, Float64Array.of(3));
	for (const most of [1, 3, 7, 22, 50]) {
		const nodes = bench.room(4 * most);
		const range = [all.places, FIRST, LABELS - FIRST] as const;
		const n = bench.run("sampleMatches", bitmap, words, ...range, eligibility, most, nodes);
		const expected = Array.from({ length: most }, (_, part) => {
			const from = 32 * Math.floor((words * part) / most);
			const end = 32 * Math.floor((words * (part + 1)) / most);
			for (let label = from; label < end; label++) {
				const place = all.placeOf(label);
				if (place !== undefined && isChosen(label) && label % 3 !== 0 && label <= 600) return place - 1;
			}
			return undefined;
		}).filter((place) => place !== undefined);
		assert.deepEqual([...bench.u32(nodes, n)], expected, `${most} parts`);
	}
});

test("of labels those that may be answered are moved together, with their numbers, and the label of none is passed over", () => {
	const bench = new Bench();
	const none = 0xffffffff;
	const labels = bench.put(Uint32Array.of(5, none, 0, 3, 7, none, 6));
	const [rows, kept] = [bench.room(4 * 7), bench.room(4 * 7)];
	const listed = (n: number, eligibility: number) => {
		const used = bench.run("listEligible", labels, n, eligibility, rows, kept);
		return [[...bench.u32(rows, used)], [...bench.u32(kept, used)]];
	};
	assert.deepEqual(listed(7, 0), [
		[0, 2, 3, 4, 6],
		[5, 0, 3, 7, 6],
	]);
	const allow = bench.put(bitmapOf(32, (label) => label !== 3));
	const died = bench.put(Float64Array.of(9, 9, 9, 9, 9, 2, 9));
	const eligibility = bench.putWords(ELIGIBILITY, { allow, allowed: 32, born: bench.room(64), died, dated: 7 });
	bench.write(eligibility + ELIGIBILITY.reader, Float64Array.of(2));
	assert.deepEqual(listed(7, eligibility), [
		[2, 6],
		[0, 6],
	]);
	assert.deepEqual(listed(0, eligibility), [[], []]);
	bench.run("listEligible", labels, 7, eligibility, rows, labels);
	assert.deepEqual([...bench.u32(labels, 2)], [0, 6], "in place");
});
