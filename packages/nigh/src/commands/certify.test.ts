import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import {
	type CertifiedCell,
	type CertifyOptions,
	type CertifyReport,
	type Collection,
	NighError,
	type RecallStatement,
	type SearchRequest,
} from "@nigh/contract";
import { writeFvecs } from "@nigh/formats";
import { bytesOf, temporaryFolder } from "../temporary-folder.test-support.ts";
import { certify } from "./certify.ts";

const CELL = { k: { from: 10, to: 10 }, selectivity: { from: 1, to: 1 }, target: 0.95 };
const CERTIFIED: RecallStatement = {
	target: 0.95,
	state: "certified",
	estimate: 0.9625,
	basis: "queries",
	confidence: 0.95,
	queries: 431,
	cell: CELL,
	changeNumber: 9,
	certifiedAt: 1,
};
const FILTERED = { ...CELL, k: { from: 1, to: 1 }, selectivity: { from: 0.1, to: 0.2 } };
const UNCERTIFIED: RecallStatement = {
	...{ ...CERTIFIED, state: "uncertified", cell: FILTERED, queries: 0 },
	...{ estimate: null, basis: null, confidence: null, changeNumber: null, certifiedAt: null },
};
const REPORT: CertifyReport = {
	statements: [CERTIFIED],
	cells: [
		{
			statement: CERTIFIED,
			setting: { ef: 37 },
			endsEarly: true,
			measured: [
				{ setting: { ef: 40 }, endsEarly: true, queries: 431, mean: 0.9625, lowerBound: 0.951, certified: true },
				{ setting: { ef: 37 }, endsEarly: true, queries: 5_000, mean: 0.9499, lowerBound: 0.9401, certified: false },
			],
		},
	],
	isComplete: true,
	durationMs: 1_234,
};

const BOUNDS_REMARK = [
	"Lower bounds hold for all settings of a table together, and are wide where few queries were enough to pass. A certificate is of its target",
	"alone and needs less: what is certified may stand beside a lower bound that is below the target.",
];

/** Certifies by a collection that answers as it is told to. */
async function run(
	answer: (options: CertifyOptions) => Promise<CertifyReport>,
	settings: Omit<Parameters<typeof certify>[1], "query"> & Partial<Parameters<typeof certify>[1]>,
) {
	const lines: string[] = [];
	const errors: string[] = [];
	const collection = {
		name: "notes",
		stats: async () => ({ name: "notes", effective: { type: "float", dimensions: 2, metric: "l2" } }),
		// Every query is answered: how far it is from what is stored, its first number tells.
		search: async ({ vector }: SearchRequest) => ({ hits: [{ id: "a", distance: vector?.[0] }], changeNumber: 1 }),
		certify: answer,
	} as unknown as Collection;
	const stream = { isTTY: false, write: (text: string) => errors.push(text) };
	const terminal = { print: (line: string) => lines.push(line), output: stream, errors: stream, isInteractive: false };
	const { signal } = new AbortController();
	let error: unknown;
	try {
		await certify(collection, { query: undefined, ...settings }, terminal, signal);
	} catch (thrown) {
		error = thrown;
	}
	return { lines, errors, error };
}

test("a table of the cells, and what was measured for each", async () => {
	const { lines, error } = await run(async () => REPORT, { options: {}, json: false });
	assert.equal(error, undefined);
	assert.deepEqual(lines, [
		"k   filter  target  state      confidence  queries    mean  searches use",
		"10  none      0.95  certified        95 %      431  0.9625  ef=37, ends early",
		"",
		"Measured of recall@10:",
		...BOUNDS_REMARK,
		"setting            queries    mean  lower bound  at 0.95",
		"ef=40, ends early      431  0.9625       0.9510  certified",
		"ef=37, ends early    5,000  0.9499       0.9401  no",
		"",
		"notes: 1 of 1 cell keeps its target, in 1.2 s.",
	]);
	const { lines: json } = await run(async () => REPORT, { options: {}, json: true });
	assert.deepEqual(
		json.map((line) => JSON.parse(line)),
		[{ collection: "notes", ...REPORT }],
	);
});

test("targets of the same searches share a table", async () => {
	const [cell] = REPORT.cells as [CertifiedCell];
	const other: RecallStatement = { ...CERTIFIED, target: 0.9, cell: { ...CELL, target: 0.9 } };
	const measured = cell.measured.map((each) => ({ ...each, certified: true }));
	const filtered = { ...cell, statement: { ...CERTIFIED, cell: FILTERED } };
	const cells = [cell, { ...cell, statement: other, measured }, filtered];
	const report = { ...REPORT, cells, statements: cells.map(({ statement }) => statement) };
	const { lines } = await run(async () => report, { options: {}, json: false });
	assert.deepEqual(lines.slice(4, 14), [
		"",
		"Measured of recall@10:",
		...BOUNDS_REMARK,
		"setting            queries    mean  lower bound  at 0.95    at 0.9",
		"ef=40, ends early      431  0.9625       0.9510  certified  certified",
		"ef=37, ends early    5,000  0.9499       0.9401  no         certified",
		"",
		"Measured of recall@1 where a filter matches 10 to 20 %:",
		"setting            queries    mean  lower bound  at 0.95",
	]);
	assert.equal(lines.filter((line) => line.startsWith("Lower bounds hold")).length, 1);
});

test("what is left without a certificate is exact meanwhile, and no success", async () => {
	const statements = [CERTIFIED, UNCERTIFIED];
	const cells = [...REPORT.cells, { statement: UNCERTIFIED, setting: null, endsEarly: false, measured: [] }];
	const report = { ...REPORT, statements, cells, isComplete: false };
	const { lines, error } = await run(async () => report, { options: {}, json: false });
	assert.equal(lines[2], "1   10 to 20 %    0.95  uncertified                               exact");
	assert.deepEqual(lines.slice(-2), [
		"notes: 1 of 2 cells keeps its target, in 1.2 s.",
		"The queries ended before every test had come to its end: with more of them nigh certify goes on.",
	]);
	const inTime = await run(async () => report, { options: { maxMs: 1_000 }, json: false });
	assert.equal(
		inTime.lines.at(-1),
		"Time ended it before every test had come to its end: nigh certify goes on from there.",
	);
	const unfinished = { ...REPORT, isComplete: false };
	for (const [maxMs, more] of [
		[1_000, "time"],
		[undefined, "queries"],
	] as const) {
		const options = maxMs === undefined ? {} : { maxMs };
		assert.equal(
			(await run(async () => unfinished, { options, json: false })).lines.at(-1),
			`Nothing has to be done: with more ${more} nigh certify goes on, and may certify cheaper settings.`,
		);
	}
	assert.equal((error as Error).name, "ProblemsFound");
	assert.match((error as Error).message, /^1 cell without a certificate; nigh certify --query FILE/);
	const nothing = await run(async () => ({ ...REPORT, statements: [], cells: [] }), { options: {}, json: false });
	assert.deepEqual(nothing.lines, ["notes: 0 of 0 cells keep their targets, in 1.2 s."]);
	assert.match((nothing.error as Error).message, /^nothing was certified/);
	const heldOut: RecallStatement = { ...CERTIFIED, state: "provisional", basis: "heldout", queries: 1_000 };
	const provisional = {
		...REPORT,
		statements: [heldOut],
		cells: [{ statement: heldOut, setting: { nprobe: 8 }, endsEarly: false, measured: [] }],
	};
	const told = await run(async () => provisional, { options: {}, json: false });
	assert.equal(told.error, undefined);
	assert.match(told.lines[1] ?? "", /provisional +95 % +1,000 held out +0\.9625 +nprobe=8$/);
});

test("what was typed goes to the collection, with the queries of the file: of too many, a draw", async (t) => {
	const count = 10_500;
	const values = Float32Array.from({ length: 2 * count }, (_, at) => Math.floor(at / 2));
	const folder = temporaryFolder(t, { "q.fvecs": await bytesOf(writeFvecs(values, 2)) });
	const given: CertifyOptions[] = [];
	const answer = async (options: CertifyOptions) => {
		given.push(options);
		return REPORT;
	};
	const query = { option: "--query", path: join(folder, "q.fvecs"), format: "fvecs" } as const;
	await run(answer, { query, options: { k: 5, target: 0.9, filter: { a: 1 } }, json: false });
	const { queries = [], onProgress, signal, ...options } = given[0] ?? {};
	assert.deepEqual(options, { k: 5, target: 0.9, filter: { a: 1 } });
	assert.ok(onProgress !== undefined && signal !== undefined);
	const rows = new Set(queries.map((vector) => vector[0] as number));
	assert.deepEqual([queries.length, rows.size], [10_000, 10_000]);
	assert.ok([...rows].filter((row) => row >= 10_000).length > 400, "those at the end of the file are among them");
	await run(answer, { options: {}, json: false });
	assert.equal(given[1]?.queries, undefined);
});

test("queries that are stored vectors are told of before anything is certified", async (t) => {
	const folder = temporaryFolder(t, {
		"stored.fvecs": await bytesOf(writeFvecs(new Float32Array(2 * 500), 2)),
		"own.fvecs": await bytesOf(writeFvecs(new Float32Array(2 * 30).fill(1), 2)),
	});
	const told = async (file: string, json: boolean) => {
		const query = { option: "--query", path: join(folder, file), format: "fvecs" } as const;
		return (await run(async () => REPORT, { query, options: {}, json })).lines;
	};
	const warning =
		"100 of 100 queries are equal to a stored vector. An index finds its own vectors too well: measure with queries that are not stored.";
	const [first, header] = await told("stored.fvecs", false);
	assert.equal(first, warning);
	assert.match(header ?? "", /^k /);
	const [json = ""] = await told("stored.fvecs", true);
	assert.deepEqual(JSON.parse(json).queries, { given: 500, lookedAt: 100, equalToStored: 100, warning });
	assert.match((await told("own.fvecs", false))[0] ?? "", /^k /);
	const [own = ""] = await told("own.fvecs", true);
	assert.deepEqual(JSON.parse(own).queries, { given: 30, lookedAt: 30, equalToStored: 0, warning: null });
});

test("what was certified before an interruption is kept, and said to be", async () => {
	const aborted = new NighError("ABORTED", "certify was aborted.");
	const { errors, error, lines } = await run(() => Promise.reject(aborted), { options: {}, json: false });
	assert.equal(error, aborted);
	assert.deepEqual([errors, lines], [["What was certified by then is kept: nigh stats notes shows it.\n"], []]);
	const full = new NighError("DISK_FULL", "The disk is full.");
	const failed = await run(() => Promise.reject(full), { options: {}, json: false });
	assert.deepEqual([failed.error, failed.errors], [full, []]);
});
