import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openWriter } from "../records/connection.ts";
import { fill } from "../records/filled.test-support.ts";
import { HeldState } from "./held-state.ts";

function records(t: TestContext) {
	const folder = mkdtempSync(join(tmpdir(), "nigh-held-"));
	const path = join(folder, "records.sqlite");
	const writer = openWriter(path, "off");
	const key = fill(writer, "notes", 3);
	const held = new HeldState(path);
	t.after(() => {
		held.close();
		writer.close();
		rmSync(folder, { recursive: true });
	});
	const commit = () => writer.exec("UPDATE collections SET change = change + 1");
	return { held, key, commit, hold: () => held.hold((reader) => reader.state(key).change) };
}

test("a state stays as it is while it is held, whatever is committed; the next one is newer", async (t) => {
	const { held, key, commit, hold } = records(t);
	const first = await hold();
	commit();
	assert.equal(held.reader.state(key).change, first);
	held.release();
	assert.equal(await hold(), first + 1);
	held.release();
	held.release();
});

test("one state is held at a time, in the order in which they are asked for, each as new as it can be", async (t) => {
	const { held, commit, hold } = records(t);
	const first = await hold();
	const seen: number[] = [];
	const others = [1, 2, 3].map(async () => {
		seen.push(await hold());
		commit();
		held.release();
	});
	commit();
	assert.deepEqual(seen, []);
	held.release();
	await Promise.all(others);
	assert.deepEqual(seen, [first + 1, first + 2, first + 3]);
});

test("what fails to begin is not held, and keeps nobody waiting", async (t) => {
	const { held, hold } = records(t);
	await assert.rejects(
		held.hold((reader) => reader.state(99)),
		{ code: "NOT_FOUND" },
	);
	await hold();
	held.release();
});
