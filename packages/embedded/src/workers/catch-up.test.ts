import assert from "node:assert/strict";
import { test } from "node:test";
import { NighError } from "@nigh/contract";
import fc from "fast-check";
import { columns, type ModelRow, stored } from "../records/writer.test-support.ts";
import { catchUp } from "./catch-up.ts";
import { turn } from "./turn.ts";
import { bytesOf, writtenRecords } from "./written.test-support.ts";
import type { WrittenCollection } from "./written-collection.ts";

const NEVER = Number.POSITIVE_INFINITY;

/** What a view says of each record that a reader of its published state sees. */
function seen({ generation }: WrittenCollection) {
	assert.ok(generation !== undefined);
	const { slotEnd, labels, born, expires, change } = generation;
	const slots = Array.from({ length: slotEnd }, (_, slot) => slot).filter((slot) => generation.isAlive(slot, change));
	return slots.map((slot) => ({
		label: labels[slot] as number,
		id: generation.idOf(slot),
		born: born[slot],
		expires: expires[slot],
		vector: [...generation.ringBytes(slot % generation.size.ringRows).subarray(0, 8)],
	}));
}

/** The same by the records. */
function expected({ records, vectors }: ReturnType<typeof stored>): ReturnType<typeof seen> {
	return records.map(({ label, id, born, expiresAt }, i) => ({
		label,
		id,
		born,
		expires: expiresAt ?? NEVER,
		vector: [...(vectors[i] as { vector: Uint8Array }).vector],
	}));
}

const id = fc.constantFrom("a", "b", "c", "d", "e", "f", "ünï");
const n = fc.integer({ min: 0, max: 50 });
const expiresAt = fc.option(fc.integer({ min: 10_000, max: 10_100 }), { nil: undefined });
const step = fc.oneof(
	fc.record({ verb: fc.constant("upsert" as const), id, n, expiresAt }),
	fc.record({ verb: fc.constant("move" as const), id, n }),
	fc.record({ verb: fc.constant("touch" as const), id, expiresAt: fc.option(expiresAt) }),
	fc.record({ verb: fc.constant("delete" as const), id }),
	fc.record({ verb: fc.constant("look" as const) }),
);

test("whatever is written between two looks, a view that catches up is what the records say", async (t) => {
	const { db, key, reader, writer, view } = await writtenRecords(t);
	let change = 0;
	const run = fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
		const { collection } = view({ capacity: 8_192 });
		const look = async (change: number, fromLabel: number) => {
			await catchUp(reader, collection, { change, fromLabel });
			const content = stored(db, key);
			assert.deepEqual(seen(collection), expected(content));
			const { counters } = content;
			assert.deepEqual(
				{ change: collection.change, nextLabel: collection.nextLabel, records: collection.records },
				counters,
			);
			assert.equal(collection.generation?.change, counters.change);
			assert.equal(collection.generation?.live, counters.records);
		};
		await look(0, 0);
		for (const each of [...steps, { verb: "look" as const }]) {
			if (each.verb === "look") await look(collection.change, collection.nextLabel);
			else {
				const moment = { change: ++change, now: 100 };
				const rows = (row: Partial<ModelRow>) => columns([{ id: each.id, ...row }]);
				writer.begin();
				if (each.verb === "upsert") {
					writer.upsert(key, rows({ vector: bytesOf(each.n), expiresAt: each.expiresAt }), moment);
				}
				if (each.verb === "move") writer.update(key, rows({ vector: bytesOf(each.n) }), moment);
				if (each.verb === "touch") writer.update(key, rows({ expiresAt: each.expiresAt }), moment);
				if (each.verb === "delete") writer.deleteIds(key, [each.id], change);
				writer.commit();
				change = reader.state(key).change;
			}
		}
	});
	await fc.assert(run, { numRuns: 60 });
});

test("more rows than are read at a time come in their order, each once", async (t) => {
	const { db, key, reader, writer, view } = await writtenRecords(t);
	const count = 2_048 * 2 + 1;
	writer.begin();
	writer.upsert(key, columns(Array.from({ length: count }, (_, i) => ({ id: `r${i}`, vector: bytesOf(i) }))), {
		change: 1,
		now: 0,
	});
	writer.deleteIds(key, ["r5", "r2047", "r2048"], 1);
	writer.commit();
	const { collection } = view({ capacity: count });
	await catchUp(reader, collection, { change: 0, fromLabel: 0 });
	assert.equal(collection.records, count - 3);
	assert.deepEqual(seen(collection), expected(stored(db, key)));
});

test("nothing is seen before all of it is there, however long room has to be waited for", async (t) => {
	const { key, reader, writer, view } = await writtenRecords(t);
	const { collection, small } = view({ capacity: 64, ringRows: 2 });
	const commit = (change: number, rows: readonly ModelRow[], gone: readonly string[]) => {
		writer.begin();
		writer.upsert(key, columns(rows), { change, now: 0 });
		writer.deleteIds(key, gone, change);
		writer.commit();
	};
	commit(1, [{ id: "a", vector: bytesOf(1) }], []);
	await catchUp(reader, collection, { change: 0, fromLabel: 0 });
	commit(
		2,
		["b", "c", "d"].map((id, i) => ({ id, vector: bytesOf(i) })),
		["a"],
	);
	const catching = catchUp(reader, collection, { change: 1, fromLabel: 1 });
	await turn();
	assert.deepEqual(
		seen(collection).map(({ id }) => id),
		["a"],
	);
	assert.equal(small.generation.dead, 0, "what is deleted stays until all of it is there");
	small.generation.mainEnd = 2;
	small.generation.ringFree = 2;
	collection.wake();
	await catching;
	assert.deepEqual(
		seen(collection).map(({ id }) => id),
		["b", "c", "d"],
	);
});

test("a memory that ends is an error, and nothing of the new state is published", async (t) => {
	const { key, reader, writer, view } = await writtenRecords(t);
	writer.begin();
	writer.upsert(key, columns(["a", "b", "c"].map((id) => ({ id, vector: bytesOf(1) }))), { change: 1, now: 0 });
	writer.commit();
	const { collection } = view({ capacity: 2 }, async () => {
		throw new NighError("MEMORY_LIMIT", "no memory", { count: 2, limit: 2 });
	});
	await assert.rejects(catchUp(reader, collection, { change: 0, fromLabel: 0 }), {
		code: "MEMORY_LIMIT",
		details: { count: 2, limit: 2 },
	});
	assert.equal(collection.generation?.change, 0);
});

test("a collection that was dropped is NOT_FOUND", async (t) => {
	const { db, key, reader, view } = await writtenRecords(t);
	const { collection } = view();
	db.exec(`DELETE FROM collections WHERE key = ${key}`);
	await assert.rejects(catchUp(reader, collection, { change: 0, fromLabel: 0 }), { code: "NOT_FOUND" });
});
