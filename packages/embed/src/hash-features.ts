import { murmur3 } from "./murmur3.ts";
import { MAX_CHARACTERS } from "./normalise-text.ts";

/**
 * Names the features, their weights and the hash below. It is part of the embedder's identity: with any change to what
 * a text's vector is, this changes too.
 */
export const ALGORITHM = "murmur3-1";

const WORD_WEIGHT = 2;
const NGRAM_WEIGHT = 1;
const SHORTEST_NGRAM = 3;
const LONGEST_NGRAM = 5;

// Any four different numbers: words and n-grams of the same letters are different features, and the place of a feature
// says nothing about its sign.
const WORD_PLACE = 1;
const WORD_SIGN = 2;
const NGRAM_PLACE = 3;
const NGRAM_SIGN = 4;

const SPACE = 0x20;

// A code point has at most 4 bytes of UTF-8, and a space is put at either end.
const utf8 = new Uint8Array(4 * MAX_CHARACTERS + 2);
const characterStarts = new Uint16Array(MAX_CHARACTERS + 3);
const encoder = new TextEncoder();

/**
 * The vector of a normalised text: signed feature hashing (Weinberger et al. 2009, arXiv 0902.2206) of its words
 * (weight 2) and of its character 3- to 5-grams (weight 1), spaces at word ends included, so that `" py"` marks a
 * beginning. Every feature adds its weight, with a sign, at one place. Of length 1; all zeros for an empty text.
 *
 * The hash is MurmurHash3 with one seed for the place and one for the sign. A text has three n-grams for each
 * character, so the hash is most of the work, and this one needs a few multiplications. A cryptographic hash (WebCrypto's
 * is asynchronous as well) would buy nothing: whoever can choose the text can choose its vector anyway.
 */
export function hashFeatures(text: string, dimensions: number): Float32Array {
	const vector = new Float32Array(dimensions);
	if (text === "") return vector;
	const bytes = encoder.encodeInto(` ${text} `, utf8).written;
	addWords(vector, bytes);
	addNgrams(vector, bytes);
	scaleToUnitLength(vector);
	return vector;
}

function addWords(vector: Float32Array, bytes: number): void {
	for (let start = 1, at = 1; at < bytes; at++) {
		if (utf8[at] !== SPACE) continue;
		let first = start;
		let end = at;
		// The full stop of a sentence and the dash of a list are not part of the word; the n-grams still see them.
		while (first < end && isJoiner(utf8[first] as number)) first++;
		while (first < end && isJoiner(utf8[end - 1] as number)) end--;
		if (first < end) add(vector, first, end, WORD_PLACE, WORD_SIGN, WORD_WEIGHT);
		start = at + 1;
	}
}

function isJoiner(byte: number): boolean {
	return byte === 0x2d || byte === 0x2e || byte === 0x2f; // - . /
}

function addNgrams(vector: Float32Array, bytes: number): void {
	let characters = 0;
	for (let at = 0; at < bytes; at++) {
		const continuesCharacter = ((utf8[at] as number) & 0xc0) === 0x80;
		if (!continuesCharacter) characterStarts[characters++] = at;
	}
	characterStarts[characters] = bytes;
	for (let first = 0; first + SHORTEST_NGRAM <= characters; first++) {
		const last = Math.min(first + LONGEST_NGRAM, characters);
		for (let next = first + SHORTEST_NGRAM; next <= last; next++) {
			const start = characterStarts[first] as number;
			const end = characterStarts[next] as number;
			add(vector, start, end, NGRAM_PLACE, NGRAM_SIGN, NGRAM_WEIGHT);
		}
	}
}

function add(
	vector: Float32Array,
	start: number,
	end: number,
	placeSeed: number,
	signSeed: number,
	weight: number,
): void {
	const place = murmur3(utf8, start, end, placeSeed) % vector.length;
	const negative = murmur3(utf8, start, end, signSeed) & 1;
	vector[place] = (vector[place] as number) + (negative ? -weight : weight);
}

function scaleToUnitLength(vector: Float32Array): void {
	let squares = 0;
	for (const value of vector) squares += value * value;
	if (squares === 0) {
		// All features cancelled out, which takes a short text and few dimensions. Any fixed direction will do; a zero
		// vector would say that the text was empty.
		vector[0] = 1;
		return;
	}
	const norm = Math.sqrt(squares);
	for (let at = 0; at < vector.length; at++) vector[at] = (vector[at] as number) / norm;
}
