import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LabelSet } from "@nigh/kernels";
import { createIvf } from "../ivf/ivf.ts";
import { refusal, rejection } from "../refusal.test-support.ts";
import type { Neighbor, SearchOptions, VectorRows } from "../vector-index.ts";
import {
	type Built,
	bitRows,
	build,
	create,
	mixture,
	range,
	recall,
	rowOf,
	takingTurns,
	truthOf,
} from "./graphs.test-support.ts";
import type { HnswOptions } from "./hnsw.ts";
import { type GraphReader, openReader } from "./reader.ts";

const N = 3_000;
const D = 24;
const { rows: ROWS } = mixture(N, D, 7);
const { rows: QUERIES } = mixture(60, D, 8);

const shared = (options: Partial<HnswOptions> = {}): HnswOptions => ({
	dimensions: D,
	metric: "l2",
	shared: true,
	...options,
});

const KINDS: readonly [name: string, options: HnswOptions, rows: VectorRows, queries: VectorRows][] = [
	["l2 by codes", shared(), ROWS, QUERIES],
	["l2 without codes", shared({ codes: "none" }), ROWS, QUERIES],
	["ip by codes", shared({ metric: "ip" }), ROWS, QUERIES],
	["hamming", shared({ metric: "hamming", dimensions: 128 }), bitRows(N, 128, 7), bitRows(60, 128, 8)],
];

function thirds({ index }: Built): LabelSet {
	return new LabelSet(
		index.arena,
		range(0, N).filter((label) => label % 3 === 0),
	);
}

function readerOf({ index }: Built): GraphReader {
	return openReader(index.arena.memory, index.arena.engine, structuredClone(index.readerSpec()));
}

function answers(reader: GraphReader): Neighbor[] {
	return Array.from({ length: reader.count }, (_, i) => ({
		label: reader.labelAt(i),
		distance: reader.distanceAt(i) as Neighbor["distance"],
	}));
}

/** Keys that searches of the owner compute. */
function keysOf({ graph }: Built, run: () => void): number {
	const read = () => graph.scratch(0, 1).get("keysComputed");
	const before = read();
	run();
	return (read() - before) >>> 0;
}

for (const [name, options, rows, queries] of KINDS) {
	describe(`patience under ${name}`, () => {
		const length = rows.length / N;

		test("that is never spent changes no answer and no key, with a filter and without; 0 is none", async () => {
			const built = await build(rows, options);
			const { index } = built;
			for (const asked of [{}, { ef: 100 }, { ef: 100, allow: thirds(built) }] as const) {
				const without = index.searchMany(queries, 10, asked);
				const keys = keysOf(built, () => index.searchMany(queries, 10, asked));
				for (const patience of [0, 10_000, undefined]) {
					assert.deepEqual(index.searchMany(queries, 10, { ...asked, patience }), without);
					assert.equal(
						keysOf(built, () => index.searchMany(queries, 10, { ...asked, patience })),
						keys,
					);
				}
			}
		});

		test("looks at less the smaller it is, and answers k all the same, with a filter and without", async () => {
			const built = await build(rows, options);
			const { index } = built;
			for (const asked of [{ ef: 200 }, { ef: 200, allow: thirds(built) }] as const) {
				let last = 0;
				for (const patience of [1, 8, 32, 64, 0]) {
					let found: Neighbor[][] = [];
					const keys = keysOf(built, () => {
						found = index.searchMany(queries, 10, { ...asked, patience });
					});
					assert.ok(keys > last, `${keys} keys with a patience of ${patience}, ${last} with less`);
					assert.ok(found.every((hits) => hits.length === 10));
					last = keys;
				}
			}
		});

		test("answers alike from one time to the next, on several lanes, and in a reader", async () => {
			const built = await build(rows, options);
			const { index } = built;
			const reader = readerOf(built);
			const allow = thirds(built);
			for (const [k, patience] of [
				[1, 1],
				[10, 6],
				[30, 20],
			] as const) {
				const asked = { ef: 120, patience };
				const expected = index.searchMany(queries, k, asked);
				const filtered = index.searchMany(queries, k, { ...asked, allow });
				assert.deepEqual(index.searchMany(queries, k, asked), expected);
				assert.deepEqual(await index.searchParallel(queries, k, { ...asked, parallel: takingTurns(3) }), expected);
				const lanes = await index.searchParallel(queries, k, { ...asked, allow, parallel: takingTurns(2) });
				assert.deepEqual(lanes, filtered);
				for (let i = 0; i < 60; i++) {
					const query = rowOf(queries, i, length) as Float32Array;
					assert.equal(reader.search(query, k, asked), k);
					assert.deepEqual(answers(reader), expected[i]);
					reader.search(query, k, { ...asked, eligibility: { allow } });
					assert.deepEqual(answers(reader), filtered[i]);
				}
			}
		});
	});
}

test("where vectors lie in clusters, a patience of 24 halves the keys of ef 200 and finds nearly as much", async () => {
	// Measured: recall 0.9997 for 87,297 keys, beside 1.0000 for 197,385.
	const built = await build(mixture(8_000, D, 3, { noise: 0.3 }).rows, { dimensions: D, metric: "l2", M: 8 });
	const queries = mixture(300, D, 4, { noise: 0.3 }).rows;
	const truth = truthOf(built.index);
	const measured = (options: Pick<SearchOptions, "ef" | "patience">) => {
		let found = 0;
		const keys = keysOf(built, () => {
			found = recall((query, k) => built.index.search(query, k, options), truth, queries);
		});
		return { found, keys };
	};
	const [patient, without] = [measured({ ef: 200, patience: 24 }), measured({ ef: 200 })];
	assert.ok(patient.keys <= without.keys / 2, `${patient.keys} of ${without.keys} keys`);
	assert.ok(patient.found >= without.found - 0.003, `recall ${patient.found}, ${without.found} without`);
});

test("what is dropped after a reader's walk is all that may not be answered, and the rest is of the walk's best", async () => {
	// Without codes, so that nothing but the walk decides what is met: the 26 nearest where 10 are asked for.
	const built = await build(ROWS, shared({ codes: "none" }));
	const reader = readerOf(built);
	const everything = new LabelSet(built.index.arena, range(0, N));
	for (let i = 0; i < 60; i++) {
		const query = rowOf(QUERIES, i, D);
		const options = { ef: 60, patience: 4, dropAfter: true } as const;
		reader.search(query, 10, { ...options, eligibility: { allow: everything } });
		assert.deepEqual(answers(reader), built.index.search(query, 10, { ef: 60, patience: 4 }));
		reader.search(query, 10, { ...options, eligibility: { allow: thirds(built) } });
		assert.ok(answers(reader).every(({ label }) => label % 3 === 0));
	}
});

describe("patience is refused", () => {
	const query = rowOf(QUERIES, 0, D);

	test("below 0, above 10,000 or as no whole number, with the bound, by an empty index and for an exact search too", async () => {
		const built = await build(ROWS.subarray(0, 100 * D), shared());
		const empty = create(shared()).index;
		const reader = readerOf(built);
		for (const patience of [-1, 10_001, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "8" as unknown as number]) {
			for (const ask of [
				() => built.index.search(query, 10, { patience }),
				() => built.index.search(query, 10, { patience, exact: true }),
				() => empty.search(query, 10, { patience }),
				() => reader.search(query, 10, { patience }),
			]) {
				const { details } = refusal("INVALID_OPTION", ask);
				assert.equal(details.field, "patience");
				assert.deepEqual(details.bound, { min: 0, max: 10_000, integer: true, default: 0 });
			}
			const many = built.index.searchParallel(QUERIES, 10, { patience });
			assert.equal((await rejection("INVALID_OPTION", many)).details.field, "patience");
		}
	});

	test("by a reader beside allowedWidths, which call for a walk of their own; 0 is not", async () => {
		const built = await build(ROWS, shared());
		const reader = readerOf(built);
		const options = {
			ef: 40,
			eligibility: { allow: thirds(built) },
			allowedWidths: { least: 40, full: 40, widest: 40 },
		};
		const { details } = refusal("INVALID_OPTION", () => reader.search(query, 10, { ...options, patience: 8 }));
		assert.equal(details.field, "patience");
		assert.equal(reader.search(query, 10, { ...options, patience: 0 }), 10);
	});

	test("where there is no walk: by cells, and by an exact index", async () => {
		const flat = truthOf(create(shared()).index);
		const cells = createIvf({ kind: "ivf", dimensions: D, metric: "l2" });
		for (const index of [flat, cells]) {
			const { details, message } = refusal("INVALID_OPTION", () => index.search(query, 1, { patience: 0 }));
			assert.equal(details.field, "patience");
			assert.match(message, /leave it out/);
		}
	});
});
