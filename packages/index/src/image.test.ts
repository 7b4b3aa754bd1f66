import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isNighError, type NighError } from "@nigh/contract";
import { Arena } from "@nigh/kernels";
import fc from "fast-check";
import type { AnyIndex } from "./cases/bench.test-support.ts";
import { createFlat } from "./flat/flat.ts";
import { createHnsw } from "./hnsw/hnsw.ts";
import { IMAGE_VERSION } from "./image.ts";
import { createIvf } from "./ivf/ivf.ts";
import { type LoadOptions, loadIndex } from "./load.ts";
import { refusal } from "./refusal.test-support.ts";
import { CHEBYSHEV, randomRows } from "./vectors.test-support.ts";

const arena = new Arena();
const PREFIX = 20;

const join = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

const bytesOf = (index: AnyIndex): Uint8Array => join(...index.serialize());

/** Small images of every shape: what is saved, and what loading it has to be told. */
const IMAGES = await Promise.all(
	(
		[
			["flat", createFlat({ dimensions: 2, metric: "l2", codes: "sq7" }), {}],
			["flat, weighted", createFlat({ dimensions: 2, metric: "l1", weights: [1, 2], maxElements: 9 }), {}],
			["flat, a metric of one's own", createFlat({ dimensions: 2, metric: CHEBYSHEV }), { metric: CHEBYSHEV }],
			["hnsw", createHnsw({ dimensions: 2, metric: "l2", codes: "none", M: 2, mL: 1 }), {}],
			["hnsw with codes", createHnsw({ dimensions: 2, metric: "cosine", codes: "sq7", M: 2, mL: 1 }), {}],
			["ivf", createIvf({ kind: "ivf", dimensions: 2, metric: "l1", nlist: 2, weights: [1, 2], maxElements: 9 }), {}],
			["ivf with codes", createIvf({ kind: "ivf", dimensions: 2, metric: "ip", codes: "sq7", nlist: 2 }), {}],
			["ivfpq", createIvf({ kind: "ivfpq", dimensions: 2, metric: "l2", nlist: 2, bits: 5 }), {}],
			["ivfpq, turned", createIvf({ kind: "ivfpq", dimensions: 2, metric: "cosine", nlist: 2, rotation: "opq" }), {}],
			["ivfrabitq", createIvf({ kind: "ivfrabitq", dimensions: 2, metric: "l2", nlist: 2 }), {}],
		] as [string, AnyIndex, LoadOptions][]
	).map(async ([name, index, options]) => {
		if ("train" in index) await index.train(randomRows(2, 60, 2) as Float32Array);
		await index.insertMany(randomRows(1, 7, 2));
		index.remove([3]);
		return { name, index, bytes: bytesOf(index), options };
	}),
);

/** Loading fails with one of the codes and leaves nothing in the arena. */
function refused(
	chunks: Iterable<Uint8Array>,
	options: LoadOptions,
	codes: readonly string[],
	what: string,
): NighError {
	let caught: unknown;
	try {
		loadIndex(chunks, options.metric === undefined ? { arena, ...options } : options).dispose();
	} catch (error) {
		caught = error;
	}
	assert.ok(caught !== undefined, `${what} was loaded`);
	assert.ok(isNighError(caught), `${what}: ${caught instanceof Error ? caught.stack : caught}`);
	assert.ok(codes.includes(caught.code), `${what}: ${caught.code}: ${caught.message}`);
	assert.equal(arena.usedBytes, 0, `${what} has left memory in use`);
	return caught;
}

for (const { name, index, bytes, options } of IMAGES) {
	// Each load of a metric of one's own makes memories of its own, and inverted files are larger: a part of the bits will do.
	const step = options.metric === undefined ? ("train" in index ? 5 : 1) : 7;

	describe(`the image of an index (${name})`, () => {
		test("with any one bit flipped is refused as damaged, or as newer", () => {
			for (let bit = 0; bit < 8 * bytes.length; bit += step) {
				const damaged = bytes.slice();
				damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
				const error = refused([damaged], options, ["CORRUPT_SNAPSHOT", "NEWER_VERSION"], `bit ${bit}`);
				assert.equal(error.code === "NEWER_VERSION", bit > 64 && bit < 96);
			}
		});

		test("cut off anywhere is refused, with the place", () => {
			for (let length = 0; length < bytes.length; length += step) {
				const error = refused([bytes.subarray(0, length)], options, ["CORRUPT_SNAPSHOT"], `${length} bytes`);
				assert.equal(error.details.byteOffset, length);
			}
		});

		test("with bytes behind it is refused, wherever the chunks end", () => {
			for (const chunks of [
				[bytes, Uint8Array.of(0)],
				[join(bytes, Uint8Array.of(7))],
				[bytes, new Uint8Array(0), bytes],
			]) {
				const error = refused(chunks, options, ["CORRUPT_SNAPSHOT"], "bytes behind");
				assert.equal(error.details.byteOffset, bytes.length);
			}
		});

		test("loads from chunks of any size, empty ones too", () => {
			for (let size = 1; size <= bytes.length; size = size < 40 ? size + step : size * 2 + 1) {
				const chunks = function* () {
					for (let at = 0; at < bytes.length; at += size) {
						yield bytes.slice(at, at + size);
						yield new Uint8Array(0);
					}
				};
				const loaded = loadIndex(chunks(), options.metric === undefined ? { arena } : options);
				assert.deepEqual(loaded.search([0, 0], 9), index.search([0, 0], 9));
				assert.ok(Buffer.from(bytesOf(loaded)).equals(bytes));
				loaded.dispose();
			}
			assert.equal(arena.usedBytes, 0);
		});

		test("of a newer format is refused by its version", () => {
			const newer = bytes.slice();
			new DataView(newer.buffer).setUint32(8, IMAGE_VERSION + 1, true);
			const { details } = refused([newer], options, ["NEWER_VERSION"], "a newer version");
			assert.deepEqual([details.value, details.bound], [IMAGE_VERSION + 1, IMAGE_VERSION]);
		});

		if (options.metric !== undefined) return;

		test("with a header that lies under a right checksum is refused, or loads as an index that works", () => {
			for (const [what, forged] of lies(bytes)) checkForged(what, forged);
		});
	});
}

test("rows that no index can hold are refused under right checksums", () => {
	const { bytes } = IMAGES[0] as (typeof IMAGES)[number];
	const lies: [what: string, section: number, change: (section: DataView) => void][] = [
		["NaN", 0, (vectors) => vectors.setFloat32(4, Number.NaN, true)],
		["infinite", 0, (vectors) => vectors.setFloat32(0, Number.POSITIVE_INFINITY, true)],
		["a norm above the bound", 0, (vectors) => vectors.setFloat32(0, 2 ** 63, true)],
		["padding that is not zero", 0, (vectors) => vectors.setFloat32(12, 1, true)],
		["a label beyond the last", 1, (labels) => labels.setUint32(0, 0xffffffff, true)],
		["a label twice", 1, (labels) => labels.setUint32(0, labels.getUint32(4, true), true)],
	];
	for (const [what, section, change] of lies) {
		refused([forgeSection(bytes, section, change)], {}, ["CORRUPT_SNAPSHOT"], what);
	}
	const loaded = loadIndex([forgeSection(bytes, 1, (labels) => labels.setUint32(0, 77, true))], { arena });
	assert.ok(loaded.has(77));
	loaded.dispose();
});

test("a header that counts rows without a checksum for each block is refused before any memory is taken for them", () => {
	const rows = 10_000_000;
	for (const { name, bytes, options } of IMAGES) {
		if (options.metric !== undefined) continue;
		const forged = forge(bytes, ({ state, sections }) => {
			Object.assign(state, { size: rows, slots: rows });
			for (const section of sections) Object.assign(section, { bytes: 64 * rows });
		});
		const room = new Arena();
		refusal("CORRUPT_SNAPSHOT", () => loadIndex([forged], { arena: room }));
		assert.ok(room.memory.buffer.byteLength <= 1 << 20, name);
	}
});

test("random bytes are not an index", () => {
	const magic = new TextEncoder().encode("NIGHIDX\n");
	const codes = ["CORRUPT_SNAPSHOT", "NEWER_VERSION"];
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (random, begins) => {
			refused([begins ? join(magic, random) : random], {}, codes, `${random}`);
		}),
	);
});

test("a header that nothing could need is refused before it is read", () => {
	const bytes = bytesOf(createFlat({ dimensions: 2, metric: "l2" }));
	new DataView(bytes.buffer).setUint32(12, 0xffffffff, true);
	assert.equal(refused([bytes], {}, ["CORRUPT_SNAPSHOT"], "a huge header").details.byteOffset, 12);
});

test("blocks of 1 MiB are checked one by one, and the error says which", async () => {
	const index = createFlat({ dimensions: 64, metric: "l2", codes: "none", arena });
	await index.insertMany(randomRows(1, 9_000, 64));
	const bytes = bytesOf(index);
	const loaded = loadIndex([bytes], { arena });
	assert.deepEqual(loaded.search(new Float32Array(64), 20), index.search(new Float32Array(64), 20));
	loaded.dispose();
	index.dispose();
	const headerEnd = PREFIX + new DataView(bytes.buffer).getUint32(12, true);
	const place = headerEnd + (1 << 20) + 12_345;
	bytes[place] = (bytes[place] as number) ^ 1;
	const error = refused([bytes], {}, ["CORRUPT_SNAPSHOT"], "block 1");
	assert.match(error.message, /block 1 of the section "vectors"/);
	assert.equal(error.details.byteOffset, headerEnd + (1 << 20));
});

test("an arena that cannot hold the index is no damage", async () => {
	const index = createFlat({ dimensions: 64, metric: "l2", codes: "none", arena });
	await index.insertMany(randomRows(1, 2_000, 64));
	const small = new Arena({ maxBytes: 2 * 65_536 });
	refusal("MEMORY_LIMIT", () => loadIndex(index.serialize(), { arena: small }));
	assert.equal(small.usedBytes, 0);
	index.dispose();
});

test("the caller's mistakes are not taken for damage", () => {
	const image = [...createFlat({ dimensions: 2, metric: "l2" }).serialize()];
	const whole = join(...image);
	const bytes = refusal("INVALID_OPTION", () => loadIndex(whole as unknown as Uint8Array[]));
	assert.match(bytes.message, /\[bytes\]/);
	const unknown = refusal("INVALID_OPTION", () => loadIndex(image, { arean: arena } as object));
	assert.equal(unknown.details.nearest, "arena");
	assert.equal(
		refusal("INVALID_OPTION", () => loadIndex(image, { shared: 1 as unknown as boolean })).details.field,
		"shared",
	);
	assert.equal(loadIndex(image, { shared: true }).arena.shared, true);
	assert.equal(loadIndex(image, { shared: false }).arena.shared, false);
});

interface Header {
	kind: unknown;
	state: Record<string, unknown>;
	sections: { name: unknown; bytes: unknown; checksums: unknown[] }[];
}

const VALUES: readonly unknown[] = [
	...[-1, 0, 0.5, 1, 2, 6, 7, 8, 255, 70_000, 50_000_000, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40, 2 ** 53, 1e308],
	...[null, true, false, "", "6", "l2", "hamming", "none", "sq7", "ivf", "ivfpq", "opq", "given", [], [1], {}],
];

/** Images whose checksums are right and whose headers are not. */
function* lies(bytes: Uint8Array): Generator<[what: string, forged: Uint8Array]> {
	const { kind, state, sections } = headerOf(bytes);
	for (const value of [...VALUES, undefined]) {
		const text = JSON.stringify(value);
		for (const field of Object.keys(state)) {
			yield [`state.${field} = ${text}`, forge(bytes, (header) => Object.assign(header.state, { [field]: value }))];
		}
		for (const field of ["kind", "state", "sections"]) {
			yield [`${field} = ${text}`, forge(bytes, (header) => Object.assign(header, { [field]: value }))];
		}
		for (let i = 0; i < sections.length; i++) {
			for (const field of ["name", "bytes", "checksums"]) {
				const lie = (header: Header) => Object.assign(header.sections[i] as object, { [field]: value });
				yield [`sections[${i}].${field} = ${text}`, forge(bytes, lie)];
			}
		}
	}
	yield ["another kind", forge(bytes, (header) => Object.assign(header, { kind: kind === "flat" ? "hnsw" : "flat" }))];
	yield ["sections in another order", forge(bytes, (header) => header.sections.reverse())];
	yield ["a section twice", forge(bytes, (header) => header.sections.push(...header.sections.slice(-1)))];
	for (const huge of [2 ** 22, 2 ** 33, 2 ** 50]) {
		const checksums = Array.from({ length: Math.min(20_000, Math.ceil(huge / (1 << 20))) }, () => 0);
		for (const count of ["size", "slots"]) {
			const lie = (header: Header) => {
				header.state[count] = huge / 16;
				for (const section of header.sections) Object.assign(section, { bytes: huge, checksums });
			};
			yield [`${huge} bytes that are not there`, forge(bytes, lie)];
		}
	}
}

/** Refused with a code, or loaded as an index that can be worked with; in neither case by taking much memory. */
function checkForged(what: string, forged: Uint8Array): void {
	const room = new Arena({ maxBytes: 1 << 26 });
	let loaded: AnyIndex;
	try {
		loaded = loadIndex([forged], { arena: room });
	} catch (error) {
		assert.ok(isNighError(error), `${what}: ${error instanceof Error ? error.stack : error}`);
		assert.ok(["CORRUPT_SNAPSHOT", "SPEC_CONFLICT", "MEMORY_LIMIT"].includes(error.code), `${what}: ${error.message}`);
		assert.equal(room.usedBytes, 0, what);
		return;
	}
	assert.ok(room.usedBytes < 1 << 22, `${what}: ${room.usedBytes} bytes`);
	const query =
		loaded.metric === "hamming" ? new Uint8Array(loaded.dimensions / 8) : new Float32Array(loaded.dimensions);
	// A budget may end a search before it has what it was asked for.
	const options = loaded.effective().budget === undefined ? {} : { exact: true };
	try {
		assert.equal(loaded.search(query, 20, options).length, loaded.size, what);
		assert.equal(loaded.remove(loaded.labels().slice(0, 2)), 2, what);
		if (!((loaded.effective().maxElements as number) <= loaded.size)) loaded.insert(1_000, query);
		assert.equal(loaded.search(query, 20, options).length, loaded.size, what);
		for (const { label } of loaded.search(query, 20)) assert.ok(loaded.has(label));
	} catch (error) {
		throw new Error(`${what}: ${error instanceof Error ? error.stack : error}`, { cause: error });
	}
}

function headerOf(bytes: Uint8Array): Header {
	const length = new DataView(bytes.buffer).getUint32(12, true);
	return JSON.parse(new TextDecoder().decode(bytes.subarray(PREFIX, PREFIX + length)));
}

/** The image with a header that was changed, and the checksum that belongs to it. */
function forge(bytes: Uint8Array, change: (header: Header) => unknown): Uint8Array {
	const header = headerOf(bytes);
	change(header);
	const text = new TextEncoder().encode(JSON.stringify(header));
	const prefix = bytes.slice(0, PREFIX);
	const view = new DataView(prefix.buffer);
	view.setUint32(12, text.length, true);
	view.setUint32(16, checksumOf(text), true);
	return join(prefix, text, bytes.subarray(bodyOf(bytes)));
}

/** The image with a section that was changed, and the checksums that belong to it. */
function forgeSection(bytes: Uint8Array, number: number, change: (section: DataView) => void): Uint8Array {
	const copy = bytes.slice();
	const { sections } = headerOf(bytes);
	const start = sections.slice(0, number).reduce((sum, section) => sum + (section.bytes as number), bodyOf(bytes));
	const length = sections[number]?.bytes as number;
	change(new DataView(copy.buffer, start, length));
	const checksums = [checksumOf(copy.subarray(start, start + length))];
	return forge(copy, (header) => Object.assign(header.sections[number] as object, { checksums }));
}

/** Where the sections begin. */
function bodyOf(bytes: Uint8Array): number {
	return PREFIX + new DataView(bytes.buffer).getUint32(12, true);
}

function checksumOf(bytes: Uint8Array): number {
	const address = arena.alloc(bytes.length);
	arena.u8(address, bytes.length).set(bytes);
	const checksum = arena.kernels.checksum(address, bytes.length) >>> 0;
	arena.free(address);
	return checksum;
}
