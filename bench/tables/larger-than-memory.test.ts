import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { inProcess } from "./larger-than-memory/in-process.ts";
import type { BesideRow } from "./larger-than-memory/rows.ts";
import { checksOf, largerThanMemory } from "./larger-than-memory.ts";

const TINY = {
	n: 4_400,
	dimensions: 32,
	queries: 40,
	beside: 3_000,
	least: 2_000,
	maxMB: 64,
	servingMB: 1_024,
	besideMB: 1_024,
} as const;
const OPTIONS = { scale: 0.5, data: "", onStep() {} };

/** The temporary folder of this process alone, so that what is left in it is the table's. */
const temporary = mkdtempSync(join(tmpdir(), "nigh-larger-"));
Object.assign(process.env, { TMPDIR: temporary, TEMP: temporary });
after(() => rmSync(temporary, { recursive: true }));

test("a set is loaded and served from the disk, cold where the system can forget, and beside itself in memory", async () => {
	const { rows, checks, markdown } = await largerThanMemory(OPTIONS, {
		...TINY,
		index: { kind: "ivfpq", storage: "disk" },
	});
	assert.deepEqual(readdirSync(temporary), []);
	const [loading] = rows.filter((row) => row.part === "loading");
	assert.ok(loading !== undefined && loading.disk.rows >= 2_000 * 32 * 4 && loading.peakResident > loading.memory);
	const [opening] = rows.filter((row) => row.part === "opening");
	const serving = rows.filter((row) => row.part === "serving");
	const own = serving.filter(({ asked }) => Object.keys(asked).length === 0);
	assert.deepEqual(
		own.map(({ cache }) => cache),
		opening?.isOpenedCold ? ["cold", "warm"] : ["warm"],
	);
	assert.ok(serving.length > own.length);
	for (const { recall, p50Ms, p99Ms, qps, plan, asked } of serving) {
		assert.ok(recall > 0.5 && recall <= 1 && p50Ms > 0 && p50Ms <= p99Ms && qps > 0);
		assert.deepEqual({ ...plan, ...asked }, plan);
	}
	const beside = rows.filter((row) => row.part === "beside");
	assert.deepEqual(
		beside.map(({ storage, loaded }) => [storage, loaded.disk.rows > 0]),
		[
			["memory", false],
			["disk", true],
		],
	);
	const [inMemory, onDisk] = beside.map(({ served }) => served.memory) as [number, number];
	assert.ok(inMemory - onDisk > 0.99 * 2_000 * 32 * 4);
	const isOfTwo = (promise: string) => promise.startsWith("with its vectors in memory");
	assert.deepEqual(
		checks.map(({ promise }) => isOfTwo(promise)),
		[false, false, false, false, true],
	);
	// So few queries do not tell whether two indexes find as much.
	for (const { promise, holds } of checks) assert.ok(holds || isOfTwo(promise), promise);
	assert.equal(markdown.match(/^### /gm)?.length, 3);
	assert.match(markdown, opening?.isOpenedCold ? /^\| cold \| as it is/m : /There are no cold rows/);
});

test("an index that is left to the database to choose is measured at its own settings", async () => {
	const { rows } = await largerThanMemory({ ...OPTIONS, scale: 1 }, { ...TINY, n: 6_000, index: "auto" });
	for (const row of rows) if (row.part === "serving") assert.deepEqual(row.asked, {});
	const [loading] = rows.filter((row) => row.part === "loading");
	assert.equal(loading?.planned?.index.kind, loading?.kind);
});

test("what fails in a process fails the table with its message, and leaves nothing behind", async () => {
	await assert.rejects(
		largerThanMemory({ ...OPTIONS, scale: 1 }, { ...TINY, index: { kind: "ivfpq", nprobe: 0 } }),
		/the process to load failed: .*nprobe/,
	);
	assert.deepEqual(readdirSync(temporary), []);
	const lost = { folder: "nowhere", database: "nowhere", dimensions: 32, truth: "all", isCold: false, isSwept: false };
	await assert.rejects(
		inProcess("serve", lost as Parameters<typeof inProcess<"serve">>[1], () => {}),
		/ENOENT/,
	);
});

test("every check fails where its promise is broken", () => {
	const MIB = 2 ** 20;
	const answer = (recall: number) =>
		({
			...{ cache: "warm", asked: {}, plan: { index: "ivfpq" }, recall, p50Ms: 1, p99Ms: 1, qps: 1 },
			...{ peakResident: MIB, diskBytes: 0 },
		}) as const;
	// 4,000 vectors, and 64 bytes to work in for each.
	const loadedWithin = 1_088 * MIB + 4_000 * 64;
	const good = { recall: 0.95, memory: 64 * MIB, loading: loadedWithin, serving: 1_024 * MIB, other: 0.951 };
	const holds = (given: Partial<typeof good>) => {
		const { recall, memory, loading, serving, other } = { ...good, ...given };
		const loaded = { memory, peakResident: loading };
		const served = { memory, peakResident: serving, answers: [answer(1), answer(recall)] };
		const beside = [recall, other].map((found) => ({ served: { answers: [answer(found)] } }));
		const shape = { ...TINY, n: 4_000 };
		return checksOf(shape, { loaded, served } as never, beside as unknown as BesideRow[]).map((check) => check.holds);
	};
	assert.deepEqual(holds({}), [true, true, true, true, true]);
	assert.deepEqual(holds({ recall: 0.9499, other: 0.95 }), [false, true, true, true, true]);
	assert.deepEqual(holds({ memory: 64 * MIB + 1 }), [true, false, true, true, true]);
	assert.deepEqual(holds({ loading: loadedWithin + 1 }), [true, true, false, true, true]);
	assert.deepEqual(holds({ serving: 1_024 * MIB + 1 }), [true, true, true, false, true]);
	assert.deepEqual(holds({ other: 0.953 }), [true, true, true, true, false]);
});
