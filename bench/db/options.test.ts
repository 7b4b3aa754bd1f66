import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_DATA, parseDatabaseOptions } from "./options.ts";

const KNOWN = ["ingest", "open", "space"];

test("without options everything is measured at its own size, on the repository's disk", () => {
	assert.deepEqual(parseDatabaseOptions([], KNOWN), {
		names: KNOWN,
		size: undefined,
		json: false,
		data: DEFAULT_DATA,
		out: undefined,
		command: "npm run bench:db",
	});
	assert.match(DEFAULT_DATA, /[\\/]\.cache[\\/]/);
});

test("names, size and places are taken, and the command names no place", () => {
	const args = ["--only", "space,open,space", "--size", "5000", "--data", "disk", "--json", "--out=reports"];
	assert.deepEqual(parseDatabaseOptions(args, KNOWN), {
		names: ["space", "open"],
		size: 5_000,
		json: true,
		data: "disk",
		out: "reports",
		command: "npm run bench:db -- --only space,open,space --size 5000",
	});
});

test("what cannot be measured is refused with what to write instead", () => {
	const refused = (args: string[], message: RegExp) =>
		assert.throws(() => parseDatabaseOptions(args, KNOWN), { name: "UsageError", message });
	refused(["--only", "opne"], /"opne".*ingest, open or space.*open\?/);
	refused(["--only", ""], /--only needs a value/);
	refused(["--size", "199"], /200/);
	refused(["--size", "many"], /--size/);
	refused(["open"], /open stands alone/);
	refused(["--sizes", "500"], /--sizes.*--size/);
});
