import { NighError } from "@nigh/contract";
import type { Arena } from "@nigh/kernels";
import { withinArena } from "./memory-limit.ts";

/**
 * The bytes of an index:
 *
 * | bytes | what                                                            |
 * |-------|-----------------------------------------------------------------|
 * | 8     | "NIGHIDX" and a line feed                                        |
 * | 4     | u32 version of the format                                        |
 * | 4     | u32 length of the header                                         |
 * | 4     | u32 XXH32 of the header                                          |
 * | ...   | header: JSON with the settings and, for each section, its length and the XXH32 of every block of 1 MiB |
 * | ...   | the sections, one after the other                                |
 */
const MAGIC = new TextEncoder().encode("NIGHIDX\n");
export const IMAGE_VERSION = 1;
const PREFIX = 20;
const BLOCK = 1 << 20;
/** A header has some bytes for each block of the sections; 64 MiB would describe far more than an arena holds. */
const MOST_HEADER = 1 << 26;

/** A part of the arena to be saved. */
export interface Section {
	readonly name: string;
	readonly address: number;
	readonly bytes: number;
}

interface SavedSection {
	readonly name: string;
	readonly bytes: number;
	readonly checksums: readonly number[];
}

export interface ImageHeader {
	readonly kind: "flat" | "hnsw" | "ivf";
	/** Settings and counts that the kind needs. */
	readonly state: Readonly<Record<string, unknown>>;
	readonly sections: readonly SavedSection[];
}

/** The image, chunk by chunk; every chunk is a copy. The index must not change before the last one. */
export function* writeImage(
	arena: Arena,
	kind: ImageHeader["kind"],
	state: ImageHeader["state"],
	sections: readonly Section[],
): Generator<Uint8Array> {
	const saved = sections.map(
		({ name, address, bytes }): SavedSection => ({ name, bytes, checksums: checksums(arena, address, bytes) }),
	);
	const header = new TextEncoder().encode(JSON.stringify({ kind, state, sections: saved } satisfies ImageHeader));
	const prefix = new Uint8Array(PREFIX);
	prefix.set(MAGIC);
	const view = new DataView(prefix.buffer);
	view.setUint32(8, IMAGE_VERSION, true);
	view.setUint32(12, header.length, true);
	view.setUint32(16, checksumOf(arena, header), true);
	yield prefix;
	yield header;
	for (const { address, bytes } of sections) {
		for (let at = 0; at < bytes; at += BLOCK) yield arena.u8(address + at, Math.min(BLOCK, bytes - at)).slice();
	}
}

/** Reads an image in order: the header first, then each section into the arena. */
export class ImageReader {
	readonly #chunks: Iterator<Uint8Array>;
	#chunk: Uint8Array = new Uint8Array(0);
	#at = 0;
	#offset = 0;
	#next = 0;
	#header: ImageHeader | undefined;

	constructor(chunks: Iterable<Uint8Array>) {
		this.#chunks = chunks[Symbol.iterator]();
	}

	/** The header, once its checksum has been found right; the arena lends its kernel and some room for that. */
	readHeader(arena: Arena): ImageHeader {
		const prefix = this.#take(PREFIX, "the prefix");
		const view = new DataView(prefix.buffer, prefix.byteOffset, PREFIX);
		if (MAGIC.some((byte, i) => prefix[i] !== byte)) {
			throw corrupt("these bytes are not a saved index: they do not begin with NIGHIDX", 0);
		}
		const version = view.getUint32(8, true);
		if (version > IMAGE_VERSION) {
			throw new NighError(
				"NEWER_VERSION",
				`the index was saved in format ${version}; this version of Nigh reads up to ${IMAGE_VERSION}: update @nigh/index`,
				{ value: version, bound: IMAGE_VERSION },
			);
		}
		if (version === 0) throw corrupt("the format version 0 does not exist", 8);
		const length = view.getUint32(12, true);
		if (length > MOST_HEADER) throw corrupt(`a header of ${length} bytes cannot be`, 12);
		const expected = view.getUint32(16, true);
		const bytes = this.#take(length, "the header");
		if (checksumOf(arena, bytes) !== expected) throw corrupt("the header does not match its checksum", PREFIX);
		this.#header = parseHeader(bytes);
		return this.#header;
	}

	/** Reads the next section, which must have this name and length, to an address; checks every block. */
	readSection(arena: Arena, name: string, bytes: number, address: number): void {
		const section = this.#header?.sections[this.#next++];
		if (section === undefined || section.name !== name || section.bytes !== bytes) {
			throw corrupt(`the section "${name}" of ${bytes} bytes is not where it should be`, this.#offset);
		}
		for (let at = 0, block = 0; at < bytes; at += BLOCK, block++) {
			const start = this.#offset;
			const length = Math.min(BLOCK, bytes - at);
			this.#take(length, `the section "${name}"`, arena.u8(address + at, length));
			if (arena.kernels.checksum(address + at, length) >>> 0 !== section.checksums[block]) {
				throw corrupt(`block ${block} of the section "${name}" does not match its checksum`, start);
			}
		}
	}

	/** Nothing may follow the last section. */
	finish(): void {
		if (this.#at === this.#chunk.length) {
			for (let next = this.#chunks.next(); next.done !== true; next = this.#chunks.next()) {
				if (checkChunk(next.value).length > 0) throw corrupt("there are bytes behind the last section", this.#offset);
			}
			return;
		}
		throw corrupt("there are bytes behind the last section", this.#offset);
	}

	#take(length: number, what: string, taken: Uint8Array = new Uint8Array(length)): Uint8Array {
		let have = 0;
		while (have < length) {
			if (this.#at === this.#chunk.length) {
				const next = this.#chunks.next();
				if (next.done === true)
					throw corrupt(`the bytes end inside ${what}: ${length - have} more were expected`, this.#offset);
				this.#chunk = checkChunk(next.value);
				this.#at = 0;
				continue;
			}
			const part = this.#chunk.subarray(this.#at, this.#at + length - have);
			taken.set(part, have);
			have += part.length;
			this.#at += part.length;
			this.#offset += part.length;
		}
		return taken;
	}
}

/** A mistake of the caller is not a damaged image: the likely one is to give the bytes themselves. */
function checkChunk(chunk: Uint8Array): Uint8Array {
	if (chunk instanceof Uint8Array) return chunk;
	throw new NighError("INVALID_OPTION", "chunks is an iterable of Uint8Array: wrap a single one as [bytes]", {
		field: "chunks",
	});
}

/** A damaged image: what is wrong, and where. */
export function corrupt(problem: string, byteOffset?: number): NighError {
	return new NighError(
		"CORRUPT_SNAPSHOT",
		`${problem}${byteOffset === undefined ? "" : ` (byte ${byteOffset})`}. Load another copy, or build the index again from the vectors.`,
		byteOffset === undefined ? {} : { byteOffset },
	);
}

function parseHeader(bytes: Uint8Array): ImageHeader {
	let header: unknown;
	try {
		header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
	} catch {
		throw corrupt("the header is not JSON", PREFIX);
	}
	const { kind, state, sections } = (header ?? {}) as Partial<ImageHeader>;
	const sound =
		(kind === "flat" || kind === "hnsw" || kind === "ivf") &&
		typeof state === "object" &&
		state !== null &&
		Array.isArray(sections) &&
		sections.every(isSection);
	if (!sound) throw corrupt("the header lacks the kind, the state or the sections", PREFIX);
	return header as ImageHeader;
}

/** Every block has its checksum, so a section cannot claim much more than its image says of it. */
function isSection(section: Partial<SavedSection> | null): boolean {
	const { name, bytes, checksums } = section ?? {};
	return (
		typeof name === "string" &&
		Number.isSafeInteger(bytes) &&
		(bytes as number) >= 0 &&
		Array.isArray(checksums) &&
		checksums.length === Math.ceil((bytes as number) / BLOCK)
	);
}

function checksums(arena: Arena, address: number, bytes: number): number[] {
	const list: number[] = [];
	for (let at = 0; at < bytes; at += BLOCK)
		list.push(arena.kernels.checksum(address + at, Math.min(BLOCK, bytes - at)) >>> 0);
	return list;
}

function checksumOf(arena: Arena, bytes: Uint8Array): number {
	const address = withinArena("the header of a saved index", () => arena.alloc(bytes.length));
	arena.u8(address, bytes.length).set(bytes);
	const checksum = arena.kernels.checksum(address, bytes.length) >>> 0;
	arena.free(address);
	return checksum;
}
