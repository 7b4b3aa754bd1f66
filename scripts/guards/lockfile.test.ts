import assert from "node:assert/strict";
import { test } from "node:test";
import { checkLockText } from "./lockfile.ts";

const GOOD = {
	"": {},
	"node_modules/@nigh/index": { resolved: "packages/index", link: true },
	"node_modules/compiler": {
		version: "1.0.0",
		integrity: "sha512-a",
		optionalDependencies: { "compiler-linux": "1.0.0" },
	},
	"node_modules/compiler-linux": { version: "1.0.0", integrity: "sha512-b" },
	"packages/index": { version: "0.1.0" },
};
const check = (changes: object) => checkLockText(JSON.stringify({ packages: { ...GOOD, ...changes } }));

test("a lock file without hosts, with a hash for every package and every platform passes", () => {
	assert.deepEqual(check({}), []);
});

test("a package that names the host it came from is reported", () => {
	const resolved = "https://registry.example/compiler-linux-1.0.0.tgz";
	const problems = check({ "node_modules/compiler-linux": { ...GOOD["node_modules/compiler-linux"], resolved } });
	assert.equal(problems.length, 1);
	assert.match(problems[0] as string, /compiler-linux names a host \(https:\/\/registry\.example/);
});

test("a package without an integrity hash is reported", () => {
	assert.match(check({ "node_modules/compiler-linux": { version: "1.0.0" } }).join(), /no integrity hash/);
});

test("a build for another platform that is not locked is reported", () => {
	assert.match(check({ "node_modules/compiler-linux": undefined }).join(), /wants compiler-linux .* not locked/);
});
