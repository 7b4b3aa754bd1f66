import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const read = (name: string) => readFileSync(new URL(name, import.meta.url), "utf8");
const { optionalDependencies } = JSON.parse(read("package.json")) as { optionalDependencies: Record<string, string> };

test("every peer is pinned to one version, the one of the lock file", () => {
	const { packages } = JSON.parse(read("package-lock.json"));
	for (const [name, version] of Object.entries(optionalDependencies)) {
		assert.match(version, /^\d+\.\d+\.\d+$/, name);
		assert.equal(packages[`node_modules/${name}`]?.version, version, name);
	}
});

test("the lock file of the peers works with any registry, and says what every package must be", () => {
	const packages: Record<string, { resolved?: string; integrity?: string }> = JSON.parse(
		read("package-lock.json"),
	).packages;
	for (const [path, { resolved, integrity }] of Object.entries(packages)) {
		if (path === "") continue;
		assert.equal(resolved, undefined, path);
		assert.match(integrity ?? "", /^sha512-/, path);
	}
});
