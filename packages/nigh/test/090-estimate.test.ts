// `nigh estimate` from end to end, as a process of its own.
import assert from "node:assert/strict";
import { test } from "node:test";
import { nigh } from "./command.test-support.ts";

const CHROMATICA = "--n 1000000 --dimensions 1152 --index ivfpq --param M=8 --param bits=8 --param nlist=100".split(
	" ",
);

test("C-3: 8 bytes of code are 576 times less than the vectors, and stand beside all the rest", () => {
	const { status, stdout, stderr } = nigh(["estimate", ...CHROMATICA]);
	assert.deepEqual([status, stderr], [0, ""]);
	assert.match(
		stdout,
		/^1,000,000 vectors of 1,152 dimensions, l2: ivfpq nlist=100 nprobe=10 storage=memory M=8 bits=8 /,
	);
	assert.match(stdout, /\ncode bytes only: 8\.0 a vector, 576x smaller than the vectors \(7\.6 MiB\)\n/);
	assert.match(stdout, /\ncodebooks +1\.2 +1,179,648 /);
	assert.match(stdout, /\nraw vectors +4,608 +4,608,000,000 /);
	assert.match(stdout, /\nthe index without the vectors: [0-9]+x smaller\n/);
	assert.match(stdout, /\nall that is in memory: .* 1\.01x larger\n/);
	assert.match(stdout, /\nDOES NOT FIT in one memory, which ends at 4 GiB: at most 92[0-9],[0-9]{3} of them would\./);
});

test("as JSON the parts add up, and ids come on top", () => {
	const [plain] = nigh(["estimate", ...CHROMATICA, "--json"]).objects();
	const { codes, ids, centroids, codebooks, links, slack, vectors, index, total, codeBytesPerVector, ratio, fits } =
		plain;
	assert.equal(index, codes + ids + centroids + codebooks + links + slack);
	assert.equal(total, index + vectors);
	assert.deepEqual([codeBytesPerVector, ratio.codes, fits], [8, 576, false]);
	const [withIds] = nigh(["estimate", ...CHROMATICA, "--ids", "36", "--json"]).objects();
	assert.equal(withIds.total, total + 36_000_000);
});

test("every kind has an estimate, and what it cannot have is left out", () => {
	for (const kind of ["flat", "hnsw", "ivf", "ivfpq", "ivfrabitq"]) {
		const { status, stdout } = nigh(["estimate", "--n", "10000", "--dimensions", "128", "--index", kind]);
		assert.equal(status, 0, kind);
		assert.equal(/\nlinks /.test(stdout), kind === "hnsw");
		assert.equal(/\ncentroids /.test(stdout), kind.startsWith("ivf"));
		assert.equal(/\ncodebooks /.test(stdout), kind === "ivfpq");
		assert.equal(/axes ivf(pq)? keeps; 64 of 128/.test(stdout), kind === "ivf" || kind === "ivfpq");
		assert.match(stdout, /\nfits in one memory of 4 GiB, as up to [0-9,]+ of them would\.\n/);
	}
	const bits = nigh([
		"estimate",
		"--n",
		"8",
		"--dimensions",
		"1024",
		"--index",
		"flat",
		"--metric",
		"hamming",
		"--json",
	]);
	assert.equal(bits.objects()[0].vectors, 8 * 128);
});

test("of an index whose vectors are on disk they stand apart, and are not in the total", () => {
	const shape = ["estimate", "--n", "100000", "--dimensions", "128", "--index", "ivf", "--json"];
	const [inMemory] = nigh(shape).objects();
	const [onDisk] = nigh([...shape, "--storage", "disk"]).objects();
	assert.deepEqual([inMemory.onDisk, onDisk.onDisk, onDisk.vectors], [0, 51_200_000, 0]);
	assert.equal(inMemory.total - onDisk.total, 51_200_000);
	assert.deepEqual(nigh([...shape, "--param", "storage=disk"]).objects(), [onDisk]);
	const { stdout } = nigh([...shape.slice(0, -1), "--storage", "disk"]);
	assert.match(stdout, /\nvectors on disk +512\.0 +51,200,000 /);
});

test("--max-mb tells what a database would choose, why, and what else there was", () => {
	const shape = ["estimate", "--n", "4000000", "--dimensions", "128", "--ids", "8", "--max-mb"];
	const { status, stdout, stderr } = nigh([...shape, "1024"]);
	assert.deepEqual([status, stderr], [0, ""]);
	assert.match(stdout, /^4,000,000 vectors of 128 dimensions, l2, within 1\.0 GiB: ivfpq storage=disk\n/);
	assert.match(stdout, /\nivf storage=disk .* does not fit\nivfpq storage=disk .* chosen\n/);
	assert.match(stdout, /\nivfpq with vectors on disk takes up to .* For these, hnsw .* would be needed\.\n/);
	const [plan] = nigh([...shape, "1024", "--json"]).objects();
	assert.deepEqual(plan.index, { kind: "ivfpq", storage: "disk" });
	assert.deepEqual([plan.vectors, plan.maxBytes, plan.onDisk], [4_000_000, 2 ** 30, 4_000_000 * 512]);
	assert.ok(plan.bytes <= plan.maxBytes && plan.considered.length === 5);
	const [plenty] = nigh([...shape, "65536", "--json"].with(2, "1000000")).objects();
	assert.deepEqual(plenty.index, { kind: "hnsw" });
});

test("what nothing can hold ends with exit code 1 and the numbers", () => {
	const refused = nigh(["estimate", "--n", "4000000", "--dimensions", "128", "--max-mb", "64"]);
	assert.deepEqual([refused.status, refused.stdout], [1, ""]);
	const [, most] =
		/within 67108864 bytes: [0-9]+ would be needed, and ([0-9]+) vectors would fit/.exec(refused.stderr) ?? [];
	assert.equal(nigh(["estimate", "--n", `${most}`, "--dimensions", "128", "--max-mb", "64"]).status, 0);
	assert.equal(nigh(["estimate", "--n", `${Number(most) + 1}`, "--dimensions", "128", "--max-mb", "64"]).status, 1);
});

test("the examples of its help are answered", () => {
	const [, examples = ""] = nigh(["estimate", "--help"]).stdout.split("Examples\n");
	const lines = examples.replaceAll("\\\n", " ").trim().split("\n");
	assert.equal(lines.length, 4);
	for (const line of lines) {
		const [command, ...args] = line.trim().split(/ +/);
		const { status, stderr } = nigh(args);
		assert.deepEqual([command, status, stderr], ["nigh", 0, ""], line);
	}
});

test("a wrong command line ends with exit code 2, saying what to write", () => {
	const shape = ["--n", "1000", "--dimensions", "64"];
	const refused: readonly (readonly [args: string[], message: RegExp])[] = [
		[["--dimensions", "64", "--index", "ivf"], /--n is missing/],
		[["--n", "1000", "--index", "ivf"], /--dimensions is missing/],
		[shape, /--index is missing/],
		[[...shape, "--index", "ivfrabit"], /Did you mean ivfrabitq\?/],
		[[...shape, "--index", "auto"], /--index is "auto"/],
		[[...shape, "--index", "ivf", "--metric", "l3"], /--metric is "l3"/],
		[[...shape, "--index", "ivf", "--metric", "hamming"], /ivf cannot compare by "hamming"/],
		[[...shape, "--index", "ivfpq", "--param", "M=7"], /M is 7; it must divide the 64 dimensions/],
		[[...shape, "--index", "hnsw", "--param", "nlist=7"], /hnsw has no parameter nlist/],
		[[...shape, "--index", "ivf", "--storage", "disc"], /--storage is "disc".*Did you mean disk\?/],
		[[...shape, "--index", "hnsw", "--storage", "disk"], /hnsw has no parameter storage/],
		[[...shape, "--index", "ivf", "--storage", "disk", "--metric", "l1"], /needs codes/],
		[[...shape, "--index", "ivf", "--max-mb", "64"], /--max-mb .* --index has chosen: leave one of them out/],
		[[...shape, "--max-mb", "0"], /--max-mb is 0; .* from 0\.01 to/],
		[[...shape, "--max-mb", "much"], /--max-mb is "much"/],
		[[...shape, "--index", "flat", "--ids", "-1"], /--ids is -1/],
		[["--n", "0", "--dimensions", "64", "--index", "flat"], /--n is 0/],
		[[...shape, "--index", "flat", "more"], /"more" belongs to no option/],
	];
	for (const [args, message] of refused) {
		const { status, stdout, stderr } = nigh(["estimate", ...args]);
		assert.deepEqual([status, stdout], [2, ""], args.join(" "));
		assert.match(stderr, message);
	}
});
