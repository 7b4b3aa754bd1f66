import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { isNighError } from "@nigh/contract";
import fc from "fast-check";
import { openSnapshot, readInfo } from "./read.ts";
import { damageOf, flip, forge, META, MIB, pattern, section } from "./snapshot.test-support.ts";
import { writeSnapshot } from "./write.ts";

/** Two blocks, one short block, none, exactly one page, one byte: padding of every length. */
const SECTIONS = [
	section("graph", pattern(MIB + 5, 1)),
	section("levels", pattern(777, 2)),
	section("nothing", new Uint8Array(0)),
	section("page", pattern(4_096, 3)),
	section("byte", pattern(1, 4)),
];
const BLOCKS = 5;

describe("a damaged snapshot", () => {
	let folder = "";
	let good = "";
	let path = "";
	let size = 0;
	let headerEnd = 0;

	before(async () => {
		folder = mkdtempSync(join(tmpdir(), "nigh-damage-"));
		good = join(folder, "7-41.nigh-snapshot");
		path = join(folder, "7-42.nigh-snapshot");
		await writeSnapshot(good, META, SECTIONS);
		copyFileSync(good, path);
		size = statSync(good).size;
		headerEnd = 32 + readFileSync(good).readUInt32LE(12);
	});
	after(() => rmSync(folder, { recursive: true, force: true }));

	/** Flips bits of a byte, sees that it is found, and undoes it. */
	async function assertFound(offset: number, mask: number): Promise<void> {
		flip(path, offset, mask);
		const damage = await damageOf(path);
		flip(path, offset, mask);
		assert.ok(damage !== undefined, `byte ${offset} ^ ${mask} is not found`);
	}

	test("was whole before", async () => {
		assert.equal(await damageOf(path), undefined);
	});

	test("is found for every bit of prefix and trailer", async () => {
		for (let bit = 0; bit < 8; bit++) {
			for (let at = 0; at < 32; at++) {
				await assertFound(at, 1 << bit);
				await assertFound(size - 32 + at, 1 << bit);
			}
		}
	});

	test("is found for every byte of header, checksum table and the padding behind the header", async () => {
		for (let at = 32; at < 4_096; at++) await assertFound(at, 1 << (at % 8));
		for (let at = size - 32 - BLOCKS * 4; at < size - 32; at++) await assertFound(at, 1 << (at % 8));
	});

	test("is found at the first, middle and last byte of every block, and in the padding behind it", async () => {
		for (const { offset, bytes } of readInfo(good).sections) {
			for (let start = 0; start < bytes; start += MIB) {
				const end = Math.min(bytes, start + MIB) - 1;
				for (const at of [start, (start + end) >> 1, end]) await assertFound(offset + at, 0x80);
			}
			const padded = Math.ceil((offset + bytes) / 4_096) * 4_096;
			if (padded === offset + bytes) continue;
			for (const at of [offset + bytes, padded - 1]) await assertFound(at, 1);
		}
	});

	test("is found for any byte at all", async () => {
		const runs = fc.asyncProperty(fc.nat(size - 1), fc.integer({ min: 1, max: 255 }), assertFound);
		await fc.assert(runs, { numRuns: 300 });
	});

	test("is told by readSection, chunks and readBlock, with the place; other blocks can still be read", () => {
		const offset = readInfo(good).sections[0]?.offset as number;
		flip(path, offset + MIB + 1, 4);
		const snapshot = openSnapshot(path);
		try {
			const expected = (error: unknown) =>
				isNighError(error, "CORRUPT_SNAPSHOT") &&
				error.details.byteOffset === offset + MIB &&
				error.details.section === "graph" &&
				error.details.block === 1;
			assert.throws(() => snapshot.readSection("graph", new Uint8Array(MIB + 5)), expected);
			assert.throws(() => [...snapshot.chunks("graph")], expected);
			assert.throws(() => snapshot.readBlock("graph", 1), expected);
			assert.ok(Buffer.from(snapshot.readBlock("graph", 0)).equals(pattern(MIB + 5, 1).subarray(0, MIB)));
			snapshot.readSection("levels", new Uint8Array(777));
		} finally {
			snapshot.close();
			flip(path, offset + MIB + 1, 4);
		}
	});

	test("is found on opening where it is the table of checksums: no block is blamed for it", () => {
		const table = size - 32 - BLOCKS * 4;
		flip(path, table + 5, 1);
		assert.throws(
			() => openSnapshot(path),
			(error) => isNighError(error, "CORRUPT_SNAPSHOT") && error.details.byteOffset === table,
		);
		flip(path, table + 5, 1);
	});

	test("is found before a header that is too long is read, though the file has room for it", () => {
		forge(path, (view) => {
			view.setUint32(12, 1 << 25, true);
			view.setBigUint64(16, 1n << 26n, true);
			return undefined;
		});
		truncateSync(path, 1 << 26);
		assert.throws(
			() => readInfo(path),
			(error) => isNighError(error, "CORRUPT_SNAPSHOT") && error.details.byteOffset === 12,
		);
		copyFileSync(good, path);
	});

	test("is found when padding is read past: readSection tells", () => {
		const { offset, bytes } = readInfo(good).sections[1] as { offset: number; bytes: number };
		flip(path, offset + bytes + 9, 1);
		const snapshot = openSnapshot(path);
		try {
			assert.throws(
				() => snapshot.readSection("levels", new Uint8Array(777)),
				(error) => isNighError(error, "CORRUPT_SNAPSHOT") && error.details.byteOffset === offset + bytes + 9,
			);
		} finally {
			snapshot.close();
			flip(path, offset + bytes + 9, 1);
		}
	});

	test("is found when it was cut off, at every boundary and anywhere, from its first bytes alone", async () => {
		const cut = (length: number) => {
			copyFileSync(good, path);
			truncateSync(path, length);
			assert.throws(
				() => readInfo(path),
				(error) => isNighError(error, "CORRUPT_SNAPSHOT"),
				`cut to ${length}`,
			);
		};
		const ends = readInfo(good).sections.flatMap(({ offset, bytes }) => [offset, offset + bytes]);
		for (const end of [0, 8, 31, 32, headerEnd, 4_096, ...ends, size - 32 - BLOCKS * 4, size - 32, size - 1]) {
			for (const length of [end - 1, end, end + 1]) if (length >= 0 && length < size) cut(length);
		}
		fc.assert(fc.property(fc.nat(size - 1), cut), { numRuns: 50 });
		copyFileSync(good, path);
	});

	test("is found when something was added to it", () => {
		writeFileSync(path, Buffer.concat([readFileSync(good), new Uint8Array(1)]));
		assert.throws(
			() => readInfo(path),
			(error) => isNighError(error, "CORRUPT_SNAPSHOT") && error.message.includes("added to"),
		);
		copyFileSync(good, path);
	});

	test("is found when its tail, or all of it, is zeros: a length that was written before the data", () => {
		for (const tail of [32, 4_096, 65_536, MIB, size]) {
			const bytes = readFileSync(good);
			bytes.fill(0, size - tail);
			writeFileSync(path, bytes);
			assert.throws(
				() => readInfo(path),
				(error) => isNighError(error, "CORRUPT_SNAPSHOT"),
				`${tail} zeros`,
			);
		}
		copyFileSync(good, path);
	});

	test("is found when a page of it is zeros, or an older one", async () => {
		const older = join(folder, "7-40.nigh-snapshot");
		await writeSnapshot(older, { ...META, change: 40 }, [section("graph", pattern(MIB + 5, 9)), ...SECTIONS.slice(1)]);
		const before = readFileSync(older);
		assert.equal(before.length, size);
		for (const source of [Buffer.alloc(size), before]) {
			for (const page of [0, 4_096, 65_536, MIB, Math.floor((size - 1) / 4_096) * 4_096]) {
				const bytes = readFileSync(good);
				source.copy(bytes, page, page, page + 4_096);
				writeFileSync(path, bytes);
				assert.ok((await damageOf(path)) !== undefined, `page ${page}`);
			}
		}
		copyFileSync(good, path);
	});

	test("is found when two blocks have changed places", async () => {
		const two = join(folder, "7-39.nigh-snapshot");
		await writeSnapshot(two, META, [section("graph", pattern(2 * MIB, 1))]);
		const bytes = readFileSync(two);
		const first = Buffer.from(bytes.subarray(4_096, 4_096 + MIB));
		bytes.copyWithin(4_096, 4_096 + MIB, 4_096 + 2 * MIB);
		first.copy(bytes, 4_096 + MIB);
		writeFileSync(two, bytes);
		assert.equal((await damageOf(two))?.details.byteOffset, 4_096);
	});

	type Forgery = Parameters<typeof forge>[1];
	const with_ =
		(fields: object): Forgery =>
		(_, header) => ({ ...header, ...fields });
	const withSection =
		(at: number, fields: object): Forgery =>
		(_, header) => {
			const sections = (header.sections as object[]).map((each, i) => (i === at ? { ...each, ...fields } : each));
			return { ...header, sections };
		};
	const FORGERIES: Record<string, Forgery> = {
		"a header of 4 GiB": (view) => void view.setUint32(12, 0xffff_ffff, true),
		"a header that is longer than the file": (view) => void view.setUint32(12, 0x0080_0000, true),
		"a file of 8 EiB": (view) => void view.setBigUint64(16, 0x7fff_ffff_ffff_ffffn, true),
		"version 0": (view) => void view.setUint32(8, 0, true),
		"a section of 4 PiB": withSection(0, { bytes: 2 ** 52 }),
		"a section of more than any number": withSection(0, { bytes: 1e300 }),
		"a section of less than nothing": withSection(0, { bytes: -4_096 }),
		"a section that is longer than it was": withSection(1, { bytes: 778 + 4_096 }),
		"a section somewhere else": withSection(1, { offset: 4_096 }),
		"a section behind the end": withSection(4, { offset: 2 ** 50 }),
		"a section that has no length": withSection(2, { bytes: undefined }),
		"a section that is null": with_({ sections: [null] }),
		"half an element": withSection(1, { element: "f64" }),
		"an element that nobody knows": withSection(1, { element: "__proto__" }),
		"two sections of one name": withSection(1, { name: "graph" }),
		"no sections where there are some": with_({ sections: [] }),
		"sections that are no list": with_({ sections: { length: 5 } }),
		"no database": with_({ databaseId: undefined }),
		"no collection": with_({ collection: null }),
		"a change that is a text": with_({ change: "42" }),
		"a label that is no whole number": with_({ nextLabel: 0.5 }),
		"an index that is a list": with_({ index: [] }),
		"a header that is a list": () => [] as unknown as Record<string, unknown>,
	};
	for (const [what, change] of Object.entries(FORGERIES)) {
		test(`is found though its checksums are right, and little memory is taken: ${what}`, async () => {
			forge(path, change);
			const before = process.memoryUsage().arrayBuffers;
			assert.throws(
				() => openSnapshot(path),
				(error) => isNighError(error, "CORRUPT_SNAPSHOT"),
			);
			assert.ok(process.memoryUsage().arrayBuffers - before < MIB);
			copyFileSync(good, path);
		});
	}

	test("is told from one of a newer version, which is NEWER_VERSION and says what to do", () => {
		forge(path, (view) => void view.setUint32(8, 2, true));
		for (const read of [readInfo, openSnapshot]) {
			assert.throws(
				() => read(path),
				(error) =>
					isNighError(error, "NEWER_VERSION") &&
					error.details.value === 2 &&
					error.details.bound === 1 &&
					error.message.includes("update nigh"),
			);
		}
		copyFileSync(good, path);
	});

	test("is not one that has a field nobody knows yet", async () => {
		forge(path, with_({ comment: "from a later 1" }));
		assert.equal(await damageOf(path), undefined);
		assert.deepEqual({ ...readInfo(path), path: good }, readInfo(good));
		copyFileSync(good, path);
	});
});
