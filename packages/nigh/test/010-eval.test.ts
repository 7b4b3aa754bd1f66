// `nigh eval` from end to end, on small files, as a process of its own.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { writeBvecs, writeFvecs, writeIvecs, writeNpy } from "@nigh/formats";
import { bytesOf, temporaryFolder } from "../src/temporary-folder.test-support.ts";
import { nigh } from "./command.test-support.ts";

const KEYS = "index params build_s recall qps p50_us p99_us bytes_total bytes_codes n dim k".split(" ");
const FILES = ["--base", "base.fvecs", "--query", "query.fvecs"];

/** Numbers from 0 to 1 that are the same in every run (a linear congruential generator, Numerical Recipes). */
function numbers(count: number, seed: number): Float32Array<ArrayBuffer> {
	let state = seed;
	return Float32Array.from({ length: count }, () => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		return state / 2 ** 32;
	});
}

/** Files base.fvecs (300 x 8) and query.fvecs (20 x 8). */
async function files(t: TestContext, more: Readonly<Record<string, string | Uint8Array>> = {}): Promise<string> {
	return temporaryFolder(t, {
		"base.fvecs": await bytesOf(writeFvecs(numbers(300 * 8, 1), 8)),
		"query.fvecs": await bytesOf(writeFvecs(numbers(20 * 8, 2), 8)),
		...more,
	});
}

test("flat has recall 1 under every metric, and each line has exactly the promised keys", async (t) => {
	const folder = await files(t);
	for (const metric of ["l2", "cosine", "ip", "l1"]) {
		const { status, stderr, objects } = nigh(
			["eval", ...FILES, "--metric", metric, "--index", "flat", "--json"],
			folder,
		);
		assert.deepEqual([status, stderr], [0, ""], metric);
		const [point, ...others] = objects();
		assert.deepEqual(Object.keys(point), KEYS);
		assert.deepEqual(others, []);
		const { index, params, recall, n, dim, k } = point;
		assert.deepEqual(
			{ index, params, recall, n, dim, k },
			{ index: "flat", params: { codes: "none" }, recall: 1, n: 300, dim: 8, k: 10 },
		);
		assert.ok(
			point.qps > 0 && point.p99_us >= point.p50_us && point.bytes_total >= 300 * 8 * 4 && point.bytes_codes === 0,
		);
	}
});

test("hnsw gives a line for each ef, of one build; an ef of all vectors finds everything", async (t) => {
	const folder = await files(t);
	const args = [
		"eval",
		...FILES,
		"--metric",
		"l2",
		"--param",
		"ef=10,300",
		"--param",
		"M=8",
		"--param",
		"seed=3",
		"--k",
		"5",
		"--json",
	];
	const { status, objects } = nigh(args, folder);
	assert.equal(status, 0);
	const [narrow, wide] = objects();
	assert.deepEqual(Object.keys(narrow), KEYS);
	const params = { M: 8, efConstruction: 64, codes: "sq7", seed: 3 };
	assert.deepEqual(
		[narrow.params, wide.params],
		[
			{ ...params, ef: 10 },
			{ ...params, ef: 300 },
		],
	);
	assert.equal(wide.recall, 1);
	assert.ok(narrow.recall > 0.5 && narrow.recall <= 1);
	assert.equal(narrow.build_s, wide.build_s);
	assert.ok(narrow.bytes_codes > 0);
});

test("cells give a line for each nprobe and each depth of re-ranking, of one build; all cells and all candidates find everything", async (t) => {
	const folder = await files(t);
	const args = ["eval", ...FILES, "--metric", "l2", "--json", "--param", "nprobe=1,4,10", "--param", "nlist=10"];
	for (const [kind, ...more] of [
		["ivf"],
		["ivfpq", "--rerank", "0,300", "--param", "M=4", "--param", "bits=4"],
		["ivfrabitq", "--rerank", "0,300", "--param", "bits=1"],
	] as [string, ...string[]][]) {
		const { status, stderr, objects } = nigh([...args, "--index", kind, ...more], folder);
		assert.deepEqual([status, stderr], [0, ""], kind);
		const points = objects();
		assert.equal(points.length, kind === "ivf" ? 3 : 6, kind);
		for (const { params, build_s, train_s, insert_s, bytes_total } of points) {
			assert.equal(params.nlist, 10);
			// Rounded, each for itself.
			assert.ok(train_s >= 0 && insert_s >= 0 && Math.abs(build_s - train_s - insert_s) < 0.0016);
			assert.equal(bytes_total, points[0].bytes_total);
		}
		const [first] = points;
		assert.deepEqual(Object.keys(first), KEYS.toSpliced(3, 0, "train_s", "insert_s", "warnings"));
		const ranked = points.filter(({ params }) => params.rerank !== 0).map(({ recall }) => recall);
		assert.deepEqual(ranked, ranked.toSorted(), `${kind}: recall does not fall with nprobe`);
		assert.equal(ranked.at(-1), 1, kind);
		// Without re-ranking the order is that of codes, whose estimates may be below any true distance: that must not count.
		const coarse = points.filter(({ params }) => params.rerank === 0).map(({ recall }) => recall);
		for (const recall of coarse) assert.ok(recall > 0 && recall < 1, `${kind}: ${recall}`);
	}
});

test("an index whose vectors are on disk is measured with the vectors beside it, and finds what one in memory finds", async (t) => {
	const folder = await files(t);
	for (const [kind, ...more] of [["ivf"], ["ivfpq", "--rerank", "0,60"], ["ivfrabitq", "--rerank", "300"]] as const) {
		for (const metric of ["l2", "cosine"]) {
			const args = ["eval", ...FILES, "--metric", metric, "--index", kind, ...more, "--param", "nprobe=10", "--json"];
			const inMemory = nigh(args, folder).objects();
			const { status, stderr, objects } = nigh([...args, "--param", "storage=disk"], folder);
			assert.deepEqual([status, stderr], [0, ""], kind);
			objects().forEach((point, i) => {
				assert.equal(point.params.storage, "disk");

				assert.equal(point.recall, inMemory[i].recall, `${kind}, ${metric}`);
			});
			if (kind === "ivf") assert.equal(objects()[0].recall, 1);
		}
	}
});

test("cells that there will not be are refused before anything is trained, as is what the dimensions do not allow", async (t) => {
	const folder = await files(t);
	const refused: readonly (readonly [args: string[], message: RegExp])[] = [
		[["ivf", "--param", "nprobe=11"], /nprobe is 11, but 300 vectors get 10 cells/],
		[["ivfpq", "--param", "M=3"], /M is 3; it must divide the 8 dimensions/],
	];
	for (const [args, message] of refused) {
		const run = nigh(["eval", ...FILES, "--metric", "l2", "--index", ...args], folder);
		assert.deepEqual([run.status, run.stdout], [1, ""]);
		assert.match(run.stderr, message);
	}
});

test("every profile is taken, for dimensions that its M divides", async (t) => {
	const wide = async (count: number, seed: number) => bytesOf(writeFvecs(numbers(count * 16, seed), 16));
	const folder = temporaryFolder(t, { "base.fvecs": await wide(260, 1), "query.fvecs": await wide(3, 2) });
	for (const [profile, M] of [
		["memory", 8],
		["accuracy", 16],
		["speed", 4],
	] as const) {
		const build = ["--param", `profile=${profile}`, "--param", "nlist=4", "--param", "nprobe=4"];
		const args = ["eval", ...FILES, "--metric", "l2", "--index", "ivfpq", ...build, "--json"];
		const { status, stderr, objects } = nigh([...args, "--rerank", "260"], folder);
		assert.deepEqual([status, stderr], [0, ""], profile);
		const [{ params, recall }] = objects();
		assert.deepEqual([params.profile, params.M, recall], [profile, M, 1]);
	}
	const narrow = await files(t);
	const refused = nigh(["eval", ...FILES, "--metric", "l2", "--index", "ivfpq", "--param", "profile=accuracy"], narrow);
	assert.deepEqual([refused.status, refused.stdout], [1, ""]);
	assert.match(refused.stderr, /M is 16; it must be a whole number from 1 to 8/);
});

test("a collapsed training is told of on each line of --json, as it is above the table", async (t) => {
	// Two vectors, fifty times each: four cells of two different centroids.
	const rows = Float32Array.from({ length: 100 * 8 }, (_, i) => (i >> 3) % 2);
	const folder = await files(t, { "base.fvecs": await bytesOf(writeFvecs(rows, 8)) });
	const args = ["eval", ...FILES, "--metric", "l2", "--index", "ivf", "--param", "nlist=4"];
	const { status, stderr, objects } = nigh([...args, "--param", "nprobe=1,2", "--json"], folder);
	assert.deepEqual([status, stderr], [0, ""]);
	const [first, second] = objects();
	assert.ok(first.warnings.some(({ code }: { code: string }) => code === "few-distinct"));
	assert.deepEqual(second.warnings, first.warnings);
	const told = nigh(args, folder).stdout;
	for (const { message } of first.warnings) assert.ok(told.includes(`\nwarning: ${message}\n`));
});

test("too few vectors to train on are told of above the table, and threads change nothing", async (t) => {
	const folder = await files(t);
	const args = ["eval", ...FILES, "--metric", "cosine", "--index", "ivfpq", "--param", "bits=8", "--param", "M=4"];
	const { status, stdout, stderr } = nigh([...args, "--rerank", "300", "--threads", "2"], folder);
	assert.deepEqual([status, stderr], [0, ""]);
	assert.match(stdout, /\nwarning: the product quantiser was trained on 300 rows; 9984 /);
	assert.match(
		stdout,
		/\nivfpq +nlist=10 M=4 bits=8 rotation=none residual=true seed=42 nprobe=4 rerank=300 +[0-9.]+ /,
	);
});

test("a build on several threads measures like one on a single thread", async (t) => {
	const folder = await files(t);
	const args = ["eval", ...FILES, "--metric", "l2", "--param", "ef=300", "--json"];
	const { status, stderr, objects } = nigh([...args, "--threads", "2"], folder);
	assert.deepEqual([status, stderr], [0, ""]);
	assert.equal(objects()[0].recall, 1);
});

test("limit and queries take the first ones", async (t) => {
	const folder = await files(t);
	const args = ["eval", ...FILES, "--metric", "l2", "--index", "flat", "--limit", "50", "--queries", "3"];
	assert.equal(nigh([...args, "--json"], folder).objects()[0].n, 50);
	assert.match(nigh(args, folder).stdout, /^50 vectors of 8 dimensions, l2; 3 queries; exact neighbours computed\n/);
});

test("bytes and npy files are read as the vectors that they stand for", async (t) => {
	const folder = temporaryFolder(t, {
		"base.bvecs": await bytesOf(writeBvecs(Uint8Array.of(0, 0, 200, 0, 0, 250), 2)),
		"query.npy": await bytesOf(writeNpy(Float32Array.of(199, 1), 2)),
		"truth.ivecs": await bytesOf(writeIvecs(Int32Array.of(1, 0), 2)),
	});
	const args = ["--base", "base.bvecs", "--query", "query.npy", "--truth", "truth.ivecs"];
	const { objects } = nigh(["eval", ...args, "--metric", "l2", "--index", "flat", "--k", "2", "--json"], folder);
	assert.equal(objects()[0].recall, 1);
});

test("ties count: of vectors that are equal, it does not matter which ones are found", async (t) => {
	// Four copies of each of 10 vectors, and a truth that names the last copies, whereas the index prefers the first ones.
	const distinct = numbers(10 * 8, 5);
	const base = Float32Array.from({ length: 4 * 80 }, (_, at) => distinct[at % 80] as number);
	const folder = temporaryFolder(t, {
		"base.fvecs": await bytesOf(writeFvecs(base, 8)),
		"query.fvecs": await bytesOf(writeFvecs(distinct, 8)),
		"truth.ivecs": await bytesOf(
			writeIvecs(
				Int32Array.from({ length: 20 }, (_, at) => (at >> 1) + (at % 2 === 0 ? 30 : 20)),
				2,
			),
		),
	});
	for (const truth of [[], ["--truth", "truth.ivecs"]]) {
		const args = ["eval", ...FILES, ...truth, "--metric", "l2", "--index", "flat", "--k", "2", "--json"];
		assert.equal(nigh(args, folder).objects()[0].recall, 1);
	}
});

test("a truth that is wrong shows: half of the neighbours in it are no neighbours", async (t) => {
	// Base 0, 1, 2, 10 on a line, query 0: the nearest two are 0 and 1. The truth says 1 and 3, at distances 1 and 10.
	const folder = temporaryFolder(t, {
		"base.fvecs": await bytesOf(writeFvecs(Float32Array.of(0, 1, 2, 10), 1)),
		"query.fvecs": await bytesOf(writeFvecs(Float32Array.of(0), 1)),
		"near.ivecs": await bytesOf(writeIvecs(Int32Array.of(0), 1)),
		"far.ivecs": await bytesOf(writeIvecs(Int32Array.of(3, 1), 2)),
	});
	const args = ["eval", ...FILES, "--metric", "l2", "--index", "flat", "--json"];
	assert.equal(nigh([...args, "--k", "1", "--truth", "near.ivecs"], folder).objects()[0].recall, 1);
	const refused = nigh([...args, "--k", "2", "--truth", "far.ivecs"], folder);
	assert.deepEqual([refused.status, refused.stdout], [1, ""]);
	assert.match(refused.stderr, /^nigh: far\.ivecs: its ids do not come nearest first under l2: .*\n$/);
});

test("without --json it prints a table whose lines stand under one heading", async (t) => {
	const folder = await files(t);
	const { stdout, stderr } = nigh(["eval", ...FILES, "--metric", "l2", "--param", "ef=10,20"], folder);
	assert.equal(stderr, "");
	const lines = stdout.trimEnd().split("\n");
	assert.equal(lines.length, 4);
	assert.match(
		lines[1] ?? "",
		/^index +parameters +build s +recall@10 +queries\/s +p50 us +p99 us +bytes total +bytes of codes$/,
	);
	assert.match(
		lines[2] ?? "",
		/^hnsw +M=16 efConstruction=64 codes=sq7 seed=42 ef=10 +[0-9.]+ +[01]\.[0-9]{4} +[0-9,]+ /,
	);
});

test("a wrong command line ends with exit code 2 and names the nearest word", async (t) => {
	const folder = await files(t);
	const refused: readonly (readonly [args: string[], message: RegExp])[] = [
		[["evla"], /There is no command evla\. Did you mean eval\?/],
		[["--verison"], /There is no option --verison\. Did you mean --version\?/],
		[["eval", "--bse", "x"], /There is no option --bse\. Did you mean --base\?/],
		[["eval", ...FILES, "--metric", "cosin"], /Did you mean cosine\?/],
		[
			["eval", ...FILES, "--metric", "l2", "--truth", "t.ivecs", "--limit", "5"],
			/--truth and --limit exclude each other/,
		],
		[["eval", ...FILES, "--metric", "l2", "--param", "M=500"], /M is 500; it must be a whole number from 2 to 200/],
		[["eval", ...FILES, "--metric", "l1", "--param", "codes=sq7"], /codes "sq7"/],
		[["eval", ...FILES, "--metric", "l1", "--index", "ivfpq"], /ivfpq cannot compare by "l1"/],
		[["eval", ...FILES, "--metric", "l2", "--index", "ivfpq", "--param", "bits=12"], /kernels for 4 to 8/],
		[["eval", ...FILES, "--metric", "l2", "--index", "ivfpq", "--param", "M=5000"], /M is 5000/],
		[[], /Say what to do/],
	];
	for (const [args, message] of refused) {
		const { status, stdout, stderr } = nigh(args, folder);
		assert.deepEqual([status, stdout], [2, ""], args.join(" "));
		assert.match(stderr, message);
		assert.doesNotMatch(stderr, /\n {4}at /);
	}
});

test("work that fails ends with exit code 1 and one line that names the file", async (t) => {
	const folder = await files(t, {
		"wide.fvecs": await bytesOf(writeFvecs(numbers(9, 1), 9)),
		"nan.fvecs": await bytesOf(writeFvecs(new Float32Array(8).fill(Number.NaN), 8)),
		"short.ivecs": await bytesOf(writeIvecs(Int32Array.of(1, 2), 2)),
		"cut.fvecs": new Uint8Array(3),
	});
	const refused: readonly (readonly [args: string[], message: RegExp])[] = [
		[["--base", "none.fvecs", "--query", "query.fvecs"], /^nigh: --base: there is no file none\.fvecs\.\n$/],
		[["--base", "cut.fvecs", "--query", "query.fvecs"], /^nigh: cut\.fvecs: .*\n$/],
		[["--base", "base.fvecs", "--query", "wide.fvecs"], /^nigh: The queries have 9 dimensions and the base has 8.*\n$/],
		[["--base", "nan.fvecs", "--query", "query.fvecs", "--k", "1"], /^nigh: .*\n$/],
		[[...FILES, "--k", "301"], /^nigh: --k is 301, but the base has only 300 vectors.*\n$/],
		[[...FILES, "--truth", "short.ivecs", "--k", "1"], /^nigh: short\.ivecs: it has 1 rows for 20 queries.*\n$/],
	];
	for (const [args, message] of refused) {
		const { status, stdout, stderr } = nigh(["eval", ...args, "--metric", "l2"], folder);
		assert.deepEqual([status, stdout], [1, ""], args.join(" "));
		assert.match(stderr, message);
	}
});

test("help and version go to the output with exit code 0", () => {
	assert.match(nigh(["--version"]).stdout, /^[0-9]+\.[0-9]+\.[0-9]+\n$/);
	for (const args of [["--help"], ["eval", "--help"], ["help", "import"], ["eval", "--base", "x", "-h"]]) {
		const { status, stdout, stderr } = nigh(args);
		assert.deepEqual([status, stderr], [0, ""]);
		assert.match(stdout, /Examples\n {2}nigh /);
	}
});
