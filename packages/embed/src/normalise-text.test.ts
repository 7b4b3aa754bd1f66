import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { normaliseText } from "./normalise-text.ts";

test("letters, digits and _ . - / stay, everything else is one space, and none is left at the ends", () => {
	assert.equal(
		normaliseText("  Read\t\n ./src/Index-2.ts (my_file), PLEASE!  "),
		"read ./src/index-2.ts my_file please",
	);
	assert.equal(normaliseText(" \t,;:!?()[]{}\u0000\u2028 "), "");
	assert.equal(normaliseText(""), "");
});

test("letters of every script stay, with the marks that belong to them", () => {
	assert.equal(normaliseText("Ünïcödé, ДОМ; 東京! हिन्दी? \u{10400}"), "ünïcödé дом 東京 हिन्दी \u{10428}");
	assert.equal(normaliseText("one\u{1F600}two"), "one two");
});

test("composed, decomposed and full-width forms of a letter are the same letter", () => {
	assert.equal(normaliseText("Cafe\u0301"), normaliseText("caf\u00e9"));
	assert.equal(normaliseText("ＡＢＣ１"), "abc1");
});

test("half a surrogate pair separates words like any other unknown character", () => {
	assert.equal(normaliseText("a\ud83db\ude00c"), "a b c");
});

test("512 characters are kept, counted in code points", () => {
	assert.equal(normaliseText("x".repeat(600)), "x".repeat(512));
	assert.equal(normaliseText("\u{10428}".repeat(600)), "\u{10428}".repeat(512));
	assert.equal(normaliseText(`${"x".repeat(510)} yz`), `${"x".repeat(510)} y`);
	assert.equal(normaliseText(`${"x".repeat(511)} yz`), "x".repeat(511), "no space is left where the text is cut");
	assert.equal(normaliseText("\u{10428} ".repeat(300)), "\u{10428} ".repeat(256).trim());
	const word = "\u{10428}".repeat(15);
	assert.equal(normaliseText(`${word}${" ".repeat(3_000)}`.repeat(40)), new Array(32).fill(word).join(" "));
});

test("a long text normalises as it does in one piece", () => {
	// Mostly separators, so that the first 512 characters lie many windows deep; Σ and marks depend on what is around them.
	const piece = fc.constantFrom("a", "É", "E\u0301", "ΟΔΟΣ", "Σ", "\u0301", "\ud83d", "\u{10400}", "-", "...");
	const gap = fc.constantFrom(
		" ",
		"\u00a0",
		"\n",
		"!".repeat(700),
		" ".repeat(2_047),
		"! ".repeat(900),
		",".repeat(3_000),
	);
	fc.assert(
		fc.property(fc.array(fc.oneof(piece, gap), { maxLength: 80 }), (parts) => {
			const text = parts.join("");
			const runs = text
				.normalize("NFKC")
				.toLowerCase()
				.replace(/[^\p{L}\p{M}\p{N}_./-]+/gu, " ")
				.trim();
			assert.equal(normaliseText(text), Array.from(runs).slice(0, 512).join("").trim());
		}),
	);
});
