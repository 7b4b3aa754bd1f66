import assert from "node:assert/strict";
import { refusal, rejection } from "../refusal.test-support.ts";
import type { Run, Variant } from "./bench.test-support.ts";

/** From creation to disposal: what is in force, what it takes, and what it gives back. */
export function lifeCases(run: Run, { kind, metric, codes, engine }: Variant): void {
	run("the settings in force can be read, and what was left out is filled in", async (bench) => {
		const index = await bench.create();
		const effective = index.effective();
		assert.equal(effective.kind, kind);
		assert.equal(index.kind, kind);
		assert.equal(effective.dimensions, bench.dimensions);
		assert.equal(index.dimensions, bench.dimensions);
		assert.equal(effective.metric, typeof metric === "string" ? metric : metric.name);
		assert.equal(index.metric, metric);
		assert.equal(effective.codes, codes);
		assert.equal(effective.shared, false);
		assert.equal(effective.maxElements, undefined);
		assert.equal(effective.weights, undefined);
		if (engine !== undefined) assert.equal(effective.engine, engine);
	});

	run("vectors are read back as they are stored, in copies", async (bench) => {
		const index = await bench.filled(5, 1);
		const rows = bench.rows(5, 1);
		const stored = index.vector(3) as Float32Array | Uint8Array;
		const given = bench.row(rows, 3);
		if (metric === "cosine") {
			const norm = Math.hypot(...given);
			stored.forEach((x, i) => {
				assert.ok(Math.abs(x - (given[i] as number) / norm) < 1e-6);
			});
		} else assert.deepEqual(stored, given);
		stored.fill(0);
		assert.notDeepEqual(index.vector(3), stored);
		for (const label of [5, -1, 1.5, Number.NaN, 4_294_967_295]) {
			assert.equal(index.vector(label), undefined);
			assert.equal(index.has(label), false);
		}
	});

	run("what the caller does to an array afterwards changes nothing", async (bench) => {
		const index = await bench.create();
		const vector = bench.vector(1);
		index.insert(0, vector);
		const before = index.vector(0);
		vector.fill(7);
		assert.deepEqual(index.vector(0), before);
	});

	run("without labels, vectors get the numbers behind the largest so far", async (bench) => {
		const index = await bench.create();
		await index.insertMany(bench.rows(2, 1));
		index.insert(9, bench.vector(1));
		index.remove([9]);
		const progress: number[][] = [];
		await index.insertMany(bench.rows(2, 2), { onProgress: (done, total) => progress.push([done, total]) });
		assert.deepEqual(
			[...index.labels()].sort((a, b) => a - b),
			[0, 1, 10, 11],
		);
		assert.deepEqual(progress.at(-1), [2, 2]);
		await index.insertMany(bench.rows(0, 1));
		assert.equal(index.size, 4);
	});

	run("a signal that was raised before keeps everything out", async (bench) => {
		const index = await bench.filled(5, 1);
		await rejection("ABORTED", index.insertMany(bench.rows(5, 2), { signal: AbortSignal.abort() }));
		assert.deepEqual(
			[...index.labels()].sort((a, b) => a - b),
			[0, 1, 2, 3, 4],
		);
		await index.insertMany(bench.rows(5, 2), { signal: new AbortController().signal });
		assert.equal(index.size, 10);
	});

	run("compacting changes no answer and gives memory back", async (bench) => {
		const index = await bench.filled(300, 2);
		index.remove(Array.from({ length: 250 }, (_, i) => i));
		const rows = bench.rows(300, 2);
		const query = bench.vector(1);
		const before = index.search(query, 50);
		const held = index.memory().total;
		const report = index.compact();
		assert.equal(report.totalNodes, 50);
		assert.deepEqual(index.search(query, 50), before);
		assert.ok(index.memory().total < held);
		bench.checkHits(index.search(query, 50), query, 50, (label) => bench.row(rows, label));
		const empty = await bench.create();
		assert.equal(empty.compact().totalNodes, 0);
		await empty.insertMany(bench.rows(3, 1));
		assert.equal(empty.search(query, 5).length, 3);
	});

	run("memory is reported in parts that add up", async (bench) => {
		const index = await bench.filled(1_000, 3);
		const { codes: coded, index: searched, vectors, total, formula } = index.memory();
		assert.equal(searched + vectors, total);
		assert.equal(coded > 0, codes !== "none");
		assert.ok(coded <= searched);
		assert.ok(vectors >= 1_000 * bench.length * (bench.isBits ? 1 : 4));
		assert.ok(formula > 0 && formula <= 1.05 * total, `${formula} of ${total}`);
	});

	run("indexes in one arena do not disturb one another, and give all of it back", async (bench) => {
		if (bench.isCustom) return checkOwnArena();
		const before = bench.arena.usedBytes;
		const [a, b] = [await bench.create(), await bench.create()];
		const [rowsA, rowsB] = [bench.rows(120, 10), bench.rows(120, 11)];
		for (let i = 0; i < 120; i += 20) {
			await a.insertMany(rowsA.subarray(i * bench.length, (i + 20) * bench.length));
			await b.insertMany(rowsB.subarray(i * bench.length, (i + 20) * bench.length));
		}
		a.remove([1, 2, 3]);
		const query = bench.vector(1);
		bench.checkHits(a.search(query, 200), query, 117, (label) => bench.row(rowsA, label));
		bench.checkHits(b.search(query, 200), query, 120, (label) => bench.row(rowsB, label));
		a.dispose();
		bench.checkHits(b.search(query, 200), query, 120, (label) => bench.row(rowsB, label));
		b.dispose();
		assert.equal(bench.arena.usedBytes, before);

		async function checkOwnArena(): Promise<void> {
			const index = await bench.filled(100, 1);
			index.search(bench.vector(1), 10);
			const { arena } = index;
			assert.ok(arena.usedBytes > 0);
			index.dispose();
			assert.equal(arena.usedBytes, 0);
		}
	});

	run("searching takes no memory for good", async (bench) => {
		const index = await bench.filled(100, 4);
		const queries = bench.rows(20, 1);
		const search = () => index.searchMany(queries, 50);
		search();
		const before = index.arena.usedBytes;
		for (let i = 0; i < 5; i++) search();
		assert.equal(index.arena.usedBytes, before);
	});

	run("every call after disposal fails with CLOSED, except disposing again", async (bench) => {
		const index = await bench.filled(5, 5);
		index.dispose();
		index.dispose();
		const calls: (() => unknown)[] = [
			() => index.insert(0, bench.vector(1)),
			() => index.remove([0]),
			() => index.has(0),
			() => index.labels(),
			() => index.vector(0),
			() => index.search(bench.vector(1), 1),
			() => index.searchMany(bench.vector(1), 1),
			() => index.compact(),
			() => index.memory(),
			() => index.effective(),
			() => index.serialize(),
		];
		for (const call of calls) refusal("CLOSED", call);
		await rejection("CLOSED", index.insertMany(bench.vector(1)));
	});
}
