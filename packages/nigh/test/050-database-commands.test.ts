// The verbs of the `nigh` command that look into a database, and those that change it.
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { isNighError } from "@nigh/contract";
import { hashedNgrams } from "@nigh/embed";
import { readAll } from "@nigh/formats";
import { analyzeCommand } from "../src/commands/analyze.ts";
import { collectionsCommand } from "../src/commands/collections.ts";
import type { Command } from "../src/commands/command.ts";
import { countCommand } from "../src/commands/count.ts";
import { deleteCommand } from "../src/commands/delete.ts";
import { dropCommand } from "../src/commands/drop.ts";
import { exportCommand } from "../src/commands/export.ts";
import { getCommand } from "../src/commands/get.ts";
import { healthCommand } from "../src/commands/health.ts";
import { optimizeCommand } from "../src/commands/optimize.ts";
import { searchCommand } from "../src/commands/search.ts";
import { statsCommand } from "../src/commands/stats.ts";
import { warmCommand } from "../src/commands/warm.ts";
import { open } from "../src/open.ts";
import { makeTemporaryFolder } from "../src/temporary-folder.test-support.ts";
import { nigh } from "./command.test-support.ts";
import { numbers, run, succeed } from "./run-command.test-support.ts";

const { folder, remove } = makeTemporaryFolder();
const data = ["--data", join(folder, "db")];

const NOTES = [
	{ id: "a", vector: [0, 0], metadata: { type: "lesson", stars: 5 }, text: "rye bread" },
	{ id: "b", vector: [3, 4], metadata: { type: "draft" } },
	{ id: "c", vector: [0, 0.5] },
];
/** As many as a graph is built for. */
const ROWS = 300;
const VECTORS = numbers(ROWS * 8, 1);

before(async () => {
	const database = await open(join(folder, "db"));
	const notes = await database.collection("notes", { metric: "l2", filterable: ["type"] });
	await notes.upsert(NOTES);
	const texts = await database.collection("texts", { embedder: hashedNgrams({ dimensions: 64 }) });
	await texts.upsert([
		{ id: "rye", text: "Rye bread is baked from sourdough" },
		{ id: "sun", text: "Tomatoes need sun and warm soil" },
	]);
	const graph = await database.collection("graph", { metric: "l2", index: { kind: "hnsw" } });
	await graph.upsert(
		Array.from({ length: ROWS }, (_, row) => ({ id: `r${row}`, vector: VECTORS.subarray(row * 8, row * 8 + 8) })),
	);
	await graph.optimize();
	const bits = await database.collection("bits", { type: "bit" });
	await bits.upsert([{ id: "x", vector: Uint8Array.of(1, 255) }]);
	await database.close();
});
after(remove);

interface SomeHit {
	readonly id: string;
	readonly distance: number;
}

test("collections, count and stats tell what there is", async () => {
	const { lines } = await succeed(collectionsCommand, data);
	assert.deepEqual(lines, ["bits", "graph", "notes", "texts"]);
	const listed = await succeed(collectionsCommand, [...data, "--json"]);
	assert.deepEqual(listed.objects[2], { name: "notes" });
	assert.deepEqual((await succeed(countCommand, ["notes", ...data])).lines, ["3"]);
	const filter = ["--filter", '{"type":{"$ne":"draft"}}'];
	const counted = await succeed(countCommand, ["notes", ...data, ...filter, "--json"]);
	assert.deepEqual(counted.objects, [{ collection: "notes", count: 2 }]);
	const { objects } = await succeed(statsCommand, [...data, "--json"]);
	assert.deepEqual(
		objects.map(({ name, records, effective: { metric, dimensions } }) => [name, records, metric, dimensions]),
		[
			["bits", 1, "hamming", 16],
			["graph", ROWS, "l2", 8],
			["notes", 3, "l2", 2],
			["texts", 2, "cosine", 64],
		],
	);
	const table = (await succeed(statsCommand, ["notes", ...data])).lines;
	assert.equal(table[0], "collection  notes");
	assert.ok(table.includes("records     3") && table.includes("index       flat (auto)"), table.join("\n"));
	assert.ok(table.includes("filterable  type") && table.some((line) => /^vectors +2 dimensions, l2$/.test(line)));
});

test("search finds by a vector, a record and a text; --json has the whole answer", async () => {
	const byVector = await succeed(searchCommand, ["notes", "--vector", "[0,0.1]", "-k", "2", ...data, "--json"]);
	const [{ query, hits, recall, plan, changeNumber }] = byVector.objects;
	assert.deepEqual(
		hits.map(({ id }: SomeHit) => id),
		["a", "c"],
	);
	assert.deepEqual(hits[0].metadata, NOTES[0]?.metadata);
	assert.equal(hits[0].text, undefined);
	assert.deepEqual([query, recall.state, plan.strategy, changeNumber], [0, "exact", "scan", 1]);
	const args = ["notes", "--id", "a", "--filter", '{"type":"draft"}', "--exact", "--include", "text,vector"];
	const byId = await succeed(searchCommand, [...args, ...data, "--json"]);
	assert.deepEqual(
		byId.objects[0].hits.map(({ id, distance, vector, metadata }: SomeHit & Record<string, unknown>) => [
			...[id, distance, vector, metadata],
		]),
		[["b", 5, [3, 4], undefined]],
	);
	const byText = await succeed(searchCommand, ["texts", "sourdough bread", ...data, "--json"]);
	assert.deepEqual(
		byText.objects[0].hits.map(({ id }: SomeHit) => id),
		["rye", "sun"],
	);
	const hybrid = await succeed(searchCommand, [
		...["texts", "--id", "rye", "--words", "tomatoes", "-k", "1"],
		...[...data, "--json"],
	]);
	assert.ok(hybrid.objects[0].hits[0].fusedScore > 0);
	const { lines } = await succeed(searchCommand, ["texts", "bread", "--words", "tomatoes", ...data]);
	assert.match(lines[0] ?? "", /^ +fused +distance +score +id$/);
});

test("search answers each vector of a file, in a table for people", async () => {
	const file = join(folder, "queries.fvecs");
	await succeed(exportCommand, ["graph", file, ...data]);
	const args = ["graph", "--vector-file", file, "--k", "1", "--ef", "20", ...data];
	const { objects } = await succeed(searchCommand, [...args, "--json"]);
	assert.deepEqual(
		objects.map(({ query, hits: [{ distance }] }) => [query, distance]),
		Array.from({ length: ROWS }, (_, query) => [query, 0]),
	);
	const { lines } = await succeed(searchCommand, args);
	assert.deepEqual(lines.slice(4, 6), ["", "query 1"]);
	assert.deepEqual(lines.slice(0, 3), ["query 0", "distance  score  id", "       0      1  r0"]);
	assert.match(lines[3] ?? "", /^1 hit in .*: index \(hnsw, ef 20\), uncertified: recall of 0\.95 asked for$/);
});

test("a file without vectors is no search that finds nothing", async () => {
	const file = join(folder, "empty.fvecs");
	writeFileSync(file, "");
	const { error, lines } = await run(searchCommand, ["graph", "--vector-file", file, ...data]);
	assert.ok(isNighError(error, "INVALID_FILE"), String(error));
	assert.equal(error.message, `--vector-file: ${file} holds no vectors.`);
	assert.deepEqual(lines, []);
});

test("a text is embedded only as the collection's own embedder does it", async () => {
	const { error } = await run(searchCommand, ["notes", "bread", ...data]);
	assert.ok(isNighError(error, "UNSUPPORTED"));
	assert.match(error.message, /notes was made without an embedder/);
});

test("get prints what is there, and fails for what is not", async () => {
	const printed = await run(getCommand, ["notes", "a", "none", ...data]);
	assert.deepEqual(printed.lines.slice(0, 3), [
		"id        a",
		'metadata  {"type":"lesson","stars":5}',
		"text      rye bread",
	]);
	assert.match(printed.lines[3] ?? "", /^inserted {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/);
	assert.ok(isNighError(printed.error, "NOT_FOUND"));
	assert.match(printed.error.message, /^notes has no record "none"\.$/);
	const { objects } = await succeed(getCommand, ["bits", "x", "--include", "vector", ...data, "--json"]);
	const [{ id, vector, insertedAt, updatedAt }] = objects;
	assert.deepEqual([id, vector, insertedAt], ["x", [1, 255], updatedAt]);
});

test("export writes jsonl that import reads, on the output too", async () => {
	const file = join(folder, "notes.jsonl");
	const { objects } = await succeed(exportCommand, ["notes", file, "--vectors", ...data, "--json"]);
	const text = readFileSync(file, "utf8");
	assert.deepEqual(objects, [{ collection: "notes", file, records: 3, bytes: text.length }]);
	assert.equal(
		text,
		'{"id":"a","vector":[0,0],"text":"rye bread","type":"lesson","stars":5}\n{"id":"b","vector":[3,4],"type":"draft"}\n{"id":"c","vector":[0,0.5]}\n',
	);
	const args = ["export", "notes", "-", "--filter", '{"type":{"$exists":true}}', "--id-field", "key", ...data];
	const { status, stdout, stderr } = nigh(args);
	assert.deepEqual([status, stderr], [0, ""]);
	assert.equal(stdout, '{"key":"a","text":"rye bread","type":"lesson","stars":5}\n{"key":"b","type":"draft"}\n');
	const clash = await run(exportCommand, ["notes", file, "--text-field", "type", ...data]);
	assert.ok(isNighError(clash.error, "INVALID_RECORD"));
	assert.equal(readFileSync(file, "utf8"), text, "the file is as before");
	assert.equal(existsSync(`${file}.partial`), false);
});

test("export writes vectors alone as npy and bvecs", async () => {
	const npy = join(folder, "graph.npy");
	await succeed(exportCommand, ["graph", npy, ...data]);
	const { count, dimensions, values } = await readAll("npy", [readFileSync(npy)]);
	assert.deepEqual([count, dimensions], [ROWS, 8]);
	const order = Array.from({ length: ROWS }, (_, row) => row).sort((a, b) => (`r${a}` < `r${b}` ? -1 : 1));
	assert.deepEqual(
		[...values],
		order.flatMap((row) => [...VECTORS.subarray(row * 8, row * 8 + 8)]),
	);
	const bvecs = join(folder, "bits.bvecs");
	await succeed(exportCommand, ["bits", bvecs, ...data]);
	assert.deepEqual([...readFileSync(bvecs)], [2, 0, 0, 0, 1, 255]);
	const nowhere = await run(exportCommand, ["bits", join(folder, "none", "x.npy"), ...data]);
	assert.ok(isNighError(nowhere.error, "NOT_FOUND"));
	assert.match(nowhere.error.message, /There is no folder .*none to write/);
	for (const [collection, file] of [
		["bits", "x.fvecs"],
		["notes", "x.bvecs"],
	] as const) {
		const { error } = await run(exportCommand, [collection, join(folder, file), ...data]);
		assert.equal((error as Error).name, "UsageError");
		assert.equal(existsSync(join(folder, file)), false);
	}
});

test("health, analyze and warm report", async () => {
	const health = await succeed(healthCommand, [...data, "--json"]);
	assert.equal(health.objects[0].status, "ok");
	assert.deepEqual(Object.keys(health.objects[0].collections).sort(), ["bits", "graph", "notes", "texts"]);
	assert.deepEqual((await succeed(healthCommand, data)).lines.slice(0, 2), ["database: ok", "bits: ok"]);
	const analyzed = await succeed(analyzeCommand, ["graph", ...data, "--json"]);
	const [{ collection, index, graph, issues }] = analyzed.objects;
	assert.deepEqual([collection, index, graph.layers[0] > 0, graph.reachable, issues], ["graph", "hnsw", true, 1, []]);
	const warmed = await succeed(warmCommand, ["graph", ...data, "--json"]);
	assert.ok(warmed.objects[0].bytes > 0 && warmed.objects[0].durationMs > 0);
});

test("delete takes ids, or a filter that somebody has agreed to; optimize gives up what is deleted", async () => {
	const asked = await run(deleteCommand, ["graph", "--filter", "{}", ...data]);
	assert.equal((asked.error as Error).name, "UsageError");
	assert.match((asked.error as Error).message, /--filter needs --yes/);
	const deleted = await succeed(deleteCommand, ["graph", "r1", "r2", "none", ...data, "--json"]);
	assert.equal(deleted.objects[0].deleted, 2);
	const optimized = await succeed(optimizeCommand, ["graph", ...data, "--json"]);
	const [{ collection, index, vectors, bytes }] = optimized.objects;
	assert.deepEqual([collection, index, vectors], ["graph", "hnsw", ROWS - 2]);
	assert.ok(bytes.before > 0 && bytes.after > 0);
	const [told] = (await succeed(optimizeCommand, ["graph", ...data])).lines;
	assert.match(told ?? "", /^graph: 298 vectors in the index \(hnsw\), in .*; .*iB on disk, .*iB before\.$/);
	const all = await succeed(deleteCommand, ["graph", "--filter", "{}", "--yes", ...data]);
	assert.deepEqual(all.lines, ["298 records deleted."]);
});

test("drop takes a collection away with its records, once somebody has agreed", async () => {
	await succeed(deleteCommand, ["bits", "x", ...data]);
	const { objects } = await succeed(dropCommand, ["bits", "--yes", ...data, "--json"]);
	assert.deepEqual(objects, [{ collection: "bits", dropped: true }]);
	const again = await run(dropCommand, ["bits", "--yes", ...data]);
	assert.ok(isNighError(again.error, "NOT_FOUND"));
	assert.deepEqual((await succeed(dropCommand, ["graph", "--yes", ...data])).lines, ["graph is dropped."]);
	assert.deepEqual((await succeed(collectionsCommand, data)).lines, ["notes", "texts"]);
});

test("a collection or database that is not there is named, and nothing is made", async () => {
	const { error } = await run(countCommand, ["note", ...data]);
	assert.ok(isNighError(error, "NOT_FOUND"));
	assert.match(error.message, /There is no collection "note" in .*\. Did you mean notes\? It has notes or texts\.$/);
	const nowhere = join(folder, "nowhere");
	for (const [command, args] of [
		[statsCommand, []],
		[deleteCommand, ["notes", "a"]],
		[dropCommand, ["notes", "--yes"]],
		[optimizeCommand, ["notes"]],
	] as const) {
		for (const place of [nowhere, folder]) {
			const missing = await run(command, [...args, "--data", place]);
			assert.ok(isNighError(missing.error, "NOT_FOUND"), `${command.name}: ${missing.error}`);
			assert.match(missing.error.message, /^There is no database in .*nigh import makes one\.$/);
		}
	}
	assert.equal(existsSync(nowhere), false);
	assert.equal(existsSync(join(folder, "snapshots")), false);
});

test("wrong usage is told in a line", async () => {
	const refused: readonly (readonly [command: Command, args: readonly string[], message: RegExp])[] = [
		[searchCommand, [], /COLLECTION is missing/],
		[searchCommand, ["notes"], /one of TEXT, --vector, --vector-file, --id\./],
		[searchCommand, ["notes", " "], /TEXT is empty/],
		[searchCommand, ["notes", "rye", "bread"], /into quotes: "rye bread"/],
		[searchCommand, ["notes", "--id", "a", "b"], /not TEXT and --id/],
		[searchCommand, ["notes", "--vector", "[1,"], /--vector is no JSON/],
		[searchCommand, ["notes", "--vector", '["1"]'], /--vector must be a JSON array of numbers/],
		[searchCommand, ["notes", "--id", "a", "-k", "0"], /--k is 0/],
		[searchCommand, ["notes", "--id", "a", "--recall", "0.2"], /--recall is 0\.2/],
		[searchCommand, ["notes", "--id", "a", "--ef", "5"], /--ef is 5; it must be a whole number from 10/],
		[searchCommand, ["notes", "--id", "a", "--exact", "--ef", "50"], /leave out --ef/],
		[searchCommand, ["notes", "--id", "a", "--recall", "0.9", "--ef", "50"], /give one of them/],
		[searchCommand, ["notes", "--id", "a", "--filter", '{"a":{"$foo":1}}'], /\$foo/],
		[searchCommand, ["notes", "--id", "a", "--include", "vectors"], /Did you mean vector\?/],
		[searchCommand, ["notes", "--id", "a", "--vectro", "[1]"], /Did you mean --vector\?/],
		[searchCommand, ["notes", "--vector-file", "a.ivecs"], /ids of neighbours/],
		[countCommand, [], /COLLECTION is missing: nigh count COLLECTION\./],
		[countCommand, ["notes", "b"], /"b" is one too many/],
		[collectionsCommand, ["notes"], /collections takes nothing but options/],
		[getCommand, ["notes"], /needs a collection and an id/],
		[dropCommand, [], /COLLECTION is missing: nigh drop COLLECTION\./],
		[dropCommand, ["a", "b"], /"b" is one too many/],
		[dropCommand, ["graph"], /drop needs --yes here/],
		[deleteCommand, ["notes"], /either ids or --filter/],
		[deleteCommand, ["notes", "a", "--filter", "{}"], /either ids or --filter/],
		[exportCommand, ["notes", "x.ivecs"], /written as jsonl/],
		[exportCommand, ["notes", "x.npy", "--vectors"], /leave out what is for jsonl/],
		[exportCommand, ["notes", "-", "--json"], /leave out --json/],
		[statsCommand, ["a", "b"], /not also "b"/],
		[statsCommand, ["--data", ":memory:"], /it must be a folder/],
		[statsCommand, ["--data", "postgres://x"], /--data is a URL/],
	];
	for (const [command, args, message] of refused) {
		const { error, lines } = await run(command, [...args, ...(args.includes("--data") ? [] : data)]);
		assert.equal((error as Error | undefined)?.name, "UsageError", `${command.name} ${args.join(" ")}: ${error}`);
		assert.match((error as Error).message, message);
		assert.doesNotMatch((error as Error).message, /\n/);
		assert.deepEqual(lines, []);
	}
});
