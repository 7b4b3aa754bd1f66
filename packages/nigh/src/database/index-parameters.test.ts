import assert from "node:assert/strict";
import { test } from "node:test";
import { CELL_KINDS, INDEX_KINDS, NLIST_RULES } from "@nigh/contract";
import { cellParameters, INDEX_NAMES, indexSettings, parameterHelp } from "./index-parameters.ts";

type Kind = (typeof INDEX_NAMES)[number];

test("parameters of every kind are read as what they are", () => {
	const rows: [kind: Kind, texts: string[], parameters: object][] = [
		["auto", [], {}],
		["flat", [], {}],
		["hnsw", ["M=24", "efConstruction=100"], { M: 24, efConstruction: 100 }],
		["ivf", ["nlist=100", "nprobe=8"], { nlist: 100, nprobe: 8 }],
		...CELL_KINDS.map((kind): [Kind, string[], object] => [kind, ["storage=disk"], { storage: "disk" }]),
		...NLIST_RULES.map((rule): [Kind, string[], object] => ["ivf", [`nlist=${rule}`], { nlist: rule }]),
		[
			"ivfpq",
			["M=8", "bits=8", "rotation=opq", "residual=false", "profile=memory", "rerank=0"],
			{ M: 8, bits: 8, rotation: "opq", residual: false, profile: "memory", rerank: 0 },
		],
		["ivfrabitq", ["bits=2", "epsilon=2.5", "rerank=200"], { bits: 2, epsilon: 2.5, rerank: 200 }],
	];
	for (const [kind, texts, parameters] of rows) {
		assert.deepEqual(indexSettings(kind, texts), { kind, ...parameters });
	}
});

test("what a kind does not have, and what is out of bounds, is wrong usage", () => {
	const rows: [kind: Kind, texts: string[], message: RegExp][] = [
		["auto", ["M=8"], /kind auto has no parameters.*say hnsw, ivf, ivfpq or ivfrabitq\.$/],
		["flat", ["nlist=8"], /kind flat has no parameters/],
		["hnsw", ["nlist=8"], /hnsw has no parameter nlist/],
		["ivf", ["nprob=8"], /Did you mean nprobe\?/],
		["ivf", ["nlist"], /must be NAME=VALUE/],
		["ivf", ["nlist=-1"], /--param nlist is -1; it must be a whole number/],
		["ivf", ["nlist=1.5"], /--param nlist is "1\.5"; it must be a whole number/],
		["ivf", ["nlist=4", "nlist=5"], /more than once/],
		["ivf", ["constructor=4"], /ivf has no parameter constructor/],
		["ivfpq", ["M=513"], /from 1 to 512/],
		["ivfpq", ["bits=17"], /from 1 to 16/],
		["ivfpq", ["rotation=random"], /auto, none or opq/],
		["ivfpq", ["profile=spede"], /Did you mean speed\?/],
		["ivfrabitq", ["bits=9"], /from 1 to 8/],
		["ivfpq", ["storage=disc"], /memory or disk\. Did you mean disk\?/],
		["hnsw", ["storage=disk"], /hnsw has no parameter storage/],
	];
	for (const [kind, texts, message] of rows) {
		assert.throws(() => indexSettings(kind, texts), { name: "UsageError", message });
	}
});

test("train takes what any kind of cells has", () => {
	assert.deepEqual(cellParameters(["M=8", "bits=16", "epsilon=2", "nlist=adaptive", "storage=memory"]), {
		M: 8,
		bits: 16,
		epsilon: 2,
		nlist: "adaptive",
		storage: "memory",
	});
	assert.throws(() => cellParameters(["efConstruction=100"]), {
		name: "UsageError",
		message: /cells has no parameter/,
	});
});

test("the help names every parameter of every kind", () => {
	assert.deepEqual([...INDEX_NAMES], ["auto", ...INDEX_KINDS]);
	const help = parameterHelp(20);
	for (const name of [
		"M",
		"efConstruction",
		"nlist",
		"nprobe",
		"bits",
		"rotation",
		"residual",
		"profile",
		"rerank",
		"storage",
	]) {
		assert.match(help, new RegExp(`\\b${name}\\b`));
	}
	assert.match(help, /\bepsilon\b/);
});
