import type { Collection } from "../collection.ts";
import type { PruneOptions } from "../records.ts";
import { collect } from "./model.ts";
import type { Cases, Setting } from "./setting.ts";

const HOUR = 3_600_000;

/** Five records, each an hour younger than the one before: `a` is 4 hours old, `e` new. `a`, `c` and `e` are of kind "odd". */
async function aged(setting: Setting): Promise<Collection> {
	const collection = await setting.create();
	const { clock } = setting;
	for (const [i, id] of ["a", "b", "c", "d", "e"].entries()) {
		await collection.upsert([{ id, vector: [i, 1, 2, 3], metadata: { kind: i % 2 === 0 ? "odd" : "even" } }]);
		if (id !== "e") clock.now += HOUR;
	}
	return collection;
}

async function idsOf(collection: Collection): Promise<string> {
	const ids = (await collect(collection.scan())).map(({ id }) => id).join("");
	const { hits } = await collection.search({ vector: [1, 1, 2, 3], k: 100 });
	const found = hits
		.map(({ id }) => id)
		.sort()
		.join("");
	return found === ids ? ids : `scan ${ids}, search ${found}`;
}

export const pruneCases: Cases = {
	"what is older than maxAgeMs goes; what is as old stays": async (setting) => {
		const { assert } = setting;
		const rows: [maxAgeMs: number, tooOld: number, left: string][] = [
			[0, 4, "e"],
			[HOUR / 2, 4, "e"],
			[2 * HOUR, 2, "cde"],
			[2 * HOUR - 1, 3, "de"],
			[9 * HOUR, 0, "abcde"],
		];
		for (const [maxAgeMs, tooOld, left] of rows) {
			const collection = await aged(setting);
			const { changeNumber, ...report } = await collection.prune({ maxAgeMs });
			assert.deepEqual(report, { expired: 0, tooOld, tooMany: 0 }, `maxAgeMs ${maxAgeMs}`);
			assert.equal(typeof changeNumber, "number");
			assert.equal(await idsOf(collection), left, `maxAgeMs ${maxAgeMs}`);
		}
	},

	"of too many, the longest not updated go": async (setting) => {
		const { assert } = setting;
		const collection = await aged(setting);
		setting.clock.now += HOUR;
		await collection.update([{ id: "a", metadata: { kind: "odd", fresh: true } }]);
		assert.equal((await collection.prune({ maxRecords: 5 })).tooMany, 0);
		assert.equal((await collection.prune({ maxRecords: 3 })).tooMany, 2);
		assert.equal(await idsOf(collection), "ade");
		assert.equal((await collection.prune({ maxRecords: 1 })).tooMany, 2);
		assert.equal(await idsOf(collection), "a");
	},

	"a record is told once: as expired, else as too old, else as one too many": async (setting) => {
		const { assert, clock } = setting;
		const collection = await aged(setting);
		await collection.update([{ id: "a", expiresAt: clock.now + HOUR }]);
		clock.now += HOUR;
		await collection.upsert([{ id: "f", vector: [1, 2, 3, 4] }]);
		// The ages: b 4 hours, c 3, d 2, e 1, f 0; a was updated an hour ago and has expired.
		const { changeNumber: _, ...report } = await collection.prune({ maxAgeMs: 3 * HOUR - 1, maxRecords: 2 });
		assert.deepEqual(report, { expired: 1, tooOld: 2, tooMany: 1 });
		assert.equal(await idsOf(collection), "ef");
	},

	"without a criterion only what has expired goes": async (setting) => {
		const { assert, clock } = setting;
		const collection = await aged(setting);
		await collection.update(["b", "d"].map((id) => ({ id, expiresAt: clock.now + 10 })));
		assert.equal((await collection.prune()).expired, 0);
		clock.now += 10;
		const { changeNumber: _, ...report } = await collection.prune();
		assert.deepEqual(report, { expired: 2, tooOld: 0, tooMany: 0 });
		assert.equal((await collection.prune({})).expired, 0, "a second time");
		assert.equal(await idsOf(collection), "ace");
	},

	"with a filter only what matches is counted and goes for its age or number; the expired go anyway": async (
		setting,
	) => {
		const { assert, clock } = setting;
		const filter = { kind: "odd" };
		const rows: [options: PruneOptions, report: [number, number, number], left: string][] = [
			[{ filter, maxAgeMs: HOUR }, [0, 2, 0], "bde"],
			[{ filter, maxRecords: 2 }, [0, 0, 1], "bcde"],
			[{ filter }, [0, 0, 0], "abcde"],
			[{ filter: { kind: "none" }, maxAgeMs: 0 }, [0, 0, 0], "abcde"],
		];
		for (const [options, expected, left] of rows) {
			const collection = await aged(setting);
			const note = JSON.stringify(options);
			const { expired, tooOld, tooMany } = await collection.prune(options);
			assert.deepEqual([expired, tooOld, tooMany], expected, note);
			assert.equal(await idsOf(collection), left, note);
		}
		const collection = await aged(setting);
		await collection.update([{ id: "b", expiresAt: clock.now + 1 }]);
		clock.now += 1;
		assert.equal((await collection.prune({ filter })).expired, 1, "an expired record that does not match");
	},

	"dryRun tells what would go, and deletes nothing": async (setting) => {
		const { assert, clock } = setting;
		const collection = await aged(setting);
		await collection.update([{ id: "e", expiresAt: clock.now + 5 }]);
		clock.now += 5;
		// The ages: a 4 hours and 5 ms, b 3 hours and 5 ms, c and d less; e has expired.
		const options = { maxAgeMs: 3 * HOUR + 5, maxRecords: 2 };
		const told = await collection.prune({ ...options, dryRun: true });
		assert.equal(await idsOf(collection), "abcd");
		const done = await collection.prune(options);
		const counts = ({ expired, tooOld, tooMany }: typeof told) => [expired, tooOld, tooMany];
		assert.deepEqual(counts(told), counts(done));
		assert.deepEqual(counts(done), [1, 1, 1]);
		assert.equal(await idsOf(collection), "cd");
	},

	"an empty collection has nothing to prune": async ({ assert, ...setting }) => {
		const collection = await setting.create();
		const { expired, tooOld, tooMany } = await collection.prune({ maxAgeMs: 0, maxRecords: 1 });
		assert.deepEqual([expired, tooOld, tooMany], [0, 0, 0]);
	},
};
