import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { testFolder } from "../folder/folder.test-support.ts";
import { FIXTURES, FIXTURES_FOLDER } from "./fixtures.test-support.ts";
import { snapshotPath } from "./folder.ts";
import { openSnapshot } from "./read.ts";
import { writeSnapshot } from "./write.ts";

/**
 * SHA-256 of the uncompressed golden files. They never change: a new format gets new files beside them, and these are read as before.
 */
const SHA256: Readonly<Record<string, string>> = {
	"v1-empty.nigh-snapshot.gz": "2f45f1af8119f3595b10e47f33097e539ef2e51098c5c865a137b6dcbbc0ee73",
	"v1-sections.nigh-snapshot.gz": "e87519624b45e06b9b0b0ec3003dfcffb4118f08cbe701965fb29326d9a6b7dd",
};

function unpacked(name: string): Buffer {
	return gunzipSync(readFileSync(join(FIXTURES_FOLDER, name)));
}

function fileOf(t: TestContext, name: string): string {
	const path = snapshotPath(testFolder(t), 1, 1);
	writeFileSync(path, unpacked(name));
	return path;
}

test("the golden files are those that were written when their version was settled", () => {
	assert.deepEqual(readdirSync(FIXTURES_FOLDER).sort(), Object.keys(SHA256).sort());
	for (const [name, sha256] of Object.entries(SHA256)) {
		assert.equal(createHash("sha256").update(unpacked(name)).digest("hex"), sha256, name);
	}
});

for (const { name, meta, sections } of FIXTURES) {
	test(`the golden file ${name} is read: its header and every section`, async (t) => {
		const snapshot = openSnapshot(fileOf(t, name), { databaseId: meta.databaseId, key: meta.collection.key });
		t.after(() => snapshot.close());
		const { path, version, fileBytes, sections: found, ...rest } = snapshot.info;
		assert.deepEqual(rest, meta);
		assert.equal(version, 1);
		assert.equal(fileBytes, unpacked(name).length);
		assert.deepEqual(
			found.map(({ name, element, bytes }) => ({ name, element, bytes })),
			sections.map(({ name, element, bytes }) => ({ name, element, bytes })),
		);
		for (const { name, bytes, data } of sections) {
			const into = new Uint8Array(bytes);
			snapshot.readSection(name, into);
			assert.ok(Buffer.from(into).equals(data), name);
		}
		assert.equal(await snapshot.verifyAll(), fileBytes);
	});

	test(`the same content is written as the same bytes as in ${name}`, async (t) => {
		const path = snapshotPath(testFolder(t), 1, 1);
		await writeSnapshot(path, meta, sections);
		assert.ok(readFileSync(path).equals(unpacked(name)));
	});
}
