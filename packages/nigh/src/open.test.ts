import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isNighError } from "@nigh/contract";
import { open } from "./open.ts";
import { temporaryFolder } from "./temporary-folder.test-support.ts";

test("a path is a folder that is there again when it is opened again", async (t) => {
	const folder = join(temporaryFolder(t), "data");
	const database = await open(folder);
	assert.equal(database.capabilities.backend, "embedded");
	await (await database.collection("notes", {})).upsert([{ id: "a", vector: [1, 2] }]);
	await database.close();
	const again = await open(folder, { readOnly: true });
	assert.equal(await (await again.collection("notes")).count(), 1);
	await again.close();
});

test(":memory: is a database of its own each time", async () => {
	const [one, other] = [await open(":memory:"), await open(":memory:")];
	await one.collection("notes", {});
	assert.deepEqual([await one.collections(), await other.collections()], [["notes"], []]);
	await Promise.all([one.close(), other.close()]);
});

test("other back ends are refused as what this version has not, and no password is repeated", async () => {
	for (const location of ["postgres://u:secret@h/db", "postgresql://secret", "http://secret", "HTTPS://secret"]) {
		await assert.rejects(open(location), (error) => {
			assert.ok(isNighError(error, "UNSUPPORTED"), location);
			assert.match(error.message, /back end \((postgres(ql)?|https?):\/\/\) is not part of this version/);
			assert.doesNotMatch(JSON.stringify([error.message, error.details]), /secret/);
			return true;
		});
	}
	await assert.rejects(open("s3://bucket"), { code: "INVALID_OPTION", message: /starts with s3:\/\// });
	await assert.rejects(open(""), { code: "INVALID_OPTION" });
	await assert.rejects(open(5 as never), { code: "INVALID_OPTION" });
});

test("without create, a folder that has no database does not become one", async (t) => {
	const folder = temporaryFolder(t, { "a.txt": "" });
	await assert.rejects(open(folder, { create: false }), { code: "NOT_FOUND", message: /There is no database in/ });
	await assert.rejects(open(join(folder, "none"), { create: false }), { code: "NOT_FOUND" });
	await assert.rejects(open(folder, { readOnly: true }), { code: "NOT_FOUND" });
	assert.deepEqual(readdirSync(folder), ["a.txt"]);
});
