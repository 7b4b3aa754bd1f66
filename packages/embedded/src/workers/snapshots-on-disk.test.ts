// Snapshots of an index whose rows are in files beside them.
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { diskGeneration } from "../memory/disk-generation.test-support.ts";
import { keyOfRowFile } from "../row-files/folder.ts";
import { FRONT_BYTES } from "../row-files/front.ts";
import { flip } from "../row-files/row-files.test-support.ts";
import { snapshotPath } from "../snapshot/folder.ts";
import { specOf } from "../spec.ts";
import { IndexedCollection } from "./indexed-collection.ts";
import { keepNewest, saveSnapshot } from "./snapshots.ts";
import { surroundings } from "./surroundings.test-support.ts";

const KEY = 7;

test("the snapshot before the newest stays where a row of the newest does not hold, and goes where all of them do", async (t) => {
	const wanted = { kind: "ivf", storage: "disk" } as const;
	const { owned, folder, rowBytes } = await diskGeneration(t, wanted);
	assert.deepEqual(owned.generation.handle.index, wanted, "what limits go by");
	const data = { snapshots: folder, databaseId: "the database", records: "no such file" };
	const spec = await specOf({ dimensions: 32, metric: "l2", index: wanted }, undefined);
	const collection = new IndexedCollection(
		KEY,
		"notes",
		spec,
		owned,
		surroundings({
			keepsSnapshots: true,
			placeOf: () => assert.fail("nothing is built"),
		}),
	);
	await saveSnapshot(data, collection);
	owned.generation.publish(2);
	await saveSnapshot(data, collection);
	const there = () => [1, 2].map((change) => existsSync(snapshotPath(folder, KEY, change)));
	const [rows] = readdirSync(folder).filter((name) => keyOfRowFile(name) === KEY);
	const damage = () => flip(folder, rows as string, FRONT_BYTES + 700 * rowBytes + 5, 4);
	damage();
	await assert.rejects(keepNewest(data, collection), { code: "CORRUPT_SNAPSHOT" });
	assert.deepEqual([there(), collection.oldestSnapshot], [[true, true], 1]);
	damage();
	await keepNewest(data, collection);
	assert.deepEqual([there(), collection.oldestSnapshot], [[false, true], 2]);
});
