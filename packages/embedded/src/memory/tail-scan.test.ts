import assert from "node:assert/strict";
import { test } from "node:test";
import { BOUND_QUERY } from "@nigh/kernels";
import fc from "fast-check";
import { type Small, type SmallOptions, smallGeneration } from "./generations.test-support.ts";
import { CHUNK_ROWS } from "./reader-area.ts";
import { TailScan, writeEligibility } from "./tail-scan.ts";

const DIMENSIONS = 40;
/** Codes from -1 to 1: rows further out are cut off, and rows of equal codes are common. */
const CODES = { origin: -1, unit: 2 / 127 };
/** Rows that have been taken in before, so that the ring is read from its middle on and around its end. */
const TAKEN = 700;
const ROWS = 1_500;

interface Row {
	/** What its components are made of. */
	readonly seed: number;
	readonly length: number;
	readonly isDead: boolean;
	readonly isAllowed: boolean;
}

const row: fc.Arbitrary<Row> = fc.record({
	// Few, so that rows come twice.
	seed: fc.nat(300),
	length: fc.constantFrom(0, 0.01, 0.5, 1, 1, 1, 1.01, 30, 1e6),
	isDead: fc.nat(9).map((n) => n === 0),
	isAllowed: fc.nat(9).map((n) => n < 3),
});

function vectorOf(seed: number, length: number): Float32Array {
	let state = (seed + 1) * 0x9e3779b1;
	return Float32Array.from({ length: DIMENSIONS }, () => {
		// Marsaglia's xorshift32.
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		return (length * state) / 2 ** 31;
	});
}

function filled(options: SmallOptions, rows: readonly Row[]): Small {
	const small = smallGeneration({ dimensions: DIMENSIONS, capacity: TAKEN + ROWS, ringRows: ROWS, ...options });
	const { generation } = small;
	for (let i = 0; i < TAKEN; i++) small.add(vectorOf(i, 1));
	// As if a main index had them.
	generation.mainEnd = TAKEN;
	generation.ringFree = TAKEN;
	rows.forEach(({ seed, length, isDead }) => {
		const slot = small.add(vectorOf(seed, length));
		if (isDead) generation.kill(slot, 1);
	});
	generation.publish(1);
	return small;
}

interface Asked {
	readonly query: Float32Array;
	readonly k: number;
	/** The slots that may be answered; all, where it is left out. */
	readonly allowed?: readonly number[] | undefined;
}

/** Begins to scan the tail. */
function begin({ area, rows, generation, bitmap }: Small, { query, k, allowed }: Asked) {
	new Uint8Array(generation.handle.memory.buffer, area.query, generation.size.rowBytes).set(rows.row(query));
	const visible = { change: 1, bitmap: allowed && bitmap(allowed) };
	const tail = new TailScan(generation, area);
	const steps = tail.scan(k, TAKEN, generation.slotEnd, writeEligibility(generation, area, visible));
	return { tail, steps };
}

function answers(tail: TailScan): (readonly [slot: number, key: number])[] {
	return Array.from({ length: tail.found }, (_, i) => [tail.slotAt(i), tail.keyAt(i)]);
}

function scanned(small: Small, asked: Asked) {
	const { tail, steps } = begin(small, asked);
	while (steps.next().done !== true);
	return answers(tail);
}

/** Rows whose upper bounds the last scan has kept. */
function bounded({ handle, area }: Small): number {
	return new Int32Array(handle.memory.buffer, area.bounds + BOUND_QUERY.poolSize, 1)[0] as number;
}

for (const metric of ["l2", "ip", "cosine"] as const) {
	test(`a tail with codes has the answers of one without, to the last bit (${metric})`, () => {
		fc.assert(
			fc.property(
				fc.array(row, { minLength: ROWS, maxLength: ROWS, size: "max" }),
				row,
				fc.integer({ min: 1, max: 187 }),
				fc.boolean(),
				(rows, { seed, length }, k, isFiltered) => {
					const [coded, plain] = [filled({ metric, codes: CODES }, rows), filled({ metric }, rows)];
					const allowed = rows.flatMap(({ isAllowed }, i) => (isAllowed ? [TAKEN + i] : []));
					const asked = { query: vectorOf(seed, length), k, allowed: isFiltered ? allowed : undefined };
					assert.deepEqual(scanned(coded, asked), scanned(plain, asked));
					assert.equal(bounded(coded), k, "the codes were looked at");
				},
			),
			{ numRuns: 30 },
		);
	});
}

test("a scan of codes that is ended early has the answers of what it has looked at", () => {
	const options = { dimensions: DIMENSIONS, capacity: TAKEN + 2 * CHUNK_ROWS, ringRows: 2 * CHUNK_ROWS };
	const rows = Array.from({ length: CHUNK_ROWS + 500 }, (_, i) => i);
	const [coded, plain] = [{ ...options, codes: CODES }, options].map((each) => {
		const small = smallGeneration(each);
		for (let i = 0; i < TAKEN; i++) small.add(vectorOf(i, 1));
		small.generation.mainEnd = TAKEN;
		small.generation.ringFree = TAKEN;
		for (const seed of rows) small.add(vectorOf(seed, 1));
		return small;
	}) as [Small, Small];
	const asked = { query: vectorOf(CHUNK_ROWS + 499, 1), k: 3 };
	const { tail, steps } = begin(coded, asked);
	steps.next();
	steps.return(undefined);
	const allowed = rows.slice(0, CHUNK_ROWS).map((i) => TAKEN + i);
	assert.deepEqual(answers(tail), scanned(plain, { ...asked, allowed }));
	assert.notDeepEqual(answers(tail), scanned(plain, asked));
});

test("few rows, or nearly all of them, are compared without codes", () => {
	const rows = Array.from({ length: ROWS }, (_, seed) => ({ seed, length: 1, isDead: false, isAllowed: true }));
	const query = vectorOf(7, 1);
	const [all, few] = [filled({ codes: CODES }, rows), filled({ codes: CODES }, rows.slice(0, 1_000))];
	assert.equal(scanned(all, { query, k: ROWS }).length, ROWS);
	assert.equal(bounded(all), 0);
	assert.equal(scanned(few, { query, k: 1 })[0]?.[1], 0);
	assert.equal(bounded(few), 0);
	scanned(all, { query, k: 5 });
	assert.equal(bounded(all), 5);
});

test("rows that codes do not tell apart are compared without them after the first, with the same answers", () => {
	const options = { dimensions: DIMENSIONS, capacity: TAKEN + 3 * CHUNK_ROWS, ringRows: 3 * CHUNK_ROWS };
	const lengths = { "all alike": 0, "all beyond the codes": 1e6 };
	for (const [what, length] of Object.entries(lengths)) {
		const [coded, plain] = [{ ...options, codes: CODES }, options].map((each) => {
			const small = smallGeneration(each);
			small.generation.mainEnd = TAKEN;
			for (let i = 0; i < TAKEN + 3 * CHUNK_ROWS - 1; i++) small.add(vectorOf(i, i < TAKEN ? 1 : length));
			return small;
		}) as [Small, Small];
		const asked = { query: vectorOf(TAKEN + 5_000, 1e6), k: 7 };
		const { tail, steps } = begin(coded, asked);
		steps.next();
		const afterOne = tail.bytesRead;
		while (steps.next().done !== true);
		assert.deepEqual(answers(tail), scanned(plain, asked), what);
		const { rowBytes } = coded.generation.size;
		// From its second chunk on it reads each row and nothing else.
		assert.equal(tail.bytesRead - afterOne, (2 * CHUNK_ROWS - 1) * rowBytes, what);
		assert.ok(afterOne > CHUNK_ROWS * rowBytes, what);
	}
});
