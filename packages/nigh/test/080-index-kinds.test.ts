// `nigh convert` and `nigh train`: a collection gets another kind of index, or the same anew, and keeps its records.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { CELL_KINDS, isNighError } from "@nigh/contract";
import { analyzeCommand } from "../src/commands/analyze.ts";
import type { Command } from "../src/commands/command.ts";
import { convertCommand } from "../src/commands/convert.ts";
import { searchCommand } from "../src/commands/search.ts";
import { statsCommand } from "../src/commands/stats.ts";
import { trainCommand } from "../src/commands/train.ts";
import { warmCommand } from "../src/commands/warm.ts";
import { open } from "../src/open.ts";
import { makeTemporaryFolder } from "../src/temporary-folder.test-support.ts";
import { numbers, run, succeed } from "./run-command.test-support.ts";

const { folder, remove } = makeTemporaryFolder();
const data = ["--data", join(folder, "db")];
/** As many as cells are trained for. */
const ROWS = 1_200;
const DIMENSIONS = 8;
const VECTORS = numbers(ROWS * DIMENSIONS, 7);

before(async () => {
	const database = await open(join(folder, "db"));
	const notes = await database.collection("notes", { metric: "l2", index: { kind: "hnsw" } });
	const vectorOf = (row: number) => VECTORS.subarray(row * DIMENSIONS, (row + 1) * DIMENSIONS);
	await notes.upsert(
		Array.from({ length: ROWS }, (_, row) => ({ id: `r${row}`, vector: vectorOf(row), metadata: { row } })),
	);
	await database.collection("empty", { metric: "l2", dimensions: DIMENSIONS, index: { kind: "ivf" } });
	await database.close();
});
after(remove);

/** What `stats` says of the index. */
async function indexOf(collection: string) {
	const [stats] = (await succeed(statsCommand, [collection, ...data, "--json"])).objects;
	return stats.effective.index;
}

test("convert makes each kind of index, one from the other, and the records stay", async () => {
	let from = "hnsw";
	for (const kind of ["flat", ...CELL_KINDS, "hnsw"]) {
		const [report] = (await succeed(convertCommand, ["notes", kind, ...data, "--json"])).objects;
		assert.deepEqual([report.collection, report.from, report.index], ["notes", from, kind]);
		assert.ok(report.bytes.before > 0 && report.bytes.after > 0 && report.durationMs > 0);
		assert.ok(report.memory.before > 0 && report.memory.after > 0);
		const database = await open(join(folder, "db"), { readOnly: true });
		const notes = await database.collection("notes");
		assert.equal((await notes.stats()).effective.index.kind, kind);
		assert.equal(await notes.count(), ROWS);
		const { hits } = await notes.search({ id: "r5", k: 1 });
		assert.deepEqual([hits[0]?.id, hits[0]?.distance, hits[0]?.metadata], ["r5", 0, { row: 5 }]);
		await database.close();
		from = kind;
	}
	const [told] = (await succeed(convertCommand, ["notes", "hnsw", "--param", "M=8", ...data])).lines;
	assert.match(
		told ?? "",
		/^notes: from hnsw to hnsw, 1,200 vectors in the index, in .*; .*iB in memory, .*iB before; .*iB on disk, .*iB before\.$/,
	);
	assert.equal((await indexOf("notes")).parameters.M, 8);
});

test("train builds cells anew with what is given, and keeps the rest", async () => {
	await succeed(convertCommand, ["notes", "ivfpq", "--param", "nlist=12", "--param", "M=4", ...data]);
	const [report] = (await succeed(trainCommand, ["notes", "--param", "nlist=10", ...data, "--json"])).objects;
	assert.deepEqual([report.collection, report.index, report.vectors], ["notes", "ivfpq", ROWS]);
	assert.deepEqual([report.cells.count, report.cells.rule, report.cells.trainedFor], [10, "given", ROWS]);
	const { kind, parameters } = await indexOf("notes");
	assert.deepEqual([kind, parameters.nlist, parameters.M], ["ivfpq", 10, 4]);
	const [told] = (await succeed(trainCommand, ["notes", "--param", "nlist=adaptive", ...data])).lines;
	assert.match(
		told ?? "",
		/^notes: 1,200 vectors \(ivfpq\) in 30 cells \(adaptive\), .* in each, 0 empty, OPTIMAL; in /,
	);
	const [few] = (await succeed(trainCommand, ["empty", ...data])).lines;
	assert.match(few ?? "", /^empty: 0 vectors \(ivf\): too few to train by/);
});

test("vectors go to disk and back: answers stay, stats tell where they are, and warm reads them", async () => {
	const database = await open(join(folder, "disk"));
	const notes = await database.collection("notes", { metric: "l2", dimensions: DIMENSIONS });
	const vectorOf = (row: number) => VECTORS.subarray(row * DIMENSIONS, (row + 1) * DIMENSIONS);
	await notes.upsert(Array.from({ length: ROWS }, (_, row) => ({ id: `r${row}`, vector: vectorOf(row) })));
	await database.close();
	const there = ["notes", "--data", join(folder, "disk")];
	const answer = async () => {
		const { objects } = await succeed(searchCommand, [...there, "--id", "r7", "--exact", "--json"]);
		return objects.map(({ id, distance }) => [id, distance]);
	};
	const expected = await answer();
	const statsOf = async () => (await succeed(statsCommand, [...there, "--json"])).objects[0];
	const bytes = ROWS * DIMENSIONS * 4;
	await succeed(convertCommand, ["notes", "ivf", ...there.slice(1), "--param", "storage=disk"]);
	const { effective, memory } = await statsOf();
	assert.deepEqual([effective.index.kind, effective.index.parameters.storage], ["ivf", "disk"]);
	assert.ok(memory.onDisk >= bytes, `${memory.onDisk} bytes`);
	const [warmed] = (await succeed(warmCommand, [...there, "--json"])).objects;
	assert.ok(warmed.bytesRead >= bytes, `${warmed.bytesRead} bytes`);
	assert.match((await succeed(warmCommand, there)).lines[0] ?? "", /of memory and [0-9.]+ KiB of vectors on disk in /);
	assert.match((await succeed(statsCommand, there)).lines.join("\n"), /\non disk +[0-9.]+ KiB of vectors/);
	assert.deepEqual(await answer(), expected);
	await succeed(trainCommand, [...there, "--param", "storage=memory"]);
	const back = await statsOf();
	assert.deepEqual([back.effective.index.parameters.storage, back.memory.onDisk ?? 0], ["memory", 0]);
	assert.equal((await succeed(warmCommand, [...there, "--json"])).objects[0].bytesRead, undefined);
	assert.deepEqual(await answer(), expected);
});

test("analyze, stats and search tell of cells", async () => {
	await succeed(convertCommand, ["notes", "ivfpq", "--param", "nlist=15", ...data]);
	const analysis = (await succeed(analyzeCommand, ["notes", ...data])).lines;
	assert.ok(
		analysis.some((line) => /^cells +15, 0 of them empty$/.test(line)),
		analysis.join("\n"),
	);
	assert.ok(
		analysis.some((line) => /^nlist +given, for 1,200 vectors$/.test(line)),
		analysis.join("\n"),
	);
	assert.ok(
		analysis.some((line) => /^fill +OPTIMAL$/.test(line)),
		analysis.join("\n"),
	);
	const stats = (await succeed(statsCommand, ["notes", ...data])).lines;
	assert.ok(
		stats.some((line) => /^of it +codes .* bytes each\).*, centroids .*, codebooks /.test(line)),
		stats.join("\n"),
	);
	const search = ["notes", "--id", "r3", "--nprobe", "15", "--rerank", String(ROWS), ...data];
	const [{ hits, plan, recall }] = (await succeed(searchCommand, [...search, "--json"])).objects;
	assert.deepEqual([plan.index, plan.nprobe, plan.cells, plan.rows], ["ivfpq", 15, 15, ROWS]);
	assert.deepEqual([hits[0].id, recall.state], ["r3", "uncertified"]);
	const { lines } = await succeed(searchCommand, search);
	assert.match(
		lines.at(-1) ?? "",
		/index \(ivfpq, nprobe 15, 1,200 rows, [\d,]+ re-ranked\), uncertified: recall of 0\.95 asked for$/,
	);
});

test("a collection without cells cannot be trained, and is told what to do", async () => {
	await succeed(convertCommand, ["notes", "hnsw", ...data]);
	const { error } = await run(trainCommand, ["notes", ...data]);
	assert.ok(isNighError(error, "INVALID_OPTION"), String(error));
	assert.match(error.message, /^notes has no cells to train: its index is of kind hnsw\. nigh convert notes ivf/);
});

test("wrong usage is told in a line, and changes nothing", async () => {
	const index = await indexOf("notes");
	const refused: readonly (readonly [command: Command, args: readonly string[], message: RegExp])[] = [
		[convertCommand, [], /COLLECTION is missing: nigh convert COLLECTION KIND\./],
		[convertCommand, ["notes"], /KIND is missing/],
		[convertCommand, ["notes", "hnws"], /KIND is "hnws".* Did you mean hnsw\?/],
		[convertCommand, ["notes", "flat", "--param", "M=8"], /kind flat has no parameters/],
		[convertCommand, ["notes", "ivf", "--param", "nlist=many"], /--param nlist is "many"/],
		[convertCommand, ["notes", "ivf", "hnsw"], /"hnsw" is one too many/],
		[trainCommand, [], /COLLECTION is missing: nigh train COLLECTION\./],
		[trainCommand, ["notes", "--param", "efConstruction=100"], /cells has no parameter efConstruction/],
		[searchCommand, ["notes", "--id", "r1", "--nprobe", "0"], /--nprobe is 0/],
		[searchCommand, ["notes", "--id", "r1", "--rerank", "5"], /--rerank is 5; it must be a whole number from 10/],
		[searchCommand, ["notes", "--id", "r1", "--exact", "--nprobe", "5"], /leave out .*--nprobe/],
		[searchCommand, ["notes", "--id", "r1", "--recall", "0.9", "--rerank", "50"], /give one of them/],
	];
	for (const [command, args, message] of refused) {
		const { error } = await run(command, [...args, ...data]);
		assert.equal((error as Error | undefined)?.name, "UsageError", `${command.name} ${args.join(" ")}: ${error}`);
		assert.match((error as Error).message, message);
	}
	const other = await run(searchCommand, ["notes", "--id", "r1", "--nprobe", "5", ...data]);
	assert.ok(isNighError(other.error, "INVALID_OPTION"), String(other.error));
	const odd = await run(convertCommand, ["notes", "ivfpq", "--param", "M=3", ...data]);
	assert.ok(isNighError(odd.error, "INVALID_OPTION"), String(odd.error));
	assert.match(odd.error.message, /must divide the 8 dimensions/);
	assert.deepEqual(await indexOf("notes"), index);
});
