import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createHnsw, type HnswIndex, type KMeansOptions, trainKMeans } from "@nigh/index";
import { createPool } from "./pool.ts";

/** Rows in a few clusters; a small linear congruential generator keeps them the same everywhere. */
function rows(n: number, dimensions: number): Float32Array {
	let state = 12_345;
	const next = () => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		return state / 4_294_967_296;
	};
	return Float32Array.from({ length: n * dimensions }, (_, i) => (Math.floor(i / dimensions) % 7) + next());
}

function bytesOf(index: HnswIndex): Buffer {
	return Buffer.concat([...index.serialize()]);
}

describe("createPool", () => {
	test("the graph is the same, byte for byte, whatever the number of threads", async () => {
		const data = rows(3_000, 16);
		const alone = createHnsw({ dimensions: 16, metric: "l2", shared: true });
		await alone.insertMany(data);
		for (const threads of [1, 2, 3]) {
			await using pool = await createPool({ threads });
			assert.equal(pool.lanes, threads);
			const index = createHnsw({ dimensions: 16, metric: "l2", shared: true });
			await index.insertMany(data, { parallel: pool });
			assert.ok(bytesOf(index).equals(bytesOf(alone)), `${threads} threads`);
		}
	});

	test("searches shared out among threads answer what those of one thread do, in their order", async () => {
		const data = rows(3_000, 16);
		const index = createHnsw({ dimensions: 16, metric: "l2", shared: true });
		await index.insertMany(data);
		const queries = data.subarray(0, 1_500 * 16).map((value) => value + 0.25);
		const expected = index.searchMany(queries, 7);
		for (const threads of [1, 2, 3]) {
			await using pool = await createPool({ threads });
			assert.deepEqual(await index.searchParallel(queries, 7, { parallel: pool }), expected);
		}
	});

	test("one pool serves several indexes, also at the same time, while their memory grows", async () => {
		await using pool = await createPool({ threads: 2 });
		const data = rows(1_500, 24);
		const indexes = [1, 2, 3].map((seed) => createHnsw({ dimensions: 24, metric: "l2", shared: true, seed }));
		await Promise.all(indexes.map((index) => index.insertMany(data.subarray(0, 300 * 24), { parallel: pool })));
		await Promise.all(indexes.map((index) => index.insertMany(data.subarray(300 * 24), { parallel: pool })));
		for (const index of indexes) {
			assert.equal(index.size, 1_500);
			assert.equal(index.search(data.subarray(700 * 24, 701 * 24), 1)[0]?.label, 700);
		}
	});

	test("centroids trained on two threads are those of one, bit for bit", async () => {
		await using pool = await createPool({ threads: 2 });
		const { arena } = createHnsw({ dimensions: 16, metric: "l2", shared: true });
		const data = rows(2_000, 16);
		const address = arena.alloc(data.byteLength);
		arena.f32(address, data.length).set(data);
		const points = { address, stride: 64, bytes: 64, n: 2_000, dimensions: 16 };
		const trained = async (options: Partial<KMeansOptions>) => {
			const { centroids, assign, report } = await trainKMeans(arena, points, { k: 80, ...options });
			return {
				rows: arena.f32(centroids.address, 80 * 16).slice(),
				cells: arena.u32(assign ?? 0, 2_000).slice(),
				report,
			};
		};
		assert.deepEqual(await trained({ parallel: pool }), await trained({}));
		assert.deepEqual(await trained({ parallel: pool, batch: 500 }), await trained({ batch: 500 }));
	});

	test("an index over unshared memory is refused before anything is written", async () => {
		await using pool = await createPool({ threads: 2 });
		const index = createHnsw({ dimensions: 4, metric: "l2" });
		await assert.rejects(index.insertMany(rows(10, 4), { parallel: pool }), /shared: true/);
		assert.equal(index.size, 0);
		assert.throws(() => pool.run(index.arena, "checksum", [[1_024, 4]]), /shared: true/);
	});

	test("more calls than lanes, and numbers of threads that cannot be, are refused", async () => {
		await using pool = await createPool({ threads: 1 });
		const { arena } = createHnsw({ dimensions: 4, metric: "l2", shared: true });
		assert.throws(
			() =>
				pool.run(arena, "checksum", [
					[1_024, 4],
					[1_024, 4],
				]),
			RangeError,
		);
		for (const threads of [0, -1, 1.5, 65, Number.NaN]) await assert.rejects(createPool({ threads }), RangeError);
		await assert.rejects(createPool({ thread: 3 } as object), /no option thread/);
	});

	test("a call that fails is reported, and the pool goes on", async () => {
		await using pool = await createPool({ threads: 2 });
		const { arena } = createHnsw({ dimensions: 4, metric: "l2", shared: true });
		// Beyond the end of the memory: the kernel traps.
		await assert.rejects(
			pool.run(arena, "checksum", [
				[arena.memory.buffer.byteLength, 1_024],
				[1_024, 4],
			]),
			/out of bounds/,
		);
		await pool.run(arena, "checksum", [[1_024, 4]]);
	});

	test("a closed pool refuses work, and closing twice is harmless", async () => {
		const pool = await createPool({ threads: 1 });
		const { arena } = createHnsw({ dimensions: 4, metric: "l2", shared: true });
		await pool.close();
		await pool.close();
		await assert.rejects(pool.run(arena, "checksum", [[1_024, 4]]), /ended/);
	});
});
