import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Metric } from "@nigh/contract";
import { type Arena, LabelSet } from "@nigh/kernels";
import fc from "fast-check";
import type { Eligibility } from "../eligibility.ts";
import type { Neighbor } from "../vector-index.ts";
import { type Built, build, mixture, range, rowOf } from "./graphs.test-support.ts";
import { type GraphReader, openReader } from "./reader.ts";

const D = 16;
const WIDTHS = { least: 14, full: 42, widest: 200 };

function readerOf({ index }: Built): GraphReader {
	return openReader(index.arena.memory, index.arena.engine, structuredClone(index.readerSpec({ maxEf: 400 })));
}

function answers(reader: GraphReader): Neighbor[] {
	return Array.from({ length: reader.count }, (_, i) => ({
		label: reader.labelAt(i),
		distance: reader.distanceAt(i) as Neighbor["distance"],
	}));
}

function bitmap(arena: Arena, covered: number, labels: Iterable<number>): { address: number; covered: number } {
	const words = Math.ceil(covered / 32);
	const address = arena.alloc(4 * words);
	const bits = arena.u32(address, words);
	for (const label of labels) bits[label >>> 5] = (bits[label >>> 5] as number) | (1 << (label & 31));
	return { address, covered: 32 * words };
}

describe("rankAllowed answers what an exact search of what is allowed and alive does", () => {
	const N = 3_000;
	for (const [metric, codes, isTied] of [
		["l2", "sq7", false],
		["l2", "sq7", true],
		["cosine", "sq7", false],
		["ip", "sq7", true],
		["l1", "none", true],
	] as const satisfies [Metric, "sq7" | "none", boolean][]) {
		test(`${metric}, codes ${codes}, ${isTied ? "most rows several times" : "different rows"}`, async () => {
			const { rows } = mixture(N, D, 3);
			// Ties, also at the k-th place, and a zero row.
			if (isTied) for (let i = 0; i < N; i++) rows.copyWithin(i * D, (i % 40) * D, (i % 40) * D + D);
			rows.fill(0, 5 * D, 6 * D);
			const built = await build(rows, { dimensions: D, metric, codes, shared: true });
			const { index } = built;
			const { arena } = index;
			const reader = readerOf(built);
			const [born, died] = [arena.alloc(8 * N), arena.alloc(8 * N)];
			arena.f64(died, N).fill(Number.POSITIVE_INFINITY);
			for (let label = 0; label < N; label += 6) arena.f64(died, N)[label] = 1;
			const { rows: queries } = mixture(6, D, 9);
			for (const every of [1, 3, 30]) {
				const chosen = range(0, N).filter((label) => label % every === 0);
				// Labels that the graph does not have are passed over.
				const allow = bitmap(arena, N + 90, [...chosen, N + 70]);
				const alive = new LabelSet(
					arena,
					chosen.filter((label) => label % 6 !== 0),
				);
				const dated: Eligibility = { allow, born, died, dated: N, reader: 1 };
				for (let i = 0; i < 6; i++) {
					const query = rowOf(queries, i, D);
					for (const k of [1, 10, 100, 400]) {
						const exact = index.search(query, k, { exact: true, allow: alive });
						assert.equal(reader.rankAllowed(query, k, { eligibility: dated }), exact.length);
						assert.deepEqual(answers(reader), exact, `every ${every}, k ${k}`);
						reader.rankAllowed(query, k, { eligibility: { allow } });
						const all = answers(reader);
						reader.rank(query, chosen, k);
						assert.deepEqual(all, answers(reader), "whether or not it has been ranked before");
					}
				}
			}
		});
	}

	test("of labels that do not begin at 0, whatever they are", async () => {
		const from = 5_000;
		const { rows } = mixture(1_500, D, 4);
		const labels = range(0, 1_500).map((i) => from + 2 * i);
		const built = await build(rows, { dimensions: D, metric: "l2", shared: true }, labels);
		const reader = readerOf(built);
		const query = rowOf(mixture(1, D, 8).rows, 0, D);
		fc.assert(
			fc.property(
				fc.uniqueArray(fc.integer({ min: 0, max: 1_499 }), { maxLength: 1_400 }),
				fc.integer({ min: 1, max: 60 }),
				(places, k) => {
					const chosen = places.map((place) => labels[place] as number);
					const allow = bitmap(built.index.arena, 10_000, chosen);
					reader.rankAllowed(query, k, { eligibility: { allow } });
					const found = answers(reader);
					built.index.arena.free(allow.address);
					reader.rank(query, chosen, k);
					assert.deepEqual(found, answers(reader));
				},
			),
			{ numRuns: 30 },
		);
	});
});

describe("a walk for what is allowed finds it, wherever it lies", () => {
	const N = 12_000;
	const QUERIES = 60;
	const { rows } = mixture(N, D, 5);
	const { rows: queries } = mixture(QUERIES, D, 6);
	const along = range(0, N).toSorted((a, b) => (rows[a * D] as number) - (rows[b * D] as number));
	const sets: Record<string, (share: number) => Iterable<number>> = {
		"nothing to do with the vectors": (share) =>
			range(0, N).filter((label) => ((label * 7_919) % 1_000) / 1_000 < share),
		"on one side of them": (share) => along.slice(0, share * N),
	};
	let built: Built;
	let reader: GraphReader;

	for (const [name, chosenOf] of Object.entries(sets)) {
		for (const share of [0.05, 0.1, 0.5, 1]) {
			test(`${name}, ${100 * share} %`, async () => {
				built ??= await build(rows, { dimensions: D, metric: "l2", shared: true, seed: 1 });
				reader ??= readerOf(built);
				const { arena } = built.index;
				const chosen = new Set(chosenOf(share));
				const allow = bitmap(arena, N, chosen);
				let [hits, met] = [0, 0];
				for (let i = 0; i < QUERIES; i++) {
					const query = rowOf(queries, i, D);
					reader.rankAllowed(query, 10, { eligibility: { allow } });
					const farthest = reader.distanceAt(9);
					assert.equal(reader.search(query, 10, { ef: 40, eligibility: { allow }, allowedWidths: WIDTHS }), 10);
					const found = answers(reader);
					for (const { label } of found) assert.ok(chosen.has(label), `label ${label}`);
					hits += found.filter(({ distance }) => distance <= farthest).length;
					met += 10;
				}
				assert.ok(hits >= (share < 0.1 ? 0.95 : 0.96) * met, `${hits} of ${met}`);
			});
		}
	}

	test("with no walk through what is allowed alone, a query far from all of it has no answers, and one in its midst has them", async () => {
		built ??= await build(rows, { dimensions: D, metric: "l2", shared: true, seed: 1 });
		reader ??= readerOf(built);
		const query = rowOf(rows, along[0] as number, D);
		const around = { ...WIDTHS, widest: 0 };
		for (const [chosen, count] of [
			[along.slice(0, 1_200), 10],
			[along.slice(-1_200), 0],
		] as const) {
			const eligibility = { allow: bitmap(built.index.arena, N, chosen) };
			assert.equal(reader.search(query, 10, { ef: 40, eligibility, allowedWidths: around }), count);
			assert.equal(reader.search(query, 10, { ef: 40, eligibility, allowedWidths: WIDTHS }), 10);
		}
	});

	test("widths beyond what the reader has room for are held to that", async () => {
		built ??= await build(rows, { dimensions: D, metric: "l2", shared: true, seed: 1 });
		reader ??= readerOf(built);
		const allow = bitmap(built.index.arena, N, along.slice(0, 900));
		const allowedWidths = { least: 1e6, full: 1e6, widest: 1e6 };
		for (let i = 0; i < QUERIES; i++) {
			assert.equal(reader.search(rowOf(queries, i, D), 20, { ef: 400, eligibility: { allow }, allowedWidths }), 20);
		}
	});
});
