import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Json } from "@nigh/contract";
import fc from "fast-check";
import { testFolder } from "../folder/folder.test-support.ts";
import type { RowSegment } from "../row-files/segments.ts";
import { namesRowFiles, ROW_FILES } from "./header.ts";
import { openSnapshot } from "./read.ts";
import { rowFilesNamed, rowsToSave, type SavedRows, savedRows } from "./saved-rows.ts";
import { META } from "./snapshot.test-support.ts";
import { type SectionSource, writeSnapshot } from "./write.ts";

const KEY = 7;

function nameOf(n: number, key = KEY): string {
	return `${key}-${n.toString(16).padStart(16, "0")}.nigh-rows`;
}

function segmentsOf(counts: readonly number[], key = KEY): RowSegment[] {
	let from = 0;
	return counts.map((rows, i) => {
		const segment = { file: nameOf(i, key), from, rows };
		from += rows;
		return segment;
	});
}

function labels(slots: number): SectionSource {
	return { name: "labels", element: "u32", bytes: 4 * slots, chunks: [new Uint8Array(4 * slots)] };
}

/** A snapshot with that in its parameters, and those sections. */
async function written(
	t: TestContext,
	parameters: Record<string, Json>,
	sections: readonly SectionSource[],
): Promise<string> {
	const path = join(testFolder(t), "7-42.nigh-snapshot");
	await writeSnapshot(path, { ...META, index: { kind: "ivf", parameters: { nlist: 4, ...parameters } } }, sections);
	return path;
}

async function readBack(t: TestContext, saved: SavedRows, slots: number): Promise<SavedRows> {
	const { parameters, section } = rowsToSave(saved);
	const path = await written(t, parameters, [labels(slots), section]);
	const snapshot = openSnapshot(path);
	try {
		assert.equal(namesRowFiles(snapshot.info), true);
		return savedRows(snapshot, KEY);
	} finally {
		snapshot.close();
	}
}

test("what is saved is what is read back, and nothing else of it", async (t) => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(fc.nat(5_000), { maxLength: 8 }),
			fc.integer({ min: 1, max: 2 ** 20 }),
			fc.uint32Array({ maxLength: 20 }),
			async (counts, rowBytes, checksums) => {
				const segments = segmentsOf(counts);
				const placed = segments.map((segment) => ({ ...segment, folder: "/somewhere/else" }));
				const slots = counts.reduce((sum, count) => sum + count, 0);
				const back = await readBack(t, { rowBytes, segments: placed, checksums }, slots);
				assert.deepEqual(back, { rowBytes, segments, checksums });
			},
		),
		{ numRuns: 30 },
	);
});

test("a snapshot that names none says so", async (t) => {
	const path = await written(t, {}, [labels(3)]);
	const snapshot = openSnapshot(path);
	assert.equal(namesRowFiles(snapshot.info), false);
	snapshot.close();
});

const SOUND = { rowBytes: 64, segments: segmentsOf([3, 4]) as unknown as Json };

/** What cannot be, and a word of what is said about it. */
const WRONG: Readonly<Record<string, [value: Json, word: RegExp]>> = {
	"no segments": [{ rowBytes: 64 }, /segments/],
	"segments that are no list": [{ ...SOUND, segments: "all" }, /array/],
	"a segment that is nothing": [{ ...SOUND, segments: [null] }, /object/],
	"a path instead of a name": [
		{ ...SOUND, segments: [{ file: `../${nameOf(0)}`, from: 0, rows: 7 }] },
		/name of a row file/,
	],
	"a file of another collection": [{ ...SOUND, segments: segmentsOf([3, 4], 8) as unknown as Json }, /collection 7/],
	"the same file twice": [
		{
			...SOUND,
			segments: [
				{ file: nameOf(0), from: 0, rows: 3 },
				{ file: nameOf(0), from: 3, rows: 4 },
			],
		},
		/two segments/,
	],
	"a gap": [
		{
			...SOUND,
			segments: [
				{ file: nameOf(0), from: 0, rows: 3 },
				{ file: nameOf(1), from: 4, rows: 3 },
			],
		},
		/must be 3/,
	],
	"half a row": [{ ...SOUND, segments: [{ file: nameOf(0), from: 0, rows: 7.5 }] }, /whole number/],
	"fewer rows than slots": [{ ...SOUND, segments: segmentsOf([3, 3]) as unknown as Json }, /7 slots and names 6 rows/],
	"more rows than slots": [{ ...SOUND, segments: segmentsOf([3, 5]) as unknown as Json }, /7 slots and names 8 rows/],
	"no length of a row": [{ segments: SOUND.segments }, /bytes of a row/],
	"rows of no bytes": [{ ...SOUND, rowBytes: 0 }, /bytes of a row/],
	"rows of a part of a byte": [{ ...SOUND, rowBytes: 1.5 }, /bytes of a row/],
	"rows of a text": [{ ...SOUND, rowBytes: "64" }, /bytes of a row/],
	nothing: [null, /segments/],
};

for (const [what, [value, word]] of Object.entries(WRONG)) {
	test(`${what} is refused as damage`, async (t) => {
		const { section } = rowsToSave({ rowBytes: 64, segments: [], checksums: new Uint32Array(1) });
		const path = await written(t, { [ROW_FILES]: value }, [labels(7), section]);
		const snapshot = openSnapshot(path);
		try {
			const refused = (error: { code: string; message: string }) =>
				error.code === "CORRUPT_SNAPSHOT" && word.test(error.message);
			assert.throws(() => rowFilesNamed(snapshot.info, KEY), refused);
			assert.throws(() => savedRows(snapshot, KEY), refused);
		} finally {
			snapshot.close();
		}
	});
}

test("without checksums it is refused as damage", async (t) => {
	const path = await written(t, { [ROW_FILES]: SOUND }, [labels(7)]);
	const snapshot = openSnapshot(path);
	try {
		assert.deepEqual(rowFilesNamed(snapshot.info, KEY).segments, SOUND.segments);
		assert.throws(() => savedRows(snapshot, KEY), { code: "CORRUPT_SNAPSHOT" });
	} finally {
		snapshot.close();
	}
});
