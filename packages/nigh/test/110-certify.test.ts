// `nigh certify` and `nigh tune` on a database in a folder.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { isNighError } from "@nigh/contract";
import { writeFvecs } from "@nigh/formats";
import { certifyCommand } from "../src/commands/certify.ts";
import type { Command } from "../src/commands/command.ts";
import { searchCommand } from "../src/commands/search.ts";
import { tuneCommand } from "../src/commands/tune.ts";
import { open } from "../src/open.ts";
import { bytesOf, makeTemporaryFolder } from "../src/temporary-folder.test-support.ts";
import { nigh } from "./command.test-support.ts";
import { numbers, run, succeed } from "./run-command.test-support.ts";

const { folder, remove } = makeTemporaryFolder();
const data = ["--data", join(folder, "db")];

const ROWS = 4_000;
const DIMENSIONS = 16;
const questions = join(folder, "questions.fvecs");
const few = join(folder, "few.fvecs");
const stored = join(folder, "stored.fvecs");
const STORED = numbers(ROWS * DIMENSIONS, 5);

before(async () => {
	const database = await open(join(folder, "db"));
	// Too few links for all that it is asked to find, so that widths tell.
	const notes = await database.collection("notes", {
		...{ metric: "l2", recall: 0.9, latencyMs: 60_000 },
		index: { kind: "hnsw", M: 6, efConstruction: 24 },
	});
	const rowOf = (row: number) => STORED.subarray(row * DIMENSIONS, (row + 1) * DIMENSIONS);
	await notes.upsert(
		Array.from({ length: ROWS }, (_, row) => ({ id: `${row}`, vector: rowOf(row), metadata: { row } })),
	);
	await notes.optimize();
	await database.collection("empty", { metric: "l2" });
	await database.close();
	writeFileSync(questions, await bytesOf(writeFvecs(numbers(1_000 * DIMENSIONS, 6), DIMENSIONS)));
	writeFileSync(stored, await bytesOf(writeFvecs(STORED.slice(0, 30 * DIMENSIONS), DIMENSIONS)));
	writeFileSync(few, await bytesOf(writeFvecs(numbers(12 * DIMENSIONS, 7), DIMENSIONS)));
});
after(remove);

test("before anything is certified there is nothing to tune, and too few queries are no success", async () => {
	const { lines } = await succeed(tuneCommand, ["empty", "--stats", ...data]);
	assert.match(lines.at(-1) ?? "", /^Nothing is certified/);
	// With a filter: of searches without, vectors that were held out of the index may have told something.
	const args = ["notes", "--query", few, "--filter", `{"row":{"$lt":${ROWS / 2}}}`, "-k", "1", "--json", ...data];
	const { error, objects } = await run(certifyCommand, args);
	assert.equal((error as Error).name, "ProblemsFound");
	assert.match((error as Error).message, /^1 cell without a certificate; nigh certify --query FILE/);
	const [{ statements, isComplete }] = objects;
	assert.deepEqual([statements[0].state, statements[0].target, isComplete], ["uncertified", 0.9, false]);
});

test("queries of a file certify a setting of the graph, which searches take from then on", async () => {
	const args = ["certify", "notes", "--query", questions, "-k", "10", ...data];
	const { status, stdout, stderr } = nigh(args);
	assert.deepEqual([status, stderr], [0, ""]);
	assert.match(
		stdout,
		/^k +filter +target +state +confidence +queries +mean +searches use\n10 +none +0\.9 +certified +95 % /,
	);
	assert.match(
		stdout,
		/\nMeasured of recall@10:\nLower bounds hold .+\n.+\nsetting +queries +mean +lower bound +at 0\.9\nef=\d+/,
	);
	assert.match(stdout, /\nnotes: 1 of 1 cell keeps its target, in [^\n]+\.\n/);

	// The same queries again are no more queries: it is the same certificate.
	const [report] = nigh([...args, "--json"]).objects();
	assert.deepEqual(Object.keys(report).toSorted(), [
		...["cells", "collection", "durationMs", "isComplete", "queries", "statements"],
	]);
	assert.deepEqual(report.queries, { given: 1_000, lookedAt: 100, equalToStored: 0, warning: null });
	const [{ statement, setting, measured }] = report.cells;
	assert.deepEqual([statement.state, statement.basis, statement.target], ["certified", "queries", 0.9]);
	assert.deepEqual(Object.keys(setting), ["ef"]);
	const served = measured.find((each: { setting: object }) => isDeepStrictEqual(each.setting, setting));
	assert.ok(served.certified && served.mean >= 0.9 && served.mean < 1, JSON.stringify(served));

	const database = await open(join(folder, "db"), { readOnly: true });
	const notes = await database.collection("notes");
	const vector = numbers(DIMENSIONS, 8);
	const { recall, plan } = await notes.search({ vector, k: 10 });
	assert.deepEqual([recall.state, plan.ef], ["certified", setting.ef]);
	for (const each of measured) {
		const asked = await notes.search({ vector, k: 10, ...each.setting });
		assert.deepEqual([asked.recall.state, asked.plan.ef], ["uncertified", each.setting.ef]);
	}
	await database.close();
});

test("tune measures what is certified; --stats shows it, and --reset forgets it", () => {
	const command = ["tune", "notes", ...data];
	const tuned = nigh([...command, "--json"]);
	assert.deepEqual([tuned.status, tuned.stderr], [0, ""]);
	const [{ changed, before, after, tooSlow, collection }] = tuned.objects();
	assert.ok(changed >= 0 && before > 0 && after > 0, tuned.stdout);
	assert.deepEqual([tooSlow, collection], [[], "notes"]);

	const [stats] = nigh([...command, "--stats", "--json"]).objects();
	assert.deepEqual(
		[stats.algorithm, stats.epsilon, stats.decay, stats.live, stats.latencyMs],
		["epsilon-greedy", 0.1, 1, false, 60_000],
	);
	const cell = stats.cells.find((each: { cell: { k: { to: number } } }) => each.cell.k.to === 10);
	assert.equal(cell.keepsLatency, true);
	for (const { arm, setting, pulls, averageLatencyMs } of cell.arms) {
		assert.ok(pulls > 0 && averageLatencyMs > 0, `${arm} was measured`);
		assert.deepEqual(Object.keys(setting), ["ef"]);
	}
	const told = nigh([...command, "--stats"]).stdout;
	assert.match(
		told,
		/\nrecall@10 of at least 0\.9, as quick as wanted\narm +setting +searches +mean ms +reward\nef \d+/,
	);
	assert.equal(told.match(/ serves$/gm)?.length, stats.cells.length);

	assert.match(nigh([...command, "--reset"]).stdout, /^notes: forgotten;/);
	assert.equal(nigh([...command, "--stats", "--json"]).objects()[0].totalPulls, 0);
});

test("a recall that takes longer than the collection wants is told with exit code 1", async () => {
	const database = await open(join(folder, "db"));
	await database.collection("notes", { latencyMs: 0.001 });
	await database.close();
	const { status, stdout, stderr } = nigh(["tune", "notes", ...data]);
	assert.equal(status, 1);
	assert.match(
		stdout,
		/\nrecall@10 of at least 0\.9 is kept by searches that take .* longer than the collection's latencyMs\.\n/,
	);
	assert.match(stderr, /^nigh: \d cells? cannot keep both recall and latencyMs: /);
});

test("stored vectors as queries are told of, and no certificate is looked for where nothing matches", async () => {
	const { objects } = await run(certifyCommand, ["notes", "--query", stored, "-k", "1", "--json", ...data]);
	const { warning, ...queries } = objects[0].queries;
	assert.deepEqual(queries, { given: 30, lookedAt: 30, equalToStored: 30 });
	assert.match(warning, /^30 of 30 queries are equal to a stored vector\./);
	const nothing = ["notes", "--query", few, "--filter", '{"row":-1}', ...data];
	const { error, lines } = await run(certifyCommand, nothing);
	assert.ok(isNighError(error, "INVALID_OPTION"), String(error));
	assert.equal(error.message, "No record matches the filter: there is no recall to certify.");
	assert.deepEqual(lines, []);
});

test("what compares everything keeps every recall", async () => {
	const { lines } = await succeed(certifyCommand, ["empty", ...data]);
	assert.match(lines[1] ?? "", / 0\.95 +exact /);
	assert.match(lines.at(-1) ?? "", /^empty: 1 of 1 cell keeps its target/);
});

test("the help of what searches and certifies tells whose searches are logged", () => {
	assert.match(searchCommand.help, /for reading, so that its searches are not logged/);
	assert.match(certifyCommand.help, /open the folder for writing are\s+logged, those of nigh search are not/);
});

test("wrong usage, and a collection that is not there, are told in a line", async () => {
	const refused: readonly (readonly [command: Command, args: readonly string[], message: RegExp])[] = [
		[certifyCommand, [], /COLLECTION is missing: nigh certify COLLECTION\./],
		[certifyCommand, ["notes", "--target", "2"], /--target is 2/],
		[tuneCommand, [], /COLLECTION is missing: nigh tune COLLECTION\./],
		[tuneCommand, ["notes", "--stats", "--reset"], /--stats tells what is known, --reset forgets it/],
		[tuneCommand, ["notes", "--stat"], /There is no option --stat\. Did you mean --stats\?/],
	];
	for (const [command, args, message] of refused) {
		const { error } = await run(command, [...args, ...data]);
		assert.equal((error as Error | undefined)?.name, "UsageError", String(error));
		assert.match((error as Error).message, message);
	}
	for (const command of [certifyCommand, tuneCommand]) {
		assert.ok(isNighError((await run(command, ["none", ...data])).error, "NOT_FOUND"));
	}
});
