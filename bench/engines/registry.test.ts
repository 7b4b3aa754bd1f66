import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { isAbsolute } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { HELP } from "../options.ts";
import { ENGINES, missing } from "./registry.ts";
import { covers } from "./setting.ts";

for (const [name, { about, command, caveat, settings, queries, needs }] of Object.entries(ENGINES)) {
	describe(name, () => {
		test("its settings have the same knobs, and none covers a later one, so that a run can leave out what is sure", () => {
			const names = Object.keys(settings[0] ?? assert.fail("there are none"));
			for (const [at, setting] of settings.entries()) {
				assert.deepEqual(Object.keys(setting), names);
				assert.ok(Object.values(setting).every((value) => Number.isSafeInteger(value) && value > 0));
				assert.ok(settings.slice(at + 1).every((later) => !covers(setting, later)));
			}
		});

		test("its knobs are among those that the command line can set", () => {
			for (const name of Object.keys(settings[0] ?? {})) assert.match(HELP, new RegExp(`^  --${name} `, "m"));
		});

		test("every file of its command is there, or is what it needs", () => {
			const files = command.filter(isAbsolute);
			assert.ok(files.length > 0);
			// The program of a peer in another language belongs to the machine, like the peer.
			const own = files.filter((file) => file !== needs && file !== "/usr/bin/python3");
			for (const file of own) assert.ok(existsSync(file), `there is no ${file}`);
		});

		test("it says what it is, and asks at least one query", () => {
			assert.notEqual(about, "");
			assert.notEqual(caveat, "");
			assert.ok(queries === undefined || queries > 0);
		});
	});
}

test("an engine whose file is not there says which one, and what makes it", () => {
	const entry = { about: "", command: [], settings: [{ ef: 10 }] };
	assert.equal(missing(entry), undefined);
	assert.equal(missing({ ...entry, needs: fileURLToPath(import.meta.url) }), undefined);
	assert.match(missing({ ...entry, needs: "/no/such/file" }) ?? "", /^\/no\/such\/file is not there: .*bench:setup/);
});
