import type { RecordPatch } from "../records.ts";
import { checkExactAnswer } from "./answers.ts";
import { collect, plain } from "./model.ts";
import { rank } from "./oracle.ts";
import { anyMetadata, anyRecords, anyVector, type Filled, fill } from "./sample-records.ts";
import { type Cases, defaultSpace, type Setting } from "./setting.ts";

const ALL = { vector: true, metadata: true, text: true } as const;
const STEPS = 60;

/** One write of any kind, to the collection and to its model. */
async function write({ collection, model, space, random }: Filled, clock: Setting["clock"]): Promise<void> {
	const ids = model.list().map(({ id }) => id);
	const some = () => [...new Set(Array.from({ length: 1 + random.below(8) }, () => random.pick(ids)))];
	const kind = ids.length === 0 ? 0 : random.below(5);
	if (kind <= 1) {
		const fresh = anyRecords(random, 1 + random.below(15), space);
		const again = ids.length === 0 ? [] : some().map((id) => ({ id, vector: anyVector(random, space) }));
		const batch = random.shuffle([...fresh, ...again]).map((record) => ({
			...record,
			...(random.below(4) === 0 && { expiresAt: clock.now + random.below(3_000) }),
		}));
		await collection.upsert(batch);
		model.upsert(batch);
	} else if (kind === 2) {
		const patches: RecordPatch[] = some().map((id) => ({
			id,
			...(random.below(2) === 0 && { metadata: anyMetadata(random) ?? null }),
			...(random.below(2) === 0 && { vector: anyVector(random, space) }),
		}));
		await collection.update(patches);
		model.update(patches);
	} else if (kind === 3) {
		const gone = some();
		await collection.delete(gone);
		model.delete(gone);
	} else {
		const filter = { stars: random.below(100) };
		await collection.delete({ filter });
		model.delete(model.list(filter).map(({ id }) => id));
	}
}

async function compare(setting: Setting, { collection, model, space, random }: Filled, note: string): Promise<void> {
	const { assert } = setting;
	assert.equal(await collection.count(), model.list().length, `${note}: count`);
	for (const filter of [{}, { kind: "lesson" }]) {
		const vector = anyVector(random, space);
		const k = 1 + random.below(40);
		const result = await collection.search({ vector, k, filter, exact: true });
		checkExactAnswer(setting, result, { ranked: rank(model.list(filter), vector, space), k, space, note });
	}
}

export const lifeCases: Cases = {
	"after any sequence of writes and expiries the collection is what its model is": async (setting) => {
		const { assert, clock } = setting;
		for (const seed of [90, 91, 92]) {
			const filled = await fill(setting, seed, 40, { ...defaultSpace(setting), dimensions: 5 });
			for (let step = 0; step < STEPS; step++) {
				await write(filled, clock);
				clock.now += filled.random.below(200);
				await compare(setting, filled, `seed ${seed}, step ${step}`);
			}
			const { collection, model } = filled;
			const scanned = (await collect(collection.scan({ include: ALL }))).map(plain);
			assert.deepEqual(scanned, model.list().map(plain), `seed ${seed}: scan`);
		}
	},

	"a database that is opened again is what it was": async (setting) => {
		const { assert, opened, clock } = setting;
		if (opened.reopen === undefined) return;
		const { collection, model, space, random } = await fill(setting, 93, 120, defaultSpace(setting));
		const deleted = model
			.list()
			.filter((_, i) => i % 5 === 0)
			.map(({ id }) => id);
		await collection.delete(deleted);
		model.delete(deleted);
		const patches = model
			.list()
			.filter((_, i) => i % 7 === 0)
			.map(({ id }) => ({ id, metadata: { patched: true }, expiresAt: clock.now + 500 }));
		await collection.update(patches);
		model.update(patches);
		const before = await collection.stats();
		for (let time = 0; time < 2; time++) {
			const database = await opened.reopen();
			assert.deepEqual(await database.collections(), [collection.name]);
			const again = await database.collection(collection.name);
			assert.deepEqual((await collect(again.scan({ include: ALL }))).map(plain), model.list().map(plain));
			await compare(setting, { collection: again, model, space, random }, `opened again, time ${time}`);
			const { effective, changeNumber } = await again.stats();
			assert.deepEqual(
				[effective.dimensions, effective.metric],
				[before.effective.dimensions, before.effective.metric],
			);
			assert.ok(changeNumber >= before.changeNumber, "the change number does not fall");
			const record = { id: `later ${time}`, vector: [1, 2, 3, 4] };
			await again.upsert([record]);
			model.upsert([record]);
			clock.now += 500;
		}
	},
};
