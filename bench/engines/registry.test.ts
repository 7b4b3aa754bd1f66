import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { isAbsolute } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ENGINES, missing } from "./registry.ts";

for (const [name, { about, command, knob, settings, queries, needs }] of Object.entries(ENGINES)) {
	describe(name, () => {
		test("its settings ascend, so that a run can stop at the first that is sure enough", () => {
			assert.ok(settings.length > 0);
			assert.deepEqual(
				settings,
				[...new Set(settings)].toSorted((a, b) => a - b),
			);
			assert.ok(settings.every((setting) => Number.isSafeInteger(setting) && setting >= 0));
		});

		test("every file of its command is there, or is what it needs", () => {
			const files = command.filter(isAbsolute);
			assert.ok(files.length > 0);
			// The program of a peer in another language belongs to the machine, like the peer.
			const own = files.filter((file) => file !== needs && file !== "/usr/bin/python3");
			for (const file of own) assert.ok(existsSync(file), `there is no ${file}`);
		});

		test("it says what it is and what its knob is, and asks at least one query", () => {
			assert.notEqual(about, "");
			assert.notEqual(knob, "");
			assert.ok(queries === undefined || queries > 0);
		});
	});
}

test("an engine whose file is not there says which one, and what makes it", () => {
	const entry = { about: "", command: [], knob: "ef", settings: [10] };
	assert.equal(missing(entry), undefined);
	assert.equal(missing({ ...entry, needs: fileURLToPath(import.meta.url) }), undefined);
	assert.match(missing({ ...entry, needs: "/no/such/file" }) ?? "", /^\/no\/such\/file is not there: .*bench:setup/);
});
