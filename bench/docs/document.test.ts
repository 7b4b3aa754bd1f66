import assert from "node:assert/strict";
import { test } from "node:test";
import { documentOf, sectionsOf, withSection } from "./document.ts";

test("a document's sections are read back as they were written, in the order of the names", () => {
	const sections = new Map([
		["b", "## B\n\ntext"],
		["a", "## A"],
		["old", "gone"],
	]);
	const document = documentOf("# Head", ["a", "b", "missing"], sections);
	assert.ok(document.startsWith("# Head\n\n<!-- section a -->\n\n## A\n"));
	assert.deepEqual(
		[...sectionsOf(document)],
		[
			["a", "## A"],
			["b", "## B\n\ntext"],
		],
	);
	assert.equal(documentOf("# Head", ["a", "b"], sectionsOf(document)), document);
});

test("a document without sections has none, and one that lost a mark is refused by the section's name", () => {
	assert.equal(sectionsOf("# Head\n").size, 0);
	assert.throws(() => sectionsOf("<!-- section a -->\n\ntext\n"), /section a .* lost its mark/);
});

test("one section is written anew, between prose that stays; a new one comes at the end", () => {
	const document = "# Head\n\nbefore\n\n<!-- section a -->\n\nold\n\n<!-- end of section -->\n\nafter\n";
	const anew = withSection(document, "a", "new\n");
	assert.equal(anew, document.replace("old", "new"));
	assert.equal(withSection(anew, "a", "new"), anew);
	const two = withSection(document, "b", "more");
	assert.ok(two.startsWith(document.trim()));
	assert.deepEqual(
		[...sectionsOf(two)],
		[
			["a", "old"],
			["b", "more"],
		],
	);
	assert.equal(withSection("", "a", "text"), "<!-- section a -->\n\ntext\n\n<!-- end of section -->\n");
});
