import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { hashFeatures } from "./hash-features.ts";
import { murmur3 } from "./murmur3.ts";
import { normaliseText } from "./normalise-text.ts";

/** The definition, written down for strings: words by weight 2, 3- to 5-grams by weight 1, a place and a sign for each. */
function definition(text: string, dimensions: number): number[] {
	const sums: number[] = new Array(dimensions).fill(0);
	const add = (feature: string, placeSeed: number, signSeed: number, weight: number) => {
		const bytes = new TextEncoder().encode(feature);
		const place = murmur3(bytes, 0, bytes.length, placeSeed) % dimensions;
		const sign = murmur3(bytes, 0, bytes.length, signSeed) % 2 === 0 ? 1 : -1;
		sums[place] = (sums[place] as number) + sign * weight;
	};
	for (const word of text.split(" ").map((run) => run.replace(/^[./-]+|[./-]+$/g, ""))) {
		if (word !== "") add(word, 1, 2, 2);
	}
	const characters = Array.from(` ${text} `);
	for (const n of [3, 4, 5]) {
		for (let at = 0; at + n <= characters.length; at++) add(characters.slice(at, at + n).join(""), 3, 4, 1);
	}
	const norm = Math.hypot(...sums);
	return sums.map((sum) => (norm === 0 ? 0 : sum / norm));
}

const normalised = fc
	.string({ unit: fc.constantFrom(..."abcdeé東_.-/  ", "\u{10428}"), maxLength: 700 })
	.map(normaliseText)
	.filter((text) => text !== "");

const longest = fc.constantFrom("\u{10428}".repeat(512), "東x ".repeat(171).slice(0, 512));

test("a vector is the signed sum of its words and 3- to 5-grams, scaled to length 1", () => {
	fc.assert(
		fc.property(
			fc.oneof({ weight: 9, arbitrary: normalised }, longest),
			fc.constantFrom(384, 16, 1_000),
			(text, dimensions) => {
				const vector = hashFeatures(text, dimensions);
				const expected = definition(text, dimensions);
				assert.equal(vector.length, dimensions);
				if (expected.every((value) => value === 0)) return assert.equal(vector[0], 1);
				for (const [at, value] of vector.entries()) {
					assert.ok(Math.abs(value - (expected[at] as number)) < 1e-6, `place ${at}: ${value}, not ${expected[at]}`);
				}
			},
		),
	);
});

test("features that cancel out leave a vector of length 1, not that of an empty text", () => {
	const text = "brcub";
	assert.deepEqual(definition(text, 16), new Array(16).fill(0));
	assert.deepEqual(
		hashFeatures(text, 16),
		Float32Array.from({ length: 16 }, (_, at) => (at === 0 ? 1 : 0)),
	);
});

test("only an empty text has the zero vector", () => {
	assert.deepEqual(hashFeatures("", 384), new Float32Array(384));
	assert.notDeepEqual(hashFeatures(".", 384), new Float32Array(384));
});
