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

/** One checked record or patch. `undefined`: not given. `null`: taken away (patches only). */
export interface Row {
	readonly id: string;
	/** JSON text. */
	readonly metadata: string | null | undefined;
	readonly text: string | null | undefined;
	/** ms since 1970. */
	readonly expiresAt: number | null | undefined;
	/** Of the same length in bytes in every row that has one. */
	readonly vector: Float32Array | Uint8Array | undefined;
}

/** The fields of many rows, one entry for each in every array. */
export interface Rows {
	readonly ids: readonly string[];
	readonly metadata: readonly Row["metadata"][];
	readonly texts: readonly Row["text"][];
	readonly expiresAt: readonly Row["expiresAt"][];
	/** As they are stored. */
	readonly vectors: readonly (Uint8Array | undefined)[];
}

/** Packs rows as they come. Their vectors are copied at once, so that the caller may change its own. */
export class RowPacker {
	/** UTF-16 units of metadata and texts so far. */
	characters = 0;
	readonly #ids: string[] = [];
	readonly #metadata: (string | null | undefined)[] = [];
	readonly #texts: (string | null | undefined)[] = [];
	readonly #flags: Uint8Array;
	readonly #expiresAt: Float64Array;
	#vectors = new Uint8Array(0);
	#bytes = 0;
	/** What any row has. */
	#any = 0;

	/** For as many rows as that, and no more. */
	constructor(rows: number) {
		this.#flags = new Uint8Array(rows);
		this.#expiresAt = new Float64Array(rows).fill(Number.NaN);
	}

	get count(): number {
		return this.#ids.length;
	}

	get isFull(): boolean {
		return this.#ids.length === this.#flags.length;
	}

	add({ id, metadata, text, expiresAt, vector }: Row): void {
		const row = this.#ids.length;
		this.#ids.push(id);
		this.#metadata.push(metadata);
		this.#texts.push(text);
		this.characters += (metadata?.length ?? 0) + (text?.length ?? 0);
		if (typeof expiresAt === "number") this.#expiresAt[row] = expiresAt;
		if (vector !== undefined) this.#addVector(vector);
		const bits =
			presence(metadata, METADATA, NULL_METADATA) |
			presence(text, TEXT, NULL_TEXT) |
			presence(expiresAt, EXPIRES, NULL_EXPIRES) |
			presence(vector, VECTOR, 0);
		this.#flags[row] = bits;
		this.#any |= bits;
	}

	#addVector(vector: Float32Array | Uint8Array): void {
		const { byteLength } = vector;
		// Room for all, as soon as it is known how long one is.
		if (this.#bytes === 0) this.#vectors = new Uint8Array(this.#flags.length * byteLength);
		const bytes = vector instanceof Uint8Array ? vector : new Uint8Array(vector.buffer, vector.byteOffset, byteLength);
		this.#vectors.set(bytes, this.#bytes);
		this.#bytes += byteLength;
	}

	packed(): PackedRows {
		const { count } = this;
		return {
			count,
			ids: this.#ids.join(SEPARATOR),
			// `join` writes null and undefined as nothing; where no row has any, nothing is all there is to say.
			metadata: (this.#any & METADATA) === 0 ? "" : this.#metadata.join(SEPARATOR),
			texts: (this.#any & TEXT) === 0 ? "" : this.#texts.join(SEPARATOR),
			flags: this.#flags.subarray(0, count),
			expiresAt: this.#expiresAt.subarray(0, count),
			vectors: this.#vectors.subarray(0, this.#bytes),
		};
	}
}

/** Packs all of them. */
export function packRows(rows: readonly Row[]): PackedRows {
	const packer = new RowPacker(rows.length);
	for (const row of rows) packer.add(row);
	return packer.packed();
}

/** The fields again. Vectors are views of `rows.vectors`. */
export function unpackRows(rows: PackedRows): Rows {
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
export function unpackAll(parts: readonly PackedRows[]): Rows {
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

/** One of the rows. */
export function rowAt({ ids, metadata, texts, expiresAt, vectors }: Rows, row: number): Row {
	return {
		id: ids[row] as string,
		metadata: metadata[row],
		text: texts[row],
		expiresAt: expiresAt[row],
		vector: vectors[row],
	};
}

/** Some of the rows, in their order. */
export function keepRows({ ids, metadata, texts, expiresAt, vectors }: Rows, keep: (row: number) => boolean): Rows {
	const kept = ids.map((_, row) => row).filter(keep);
	const pick = <T>(list: readonly T[]): T[] => kept.map((row) => list[row] as T);
	return {
		ids: pick(ids),
		metadata: pick(metadata),
		texts: pick(texts),
		expiresAt: pick(expiresAt),
		vectors: pick(vectors),
	};
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
	return joined === "" ? new Array<string>(count).fill("") : joined.split(SEPARATOR);
}
