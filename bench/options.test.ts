import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { UsageError } from "../packages/nigh/src/terminal/usage-error.ts";
import type { EngineEntry } from "./engines/registry.ts";
import { HELP, parseOptions } from "./options.ts";

const HERE = fileURLToPath(import.meta.url);
const entry = (needs: string): EngineEntry => ({ about: "", command: [], settings: [{ ef: 10 }], needs });
const SURROUNDINGS = {
	engines: { nigh: entry(HERE), here: entry(HERE), also: entry(HERE), gone: entry(`${HERE}.not-there`) },
	env: {},
};
const parse = (...args: string[]) => parseOptions(args, SURROUNDINGS);

describe("without options", () => {
	test("generated vectors are searched by Nigh and all that is installed", () => {
		const { set, run, json, out } = parse();
		assert.deepEqual(set, {
			set: "generated",
			data: fileURLToPath(new URL("data", import.meta.url)),
			n: 100_000,
			dimensions: 128,
			queries: 1_000,
			metric: undefined,
			seed: 1,
			k: 10,
		});
		const engines = ["nigh", "here", "also"];
		assert.deepEqual(run, {
			engines,
			k: 10,
			M: 16,
			efConstruction: 200,
			passes: 5,
			enough: 0.998,
			slower: 1.5,
			knobs: {},
		});
		assert.deepEqual([json, out], [false, undefined]);
	});
});

describe("each option", () => {
	test("that is a number is read", () => {
		const { set, run } = parse(
			...["--n", "500", "--dimensions", "8", "--queries", "20", "--seed", "3", "--k", "5"],
			...["--M", "4", "--ef-construction", "8", "--passes", "1"],
		);
		assert.deepEqual([set.n, set.dimensions, set.queries, set.seed, set.k], [500, 8, 20, 3, 5]);
		assert.deepEqual([run.k, run.M, run.efConstruction, run.passes], [5, 4, 8, 1]);
	});
	test("--metric, --json and --out", () => {
		const { set, json, out } = parse("--metric", "cosine", "--json", "--out", "reports");
		assert.deepEqual([set.metric, json, out], ["cosine", true, "reports"]);
	});
	test("--ef: from fast to sure, each once, and all of them measured", () => {
		const { run } = parse("--ef", "80,20,80,10");
		assert.deepEqual(run.knobs, { ef: [10, 20, 80] });
		assert.deepEqual([run.enough, run.slower], [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
	});
	test("--nprobe and --rerank, each for itself", () => {
		assert.deepEqual(parse("--nprobe", "8,1").run.knobs, { nprobe: [1, 8] });
		const { run } = parse("--nprobe", "4", "--rerank", "200,100");
		assert.deepEqual(run.knobs, { nprobe: [4], rerank: [100, 200] });
		assert.equal(run.enough, Number.POSITIVE_INFINITY);
	});
	test("--data: the option, then the environment, then bench/data", () => {
		const env = { NIGH_BENCH_DATA: "elsewhere" };
		assert.equal(parseOptions([], { ...SURROUNDINGS, env }).set.data, "elsewhere");
		assert.equal(parseOptions(["--data", "here"], { ...SURROUNDINGS, env }).set.data, "here");
	});
	test("--n and --seed of a made set: its own number unless given", () => {
		assert.deepEqual([parse("--set", "palettes").set.n, parse("--set", "uniform").set.n], [20_000, 100_000]);
		const { set } = parse("--set", "palettes", "--n", "500", "--seed", "3");
		assert.deepEqual([set.n, set.seed], [500, 3]);
	});
	test("--n is left open for a set that is read: all of it", () => {
		assert.equal(parse("--set", "fashion-mnist-784").set.n, undefined);
		assert.equal(parse("--set", HERE, "--n", "50").set.n, 50);
	});
});

describe("--peers", () => {
	const peers = (text: string) => parse("--peers", text).run.engines;
	test("puts Nigh first, and each once", () => {
		assert.deepEqual(peers("also,here"), ["nigh", "also", "here"]);
		assert.deepEqual(peers("here,nigh,here"), ["nigh", "here"]);
	});
	test("none is Nigh alone, installed all that are there", () => {
		assert.deepEqual(peers("none"), ["nigh"]);
		assert.deepEqual(peers("installed"), ["nigh", "here", "also"]);
	});
});

describe("the command that measures the same again", () => {
	test("names the engines, and no place on this machine", () => {
		const { command } = parse("--k", "5", "--data", "/a/folder", "--out", "/another", "--json");
		assert.equal(command, "npm run bench -- --set generated --peers here,also --k 5");
	});
	test("names a file without its folder", () => {
		assert.equal(
			parse("--set", HERE, "--peers", "none").command,
			"npm run bench -- --set options.test.ts --peers none",
		);
	});
	test("gives the same options when it is read again", () => {
		const first = parse("--ef", "10,20", "--metric", "l2", "--peers", "here");
		const { set, run, command } = parse(...first.command.split(" ").slice(4));
		assert.deepEqual({ set, run, command }, { set: first.set, run: first.run, command: first.command });
	});
});

describe("what is wrong is said, with what to write", () => {
	const wrong: readonly (readonly [args: string, message: RegExp])[] = [
		["--sett generated", /no option --sett.*Did you mean --set\?/],
		["generated", /generated stands alone.*--set generated/],
		["--n", /--n needs a value: write --n VALUE/],
		["--json=yes", /--json takes no value/],
		["--k 5 --k 6", /--k is given more than once/],
		[
			"--set generatd",
			/--set generatd is no file, nor one of generated, uniform, palettes, .*Did you mean generated\?/,
		],
		["--set fashion-mnist-784 --dimensions 8", /--dimensions is for the sets generated or uniform: leave it out/],
		["--set squad-sif-300d --seed 2", /--seed is for the sets generated, uniform or palettes: leave it out/],
		[
			"--set palettes --dimensions 8",
			/--dimensions is for the sets generated or uniform: leave it out beside --set pal/,
		],
		["--n 0", /--n is 0; it must be a whole number from 1 to/],
		["--n 1e5", /--n is "1e5"; it must be a whole number/],
		["--n 5", /--n is 5; it must be at least 10, the neighbours that --k asks for/],
		["--dimensions 0", /--dimensions is 0; it must be a whole number from 1 to 16,384/],
		["--queries none", /--queries is "none"; it must be a whole number/],
		["--metric ip", /--metric is "ip"; it must be l2 or cosine/],
		["--seed -1", /--seed is -1; it must be a whole number from 0/],
		["--k 0", /--k is 0; it must be a whole number from 1/],
		["--M 1", /--M is 1; it must be a whole number from 2 to 200/],
		["--ef-construction 3", /--ef-construction is 3; it must be a whole number from 4/],
		["--M 60 --ef-construction 100", /--ef-construction is 100; beside --M 60 it must be at least 120/],
		["--M 150", /--ef-construction is 200; beside --M 150 it must be at least 300/],
		["--ef 20,x", /each number of --ef is "x"; it must be a whole number from 10/],
		["--ef 20,,30", /each number of --ef is ""/],
		["--ef 9", /each number of --ef is 9; it must be a whole number from 10/],
		["--nprobe 0", /each number of --nprobe is 0; it must be a whole number from 1/],
		["--nprobe 1,x", /each number of --nprobe is "x"/],
		["--rerank 9", /each number of --rerank is 9; it must be a whole number from 10/],
		["--passes 0", /--passes is 0; it must be a whole number from 1/],
		["--peers hre", /--peers is "hre"; it must be here, also, gone, none or installed\. Did you mean here\?/],
		["--peers constructor", /--peers is "constructor"/],
		["--peers here,none", /--peers none stands alone/],
		["--peers here,gone", /--peers gone is not installed: run npm run bench:setup/],
	];
	for (const [args, message] of wrong) {
		test(args, () => {
			assert.throws(
				() => parse(...args.split(" ")),
				(error: Error) => {
					assert.equal(error.name, "UsageError");
					assert.match(error.message, message);
					return true;
				},
			);
		});
	}
	test("in the bench's own error", () => assert.throws(() => parse("--peers", "gone"), UsageError));
});

test("the help names every option that is read, and fits a wide terminal", () => {
	const named = [...HELP.matchAll(/^ {2}--(\S+)/gm)].map(([, name]) => name);
	for (const name of named.filter((each) => each !== "help")) {
		const refusal = (() => {
			try {
				parse(`--${name}`);
				return "";
			} catch (error) {
				return (error as Error).message;
			}
		})();
		assert.doesNotMatch(refusal, /no option/);
	}
	assert.equal(named.length, 18);
	for (const line of HELP.split("\n")) assert.ok(line.length <= 120, line);
});
