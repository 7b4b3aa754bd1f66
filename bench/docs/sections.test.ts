import assert from "node:assert/strict";
import { test } from "node:test";
import { ENGINES } from "../engines/registry.ts";
import { HEADS } from "./documents.ts";
import { SECTIONS } from "./sections.ts";

test("no two sections have one name, nor two reports of a set one title", () => {
	const names = SECTIONS.map(({ name }) => name);
	assert.equal(new Set(names).size, names.length);
	const titles = SECTIONS.filter(({ report }) => report !== undefined).map(({ report, title }) => title ?? report);
	assert.equal(new Set(titles).size, titles.length);
});

test("every peer that a section names is known", () => {
	for (const { name, command } of SECTIONS) {
		const at = command.indexOf("--peers");
		if (at < 0) continue;
		for (const peer of command[at + 1]?.split(",") ?? []) assert.ok(Object.hasOwn(ENGINES, peer), `${name}: ${peer}`);
	}
});

test("every document has sections, and a head that names the command which writes them", () => {
	for (const [document, head] of Object.entries(HEADS)) {
		const own = SECTIONS.filter((section) => section.document === document);
		assert.ok(own.length > 0, document);
		assert.match(head, /^# .+\n\n[\s\S]*npm run bench:docs -- /, document);
	}
	assert.deepEqual(
		SECTIONS.filter(({ document }) => document !== "benchmarks").map(({ name, document }) => [name, document]),
		[
			["kinds", "choosing-an-index"],
			["limits", "limits"],
		],
	);
});
