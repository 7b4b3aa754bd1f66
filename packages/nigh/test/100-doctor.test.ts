// `nigh doctor` from end to end: a database in a folder, a file of queries, and a brute force beside it.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { isNighError } from "@nigh/contract";
import { writeBvecs, writeFvecs } from "@nigh/formats";
import { randomFrom, shuffle } from "@nigh/recall";
import { certifyCommand } from "../src/commands/certify.ts";
import { doctorCommand } from "../src/commands/doctor.ts";
import { open } from "../src/open.ts";
import { bytesOf, makeTemporaryFolder } from "../src/temporary-folder.test-support.ts";
import { nigh } from "./command.test-support.ts";
import { numbers, run, succeed } from "./run-command.test-support.ts";

const { folder, remove } = makeTemporaryFolder();
const data = ["--data", join(folder, "db")];
const ROWS = 3_000;
const DIMENSIONS = 8;
const QUERIES = 400;
const STORED = numbers(ROWS * DIMENSIONS, 3);
const ASKED = numbers(QUERIES * DIMENSIONS, 4);
const file = join(folder, "queries.fvecs");
const stored = join(folder, "stored.fvecs");
const bits = join(folder, "bits.bvecs");
const rowOf = (values: Float32Array<ArrayBuffer>, row: number) =>
	values.subarray(row * DIMENSIONS, (row + 1) * DIMENSIONS);

before(async () => {
	const database = await open(join(folder, "db"));
	const records = Array.from({ length: ROWS }, (_, row) => ({ id: `${row}`, vector: rowOf(STORED, row) }));
	for (const index of [
		{ kind: "hnsw", M: 4, efConstruction: 16 },
		{ kind: "ivf", nlist: 50 },
		{ kind: "flat" },
	] as const) {
		const recall = index.kind === "ivf" ? 0.93 : 0.95;
		const collection = await database.collection(index.kind, { metric: "l2", recall, index });
		await collection.upsert(records);
		await collection.optimize();
	}
	const packed = await database.collection("bits", { type: "bit" });
	await packed.upsert(Array.from({ length: 50 }, (_, at) => ({ id: `${at}`, vector: Uint8Array.of(at, 7 * at, 255) })));
	await database.close();
	writeFileSync(file, await bytesOf(writeFvecs(ASKED, DIMENSIONS)));
	writeFileSync(stored, await bytesOf(writeFvecs(STORED.subarray(0, QUERIES * DIMENSIONS), DIMENSIONS)));
	writeFileSync(bits, await bytesOf(writeBvecs(Uint8Array.of(1, 2, 3, 9, 9, 9), 3)));
});
after(remove);

for (const [kind, name] of [
	["hnsw", "ef"],
	["ivf", "nprobe"],
] as const) {
	test(`the recall of ${kind} is that which a brute force finds, at the setting that is named`, async () => {
		const args = [kind, "--query", file, "--target", "0.9", "--seed", "3", ...data];
		const [report, ...others] = (await succeed(doctorCommand, [...args, "--json"])).objects;
		assert.deepEqual(others, []);
		assert.deepEqual(
			[report.collection, report.verdict, report.index.kind, report.target, report.queries.measured],
			[kind, "kept", kind, 0.9, 320],
		);
		const found = report.settings[report.cheapest];
		assert.deepEqual(Object.keys(found.setting), [name]);
		assert.equal(found.mean.toFixed(9), (await bruteForce(kind, found.setting, 3, 80)).toFixed(9));
		const { lines } = await succeed(doctorCommand, args);
		const marked = lines.filter((line) => line.includes("<- the cheapest that does"));
		assert.equal(marked.length, 1);
		assert.match(marked[0] ?? "", new RegExp(`^${name}=${found.setting[name]} +320 +0\\.9`));
		assert.match(
			lines.join("\n"),
			new RegExp(`\n${name}=${found.setting[name]} is the cheapest that keeps recall@10 `),
		);
	});
}

/** The mean recall@10 of the queries that a seed leaves beside the pilot, by distances that are computed here. */
async function bruteForce(collection: string, setting: object, seed: number, pilot: number): Promise<number> {
	const rows = Array.from({ length: QUERIES }, (_, row) => rowOf(ASKED, row));
	const measured = shuffle(rows, randomFrom(seed)).slice(pilot);
	const database = await open(join(folder, "db"), { readOnly: true });
	const searched = await database.collection(collection);
	let found = 0;
	for (const vector of measured) {
		const distances = Float64Array.from({ length: ROWS }, (_, row) => squares(vector, rowOf(STORED, row)));
		const kth = distances.toSorted()[9] as number;
		const { hits } = await searched.search({ vector, ...setting });
		found += hits.filter(({ id }) => (distances[Number(id)] as number) <= kth * (1 + 1e-6)).length;
	}
	await database.close();
	return found / (10 * measured.length);
}

function squares(a: Float32Array, b: Float32Array): number {
	return a.reduce((sum, each, d) => sum + (each - (b[d] as number)) ** 2, 0);
}

test("the exit code tells whether a setting was found, and nothing is written beside the answer", () => {
	const kept = nigh(["doctor", "hnsw", "--query", file, "--target", "0.8", "--max-queries", "200", ...data]);
	assert.deepEqual([kept.status, kept.stderr], [0, ""]);
	const exact = nigh(["doctor", "flat", "--query", file, ...data]);
	assert.deepEqual([exact.status, exact.stderr], [0, ""]);
	assert.match(exact.stdout, /\nEvery search is exact: the index is flat\. Recall@10 is 1\.\n/);
	const few = nigh(["doctor", "hnsw", "--query", file, "--max-queries", "50", "--json", ...data]);
	assert.equal(few.status, 1);
	assert.equal(few.objects()[0].verdict, "undecided");
	assert.match(few.stderr, /^nigh: Too few queries to tell .* about [0-9,]+ in the file would do.*\n$/);
});

test("stored vectors as queries are told of, and a target between two of the list goes up", async () => {
	const args = ["hnsw", "--query", stored, "--target", "0.81", "--max-queries", "150", ...data];
	const told = (await succeed(doctorCommand, args)).lines.join("\n");
	assert.match(told, /150 of 150 queries are equal to a stored vector\./);
	assert.match(told, /\nThe target 0\.81 was rounded up to 0\.85\.$/);
});

test("the recall that the collection has declared is examined where no target is given", async () => {
	const args = ["ivf", "--query", file, "--max-queries", "120", ...data];
	const [report] = (await run(doctorCommand, [...args, "--json"])).objects;
	assert.equal(report.target, 0.94);
	const { lines } = await run(doctorCommand, args);
	assert.equal(lines.at(-1), "The target 0.93 was rounded up to 0.94.");
});

test("certify is named, with the same queries, where the collection does not keep the recall that it has declared", async () => {
	const database = await open(join(folder, "db"));
	const misled = await database.collection("misled", { metric: "l2", index: { kind: "ivf", nlist: 50 } });
	await misled.upsert(Array.from({ length: ROWS }, (_, row) => ({ id: `${row}`, vector: rowOf(STORED, row) })));
	await misled.optimize();
	await database.close();
	// Stored vectors are found in their own cells, the neighbours of others are not.
	await succeed(certifyCommand, ["misled", "--query", stored, "-k", "1", ...data]);
	const { lines } = await succeed(doctorCommand, ["misled", "--query", file, "-k", "1", ...data]);
	assert.deepEqual(lines.slice(-1), [
		`The collection's recall of 0.95 is not kept: nigh certify misled --query '${file}' -k 1 has searches keep it.`,
	]);
	assert.ok(lines.includes("A search that does not say how wide it is to be does not keep 0.95."));
});

test("bits are read as bytes", async () => {
	const [report] = (await succeed(doctorCommand, ["bits", "--query", bits, "-k", "3", ...data, "--json"])).objects;
	assert.deepEqual([report.verdict, report.queries.given], ["exact", 2]);
});

test("what cannot be examined is refused in one line that says why", async () => {
	const refused: readonly (readonly [args: readonly string[], code: string, message: RegExp])[] = [
		[["hnsw", "--query", join(folder, "none.fvecs")], "NOT_FOUND", /^--query: there is no file .*none\.fvecs\.$/],
		[["hnsw", "--query", bits], "DIMENSION_MISMATCH", /bits\.bvecs: the queries have 3 dimensions and hnsw has 8/],
		[["bits", "--query", file], "DIMENSION_MISMATCH", /the queries have 64 bits and bits has 24/],
		[["hnws", "--query", file], "NOT_FOUND", /no collection "hnws" .* Did you mean hnsw\?/],
		[["hnsw", "--query", file, "--filter", '{"a":1}'], "INVALID_OPTION", /No record matches the filter/],
	];
	for (const [args, code, message] of refused) {
		const { error, lines } = await run(doctorCommand, [...args, ...data]);
		assert.ok(isNighError(error), String(error));
		assert.equal(error.code, code);
		assert.match(error.message, message);
		assert.deepEqual(lines, []);
	}
});
