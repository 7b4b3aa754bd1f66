// `nigh import` from end to end: what is in the file is in the collection, once, whatever happens on the way.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { isNighError } from "@nigh/contract";
import { writeBvecs, writeFvecs, writeNpy } from "@nigh/formats";
import { getCommand } from "../src/commands/get.ts";
import { importCommand } from "../src/commands/import.ts";
import { searchCommand } from "../src/commands/search.ts";
import { statsCommand } from "../src/commands/stats.ts";
import { open } from "../src/open.ts";
import { bytesOf, temporaryFolder } from "../src/temporary-folder.test-support.ts";
import { nigh } from "./command.test-support.ts";
import { numbers, run, succeed } from "./run-command.test-support.ts";

const JSONL = [
	{ key: "one", embedding: [1, 0], body: "first", type: "lesson", stars: 5, secret: true },
	{ key: "two", embedding: [0, 1], type: "draft" },
	{ embedding: [1, 1] },
];

function jsonl(rows: readonly object[]): string {
	return rows.map((row) => `${JSON.stringify(row)}\n`).join("");
}

/** Records by collection. */
async function counts(data: readonly string[]): Promise<Record<string, number>> {
	const { objects } = await succeed(statsCommand, [...data, "--json"]);
	return Object.fromEntries(objects.map(({ name, records }) => [name, records]));
}

test("fvecs, bvecs and npy rows get their numbers as ids; vectors come back as they stand in the file", async (t) => {
	const folder = temporaryFolder(t, {
		"a.fvecs": await bytesOf(writeFvecs(Float32Array.of(0.5, 1, 2, 3), 2)),
		"b.bvecs": await bytesOf(writeBvecs(Uint8Array.of(0, 255), 2)),
		"c.npy": await bytesOf(writeNpy(Int8Array.of(-7, 7), 2)),
	});
	const data = ["--data", join(folder, "db")];
	for (const [file, prefix] of [["a.fvecs"], ["b.bvecs", "b-"], ["c.npy", "c-"]] as const) {
		const more = prefix === undefined ? [] : ["--id-prefix", prefix];
		await succeed(importCommand, ["v", join(folder, file), ...data, "--metric", "l2", ...more, "--no-wait"]);
	}
	const { objects } = await succeed(getCommand, [
		...["v", "0", "1", "b-0", "c-0"],
		...[...data, "--include", "vector", "--json"],
	]);
	assert.deepEqual(
		objects.map(({ id, vector }) => [id, vector]),
		[
			["0", [0.5, 1]],
			["1", [2, 3]],
			["b-0", [0, 255]],
			["c-0", [-7, 7]],
		],
	);
});

test("jsonl gives ids, texts and metadata by the names of their fields; a row without an id has its number", async (t) => {
	const folder = temporaryFolder(t, { "notes.jsonl": jsonl(JSONL) });
	const data = ["--data", join(folder, "db")];
	const fields = ["--id-field", "key", "--vector-field", "embedding", "--text-field", "body"];
	const chosen = ["--metadata", "type,stars", "--filterable", "type"];
	const { objects: reports } = await succeed(importCommand, [
		...["notes", join(folder, "notes.jsonl"), ...data],
		...[...fields, ...chosen, "--json"],
	]);
	const [{ rows, skipped, records, index, rowsPerSecond, seconds }] = reports as [Record<string, number>];
	assert.deepEqual([rows, skipped, records], [3, 0, 3]);
	assert.deepEqual(index, { kind: "flat", main: 3, tail: 0, tombstones: 0 });
	assert.ok((rowsPerSecond as number) > 0 && (seconds as number) > 0);
	const { objects } = await succeed(getCommand, ["notes", "one", "two", "2", ...data, "--json"]);
	assert.deepEqual(
		objects.map(({ id, metadata, text }) => ({ id, metadata, text })),
		[
			{ id: "one", metadata: { type: "lesson", stars: 5 }, text: "first" },
			{ id: "two", metadata: { type: "draft" }, text: undefined },
			{ id: "2", metadata: undefined, text: undefined },
		],
	);
	const [stats] = (await succeed(statsCommand, ["notes", ...data, "--json"])).objects;
	assert.deepEqual(stats.effective.filterable, ["type"]);
});

const TEXTS = [
	{ id: "rye", text: "Rye bread is baked from sourdough", type: "recipe" },
	{ text: "Tomatoes need sun and warm soil" },
	{ id: "bare", vector: Array.from({ length: 384 }, (_, i) => i), text: "has a vector of its own" },
];

test("rows of texts get their vectors from the embedder, and are found by words", async (t) => {
	const folder = temporaryFolder(t, {
		"a.jsonl": jsonl(TEXTS),
		"b.jsonl": jsonl([{ id: "wheat", text: "Wheat bread is baked from yeast" }]),
		"neither.jsonl": jsonl([{ id: "x", text: "x" }, { id: "y" }]),
	});
	const data = ["--data", join(folder, "db")];
	const [args, neither] = [
		["texts", join(folder, "a.jsonl"), ...data],
		["texts", join(folder, "neither.jsonl"), ...data],
	];
	const without = await run(importCommand, args);
	assert.ok(isNighError(without.error, "INVALID_FILE"));
	assert.match(without.error.message, /row 0 \(line 1\): .* --vector-field\. .* --embedder hashed-ngrams\. No row/);
	const { objects } = await succeed(importCommand, [...args, "--embedder", "hashed-ngrams", "--json"]);
	assert.equal(objects[0].records, 3);
	// The collection has its embedder from now on.
	await succeed(importCommand, ["texts", join(folder, "b.jsonl"), ...data]);
	const found = await succeed(searchCommand, ["texts", "rye sourdough bread", "-k", "2", ...data, "--json"]);
	assert.deepEqual(
		found.objects[0].hits.map(({ id, metadata }: { id: string; metadata?: object }) => [id, metadata]),
		[
			["rye", { type: "recipe" }],
			["wheat", undefined],
		],
	);
	const [bare] = (await succeed(getCommand, ["texts", "bare", "--include", "vector", ...data, "--json"])).objects;
	assert.deepEqual(bare.vector, TEXTS[2]?.vector);
	const refused = await run(importCommand, neither);
	assert.ok(isNighError(refused.error, "INVALID_RECORD"));
	assert.match(refused.error.message, /row 1 \(line 2\): The record has no vector\..* The 1 row before it is kept\./);
});

test("rows of a hamming collection are bits, from bvecs and from jsonl", async (t) => {
	const folder = temporaryFolder(t, {
		"a.bvecs": await bytesOf(writeBvecs(Uint8Array.of(0b1111_0000, 255), 2)),
		"b.jsonl": jsonl([{ id: "j", vector: [0, 1] }]),
		"c.jsonl": jsonl([{ id: "k", vector: [0, 256] }]),
	});
	const data = ["--data", join(folder, "db")];
	await succeed(importCommand, ["bits", join(folder, "a.bvecs"), ...data, "--metric", "hamming"]);
	await succeed(importCommand, ["bits", join(folder, "b.jsonl"), ...data]);
	const { objects } = await succeed(searchCommand, ["bits", "--vector", "[0,0]", ...data, "--json"]);
	assert.deepEqual(
		objects[0].hits.map(({ id, distance }: { id: string; distance: number }) => [id, distance]),
		[
			["j", 1],
			["0", 12],
		],
	);
	const { error } = await run(importCommand, ["bits", join(folder, "c.jsonl"), ...data]);
	assert.ok(isNighError(error, "INVALID_VECTOR"));
	assert.match(error.message, /row 0 has the number 256; a collection of bits takes bytes/);
});

test("a graph is built with the parameters that are asked for, and has everything in it at the end", async (t) => {
	const folder = temporaryFolder(t, { "a.fvecs": await bytesOf(writeFvecs(numbers(600 * 8, 1), 8)) });
	const args = ["g", join(folder, "a.fvecs"), "--data", join(folder, "db"), "--metric", "l2", "--json"];
	const { objects } = await succeed(importCommand, [
		...[...args, "--batch", "100", "--index", "hnsw"],
		...["--param", "M=8", "--param", "efConstruction=40"],
	]);
	assert.deepEqual(objects[0].index, { kind: "hnsw", main: 600, tail: 0, tombstones: 0 });
	const { objects: stats } = await succeed(statsCommand, ["--data", join(folder, "db"), "--json"]);
	const { parameters } = stats[0].effective.index;
	assert.deepEqual([parameters.M, parameters.efConstruction], [8, 40]);
});

test("a cap on memory is kept, told of by stats, changed by another import, and refuses what does not fit", async (t) => {
	const DIMENSIONS = 256;
	const folder = temporaryFolder(t, {
		"few.fvecs": await bytesOf(writeFvecs(numbers(300 * DIMENSIONS, 5), DIMENSIONS)),
		"many.fvecs": await bytesOf(writeFvecs(numbers(3_000 * DIMENSIONS, 6), DIMENSIONS)),
	});
	const data = ["--data", join(folder, "db")];
	const importing = (file: string, ...more: string[]) => ["v", join(folder, file), ...data, ...more];
	await succeed(importCommand, importing("few.fvecs", "--metric", "l2", "--max-mb", "4"));
	const capOf = async () => (await succeed(statsCommand, ["v", ...data, "--json"])).objects[0].effective.memory;
	assert.deepEqual(await capOf(), { maxMB: 4 });
	const refused = await run(importCommand, importing("many.fvecs", "--id-prefix", "b-"));
	assert.ok(isNighError(refused.error, "MEMORY_LIMIT"), String(refused.error));
	assert.equal(refused.error.details.limit, 4 * 2 ** 20);
	assert.deepEqual(await counts(data), { v: 300 });
	await succeed(importCommand, importing("many.fvecs", "--id-prefix", "b-", "--max-mb", "64.5"));
	assert.deepEqual([await capOf(), await counts(data)], [{ maxMB: 64.5 }, { v: 3_300 }]);
	const { lines } = await succeed(statsCommand, ["v", ...data]);
	assert.ok(
		lines.some((line) => /^cap +64\.5 MB/.test(line)),
		lines.join("\n"),
	);
});

test("a recall and a latency are declared where a collection is made, kept, and changed by another import", async (t) => {
	const folder = temporaryFolder(t, { "a.fvecs": await bytesOf(writeFvecs(numbers(40, 7), 4)) });
	const data = ["--data", join(folder, "db")];
	const importing = (...more: string[]) => ["v", join(folder, "a.fvecs"), ...data, ...more];
	const declared = async () => {
		const { recall, latencyMs } = (await succeed(statsCommand, ["v", ...data, "--json"])).objects[0].effective;
		return [recall, latencyMs];
	};
	await succeed(importCommand, importing("--metric", "l2", "--recall", "0.98", "--latency-ms", "2.5"));
	assert.deepEqual(await declared(), [0.98, 2.5]);
	await succeed(importCommand, importing());
	assert.deepEqual(await declared(), [0.98, 2.5]);
	await succeed(importCommand, importing("--recall", "0.9"));
	assert.deepEqual(await declared(), [0.9, 2.5]);
	for (const [option, typed, message] of [
		["--recall", "0.4", /--recall is 0\.4; .* 0\.5 to 1/],
		["--recall", "most", /--recall is "most"/],
		["--latency-ms", "0", /--latency-ms is 0/],
	] as const) {
		const { error } = await run(importCommand, importing(option, typed));
		assert.equal((error as Error).name, "UsageError");
		assert.match((error as Error).message, message);
	}
	assert.deepEqual(await declared(), [0.9, 2.5]);
});

test("of an id that comes twice the later row stays, also where the two are in different writes", async (t) => {
	const rows = Array.from({ length: 40 }, (_, row) => ({ id: `id${row % 10}`, vector: [row, 1], row }));
	const folder = temporaryFolder(t, { "a.jsonl": jsonl(rows) });
	const data = ["--data", join(folder, "db")];
	await succeed(importCommand, ["c", join(folder, "a.jsonl"), ...data, "--batch", "7", "--no-wait"]);
	const ids = Array.from({ length: 10 }, (_, at) => `id${at}`);
	const { objects } = await succeed(getCommand, ["c", ...ids, ...data, "--json"]);
	assert.deepEqual(
		objects.map(({ metadata }) => metadata.row),
		[30, 31, 32, 33, 34, 35, 36, 37, 38, 39],
	);
});

test("a bad row ends the import with its row and line, and what was before it is kept", async (t) => {
	const good = Array.from({ length: 5 }, (_, row) => ({ id: `g${row}`, vector: [row, 1] }));
	const lines = jsonl(good);
	const files = {
		"json.jsonl": `\n${lines}{"vector": [1,\n${lines}`,
		"id.jsonl": `\n\n${lines}${jsonl([{ id: "x".repeat(600), vector: [1, 1] }])}`,
		"ragged.jsonl": `${lines}${jsonl([{ id: "r", vector: [1, 1, 1] }])}`,
	};
	const folder = temporaryFolder(t, files);
	const expected = [
		["json.jsonl", "INVALID_FILE", /row 5 \(line 7\): not JSON .* The 5 rows before it are kept\./],
		["id.jsonl", "INVALID_RECORD", /row 5 \(line 8\): The id "x+"\.\.\. .* The 5 rows before it are kept\./],
		["ragged.jsonl", "INVALID_FILE", /row 5 \(line 6\): the vector has 3 numbers/],
	] as const;
	const data = ["--data", join(folder, "db")];
	for (const [file, code, message] of expected) {
		const collection = file.replace(".jsonl", "");
		const { error } = await run(importCommand, [collection, join(folder, file), ...data, "--batch", "4"]);
		assert.ok(isNighError(error, code), `${file}: ${error}`);
		assert.match(error.message, message);
		assert.ok(error.message.includes(file));
		assert.equal(error.details.imported, 5);
	}
	assert.deepEqual(await counts(data), { id: 5, json: 5, ragged: 5 });
});

test("a vector that no index takes is refused with its row", async (t) => {
	const values = numbers(10 * 4, 1);
	values[7 * 4 + 1] = Number.NaN;
	const folder = temporaryFolder(t, { "a.fvecs": await bytesOf(writeFvecs(values, 4)) });
	const data = ["--data", join(folder, "db")];
	const { error } = await run(importCommand, ["c", join(folder, "a.fvecs"), ...data, "--batch", "5"]);
	assert.ok(isNighError(error, "INVALID_VECTOR"));
	assert.match(error.message, /a\.fvecs, row 7: The vector has .* The 7 rows before it are kept\.$/);
	assert.deepEqual(await counts(data), { c: 7 });
});

test("a file that cannot be read leaves no collection, and no folder, behind", async (t) => {
	const folder = temporaryFolder(t, { "cut.fvecs": new Uint8Array(3), "bad.jsonl": "{" });
	const data = join(folder, "db");
	const missing = await run(importCommand, ["c", join(folder, "none.fvecs"), "--data", data]);
	assert.ok(isNighError(missing.error, "NOT_FOUND"));
	const aFolder = await run(importCommand, ["c", join(mkdirIn(folder, "dir.fvecs")), "--data", data]);
	assert.ok(isNighError(aFolder.error, "INVALID_FILE"));
	assert.equal(existsSync(data), false);
	for (const file of ["cut.fvecs", "bad.jsonl"]) {
		const { error } = await run(importCommand, ["c", join(folder, file), "--data", data]);
		assert.ok(isNighError(error, "INVALID_FILE"));
		assert.match(error.message, /No row is imported\.$/);
	}
	const database = await open(data, { readOnly: true });
	assert.deepEqual(await database.collections(), []);
	await database.close();
});

function mkdirIn(folder: string, name: string): string {
	mkdirSync(join(folder, name));
	return join(folder, name);
}

const ROWS = 12_000;

/** Starts an import and sends it a signal when it has noted the first rows. Returns how it ended. */
async function interrupted(folder: string, signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null> {
	const notes = join(folder, "db", "imports");
	mkdirSync(notes, { recursive: true });
	const noted = new Promise<void>((resolve) => {
		const watcher = watch(notes, (_, name) => {
			if (name?.endsWith(".json") !== true) return;
			watcher.close();
			resolve();
		});
	});
	const main = join(import.meta.dirname, "..", "src", "main.ts");
	const args = ["import", "c", "a.fvecs", "--data", "db", "--metric", "l2", "--batch", "250"];
	const child = spawn(process.execPath, ["--conditions=@nigh/source", main, ...args], { cwd: folder, stdio: "ignore" });
	const ended = once(child, "exit");
	await Promise.race([noted, ended]);
	child.kill(signal);
	const [code, by] = await ended;
	return by ?? code;
}

async function checkComplete(folder: string, t: TestContext): Promise<void> {
	assert.equal(readdirSync(join(folder, "db", "imports")).length, 1);
	const { status, stderr, objects } = nigh(
		["import", "c", "a.fvecs", "--data", "db", "--metric", "l2", "--no-wait", "--json"],
		folder,
	);
	assert.deepEqual([status, stderr], [0, ""]);
	const [{ rows, skipped, records }] = objects();
	assert.ok(skipped > 0 && rows > 0, `${skipped} rows were noted before, ${rows} were left`);
	assert.deepEqual([rows + skipped, records], [ROWS, ROWS]);
	t.diagnostic(`${skipped} of ${ROWS} rows were written before`);
	assert.equal(existsSync(join(folder, "db", "imports")), false);
	const database = await open(join(folder, "db"), { readOnly: true });
	const seen = new Set<string>();
	const c = await database.collection("c");
	for await (const { id } of c.scan({ include: { metadata: false } })) {
		assert.equal(seen.has(id), false);
		seen.add(id);
	}
	await database.close();
	assert.equal(seen.size, ROWS);
	for (let row = 0; row < ROWS; row++) assert.ok(seen.has(String(row)));
}

for (const [signal, end] of [
	["SIGKILL", "SIGKILL"],
	["SIGINT", 130],
] as const) {
	test(`an import that ${signal} has stopped goes on where it was: every row is there once`, async (t) => {
		const folder = temporaryFolder(t, { "a.fvecs": await bytesOf(writeFvecs(numbers(ROWS * 4, 1), 4)) });
		assert.equal(await interrupted(folder, signal), end);
		await checkComplete(folder, t);
	});
}

test("wrong usage is refused before anything is made", async (t) => {
	const folder = temporaryFolder(t, { "a.fvecs": "", "a.ivecs": "", "a.jsonl": "" });
	const data = ["--data", join(folder, "db")];
	const file = join(folder, "a.fvecs");
	const refused: readonly (readonly [args: string[], message: RegExp])[] = [
		[[], /COLLECTION is missing/],
		[["c"], /FILE is missing: nigh import COLLECTION FILE\./],
		[["c", file, "d"], /"d" is one too many/],
		[["C", file], /A collection cannot be named "C".* Use "c"/],
		[["c", join(folder, "a.ivecs")], /ids of neighbours/],
		[["c", join(folder, "a.csv")], /format of .*a\.csv cannot be told/],
		[["c", file, "--metric", "cosin"], /Did you mean cosine\?/],
		[["c", file, "--index", "ivff"], /--index is "ivff".* Did you mean ivf\?/],
		[["c", file, "--param", "M=8"], /write --index hnsw, ivf, ivfpq or ivfrabitq as well/],
		[["c", file, "--index", "flat", "--param", "M=8"], /kind flat has no parameters: leave out --param/],
		[["c", file, "--index", "ivf", "--param", "nlist=0"], /--param nlist is 0/],
		[["c", file, "--index", "ivf", "--param", "nlist=adaptve"], /Did you mean adaptive\?/],
		[["c", file, "--index", "ivf", "--param", "bits=4"], /ivf has no parameter bits/],
		[["c", file, "--index", "ivfpq", "--param", "residual=no"], /it must be true or false/],
		[["c", file, "--index", "ivfrabitq", "--param", "epsilon=0"], /--param epsilon is 0/],
		[["c", file, "--index", "hnsw", "--param", "m=8"], /Did you mean M\?/],
		[["c", file, "--index", "hnsw", "--param", "M=1"], /--param M is 1/],
		[["c", file, "--index", "hnsw", "--param", "M=8", "--param", "M=9"], /more than once/],
		[["c", file, "--index", "hnsw", "--param", "M"], /NAME=VALUE/],
		[["c", file, "--index", "ivf", "--param", "storage=disc"], /Did you mean disk\?/],
		[["c", file, "--max-mb", "0"], /--max-mb is 0; it must be a finite number from 0\.01/],
		[["c", file, "--max-mb", "1GB"], /--max-mb is "1GB"/],
		[["c", file, "--embedder", "hashed-ngrams"], /--embedder is for jsonl files/],
		[["c", join(folder, "a.jsonl"), "--embedder", "hashed"], /it must be hashed-ngrams/],
		[["c", join(folder, "a.jsonl"), "--embedder", "hashed-ngrams", "--metric", "hamming"], /leave one of them out/],
		[["c", file, "--id-field", "x"], /--id-field is for jsonl files/],
		[["c", join(folder, "a.jsonl"), "--id-field", "vector"], /vector/],
		[["c", file, "--batch", "0"], /--batch is 0/],
		[["c", file, "--bacth", "5"], /Did you mean --batch\?/],
	];
	for (const [args, message] of refused) {
		const { error } = await run(importCommand, [...args, ...data]);
		assert.equal((error as Error | undefined)?.name, "UsageError", args.join(" "));
		assert.match((error as Error).message, message);
	}
	assert.equal(existsSync(join(folder, "db")), false);
});

test("what an import changes about a collection that is there is told, and nothing where it changes nothing", async (t) => {
	const folder = temporaryFolder(t, { "a.fvecs": await bytesOf(writeFvecs(numbers(8, 1), 4)) });
	const args = ["c", join(folder, "a.fvecs"), "--data", join(folder, "db"), "--no-wait"];
	const made = await succeed(importCommand, [...args, "--recall", "0.9"]);
	assert.deepEqual(
		made.lines.filter((line) => line.includes("->")),
		[],
	);
	const changed = await succeed(importCommand, [...args, "--recall", "0.99", "--latency-ms", "5"]);
	assert.equal(changed.lines[0], "c: recall 0.9 -> 0.99, latencyMs none -> 5");
	assert.match(changed.lines[1] ?? "", /^2 rows /);
	const same = await succeed(importCommand, [...args, "--recall", "0.99"]);
	assert.match(same.lines[0] ?? "", /^2 rows /);
	const [report] = (await succeed(importCommand, [...args, "--recall", "0.95", "--json"])).objects;
	assert.deepEqual(report.changed, [{ name: "recall", from: 0.99, to: 0.95 }]);
	const [again] = (await succeed(importCommand, [...args, "--max-mb", "64", "--json"])).objects;
	assert.deepEqual(again.changed, [{ name: "maxMB", from: null, to: 64 }]);
});

test("a setting that the collection was not made with is refused", async (t) => {
	const folder = temporaryFolder(t, { "a.fvecs": await bytesOf(writeFvecs(numbers(8, 1), 4)) });
	const args = ["c", join(folder, "a.fvecs"), "--data", join(folder, "db"), "--no-wait"];
	await succeed(importCommand, [...args, "--metric", "l2"]);
	const other = await run(importCommand, [...args, "--metric", "l1"]);
	assert.ok(isNighError(other.error, "SPEC_CONFLICT"));
	assert.match(other.error.message, /^c was made with metric "l2", not "l1": leave out --metric, or import into/);
	writeFileSync(join(folder, "a.jsonl"), jsonl(TEXTS));
	const texts = ["c", join(folder, "a.jsonl"), "--data", join(folder, "db"), "--embedder", "hashed-ngrams"];
	const embedded = await run(importCommand, texts);
	assert.ok(isNighError(embedded.error, "SPEC_CONFLICT"));
	assert.match(embedded.error.message, /^c was made without an embedder: leave out --embedder/);
	writeFileSync(join(folder, "b.fvecs"), await bytesOf(writeFvecs(numbers(10, 1), 5)));
	const { error } = await run(importCommand, ["c", join(folder, "b.fvecs"), "--data", join(folder, "db")]);
	assert.ok(isNighError(error, "DIMENSION_MISMATCH"));
	assert.match(error.message, /b\.fvecs, row 0: .*5.*4/);
});
