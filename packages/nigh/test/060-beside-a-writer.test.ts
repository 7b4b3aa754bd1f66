// What only reads works beside a process that has the database open for writing; what writes is refused with its pid.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isNighError } from "@nigh/contract";
import { backupCommand } from "../src/commands/backup.ts";
import { countCommand } from "../src/commands/count.ts";
import { deleteCommand } from "../src/commands/delete.ts";
import { exportCommand } from "../src/commands/export.ts";
import { importCommand } from "../src/commands/import.ts";
import { repairCommand } from "../src/commands/repair.ts";
import { searchCommand } from "../src/commands/search.ts";
import { verifyCommand } from "../src/commands/verify.ts";
import { temporaryFolder } from "../src/temporary-folder.test-support.ts";
import { run, succeed } from "./run-command.test-support.ts";

test("reading verbs see what is written when they begin; writing verbs are told who writes", async (t) => {
	const folder = temporaryFolder(t, { "a.jsonl": '{"vector":[1,2]}\n' });
	const data = ["--data", join(folder, "db")];
	const script = join(import.meta.dirname, "writer.test-support.ts");
	const writer = spawn(process.execPath, ["--conditions=@nigh/source", script, join(folder, "db")], {
		stdio: ["pipe", "pipe", "inherit"],
	});
	t.after(() => writer.kill("SIGKILL"));
	const ended = once(writer, "exit");
	await once(writer.stdout, "data");

	assert.deepEqual((await succeed(countCommand, ["notes", ...data])).lines, ["3"]);
	writer.stdin.write("later\n");
	await once(writer.stdout, "data");
	const { objects } = await succeed(searchCommand, ["notes", "--vector", "[9,9]", "-k", "1", ...data, "--json"]);
	assert.equal(objects[0].hits[0].id, "later");
	await succeed(exportCommand, ["notes", join(folder, "out.jsonl"), ...data]);
	assert.equal(readFileSync(join(folder, "out.jsonl"), "utf8").trimEnd().split("\n").length, 4);
	assert.equal((await succeed(verifyCommand, [...data, "--json"])).objects[0].ok, true);
	const backed = await succeed(backupCommand, [join(folder, "copy"), ...data, "--json"]);
	assert.deepEqual([backed.objects[0].collections, backed.objects[0].records], [["notes"], 4]);

	for (const [command, args] of [
		[deleteCommand, ["notes", "a"]],
		[importCommand, ["notes", join(folder, "a.jsonl")]],
		[repairCommand, []],
	] as const) {
		const { error } = await run(command, [...args, ...data]);
		assert.ok(isNighError(error, "LOCKED"), `${command.name}: ${error}`);
		assert.equal(error.details.pid, writer.pid);
		assert.match(error.message, new RegExp(`is open for writing in process ${writer.pid}\\. Wait until`));
	}
	writer.stdin.end();
	assert.deepEqual(await ended, [0, null]);
	assert.deepEqual((await succeed(countCommand, ["notes", ...data])).lines, ["4"]);
});
