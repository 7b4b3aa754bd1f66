import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { temporaryFolder } from "../../scripts/temporary-folder.test-support.ts";
import type { Job } from "../engines/protocol.ts";
import { EngineProcess } from "./engine-process.ts";

const JOB: Job = {
	basePath: "base.f32",
	n: 3,
	dimensions: 2,
	queriesPath: "queries.f32",
	queryCount: 2,
	metric: "l2",
	M: 16,
	efConstruction: 200,
	k: 2,
};
const BUILT = { seconds: 0.5, bytes: 64, version: "1.2.3" };

/** Starts an engine that runs `onLine` for each `line` it is given; `words` are its arguments, `say` prints an answer. */
function start(t: TestContext, onLine: string): EngineProcess {
	const folder = temporaryFolder(t, {
		"engine.mjs": `
			import { writeFileSync } from "node:fs";
			import { createInterface } from "node:readline";
			const words = process.argv.slice(2);
			const say = (answer) => console.log(JSON.stringify(answer));
			for await (const line of createInterface({ input: process.stdin })) { ${onLine} }`,
	});
	const command = [process.execPath, join(folder, "engine.mjs")];
	const entry = { about: "a test", command, settings: [{ ef: 10 }] };
	const engine = new EngineProcess(entry, JOB, join(folder, "answers"));
	t.after(() => engine.close());
	return engine;
}

test("a build hands on what the engine says of it, and the engine gets the job", async (t) => {
	const engine = start(t, `say({ seconds: 0.5, bytes: 64, version: [line, ...words].join(" ") });`);
	const version = "build base.f32 3 2 queries.f32 2 l2 16 200 2";
	assert.deepEqual(await engine.build(), { ...BUILT, version });
});

test("a search hands on labels and times as the engine wrote them", async (t) => {
	const engine = start(
		t,
		`const [verb, setting, count, ...rest] = line.replace("nprobe=40,rerank=100", "40").split(" ");
		const out = rest.join(" ");
		const labels = Int32Array.of(Number(setting), 1, 2, -1);
		writeFileSync(out, Buffer.concat([Buffer.from(labels.buffer), Buffer.from(Float32Array.of(1.5, 2.5).buffer)]));
		say({ seconds: Number(count) });`,
	);
	const expected = { seconds: 2, labels: Int32Array.of(40, 1, 2, -1), times: Float32Array.of(1.5, 2.5) };
	assert.deepEqual(await engine.search({ nprobe: 40, rerank: 100 }, 2), expected);
});

test("what an engine's libraries print before the answer is passed over", async (t) => {
	const engine = start(
		t,
		`console.log("loading ..."); console.log(""); console.log("[1] 3 of 3"); say(${JSON.stringify(BUILT)});`,
	);
	assert.deepEqual(await engine.build(), BUILT);
});

test("an error that an engine answers is thrown in its words, and the engine can be asked again", async (t) => {
	const engine = start(
		t,
		`if (line === "build") say(${JSON.stringify(BUILT)}); else say({ error: "ef of 10 is too small" });`,
	);
	await assert.rejects(engine.search({ ef: 10 }, 2), { message: "ef of 10 is too small" });
	assert.deepEqual(await engine.build(), BUILT);
});

test("an engine that dies is reported with the line that it died of and its last complaint", async (t) => {
	const engine = start(t, `process.stderr.write("out of memory\\n", () => process.exit(3));`);
	await assert.rejects(engine.build(), (error: Error) => {
		assert.match(error.message, /it ended without an answer to "build"/);
		assert.match(error.message, /out of memory/);
		return true;
	});
	await assert.rejects(engine.search({ ef: 10 }, 2), /it ended without an answer to "search ef=10 2/);
	await engine.close();
});

test("a program that is not there is reported by name", async (t) => {
	const folder = temporaryFolder(t);
	const program = join(folder, "no-such-program");
	const entry = { about: "a test", command: [program], settings: [{ ef: 10 }] };
	const engine = new EngineProcess(entry, JOB, join(folder, "answers"));
	t.after(() => engine.close());
	await assert.rejects(engine.build(), /no-such-program/);
});

test("close ends the engine, and may be called again", async (t) => {
	const engine = start(t, `say(${JSON.stringify(BUILT)});`);
	await engine.build();
	await engine.close();
	await engine.close();
	await assert.rejects(engine.build(), /it ended without an answer/);
});
