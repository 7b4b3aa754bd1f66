/** Bits of {@link PackedRows.flags}: what a row has, and what a patch takes away. */
export const METADATA = 1;
export const TEXT = 2;
export const VECTOR = 4;
export const NULL_METADATA = 8;
export const NULL_TEXT = 16;
export const NULL_EXPIRES = 32;
export const EXPIRES = 64;

/** No id, JSON text or text of a record can contain it: JSON writes it as an escape, the others are refused with it. */
const SEPARATOR = "\u0000";

/**
 * Records or patches on their way to the writer thread. Structured cloning pays for each object and each string, so a batch travels as
 * three long strings and three arrays, whatever its size.
 */
export interface PackedRows {
	readonly count: number;
	/** Joined by U+0000, as are the next two; the part of a row that has none is empty. */
	readonly ids: string;
	/** JSON texts. */
	readonly metadata: string;
	readonly texts: string;
	/** What each row has: the bits above. */
	readonly flags: Uint8Array;
	/** ms since 1970, NaN where a row has none. */
	readonly expiresAt: Float64Array;
	/** The bytes of the vectors, row-major, of those rows that have one; all of one length. */
	readonly vectors: Uint8Array;
}

/** The fields of checked records or patches, one entry for each row. `undefined`: not given. `null`: taken away (patches only). */
export interface RowFields {
	readonly ids: readonly string[];
	/** JSON texts. */
	readonly metadata: readonly (string | null | undefined)[];
	readonly texts: readonly (string | null | undefined)[];
	/** ms since 1970. */
	readonly expiresAt: readonly (number | null | undefined)[];
	/** All of one length in bytes. */
	readonly vectors: readonly (Float32Array | Uint8Array | undefined)[];
}

/** Packs checked fields; the vectors are copied. */
export function packRows(fields: RowFields): PackedRows {
	const { ids, metadata, texts, vectors } = fields;
	const count = ids.length;
	const flags = new Uint8Array(count);
	const expiresAt = new Float64Array(count).fill(Number.NaN);
	for (let row = 0; row < count; row++) {
		const expires = fields.expiresAt[row];
		if (typeof expires === "number") expiresAt[row] = expires;
		flags[row] =
			presence(metadata[row], METADATA, NULL_METADATA) |
			presence(texts[row], TEXT, NULL_TEXT) |
			presence(expires, EXPIRES, NULL_EXPIRES) |
			presence(vectors[row], VECTOR, 0);
	}
	return {
		count,
		ids: ids.join(SEPARATOR),
		// `join` writes null and undefined as nothing.
		metadata: metadata.join(SEPARATOR),
		texts: texts.join(SEPARATOR),
		flags,
		expiresAt,
		vectors: concatenate(vectors),
	};
}

/** The fields again. Vectors are bytes, and views of `rows.vectors`. */
export function unpackRows(rows: PackedRows): RowFields & { readonly vectors: readonly (Uint8Array | undefined)[] } {
	const { count, flags } = rows;
	const ids = split(rows.ids, count);
	const metadata: (string | null | undefined)[] = split(rows.metadata, count);
	const texts: (string | null | undefined)[] = split(rows.texts, count);
	const expiresAt = new Array<number | null | undefined>(count);
	const vectors = new Array<Uint8Array | undefined>(count);
	const bytes = vectorBytesOf(rows);
	let at = 0;
	for (let row = 0; row < count; row++) {
		const bits = flags[row] as number;
		if ((bits & METADATA) === 0) metadata[row] = (bits & NULL_METADATA) === 0 ? undefined : null;
		if ((bits & TEXT) === 0) texts[row] = (bits & NULL_TEXT) === 0 ? undefined : null;
		if ((bits & EXPIRES) !== 0) expiresAt[row] = rows.expiresAt[row] as number;
		else expiresAt[row] = (bits & NULL_EXPIRES) === 0 ? undefined : null;
		vectors[row] = undefined;
		if ((bits & VECTOR) === 0) continue;
		vectors[row] = rows.vectors.subarray(at, at + bytes);
		at += bytes;
	}
	return { ids, metadata, texts, expiresAt, vectors };
}

/** The fields of the rows of all parts, one after the other. */
export function unpackAll(parts: readonly PackedRows[]): ReturnType<typeof unpackRows> {
	const [first] = parts;
	if (parts.length === 1 && first !== undefined) return unpackRows(first);
	const fields = parts.map(unpackRows);
	return {
		ids: fields.flatMap(({ ids }) => ids),
		metadata: fields.flatMap(({ metadata }) => metadata),
		texts: fields.flatMap(({ texts }) => texts),
		expiresAt: fields.flatMap(({ expiresAt }) => expiresAt),
		vectors: fields.flatMap(({ vectors }) => vectors),
	};
}

/** Some of the rows, in their order. */
export function keepRows(rows: PackedRows, keep: (row: number) => boolean): PackedRows {
	const { ids, metadata, texts, expiresAt, vectors } = unpackRows(rows);
	const kept = ids.map((_, row) => row).filter(keep);
	const pick = <T>(list: readonly T[]): T[] => kept.map((row) => list[row] as T);
	return packRows({
		ids: pick(ids),
		metadata: pick(metadata),
		texts: pick(texts),
		expiresAt: pick(expiresAt),
		vectors: pick(vectors),
	});
}

/** Bytes of one vector; 0 where no row has one. */
export function vectorBytesOf({ count, flags, vectors }: PackedRows): number {
	let having = 0;
	for (let row = 0; row < count; row++) having += ((flags[row] as number) & VECTOR) >>> 2;
	return having === 0 ? 0 : vectors.byteLength / having;
}

function presence(value: unknown, there: number, taken: number): number {
	if (value === undefined) return 0;
	return value === null ? taken : there;
}

function split(joined: string, count: number): string[] {
	return count === 0 ? [] : joined.split(SEPARATOR);
}

function concatenate(vectors: RowFields["vectors"]): Uint8Array {
	let bytes = 0;
	for (const vector of vectors) bytes += vector?.byteLength ?? 0;
	const all = new Uint8Array(bytes);
	let at = 0;
	for (const vector of vectors) {
		if (vector === undefined) continue;
		all.set(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength), at);
		at += vector.byteLength;
	}
	return all;
}
