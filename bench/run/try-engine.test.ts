import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../scripts/temporary-folder.test-support.ts";
import { ENGINES, type EngineEntry } from "../engines/registry.ts";
import { fakeEngine } from "./fake-engine.test-support.ts";
import { tryEngine } from "./try-engine.ts";

test("Nigh runs, finds what it was given, and tells its version", async () => {
	assert.match(await tryEngine(ENGINES.nigh as EngineEntry), /^Nigh \d/);
});

test("an engine that answers with other vectors than those asked for is refused with what it answered", async (t) => {
	// Its nearest is label 0, whatever is asked.
	const entry = fakeEngine({ name: "a", log: join(temporaryFolder(t), "log") });
	await assert.rejects(tryEngine(entry), /first 5 of its own vectors, it answered with 0, 0, 0, 0, 0/);
});

test("an engine that does not start is refused with the reason", async (t) => {
	const program = join(temporaryFolder(t), "no-such-program");
	const entry = { about: "a test", command: [program], settings: [{ ef: 10 }] };
	await assert.rejects(tryEngine(entry), /no-such-program/);
});
