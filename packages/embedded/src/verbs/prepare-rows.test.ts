import assert from "node:assert/strict";
import { test } from "node:test";
import { BOUNDS, type ErrorCode, isNighError, NighError, type RecordInput } from "@nigh/contract";
import fc from "fast-check";
import type { CollectionCore } from "../core.ts";
import { type PackedRows, unpackRows } from "../records/packed-rows.ts";
import { turn } from "../workers/turn.ts";
import { coreOf, countingEmbedder, throwing } from "./core.test-support.ts";
import { type PrepareOptions, prepareRows, rowError } from "./prepare-rows.ts";

const UPSERT: PrepareOptions = { kind: "upsert", partial: false, signal: undefined };
const UPDATE: PrepareOptions = { ...UPSERT, kind: "update" };
const PARTIAL: PrepareOptions = { ...UPSERT, partial: true };
const SPEC = { dimensions: 2, metric: "l2" } as const;
const GOOD = { id: "good", vector: [1, 2] };

async function prepare(inputs: unknown, options: PrepareOptions = UPSERT, core?: CollectionCore) {
	return prepareRows(core ?? (await coreOf(SPEC)), inputs as RecordInput[], options);
}

/** The rows of all parts, one after the other. */
function rowsIn(parts: readonly PackedRows[]) {
	return parts.flatMap((part) => {
		const { ids, metadata, texts, expiresAt, vectors } = unpackRows(part);
		return ids.map((id, i) => {
			const bytes = vectors[i];
			const vector = bytes && [...new Float32Array(bytes.slice().buffer)];
			return { id, vector, metadata: metadata[i], text: texts[i], expiresAt: expiresAt[i] };
		});
	});
}

async function refusal(call: Promise<unknown>): Promise<NighError> {
	const error = await call.then(
		() => assert.fail("nothing was refused"),
		(each: unknown) => each,
	);
	assert.ok(isNighError(error), `no coded error: ${error}`);
	return error;
}

test("a record comes out as it went in, whatever of it was given", async () => {
	const vector = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }), {
		minLength: 2,
		maxLength: 2,
	});
	const text = fc.string({ unit: "grapheme" }).filter((each) => !each.includes("\u0000"));
	const record = fc.record(
		{
			id: fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).filter((id) => !id.includes("\u0000")),
			vector: fc.oneof(
				vector,
				vector.map((each) => Float32Array.from(each)),
			),
			metadata: fc.dictionary(fc.constantFrom("a", "b.c", "ü"), fc.jsonValue({ maxDepth: 2 })).filter((metadata) => {
				return !JSON.stringify(metadata).includes("\\u") && !JSON.stringify(metadata).includes("-0");
			}),
			text,
			expiresAt: fc.integer({ min: -1e15, max: 1e15 }),
		},
		{ requiredKeys: ["id", "vector"] },
	);
	await fc.assert(
		fc.asyncProperty(fc.uniqueArray(record, { selector: ({ id }) => id, maxLength: 20 }), async (records) => {
			const { parts, metadata, rows, errors, dimensions } = await prepare(records);
			assert.deepEqual([errors, dimensions], [[], 2]);
			assert.deepEqual(
				rowsIn(parts),
				records.map(({ id, vector, metadata, text, expiresAt }) => ({
					id,
					vector: [...Float32Array.from(vector)],
					metadata: metadata === undefined ? undefined : JSON.stringify(metadata),
					text,
					expiresAt,
				})),
			);
			assert.deepEqual(rows, [...records.keys()]);
			assert.deepEqual(
				metadata,
				records.map((each) => (each.metadata === undefined ? undefined : JSON.stringify(each.metadata))),
			);
		}),
	);
});

test("of an id that comes twice the later record stays in an upsert, and every patch in an update", async () => {
	await fc.assert(
		fc.asyncProperty(fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 12 }), async (ids) => {
			const records = ids.map((id, n) => ({ id, vector: [n, 0], metadata: { n } }));
			const upsert = await prepare(records);
			const last = ids.flatMap((id, n) => (ids.lastIndexOf(id) === n ? [n] : []));
			assert.deepEqual(upsert.rows, last);
			assert.deepEqual(
				rowsIn(upsert.parts).map(({ id, vector }) => [id, vector?.[0]]),
				last.map((n) => [ids[n], n]),
			);
			assert.deepEqual(
				upsert.metadata,
				last.map((n) => `{"n":${n}}`),
			);
			const update = await prepare(records, UPDATE);
			assert.deepEqual(update.rows, [...ids.keys()]);
			assert.ok(update.parts.length <= 1, "patches stay together");
			assert.deepEqual(
				rowsIn(update.parts).map(({ id }) => id),
				ids,
			);
		}),
	);
});

test("a record that is refused does not take the place of the one before it of the same id", async () => {
	const { rows, errors } = await prepare([GOOD, { id: "good", vector: [Number.NaN, 1] }], PARTIAL);
	assert.deepEqual(rows, [0]);
	assert.deepEqual(
		errors.map(({ row, id, error }) => [row, id, error.code]),
		[[1, "good", "INVALID_VECTOR"]],
	);
});

test("a patch may leave out or take away what a record has, and needs no vector", async () => {
	const patches = [{ id: "a" }, { id: "b", metadata: null, text: null, expiresAt: null }, { id: "c", vector: [1, 2] }];
	const { parts } = await prepare(patches, UPDATE);
	const left = { vector: undefined, metadata: undefined, text: undefined, expiresAt: undefined };
	assert.deepEqual(rowsIn(parts), [
		{ ...left, id: "a" },
		{ id: "b", vector: undefined, metadata: null, text: null, expiresAt: null },
		{ ...left, id: "c", vector: [1, 2] },
	]);
});

const hole = new Array(2);
const cyclic: Record<string, unknown> = {};
cyclic.self = cyclic;
const deep = Array.from({ length: 101 }).reduce<object>((inner) => ({ inner }), {});

/** Rows that are refused: what is wrong with them, the code, the field. */
const BAD: Record<string, [row: unknown, code: ErrorCode, field: string]> = {
	"no object": ["a", "INVALID_RECORD", "record"],
	null: [null, "INVALID_RECORD", "record"],
	"a hole in the batch": [undefined, "INVALID_RECORD", "record"],
	"an array": [["a", [1, 2]], "INVALID_RECORD", "record"],
	"a function": [() => {}, "INVALID_RECORD", "record"],
	"a bigint": [1n, "INVALID_RECORD", "record"],
	"a symbol": [Symbol("a"), "INVALID_RECORD", "record"],
	"no id": [{ vector: [1, 2] }, "INVALID_RECORD", "id"],
	"a number as the id": [{ id: 7, vector: [1, 2] }, "INVALID_RECORD", "id"],
	"an object as the id": [{ id: { toString: () => "a" }, vector: [1, 2] }, "INVALID_RECORD", "id"],
	"an empty id": [{ id: "", vector: [1, 2] }, "INVALID_RECORD", "id"],
	"an id of 513 bytes": [{ id: "x".repeat(513), vector: [1, 2] }, "INVALID_RECORD", "id"],
	"an id with U+0000": [{ id: "a\u0000b", vector: [1, 2] }, "INVALID_RECORD", "id"],
	"half a surrogate pair": [{ id: "a\ud800", vector: [1, 2] }, "INVALID_RECORD", "id"],
	"no vector": [{ id: "a" }, "INVALID_RECORD", "vector"],
	"no vector but a text, without an embedder": [{ id: "a", text: "words" }, "INVALID_RECORD", "vector"],
	"null as the vector": [{ id: "a", vector: null }, "INVALID_VECTOR", "vector"],
	"a string as the vector": [{ id: "a", vector: "12" }, "INVALID_VECTOR", "vector"],
	"something like a vector": [{ id: "a", vector: { length: 2, 0: 1, 1: 2 } }, "INVALID_VECTOR", "vector"],
	"too few dimensions": [{ id: "a", vector: [1] }, "DIMENSION_MISMATCH", "vector"],
	"too many dimensions": [{ id: "a", vector: new Float32Array(3) }, "DIMENSION_MISMATCH", "vector"],
	"an empty vector": [{ id: "a", vector: [] }, "DIMENSION_MISMATCH", "vector"],
	NaN: [{ id: "a", vector: [1, Number.NaN] }, "INVALID_VECTOR", "vector"],
	"NaN in floats": [{ id: "a", vector: Float32Array.of(Number.NaN, 1) }, "INVALID_VECTOR", "vector"],
	Infinity: [{ id: "a", vector: [Number.POSITIVE_INFINITY, 1] }, "INVALID_VECTOR", "vector"],
	"minus infinity in floats": [
		{ id: "a", vector: Float32Array.of(1, Number.NEGATIVE_INFINITY) },
		"INVALID_VECTOR",
		"vector",
	],
	"a number beyond float32": [{ id: "a", vector: [1e39, 1] }, "INVALID_VECTOR", "vector"],
	"a vector with holes": [{ id: "a", vector: hole }, "INVALID_VECTOR", "vector"],
	"numbers as strings": [{ id: "a", vector: ["1", "2"] }, "INVALID_VECTOR", "vector"],
	"bigints in the vector": [{ id: "a", vector: [1n, 2n] }, "INVALID_VECTOR", "vector"],
	"a Float64Array": [{ id: "a", vector: Float64Array.of(1, 2) }, "INVALID_VECTOR", "vector"],
	"an Int8Array": [{ id: "a", vector: Int8Array.of(1, 2) }, "INVALID_VECTOR", "vector"],
	"a Uint8Array": [{ id: "a", vector: Uint8Array.of(1, 2) }, "INVALID_VECTOR", "vector"],
	"a BigInt64Array": [{ id: "a", vector: BigInt64Array.of(1n, 2n) }, "INVALID_VECTOR", "vector"],
	"a DataView": [{ id: "a", vector: new DataView(new ArrayBuffer(8)) }, "INVALID_VECTOR", "vector"],
	"a buffer that was handed over": [{ id: "a", vector: detached() }, "DIMENSION_MISMATCH", "vector"],
	"metadata that is no object": [{ ...GOOD, metadata: "x" }, "INVALID_RECORD", "metadata"],
	"null as metadata": [{ ...GOOD, metadata: null }, "INVALID_RECORD", "metadata"],
	"an array as metadata": [{ ...GOOD, metadata: [1] }, "INVALID_RECORD", "metadata"],
	"a bigint in metadata": [{ ...GOOD, metadata: { a: [1n] } }, "INVALID_RECORD", "metadata.a[0]"],
	"NaN in metadata": [{ ...GOOD, metadata: { a: Number.NaN } }, "INVALID_RECORD", "metadata.a"],
	"a date in metadata": [{ ...GOOD, metadata: { at: new Date(0) } }, "INVALID_RECORD", "metadata.at"],
	"metadata that contains itself": [{ ...GOOD, metadata: cyclic }, "INVALID_RECORD", "metadata.self"],
	"metadata that is too deep": [
		{ ...GOOD, metadata: deep },
		"INVALID_RECORD",
		`metadata${".inner".repeat(BOUNDS.metadataDepth.max)}`,
	],
	"metadata of too many values": [
		{ ...GOOD, metadata: { a: new Array(BOUNDS.metadataValues.max).fill(1) } },
		"INVALID_RECORD",
		`metadata.a[${BOUNDS.metadataValues.max - 2}]`,
	],
	"a text that is no string": [{ ...GOOD, text: 5 }, "INVALID_RECORD", "text"],
	"null as a text": [{ ...GOOD, text: null }, "INVALID_RECORD", "text"],
	"a text with U+0000": [{ ...GOOD, text: "a\u0000" }, "INVALID_RECORD", "text"],
	"half a character in a text": [{ ...GOOD, text: "a\udc00" }, "INVALID_RECORD", "text"],
	"a time that is no number": [{ ...GOOD, expiresAt: "2030" }, "INVALID_RECORD", "expiresAt"],
	"a date as a time": [{ ...GOOD, expiresAt: new Date(0) }, "INVALID_RECORD", "expiresAt"],
	"a fraction as a time": [{ ...GOOD, expiresAt: 1.5 }, "INVALID_RECORD", "expiresAt"],
	"infinity as a time": [{ ...GOOD, expiresAt: Number.POSITIVE_INFINITY }, "INVALID_RECORD", "expiresAt"],
	"null as a time": [{ ...GOOD, expiresAt: null }, "INVALID_RECORD", "expiresAt"],
	"a field that there is not": [{ ...GOOD, vektor: [1, 2] }, "INVALID_RECORD", "vektor"],
	"an id that cannot be read": [throwing("id"), "INVALID_RECORD", "record"],
	"a vector that cannot be read": [Object.assign(throwing("vector"), { id: "a" }), "INVALID_RECORD", "record"],
	"a component that cannot be read": [
		{ id: "a", vector: Object.defineProperty([1, 2], 1, { get: () => assert.fail("not today") }) },
		"INVALID_RECORD",
		"record",
	],
	"metadata that cannot be read": [{ ...GOOD, metadata: { a: throwing("b") } }, "INVALID_RECORD", "record"],
	"metadata that is another the second time": [{ ...GOOD, metadata: fickle() }, "INVALID_RECORD", "record"],
};

function detached(): Float32Array {
	const vector = Float32Array.of(1, 2);
	structuredClone(vector, { transfer: [vector.buffer] });
	return vector;
}

/** A number when it is checked, and what JSON cannot say after that. */
function fickle(): object {
	let looks = 0;
	return Object.defineProperty({}, "a", { enumerable: true, get: () => (looks++ === 0 ? 1 : 1n) });
}

for (const [what, [bad, code, field]] of Object.entries(BAD)) {
	test(`refused with its row: ${what}`, async () => {
		const core = await coreOf(SPEC);
		// `fickle` counts how often it is looked at, so it serves once.
		if (!what.includes("second time")) {
			const error = await refusal(prepare([GOOD, bad], UPSERT, core));
			assert.deepEqual([error.code, error.details.field, error.details.row], [code, field, 1], error.message);
			structuredClone(error.details);
		}
		const { rows, errors, dimensions } = await prepare([GOOD, bad, { ...GOOD, id: "next" }], PARTIAL, core);
		assert.deepEqual(rows, [0, 2]);
		assert.deepEqual(
			errors.map(({ row, error }) => [row, error.code, error.details.field]),
			[[1, code, field]],
		);
		assert.equal(dimensions, 2);
	});
}

test("null takes away in a patch what a record must have as it is", async () => {
	for (const field of ["metadata", "text", "expiresAt"]) {
		await prepare([{ id: "a", [field]: null }], UPDATE);
		const { details } = await refusal(prepare([{ ...GOOD, [field]: null }]));
		assert.equal(details.field, field);
	}
	assert.equal((await refusal(prepare([{ id: "a", vector: null }], UPDATE))).code, "INVALID_VECTOR");
});

test("what is no batch is refused, with partial as well", async () => {
	for (const batch of [undefined, null, GOOD, "abc", new Set([GOOD]), { length: 1, 0: GOOD }, new Float32Array(2)]) {
		for (const options of [UPSERT, PARTIAL, UPDATE]) {
			const { code, message } = await refusal(prepare(batch, options));
			assert.deepEqual([code, message.includes("wrap a single one as [record]")], ["INVALID_RECORD", true]);
		}
	}
	const { code, details } = await refusal(prepare(new Array(BOUNDS.recordsPerCall.max + 1), PARTIAL));
	assert.deepEqual([code, details.field], ["INVALID_OPTION", "records"]);
});

test("an empty batch is nothing to write", async () => {
	assert.deepEqual(await prepare([]), { parts: [], metadata: [], rows: [], errors: [], dimensions: 2 });
	assert.deepEqual((await prepare([], UPDATE)).parts, []);
});

test("the first vector that is one tells the length where nothing else has", async () => {
	const open = await coreOf({ metric: "l2" });
	assert.equal((await prepare([{ id: "a", vector: [1, 2, 3] }], UPSERT, open)).dimensions, 3);
	const mixed = [
		{ id: "a", vector: "four" },
		{ id: "b", vector: 5 },
		{ id: "c", vector: { length: 7 } },
		{ id: "d", vector: [] },
		{ id: "e", vector: [1, Number.NaN, 1, 1] },
		{ id: "f", vector: [1, 2, 3] },
		{ id: "g", vector: [1, 2] },
		{ id: "h", vector: [4, 5, 6] },
	];
	const { rows, errors, dimensions } = await prepare(mixed, PARTIAL, open);
	assert.deepEqual([rows, dimensions], [[5, 7], 3]);
	assert.deepEqual(
		errors.map(({ id, error }) => [id, error.code]),
		[
			["a", "INVALID_VECTOR"],
			["b", "INVALID_VECTOR"],
			["c", "INVALID_VECTOR"],
			["d", "INVALID_VECTOR"],
			["e", "INVALID_VECTOR"],
			["g", "DIMENSION_MISMATCH"],
		],
	);
	assert.equal((await prepare([], UPSERT, open)).dimensions, 0);
	const { code, details } = await refusal(
		prepare([{ id: "a", vector: new Float32Array(BOUNDS.dimensions.max + 1) }], UPSERT, open),
	);
	assert.deepEqual([code, details.value], ["INVALID_VECTOR", BOUNDS.dimensions.max + 1]);
});

test("bits are packed, and nothing else is taken for bits", async () => {
	const core = await coreOf({ type: "bit" });
	const { parts, dimensions } = await prepare([{ id: "a", vector: Uint8Array.of(1, 255) }], UPSERT, core);
	assert.deepEqual([dimensions, [...(parts[0]?.vectors ?? [])]], [16, [1, 255]]);
	for (const vector of [[1, 2], Float32Array.of(1, 2), Int8Array.of(1, 2), new Uint8ClampedArray(2)]) {
		assert.equal((await refusal(prepare([{ id: "a", vector }], UPSERT, core))).code, "INVALID_VECTOR");
	}
	const fixed = await coreOf({ type: "bit", dimensions: 16 });
	const { code, details } = await refusal(prepare([{ id: "a", vector: new Uint8Array(3) }], UPSERT, fixed));
	assert.deepEqual([code, details.expected, details.actual], ["DIMENSION_MISMATCH", 16, 24]);
});

test("texts without a vector are embedded, all in one call; a vector that is given stays", async () => {
	const embedder = countingEmbedder();
	const core = await coreOf({ metric: "l2", embedder });
	const { parts } = await prepare(
		[
			{ id: "a", text: "four" },
			{ id: "b", text: "given", vector: [9, 9] },
			{ id: "c", text: "" },
			{ id: "d", vector: [8, 8] },
		],
		UPSERT,
		core,
	);
	assert.deepEqual(embedder.asked, [["four", ""]]);
	assert.deepEqual(
		rowsIn(parts).map(({ vector }) => vector),
		[
			[4, 1],
			[9, 9],
			[0, 1],
			[8, 8],
		],
	);
	await prepare([{ id: "a", vector: [1, 1] }], UPSERT, core);
	assert.equal(embedder.asked.length, 1, "nothing to embed, nothing is asked");
	await prepare([{ id: "a", text: "changed" }, { id: "b" }], UPDATE, core);
	assert.deepEqual(embedder.asked.at(-1), ["changed"], "a patch of the text is one of the vector");
	assert.match((await refusal(prepare([{ id: "a" }], UPSERT, core))).message, /Give one, or a text/);
});

test("a record that is refused does not tell the others how long their vectors are to be", async () => {
	const core = await coreOf({ metric: "l2" });
	const refused = { id: "a", vector: [1, 2, 3], text: "\u0000" };
	const { parts, errors, dimensions } = await prepare([refused, GOOD], PARTIAL, core);
	assert.deepEqual([rowsIn(parts).map(({ id }) => id), dimensions], [["good"], 2]);
	assert.deepEqual(
		errors.map(({ row, error }) => [row, error.code]),
		[[0, "INVALID_RECORD"]],
	);
});

test("what an embedder makes is checked like what a user gives", async () => {
	const answers: [unknown, ErrorCode][] = [
		[[], "DIMENSION_MISMATCH"],
		[[Float32Array.of(1, 2), Float32Array.of(1, 2)], "DIMENSION_MISMATCH"],
		[[Float32Array.of(1, 2, 3)], "DIMENSION_MISMATCH"],
		[[undefined], "DIMENSION_MISMATCH"],
		[[Float32Array.of(1, Number.NaN)], "INVALID_VECTOR"],
		[[Float64Array.of(1, 2)], "INVALID_VECTOR"],
	];
	for (const [answer, code] of answers) {
		const core = await coreOf({ metric: "l2", embedder: countingEmbedder(async () => answer as Float32Array[]) });
		assert.equal((await refusal(prepare([{ id: "a", text: "x" }], PARTIAL, core))).code, code);
	}
	const plain = await coreOf({ metric: "l2", embedder: countingEmbedder(async () => [[3, 4]] as never) });
	assert.deepEqual(rowsIn((await prepare([{ id: "a", text: "x" }], UPSERT, plain)).parts)[0]?.vector, [3, 4]);
	const failure = new Error("no connection");
	const failing = await coreOf({ metric: "l2", embedder: countingEmbedder(() => Promise.reject(failure)) });
	await assert.rejects(prepare([{ id: "a", text: "x" }], PARTIAL, failing), (error) => error === failure);
});

test("what the caller does to its vectors after the call does not reach a small batch, nor its first rows", async () => {
	const core = await coreOf(SPEC);
	const vector = Float32Array.of(1, 2);
	const metadata = { n: 1 };
	const small = prepare([{ id: "a", vector, metadata }], UPSERT, core);
	const batch = Array.from({ length: 600 }, (_, i) => ({ id: `r${i}`, vector: Float32Array.of(i, 0) }));
	const large = prepareRows(core, batch, UPSERT);
	// `prepare` has a core already, so both calls have done what they do at once.
	await Promise.resolve();
	vector.fill(77);
	metadata.n = 77;
	for (const each of batch.slice(0, 512)) each.vector.fill(77);
	const [row] = rowsIn((await small).parts);
	assert.deepEqual([row?.vector, row?.metadata], [[1, 2], '{"n":1}']);
	const vectors = rowsIn((await large).parts).map((each) => each.vector?.[0]);
	assert.deepEqual(vectors, [...batch.keys()]);
});

test("large batches let other work have its turn, and come whole and in order", async (t) => {
	// Half a second has passed whenever somebody looks at the clock.
	let clock = performance.now();
	t.mock.method(performance, "now", () => {
		clock += 500;
		return clock;
	});
	const count = 4_096 + 700;
	const core = await coreOf(SPEC);
	let turns = 0;
	let done = false;
	const others = (async () => {
		while (!done) {
			await turn();
			turns++;
		}
	})();
	const { parts, rows } = await prepareRows(
		core,
		Array.from({ length: count }, (_, i) => ({ id: `r${i}`, vector: [i, 1] })),
		UPSERT,
	);
	done = true;
	await others;
	assert.ok(turns >= (count - 512) / 32, `${turns} turns`);
	assert.ok(parts.length > 1);
	assert.deepEqual(
		rowsIn(parts).map(({ id, vector }) => [id, vector?.[0]]),
		Array.from({ length: count }, (_, i) => [`r${i}`, i]),
	);
	assert.equal(rows.length, count);
});

test("a signal ends it, also one that is raised while texts are embedded; what is no signal is refused", async () => {
	const { code, cause } = await refusal(prepare([GOOD], { ...UPSERT, signal: AbortSignal.abort("enough") }));
	assert.deepEqual([code, cause], ["ABORTED", "enough"]);
	const controller = new AbortController();
	const embedder = countingEmbedder(async (texts) => {
		controller.abort("late");
		return texts.map(() => Float32Array.of(1, 1));
	});
	const core = await coreOf({ metric: "l2", embedder });
	const late = await refusal(prepare([{ id: "a", text: "x" }], { ...UPSERT, signal: controller.signal }, core));
	assert.deepEqual([late.code, late.cause], ["ABORTED", "late"]);
	for (const signal of [null, {}, "stop", new AbortController()]) {
		const error = await refusal(prepare([GOOD], { ...UPSERT, signal: signal as never }));
		assert.deepEqual([error.code, error.details.field], ["INVALID_OPTION", "signal"]);
	}
});

test("an error of a row has its id where that can be told", () => {
	const error = new NighError("INVALID_RECORD", "no");
	assert.deepEqual(rowError(3, { id: "a" }, error), { row: 3, id: "a", error });
	for (const input of [undefined, null, {}, { id: 5 }, "text", throwing("id")]) {
		assert.deepEqual(rowError(3, input, error), { row: 3, error });
	}
});

test("long texts are packed in several parts, and no string of a part gets too long to be one", async () => {
	const text = "x".repeat(2 ** 23);
	for (const options of [UPSERT, UPDATE]) {
		const rows = Array.from({ length: 5 }, (_, i) => ({
			...GOOD,
			id: `r${i}`,
			text,
			...(i === 4 && { metadata: {} }),
		}));
		const { parts } = await prepare(rows, options);
		assert.deepEqual(
			parts.map(({ count }) => count),
			[2, 2, 1],
		);
		assert.ok(parts.every(({ texts }) => texts.length <= 2 ** 24 + 1));
		assert.deepEqual(
			rowsIn(parts).map((row) => [row.id, row.text?.length]),
			rows.map(({ id }) => [id, text.length]),
		);
		const [one] = (await prepare([{ ...GOOD, text: text.repeat(3) }], options)).parts;
		assert.equal(one?.count, 1, "a row that is too long for a part is one by itself");
	}
});

test("a text or metadata that is longer than its bound is refused, and named", async () => {
	const { max } = BOUNDS.textLength;
	const long = "x".repeat(max + 1);
	for (const [field, more] of Object.entries({ text: { text: long }, metadata: { metadata: { long } } })) {
		for (const options of [UPSERT, UPDATE]) {
			const { code, details } = await refusal(prepare([GOOD, { ...GOOD, id: "b", ...more }], options));
			assert.deepEqual(
				[code, details.field, details.row, details.bound],
				["INVALID_RECORD", field, 1, BOUNDS.textLength],
			);
		}
	}
});
