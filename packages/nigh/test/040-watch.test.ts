// `nigh watch` from end to end, as a process of its own and without a terminal.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { open } from "../src/open.ts";
import { temporaryFolder } from "../src/temporary-folder.test-support.ts";
import { nigh } from "./command.test-support.ts";

const MAIN = join(import.meta.dirname, "..", "src", "main.ts");

async function filled(t: TestContext) {
	const folder = temporaryFolder(t);
	const database = await open(folder);
	t.after(() => database.close());
	const notes = await database.collection("notes", { metric: "l2" });
	await notes.upsert(Array.from({ length: 20 }, (_, at) => ({ id: `r${at}`, vector: [at, 1] })));
	return { folder, database, notes };
}

test("--once --json prints one object, beside the process that writes", async (t) => {
	const { folder } = await filled(t);
	const { status, stderr, objects } = nigh(["watch", "--data", folder, "--once", "--json"]);
	assert.deepEqual([status, stderr], [0, ""]);
	const [look, ...more] = objects();
	assert.deepEqual(more, []);
	const [{ name, records, changeNumber, index, folded, rates, probes, health }] = look.collections;
	assert.deepEqual(
		{ name, records, changeNumber, index: index.kind, folded, rates, probes: probes.count, health },
		{
			name: "notes",
			records: 20,
			changeNumber: 1,
			index: "flat",
			folded: 1,
			rates: null,
			probes: 5,
			health: { status: "ok", reasons: [] },
		},
	);
	assert.equal(look.status, "ok");
	assert.ok(look.diskBytes > 0);
});

test("without a writer, and without --json, one line is printed", async (t) => {
	const { folder, database } = await filled(t);
	await database.close();
	const { status, stdout, stderr } = nigh(["watch", "--data", folder, "--once"]);
	assert.deepEqual([status, stderr], [0, ""]);
	assert.match(stdout, /^[-0-9]{10} [:0-9]{8}Z ok [0-9.]+ [KM]iB \| notes: 20 records, flat, .*, ok\n$/);
});

test("it sees what is written meanwhile, and being interrupted is its proper end", async (t) => {
	const { folder, notes } = await filled(t);
	const args = ["watch", "--data", folder, "--interval", "100", "--json"];
	const child = spawn(process.execPath, ["--conditions=@nigh/source", MAIN, ...args], {
		stdio: ["ignore", "pipe", "inherit"],
	});
	const closed = once(child, "close");
	let hasWritten = false;
	for await (const line of createInterface({ input: child.stdout })) {
		const [seen] = JSON.parse(line).collections;
		if (!hasWritten) await notes.upsert([{ id: "one more", vector: [5, 5] }]);
		hasWritten = true;
		if (seen.records === 21) child.kill("SIGINT");
	}
	assert.deepEqual(await closed, [0, null]);
});

test("a folder without a database is refused with exit code 1, wrong usage with 2", (t) => {
	const folder = join(temporaryFolder(t), "none");
	const { status, stderr } = nigh(["watch", "--data", folder, "--once"]);
	assert.equal(status, 1);
	assert.match(stderr, /^nigh: .*none/);
	for (const args of [["here"], ["--interval", "5"], ["--interval", "x"], ["--dta", "x"]]) {
		assert.equal(nigh(["watch", ...args]).status, 2, args.join(" "));
	}
});
