// `nigh certify` and `nigh tune` on a database in a folder.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { isNighError } from "@nigh/contract";
import { certifyCommand } from "../src/commands/certify.ts";
import type { Command } from "../src/commands/command.ts";
import { tuneCommand } from "../src/commands/tune.ts";
import { open } from "../src/open.ts";
import { makeTemporaryFolder } from "../src/temporary-folder.test-support.ts";
import { run } from "./run-command.test-support.ts";

const { folder, remove } = makeTemporaryFolder();
const data = ["--data", join(folder, "db")];
let features: Readonly<Record<"certify" | "tune", boolean>>;

before(async () => {
	const database = await open(join(folder, "db"));
	const notes = await database.collection("notes", { metric: "l2" });
	await notes.upsert([
		{ id: "a", vector: [0, 0] },
		{ id: "b", vector: [1, 0] },
	]);
	features = database.capabilities.features;
	await database.close();
});
after(remove);

const JSON_KEYS: readonly (readonly [command: Command, args: readonly string[], keys: readonly string[]])[] = [
	[certifyCommand, ["notes"], ["collection", "statements", "cells", "isComplete", "durationMs"]],
	[tuneCommand, ["notes"], ["collection", "changed", "before", "after", "tooSlow"]],
	[tuneCommand, ["notes", "--reset"], ["collection", "reset"]],
	[
		tuneCommand,
		["notes", "--stats"],
		["collection", "algorithm", "epsilon", "decay", "live", "totalPulls", "latencyMs", "cells"],
	],
];

test("with the feature they report, without it they say that the back end cannot", async () => {
	for (const [command, args, keys] of JSON_KEYS) {
		const { error, objects } = await run(command, [...args, ...data, "--json"]);
		const feature = command.name as "certify" | "tune";
		if (features[feature]) {
			assert.deepEqual(Object.keys(objects[0]).toSorted(), keys.toSorted(), args.join(" "));
			assert.ok(error === undefined || (error as Error).name === "ProblemsFound", String(error));
		} else {
			assert.ok(isNighError(error, "UNSUPPORTED"), String(error));
			assert.match(error.message, new RegExp(`does not support ${feature}\\(\\)`));
			assert.deepEqual(objects, []);
		}
	}
});

test("wrong usage, and a collection that is not there, are told in a line", async () => {
	const refused: readonly (readonly [command: Command, args: readonly string[], message: RegExp])[] = [
		[certifyCommand, [], /COLLECTION is missing: nigh certify COLLECTION\./],
		[certifyCommand, ["notes", "--target", "2"], /--target is 2/],
		[tuneCommand, [], /COLLECTION is missing: nigh tune COLLECTION\./],
		[tuneCommand, ["notes", "--stats", "--reset"], /--stats tells what is known, --reset forgets it/],
		[tuneCommand, ["notes", "--stat"], /There is no option --stat\. Did you mean --stats\?/],
	];
	for (const [command, args, message] of refused) {
		const { error } = await run(command, [...args, ...data]);
		assert.equal((error as Error | undefined)?.name, "UsageError", String(error));
		assert.match((error as Error).message, message);
	}
	for (const command of [certifyCommand, tuneCommand]) {
		assert.ok(isNighError((await run(command, ["none", ...data])).error, "NOT_FOUND"));
	}
});
