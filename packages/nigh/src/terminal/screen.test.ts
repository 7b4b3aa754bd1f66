import assert from "node:assert/strict";
import { test } from "node:test";
import { liveScreen } from "./screen.ts";

test("a picture is drawn over the one before, from its first line on", () => {
	const written: string[] = [];
	const screen = liveScreen({ columns: 80, rows: 24, write: (text) => written.push(text) });
	screen.draw(["one", "two"]);
	screen.draw(["three"]);
	screen.draw(["four"]);
	assert.deepEqual(written, ["one\ntwo\n", "\u001b[2A\r\u001b[Jthree\n", "\u001b[1A\r\u001b[Jfour\n"]);
});

test("what does not fit is cut, so that going up finds the first line again", () => {
	const written: string[] = [];
	const screen = liveScreen({ columns: 5, rows: 3, write: (text) => written.push(text) });
	screen.draw(["123456", "2", "3", "4"]);
	screen.draw(["a"]);
	assert.deepEqual(written, ["1234\n2\n", "\u001b[2A\r\u001b[Ja\n"]);
});
