import assert from "node:assert/strict";
import { test } from "node:test";
import { NighError } from "@nigh/contract";
import { ascii, npyDict, npyFile } from "../cases.test-support.ts";
import { concatenated, invalidFileOf, outcomeOf, WatchedSource } from "../sources.test-support.ts";
import { parseDict } from "./python-dict.ts";
import { readNpy } from "./read.ts";

const SIX_FLOATS = new Uint8Array(24);

/** The dict as parsed, without the places; or the place of the fault and what was expected there. */
function parsed(text: string): unknown {
	try {
		const { descr, fortran_order, shape } = parseDict(text, (at, _, expected) => {
			return new NighError("INVALID_FILE", "fault", { at, expected });
		});
		return [descr.value, fortran_order.value, shape.value];
	} catch (error) {
		assert.ok(error instanceof NighError);
		return error.details;
	}
}

test("the dict is read in any order, with any quotes and blanks, with or without a last comma", () => {
	const expected = ["<f4", false, [2, 3]];
	for (const text of [
		"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }   \n",
		"{'shape':(2,3),'fortran_order':False,'descr':'<f4'}",
		'  {\t"descr" : "<f4" , "shape" : ( 2 , 3 , ) ,\r\n "fortran_order" : False } ',
		"{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 3L), }",
	]) {
		assert.deepEqual(parsed(text), expected, text);
	}
	assert.deepEqual(parsed("{'descr': '', 'fortran_order': True, 'shape': ()}"), ["", true, []]);
	assert.deepEqual(parsed("{'descr': '|u1', 'fortran_order': True, 'shape': (7,)}"), ["|u1", true, [7]]);
});

test("what is not that dict is refused at its place", () => {
	const faults: readonly (readonly [text: string, at: number, expected: RegExp])[] = [
		["", 0, /^\{$/],
		["[1]", 0, /^\{$/],
		["{'descr': '<f4', 'fortran_order': False}", 0, /descr, fortran_order, shape/],
		["{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)} x", 58, /nothing but blanks/],
		["{'descr': '<f4', 'descr': '<f4'}", 17, /each key once/],
		["{'descr': '<f4', 'extra': 1}", 17, /only descr/],
		["{descr: '<f4'}", 1, /key in quotes/],
		["{'descr' '<f4'}", 9, /^:$/],
		["{'descr': [('a', '<f4')]}", 10, /no structured dtype/],
		["{'descr': '<\\x66'}", 10, /in quotes/],
		["{'descr': '<f4\"}", 10, /in quotes/],
		["{'descr': '<f4' 'shape': ()}", 16, /^\}$/],
		["{'fortran_order': false}", 18, /True or False/],
		["{'fortran_order': Falsey}", 18, /True or False/],
		["{'fortran_order': 0}", 18, /True or False/],
		["{'shape': (3)}", 12, /comma after the only number/],
		["{'shape': (3 4)}", 13, /comma after the only number/],
		["{'shape': (3, 4 5)}", 16, /^\)$/],
		["{'shape': (-3, 4)}", 11, /whole number/],
		["{'shape': (3.0, 4)}", 12, /comma after/],
		["{'shape': (,)}", 11, /whole number/],
		["{'shape': (03, 4)}", 11, /whole number/],
		["{'shape': (__import__('os'), 4)}", 11, /whole number/],
		["{'shape': (9007199254740992, 4)}", 11, /at most 9007199254740991/],
		["{'shape': 3}", 10, /^\($/],
		["{'shape': (3, 4", 15, /^\)$/],
	];
	for (const [text, at, expected] of faults) {
		const found = parsed(text) as { at: number; expected: string };
		assert.equal(found.at, at, text);
		assert.match(found.expected, expected, text);
	}
});

test("big-endian and other dtypes are refused by name", async () => {
	for (const descr of [">f4", ">f8", ">f2"]) {
		const { message } = invalidFileOf(await outcomeOf(readNpy([npyFile(npyDict(descr, false, [2, 3]), SIX_FLOATS)])));
		assert.match(
			message,
			new RegExp(`the dtype is "${descr}", which is big-endian; expected one of <f2 <f4 <f8 \\|u1 \\|i1\\.`),
		);
		assert.match(message, /newbyteorder/);
	}
	for (const descr of ["<i8", "<i4", "|b1", "<c8", "|O", "<U3", "f4", "|f4", "=f4", "<f16", ""]) {
		const { message, details } = invalidFileOf(
			await outcomeOf(readNpy([npyFile(npyDict(descr, false, [2, 3]), SIX_FLOATS)])),
		);
		assert.ok(message.includes(`the dtype is "${descr}"; expected one of <f2 <f4 <f8 |u1 |i1.`), message);
		assert.deepEqual([details.row, details.byteOffset], [0, 20]);
	}
});

test("a shape of another number of axes, or of a dimension outside the bound, is refused", async () => {
	for (const shape of [[], [1, 2, 3], [5, 0], [0], [0, 0], [2, 16_385], [16_385]]) {
		const dict = npyDict("<f4", false, shape);
		const error = invalidFileOf(await outcomeOf(readNpy([npyFile(dict, SIX_FLOATS)])));
		assert.equal(error.details.byteOffset, 10 + dict.indexOf("("));
		assert.match(error.message, /the shape is \(/);
	}
});

test("a shape of one axis is one row", async () => {
	for (const fortran of [false, true]) {
		const outcome = await outcomeOf(readNpy([npyFile(npyDict("|u1", fortran, [3]), Uint8Array.of(1, 2, 3))]));
		assert.deepEqual([outcome.rows, outcome.error], [[[1, 2, 3]], undefined]);
	}
});

test("another magic or version is refused at its byte", async () => {
	const file = npyFile(npyDict("<f4", false, [2, 3]), SIX_FLOATS);
	for (const [at, byte, offset] of [
		[0, 0x92, 0],
		[5, 0x5a, 5],
		[6, 0, 6],
		[6, 4, 6],
		[7, 1, 6],
	] as const) {
		const changed = file.slice();
		changed[at] = byte;
		assert.equal(invalidFileOf(await outcomeOf(readNpy([changed]))).details.byteOffset, offset);
	}
	const text = invalidFileOf(await outcomeOf(readNpy([ascii('{"vector": [1, 2]}\n')])));
	assert.match(text.message, /does not start as npy does; expected \\x93NUMPY/);
});

test("a header that claims to be huge is refused before it is read", async () => {
	const prologue = concatenated([ascii("\x93NUMPY"), Uint8Array.of(2, 0, 0xff, 0xff, 0xff, 0xff)]);
	const source = new WatchedSource([prologue, new Uint8Array(1_000)]);
	const { details } = invalidFileOf(await outcomeOf(readNpy(source)));
	assert.deepEqual([details.byteOffset, source.given], [8, prologue.length]);
});

test("a shape that claims more bytes than a file can have is refused", async () => {
	const file = npyFile(npyDict("<f8", false, [Number.MAX_SAFE_INTEGER, 16_384]), SIX_FLOATS);
	assert.match(invalidFileOf(await outcomeOf(readNpy([file]))).message, /claims more bytes than a file can have/);
});
