import assert from "node:assert/strict";
import { test } from "node:test";
import * as contract from "@nigh/contract";
import { CELL_FILLS } from "@nigh/contract";
import { cellFill, NLIST_RULES } from "./nlist.ts";
import { IVF_KINDS, PQ_PROFILES, ROTATIONS } from "./parameters.ts";

test("the contract names the same kinds, rules, rotations and profiles as there are", () => {
	assert.deepEqual([...contract.CELL_KINDS], [...IVF_KINDS]);
	assert.deepEqual([...contract.NLIST_RULES], Object.keys(NLIST_RULES));
	assert.deepEqual([...contract.ROTATIONS], [...ROTATIONS]);
	assert.deepEqual([...contract.PQ_PROFILES], Object.keys(PQ_PROFILES));
});

test("every word for how full cells are comes up", () => {
	const words = [cellFill(10_000, 20), cellFill(100, 50), cellFill(10_000, 256), cellFill(100, undefined)];
	assert.deepEqual(words, [...CELL_FILLS]);
});
