// The behaviour that every back end must show, against the database in a folder.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { contractSuite } from "@nigh/contract/suite";
import { openFolder } from "@nigh/embedded";

contractSuite({
	test,
	assert,
	async open({ now } = {}) {
		const folder = mkdtempSync(join(tmpdir(), "nigh-contract-"));
		const options = { threads: 1, ...(now !== undefined && { now }) };
		let places = 0;
		let database = await openFolder(join(folder, "data"), options);
		return {
			database,
			async reopen() {
				await database.close();
				database = await openFolder(join(folder, "data"), options);
				return database;
			},
			backupPlace: () => join(folder, `backup-${++places}`),
			async close() {
				await database.close();
				rmSync(folder, { recursive: true });
			},
		};
	},
});
