import type { HealthReport } from "../health.ts";
import { checkStatement } from "./answers.ts";
import { fill } from "./sample-records.ts";
import { type Cases, defaultSpace } from "./setting.ts";
import type { Assert } from "./suite.ts";

const WORST = ["ok", "degraded", "failing"] as const;

/** Checks that the status is the worst of the reasons, and that each says what to do. */
export function checkHealth(
	assert: Assert,
	{ status, reasons }: HealthReport,
	others: readonly HealthReport[] = [],
): void {
	const all = [...reasons, ...others].map((each) => WORST.indexOf(each.status));
	assert.equal(status, WORST[Math.max(0, ...all)], "the status is the worst of the reasons");
	for (const { code, status: of, message, recommendation } of reasons) {
		assert.ok(/^[a-z][a-z0-9-]*$/.test(code), `code ${code}`);
		assert.ok(of === "degraded" || of === "failing", `status ${of} of a reason`);
		assert.ok(message.length > 5 && recommendation.length > 5, `${code} says what is the matter and what to do`);
	}
}

export const healthCases: Cases = {
	"a new collection is well, and so is its database": async (setting) => {
		const { assert, database } = setting;
		const [one, two] = [await setting.create(), await setting.create()];
		const of = await one.health();
		checkHealth(assert, of);
		assert.deepEqual([of.status, of.reasons], ["ok", []]);
		const { collections, ...own } = await database.health();
		assert.deepEqual(Object.keys(collections).sort(), [one.name, two.name].sort());
		checkHealth(assert, own, Object.values(collections));
		assert.equal(own.status, "ok");
	},

	"the database is as well as the worst of its collections": async (setting) => {
		const { assert, database, metric } = setting;
		const full = await setting.create({ dimensions: 4, metric, maxRecords: 1 });
		await setting.create();
		await full.upsert([{ id: "a", vector: [1, 2, 3, 4] }]);
		const { collections, ...own } = await database.health();
		checkHealth(assert, own, Object.values(collections));
		assert.equal(own.status, "degraded");
		const of = collections[full.name];
		assert.equal(of?.status, "degraded");
		checkHealth(assert, of as HealthReport);
		assert.deepEqual(
			of?.reasons.map(({ code }) => code),
			(await full.health()).reasons.map(({ code }) => code),
		);
	},

	"a collection that nobody has open is told of as well": async (setting) => {
		const { assert, database, metric } = setting;
		const full = await setting.create({ dimensions: 4, metric, maxRecords: 1 });
		const other = await setting.create();
		await full.upsert([{ id: "a", vector: [1, 2, 3, 4] }]);
		await full.close();
		const { collections, status } = await database.health();
		assert.deepEqual(Object.keys(collections).sort(), [full.name, other.name].sort());
		assert.deepEqual(
			[status, collections[full.name]?.status, collections[other.name]?.status],
			["degraded", "degraded", "ok"],
		);
		checkHealth(assert, collections[full.name] as HealthReport);
	},

	"stats tell the records, the change number, the index and how full it is": async (setting) => {
		const { assert, clock, capabilities } = setting;
		const { collection, model } = await fill(setting, 100, 70, defaultSpace(setting));
		const empty = await (await setting.create()).stats();
		assert.deepEqual([empty.records, empty.latency.search, empty.fill.nearLimit], [0, null, false]);
		const id = model.list()[0]?.id as string;
		const { changeNumber } = await collection.update([{ id, expiresAt: clock.now + 1 }]);
		clock.now += 1;
		const stats = await collection.stats();
		assert.equal(stats.name, collection.name);
		assert.equal(stats.records, 69, "expired records are not counted");
		assert.ok(stats.changeNumber >= changeNumber, `changeNumber ${stats.changeNumber} after ${changeNumber}`);
		assert.ok(capabilities.indexes.includes(stats.index.kind), `index ${stats.index.kind}`);
		const { main, tail, tombstones } = stats.index;
		for (const number of [main, tail, tombstones]) assert.ok(Number.isSafeInteger(number) && number >= 0, `${number}`);
		assert.ok(main + tail >= 69, `${main} in the main index and ${tail} in the tail`);
		assert.ok(stats.fill.share > 0 && stats.fill.share < 0.5, `share ${stats.fill.share}`);
		for (const statement of stats.recall) checkStatement(assert, statement);
		for (const age of [stats.ages.fold, stats.ages.snapshot]) assert.ok(age === null || age >= 0, `age ${age}`);
		assert.ok(stats.diskBytes === null || stats.diskBytes >= 0, `diskBytes ${stats.diskBytes}`);
		const { memory } = stats;
		if (memory === null) return;
		assert.equal(memory.total, memory.index + memory.vectors, "memory.total");
		assert.ok(memory.codes <= memory.index, "codes are part of the index");
		assert.ok(memory.formula >= 0, `formula ${memory.formula}`);
	},

	"stats tell how long searches and writes took": async (setting) => {
		const { assert } = setting;
		const collection = await setting.create();
		await collection.upsert([{ id: "a", vector: [1, 2, 3, 4] }]);
		for (let i = 0; i < 5; i++) await collection.search({ vector: [1, 2, 3, i] });
		const { search, write } = (await collection.stats()).latency;
		assert.equal(search?.count, 5);
		assert.equal(write?.count, 1);
		for (const { p50, p95, p99, max } of [search, write].filter((each) => each !== null)) {
			assert.ok(0 <= p50 && p50 <= p95 && p95 <= p99 && p99 <= max, `${p50} ${p95} ${p99} ${max}`);
		}
	},
};
