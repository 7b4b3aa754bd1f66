import assert from "node:assert/strict";
import { test } from "node:test";
import { parseArguments } from "../terminal/arguments.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { EVAL_OPTIONS, evalSettings } from "./settings.ts";

const FILES = "--base b.fvecs --query q.npy";

function settings(line: string) {
	return evalSettings(parseArguments(line.split(" "), EVAL_OPTIONS));
}

test("what is left out takes the defaults: hnsw, k 10, one thread, one point at the ef that fits preset and k", () => {
	assert.deepEqual(settings(`${FILES} --metric l2`), {
		base: { option: "--base", path: "b.fvecs", format: "fvecs" },
		query: { option: "--query", path: "q.npy", format: "npy" },
		truth: undefined,
		metric: "l2",
		index: "hnsw",
		build: {},
		searches: [{ ef: 40 }],
		k: 10,
		limit: undefined,
		queries: undefined,
		threads: 1,
		json: false,
	});
	assert.deepEqual(settings(`${FILES} --metric l2 --preset max`).searches, [{ ef: 100 }]);
	assert.deepEqual(settings(`${FILES} --metric l2 --k 100`).searches, [{ ef: 200 }]);
	assert.deepEqual(settings(`${FILES} --metric l2 --index flat`).searches, [{}]);
	for (const kind of ["ivf", "ivfpq", "ivfrabitq"]) {
		assert.deepEqual(settings(`${FILES} --metric l2 --index ${kind}`).searches, [{}]);
	}
});

test("parameters are gathered from every --param, and ef may list several values", () => {
	const { build, searches } = settings(
		`${FILES} --metric ip --preset high --param M=12 --param ef=10,20,40 --param codes=none --param seed=7`,
	);
	assert.deepEqual(build, { preset: "high", M: 12, codes: "none", seed: 7 });
	assert.deepEqual(searches, [{ ef: 10 }, { ef: 20 }, { ef: 40 }]);
	assert.deepEqual(settings(`${FILES} --metric ip --index flat --param codes=sq7`).build, { codes: "sq7" });
});

test("cells are asked for every nprobe with every depth of re-ranking", () => {
	const { build, searches } = settings(
		`${FILES} --metric l2 --index ivfpq --param nlist=64 --param nprobe=1,8 --param M=4 --param bits=8 --param rotation=none --param residual=false --param seed=3 --rerank 0,50`,
	);
	assert.deepEqual(build, { nlist: 64, M: 4, bits: 8, rotation: "none", residual: false, seed: 3 });
	assert.deepEqual(searches, [
		{ nprobe: 1, rerank: 0 },
		{ nprobe: 1, rerank: 50 },
		{ nprobe: 8, rerank: 0 },
		{ nprobe: 8, rerank: 50 },
	]);
	for (const kind of ["ivf", "ivfpq", "ivfrabitq"]) {
		assert.deepEqual(settings(`${FILES} --metric l2 --index ${kind} --param storage=disk`).build, { storage: "disk" });
	}
	const rabitq = settings(`${FILES} --metric ip --index ivfrabitq --param bits=4 --param epsilon=2.5 --rerank 100`);
	assert.deepEqual([rabitq.build, rabitq.searches], [{ bits: 4, epsilon: 2.5 }, [{ rerank: 100 }]]);
	const profile = settings(`${FILES} --metric l2 --index ivfpq --param profile=memory --param nlist=nanoindex`);
	assert.deepEqual(profile.build, { profile: "memory", nlist: "nanoindex" });
});

test("a wrong command line is refused, saying what to write", () => {
	const refused: readonly (readonly [line: string, message: RegExp])[] = [
		["--query q.fvecs --metric l2", /^--base is missing\.$/],
		["--base b.fvecs --metric l2", /^--query is missing\.$/],
		[FILES, /^--metric is missing\.$/],
		[`${FILES} --metric l3`, /--metric is "l3"; it must be l2, cosine, ip or l1\. Did you mean l2\?/],
		[`${FILES} --metric hamming`, /it must be l2, cosine, ip or l1\./],
		[`${FILES} --metric l2 --index hnws`, /Did you mean hnsw\?/],
		[`${FILES} --metric l2 --preset balancd`, /Did you mean balanced\?/],
		[`${FILES} --metric l2 --preset toString`, /--preset is "toString"/],
		[`${FILES} --metric l2 --index flat --preset high`, /--preset is not for --index flat/],
		[`${FILES} --metric l2 --index flat --threads 2`, /--threads is not for --index flat/],
		[`${FILES} --metric l2 --threads 0`, /--threads is 0; it must be a whole number from 1 to 64\./],
		[`${FILES} --metric l2 --index ivf --preset high`, /--preset is not for --index ivf/],
		[`${FILES} --metric l2 --index ivf --rerank 50`, /--rerank is not for --index ivf/],
		[`${FILES} --metric l2 --rerank 50`, /--rerank is not for --index hnsw/],
		[`${FILES} --metric l2 --index ivfpq --rerank 9`, /--rerank is 9; it must be a whole number from 10 to 16,000/],
		[`${FILES} --metric l2 --index ivfpq --rerank 50,x`, /--rerank is "x"/],
		[`${FILES} --metric l2 --index ivf --param ef=40`, /ivf has no parameter "ef"/],
		[`${FILES} --metric l2 --index ivf --param M=8`, /ivf has no parameter "M"/],
		[`${FILES} --metric l2 --index ivf --param nprobe=0`, /--param nprobe is 0/],
		[`${FILES} --metric l2 --index ivf --param nlist=adaptiv`, /Did you mean adaptive\?/],
		[`${FILES} --metric l2 --index ivf --param nlist=10,20`, /another build.*only nprobe may list several/],
		[`${FILES} --metric l2 --index ivfpq --param epsilon=2`, /ivfpq has no parameter "epsilon"/],
		[`${FILES} --metric l2 --index ivfpq --param rotation=random`, /auto, none or opq/],
		[`${FILES} --metric l2 --index ivfpq --param residual=yes`, /true or false/],
		[`${FILES} --metric l2 --index ivfpq --param profile=memry`, /Did you mean memory\?/],
		[`${FILES} --metric l2 --index flat --param codes=none,sq7`, /another build\. Run nigh eval once for each\.$/],
		[`${FILES} --metric l2 --k ten`, /--k is "ten"; it must be a whole number from 1 to 10,000/],
		[`${FILES} --metric l2 --k 1.5`, /--k is "1\.5"/],
		[`${FILES} --metric l2 --limit 0`, /--limit is 0/],
		[`${FILES} --metric l2 --queries -1`, /--queries is -1/],
		[`${FILES} --metric l2 --truth t.ivecs --limit 5`, /--truth and --limit exclude each other/],
		[`${FILES} --metric l2 --truth t.fvecs`, /--truth is "t\.fvecs"; it must be an ivecs file/],
		["--base b.ivecs --query q.fvecs --metric l2", /an ivecs file holds ids/],
		["--base b.txt --query q.fvecs --metric l2", /format of b\.txt cannot be told/],
		[`${FILES} --metric l2 more.fvecs`, /"more\.fvecs" belongs to no option/],
		[`${FILES} --metric l2 --param ef`, /it must be NAME=VALUE/],
		[`${FILES} --metric l2 --param eff=10`, /hnsw has no parameter "eff"\. Did you mean ef\?/],
		[`${FILES} --metric l2 --index flat --param ef=10`, /flat has no parameter "ef"\. --param takes codes\./],
		[`${FILES} --metric l2 --param ef=10 --param ef=20`, /--param ef is given more than once; list the values/],
		[`${FILES} --metric l2 --param M=8,16`, /--param M takes one value, not 2: each would be another build/],
		[`${FILES} --metric l2 --param ef=9`, /--param ef is 9; it must be a whole number from 10 to 10,000/],
		[`${FILES} --metric l2 --param ef=10,`, /--param ef is ""/],
		[`${FILES} --metric l2 --param M=many`, /--param M is "many"; it must be a number\./],
		[`${FILES} --metric l2 --param codes=sq8`, /it must be auto, none or sq7\. Did you mean sq7\?/],
	];
	for (const [line, message] of refused) {
		assert.throws(
			() => settings(line),
			(error) => {
				assert.ok(error instanceof UsageError, line);
				assert.match(error.message, message);
				return true;
			},
		);
	}
});
