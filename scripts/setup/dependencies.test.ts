import assert from "node:assert/strict";
import { test } from "node:test";
import { temporaryFolder, writeFiles } from "../temporary-folder.test-support.ts";
import { dependenciesAreFresh, installedMatchesLock } from "./dependencies.mjs";

const MANIFEST = { devDependencies: { compiler: "1.0.0" } };
const LOCKED = {
	"": MANIFEST,
	"node_modules/compiler": { version: "1.0.0", integrity: "sha512-a" },
	"node_modules/compiler-for-another-platform": { version: "1.0.0", integrity: "sha512-b", optional: true },
};
const INSTALLED = { "node_modules/compiler": { version: "1.0.0", integrity: "sha512-a" } };

function checkout(manifest: object, locked: object, installed: object): Record<string, string> {
	return {
		"package.json": JSON.stringify(manifest),
		"package-lock.json": JSON.stringify({ packages: locked }),
		"node_modules/.package-lock.json": JSON.stringify({ packages: installed }),
	};
}

test("what npm installed matches the lock file, packages for other platforms aside", (t) => {
	assert.ok(installedMatchesLock(temporaryFolder(t, checkout(MANIFEST, LOCKED, INSTALLED))));
});

test("a package that is missing, of another version or of other contents does not match", (t) => {
	for (const installed of [
		{},
		{ "node_modules/compiler": { version: "1.0.1", integrity: "sha512-a" } },
		{ "node_modules/compiler": { version: "1.0.0", integrity: "sha512-c" } },
	]) {
		assert.equal(installedMatchesLock(temporaryFolder(t, checkout(MANIFEST, LOCKED, installed))), false);
	}
});

test("a package.json that the lock file does not know does not match", (t) => {
	const manifest = { devDependencies: { compiler: "2.0.0" } };
	assert.equal(installedMatchesLock(temporaryFolder(t, checkout(manifest, LOCKED, INSTALLED))), false);
});

test("a checkout without node_modules is not fresh", (t) => {
	const { "package.json": manifest, "package-lock.json": lock } = checkout(MANIFEST, LOCKED, INSTALLED) as {
		"package.json": string;
		"package-lock.json": string;
	};
	assert.equal(
		dependenciesAreFresh(temporaryFolder(t, { "package.json": manifest, "package-lock.json": lock })),
		false,
	);
});

test("an installation stays fresh until the lock file asks for another version", (t) => {
	const folder = temporaryFolder(t, checkout(MANIFEST, LOCKED, INSTALLED));
	assert.ok(dependenciesAreFresh(folder));
	assert.ok(dependenciesAreFresh(folder));
	const locked = { ...LOCKED, "node_modules/compiler": { version: "1.0.0", integrity: "sha512-d" } };
	writeFiles(folder, { "package-lock.json": JSON.stringify({ packages: locked }) });
	assert.equal(dependenciesAreFresh(folder), false);
});
