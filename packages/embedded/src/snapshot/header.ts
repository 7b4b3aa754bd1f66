import type { Json } from "@nigh/contract";

/** Bytes of one element, by the name a section has for its type. All are little-endian. */
export const ELEMENT_BYTES = { u8: 1, i8: 1, u16: 2, i16: 2, u32: 4, i32: 4, f32: 4, u64: 8, i64: 8, f64: 8 } as const;

export type ElementType = keyof typeof ELEMENT_BYTES;

/** What a snapshot is of. */
export interface SnapshotMeta {
	/** The database it was made by; a file from another one is refused. */
	readonly databaseId: string;
	readonly collection: { readonly key: number; readonly name: string };
	/** Number of the last change that is in the index. Changes after it are applied on opening. */
	readonly change: number;
	/** The label that the next vector gets at that change. */
	readonly nextLabel: number;
	/** Records of the collection at that change. */
	readonly records: number;
	/** Milliseconds since 1970. */
	readonly createdAt: number;
	/** Version of the software that wrote it. For people: nothing depends on it. */
	readonly engine: string;
	readonly index: { readonly kind: string; readonly parameters: { readonly [name: string]: Json } };
}

/** One run of bytes of the index. */
export interface SnapshotSection {
	readonly name: string;
	readonly element: ElementType;
	/** Where it starts in the file; a multiple of 4,096. */
	readonly offset: number;
	/** Its length without padding; a multiple of the element's. */
	readonly bytes: number;
}

export interface SnapshotHeader extends SnapshotMeta {
	readonly sections: readonly SnapshotSection[];
}

const MOST_SECTIONS = 1_024;
const MOST_NAME = 512;

/** What is wrong with a header, whoever made it; `undefined`: nothing. Offsets are judged by the layout, not here. */
export function problemOfHeader(header: unknown): string | undefined {
	if (!isObject(header)) return "is not an object";
	if (!isName(header.databaseId)) return wrong("databaseId", header.databaseId, "a text");
	if (!isObject(header.collection)) return wrong("collection", header.collection, "an object");
	if (!isName(header.collection.name)) return wrong("collection.name", header.collection.name, "a text");
	if (!isCount(header.collection.key)) return wrong("collection.key", header.collection.key, "a whole number");
	for (const field of ["change", "nextLabel", "records", "createdAt"]) {
		if (!isCount(header[field])) return wrong(field, header[field], "a whole number");
	}
	if (!isName(header.engine)) return wrong("engine", header.engine, "a text");
	if (!isObject(header.index)) return wrong("index", header.index, "an object");
	if (!isName(header.index.kind)) return wrong("index.kind", header.index.kind, "a text");
	if (!isObject(header.index.parameters)) return wrong("index.parameters", header.index.parameters, "an object");
	return problemOfSections(header.sections);
}

function problemOfSections(sections: unknown): string | undefined {
	if (!Array.isArray(sections)) return wrong("sections", sections, "an array");
	if (sections.length > MOST_SECTIONS) return `has ${sections.length} sections; ${MOST_SECTIONS} is the most`;
	const names = new Set<string>();
	for (const [at, section] of sections.entries()) {
		const field = `sections[${at}]`;
		if (!isObject(section)) return wrong(field, section, "an object");
		const { name, element, bytes } = section;
		if (!isName(name)) return wrong(`${field}.name`, name, "a text");
		if (names.has(name)) return `has two sections named ${JSON.stringify(name)}`;
		names.add(name);
		if (typeof element !== "string" || !Object.hasOwn(ELEMENT_BYTES, element)) {
			return wrong(`${field}.element`, element, `one of ${Object.keys(ELEMENT_BYTES).join(", ")}`);
		}
		const width = ELEMENT_BYTES[element as ElementType];
		if (!isCount(bytes) || bytes % width !== 0) return wrong(`${field}.bytes`, bytes, `a multiple of ${width}`);
	}
	return undefined;
}

/** The field of an index's parameters that names the files with its rows, where it does not hold them. */
export const ROW_FILES = "rowFiles";

export function namesRowFiles({ index }: Pick<SnapshotHeader, "index">): boolean {
	return Object.hasOwn(index.parameters, ROW_FILES);
}

/** The header's known fields alone, so that nothing else of a file goes any further. */
export function knownFieldsOf(header: SnapshotHeader): SnapshotHeader {
	const { databaseId, collection, change, nextLabel, records, createdAt, engine, index, sections } = header;
	return {
		databaseId,
		collection: { key: collection.key, name: collection.name },
		change,
		nextLabel,
		records,
		createdAt,
		engine,
		index: { kind: index.kind, parameters: index.parameters },
		sections: sections.map(({ name, element, offset, bytes }) => ({ name, element, offset, bytes })),
	};
}

function wrong(field: string, value: unknown, expected: string): string {
	const shown = typeof value === "bigint" ? `${value}n` : String(JSON.stringify(value)).slice(0, 80);
	return `has ${shown} as ${field}; it must be ${expected}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isName(value: unknown): value is string {
	return typeof value === "string" && value.length > 0 && value.length <= MOST_NAME;
}

function isCount(value: unknown): value is number {
	return Number.isSafeInteger(value) && (value as number) >= 0;
}
