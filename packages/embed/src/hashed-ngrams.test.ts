import assert from "node:assert/strict";
import { test } from "node:test";
import { isNighError } from "@nigh/contract";
import fc from "fast-check";
import { hashedNgrams } from "./hashed-ngrams.ts";

const invalidOption = (field: string) => (error: unknown) => {
	assert.ok(isNighError(error, "INVALID_OPTION"));
	assert.equal(error.details.field, field);
	return true;
};

function cosine(a: Float32Array, b: Float32Array): number {
	return a.reduce((sum, value, at) => sum + value * (b[at] as number), 0);
}

/** Texts of any kind, and texts that surely have features. */
const anyText = fc.oneof(fc.string({ maxLength: 80 }), fc.string({ unit: "binary", maxLength: 80 }), fc.lorem());
const word = fc.string({
	unit: fc.constantFrom(..."abcdefghijklmnopqrstuvwxyzäöüéñжшд東0123456789"),
	minLength: 1,
	maxLength: 9,
});
const words = fc.array(word, { minLength: 1, maxLength: 20 });

test("identity names the algorithm and the dimensions", async () => {
	assert.deepEqual(await hashedNgrams().identity(), { name: "hashed-ngrams", model: "murmur3-1", dimensions: 384 });
	assert.equal((await hashedNgrams({ dimensions: 100 }).identity()).dimensions, 100);
});

test("vectors of one model name are the same in every release", () => {
	// The sums before scaling. When this has to change, so has ALGORITHM: stored vectors would no longer be comparable.
	const vector = hashedNgrams({ dimensions: 16 }).embedOne("Größe of ./src/index.ts, 東京");
	const norm = Math.sqrt(63);
	assert.deepEqual(
		Array.from(vector, (value) => Math.round(value * norm * 1e4) / 1e4 + 0),
		[-3, 3, -1, 0, 3, -2, 0, 1, 2, -2, 2, -2, -2, 0, -3, -1],
	);
});

test("every text with a letter or digit has a vector of length 1 and of the dimensions asked for", () => {
	fc.assert(
		fc.property(anyText, words, fc.integer({ min: 16, max: 600 }), (text, some, dimensions) => {
			const vector = hashedNgrams({ dimensions }).embedOne(`${some.join(" ")} ${text}`);
			assert.equal(vector.length, dimensions);
			assert.ok(Math.abs(Math.sqrt(cosine(vector, vector)) - 1) <= 1e-5);
		}),
	);
});

test("a text without a letter, digit or . - _ / has the zero vector", async () => {
	const blank = fc.string({ unit: fc.constantFrom(..." \t\n,;:!?()\"'", "\u{1F600}", "\ud800") });
	await fc.assert(
		fc.asyncProperty(blank, async (text) => {
			assert.deepEqual(await hashedNgrams().embed([text]), [new Float32Array(384)]);
		}),
	);
});

test("two instances, whatever their caches hold, embed alike, alone and in a batch", async () => {
	await fc.assert(
		fc.asyncProperty(fc.array(anyText, { maxLength: 12 }), async (texts) => {
			const batch = await hashedNgrams({ cacheSize: 2 }).embed(texts);
			const one = hashedNgrams({ cacheSize: 0 });
			assert.deepEqual(
				batch,
				texts.map((text) => one.embedOne(text)),
			);
		}),
	);
});

test("letter case, spacing and punctuation make no difference", () => {
	const gap = fc.string({ unit: fc.constantFrom(..." \t\n,;!?()\u00a0"), minLength: 1, maxLength: 5 });
	fc.assert(
		fc.property(words, fc.array(gap, { minLength: 21, maxLength: 21 }), (some, gaps) => {
			const embedder = hashedNgrams({ cacheSize: 0 });
			const shouted = some.map((one, at) => gaps[at] + (at % 2 === 0 ? one.toUpperCase() : one)).join("") + gaps[20];
			assert.deepEqual(embedder.embedOne(shouted), embedder.embedOne(some.join(" ")));
		}),
	);
});

test("texts with the same first 512 characters embed alike, and the 512th character counts", () => {
	fc.assert(
		fc.property(fc.array(word, { minLength: 520, maxLength: 530 }), anyText, (some, rest) => {
			const embedder = hashedNgrams({ cacheSize: 0 });
			const start = Array.from(some.join("")).slice(0, 512);
			const vector = embedder.embedOne(start.join(""));
			assert.deepEqual(embedder.embedOne(`${start.join("")}${rest.normalize("NFKC").replace(/^\p{M}+/u, "")}`), vector);
			start[511] = start[511] === "q" ? "z" : "q";
			assert.notDeepEqual(embedder.embedOne(start.join("")), vector);
		}),
		{ numRuns: 30 },
	);
});

test("a similar text is nearer than an unrelated one", () => {
	const embedder = hashedNgrams();
	const query = embedder.embedOne("python script file");
	assert.ok(cosine(query, embedder.embedOne("python code script")) > 0.45);
	for (const unrelated of ["quarterly revenue report", "the weather in Paris is lovely", "banana bread"]) {
		assert.ok(Math.abs(cosine(query, embedder.embedOne(unrelated))) < 0.25);
	}
	assert.ok(cosine(query, embedder.embedOne("pythn scrpt file")) > 0.45, "typing errors are forgiven");
	assert.ok(cosine(query, embedder.embedOne("A python script file.")) > 0.8, "a full stop does not change the word");
});

test("a text that comes again gets the same object, as long as it is among those used last", async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.integer({ min: 0, max: 4 }),
			fc.array(fc.constantFrom("one", "two", "three", "four", "five", "six"), { maxLength: 40 }),
			async (cacheSize, texts) => {
				const embedder = hashedNgrams({ cacheSize });
				let model: [text: string, vector: Float32Array][] = [];
				for (const text of texts) {
					const vector = (await embedder.embed([text]))[0] as Float32Array;
					const known = model.find(([cached]) => cached === text);
					assert.equal(vector === known?.[1], known !== undefined);
					const others = model.filter((entry) => entry !== known);
					model = cacheSize === 0 ? [] : [...others, [text, vector] as [string, Float32Array]].slice(-cacheSize);
				}
			},
		),
	);
});

test("1,024 texts are cached, and not one more", () => {
	const embedder = hashedNgrams();
	const texts = Array.from({ length: 1_024 }, (_, at) => `text ${at}`);
	const first = texts.map((text) => embedder.embedOne(text));
	for (const [at, text] of texts.entries()) assert.equal(embedder.embedOne(text), first[at]);
	embedder.embedOne("one more");
	assert.equal(embedder.embedOne("text 1"), first[1]);
	assert.notEqual(embedder.embedOne("text 0"), first[0]);
	assert.deepEqual(embedder.embedOne("text 0"), first[0]);
});

test("texts may be changed by their owner while they are being embedded", async () => {
	const embedder = hashedNgrams();
	const texts = Array.from({ length: 200 }, (_, at) => `${at} `.repeat(400));
	const expected = texts.map((text) => embedder.embedOne(text));
	const pending = embedder.embed(texts);
	texts.fill("something else");
	assert.deepEqual(await pending, expected);
});

test("an aborted signal ends embed with ABORTED and its reason, before and during the work", async () => {
	const embedder = hashedNgrams({ cacheSize: 0 });
	const aborted = (error: unknown) => isNighError(error, "ABORTED") && error.cause === "enough";
	await assert.rejects(embedder.embed(["text"], { signal: AbortSignal.abort("enough") }), aborted);
	const controller = new AbortController();
	const pending = embedder.embed(new Array(200).fill("word ".repeat(200)), { signal: controller.signal });
	controller.abort("enough");
	await assert.rejects(pending, aborted);
});

test("what is not a string is refused with its row", async () => {
	const embedder = hashedNgrams();
	for (const wrong of [undefined, null, 5, ["text"], {}]) {
		await assert.rejects(embedder.embed(["text", wrong as string]), (error) => {
			assert.ok(isNighError(error, "INVALID_RECORD"));
			return error.details.row === 1;
		});
		assert.throws(
			() => embedder.embedOne(wrong as string),
			(error) => isNighError(error, "INVALID_RECORD"),
		);
	}
	await assert.rejects(embedder.embed("text" as never), (error) => isNighError(error, "INVALID_RECORD"));
});

test("options outside their bounds are refused by name", () => {
	for (const dimensions of [15, 4_097, 20.5, Number.NaN, "384" as never]) {
		assert.throws(() => hashedNgrams({ dimensions }), invalidOption("dimensions"));
	}
	for (const cacheSize of [-1, 65_537, 1.5, null as never]) {
		assert.throws(() => hashedNgrams({ cacheSize }), invalidOption("cacheSize"));
	}
	assert.throws(() => hashedNgrams({ dimension: 384 } as never), invalidOption("dimension"));
	assert.equal(hashedNgrams({ dimensions: 16 }).embedOne("text").length, 16);
	assert.equal(hashedNgrams({ dimensions: 4_096 }).embedOne("text").length, 4_096);
});
