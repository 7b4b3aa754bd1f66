import { corrupt, type ImageHeader, type ImageReader, type Section, writeImage } from "../image.ts";
import { MAX_LABEL } from "../rows/label-table.ts";
import type { FlatRows } from "./rows.ts";

interface FlatState {
	readonly dimensions: number;
	readonly metric: string;
	readonly custom: boolean;
	readonly weights: readonly number[] | null;
	readonly codes: "sq7" | "none";
	readonly maxElements: number | null;
	readonly size: number;
	readonly nextLabel: number;
}

/** The rows as an image: settings, vectors, labels. Codes are made again on loading, which takes no longer than reading them. */
export function serializeFlat(rows: FlatRows): Iterable<Uint8Array> {
	const { format } = rows;
	const state: FlatState = {
		dimensions: format.dimensions,
		metric: typeof format.metric === "string" ? format.metric : format.metric.name,
		custom: typeof format.metric !== "string",
		weights: format.weights === undefined ? null : [...format.weights],
		codes: rows.codes === undefined ? "none" : "sq7",
		maxElements: rows.maxElements ?? null,
		size: rows.size,
		nextLabel: rows.table.next,
	};
	return writeImage(rows.arena, "flat", { ...state }, sectionsOf(rows, rows.size));
}

function sectionsOf(rows: FlatRows, size: number): Section[] {
	return [
		{ name: "vectors", address: rows.vectors, bytes: size * rows.format.bytes },
		{ name: "labels", address: rows.labels, bytes: size * 4 },
	];
}

/** The settings that saved rows are created again with. */
export function flatOptionsOf(header: ImageHeader): Record<string, unknown> {
	const { dimensions, metric, codes, weights, maxElements } = header.state as unknown as FlatState;
	return {
		dimensions,
		metric,
		codes,
		...(weights === null ? {} : { weights }),
		...(maxElements === null ? {} : { maxElements }),
	};
}

/** Fills new rows from an image. */
export function readFlat(rows: FlatRows, header: ImageHeader, reader: ImageReader): void {
	const { size, nextLabel, maxElements } = header.state as unknown as FlatState;
	if (!isCount(size) || !isCount(nextLabel))
		throw corrupt("the header's counts are not whole numbers that labels allow");
	if (maxElements !== null && size > maxElements) throw corrupt("the header counts more rows than it allows");
	const held = header.sections.reduce((sum, section) => sum + section.bytes, 0);
	if (size * rows.format.bytes > held) throw corrupt("the header counts more rows than the sections hold");
	rows.reserve(Math.max(1, size), true);
	for (const { name, address, bytes } of sectionsOf(rows, size)) reader.readSection(rows.arena, name, bytes, address);
	reader.finish();
	const labels = rows.arena.u32(rows.labels, size);
	for (let row = 0; row < size; row++) {
		const label = labels[row] as number;
		if (label > MAX_LABEL) throw corrupt(`row ${row} has no label`);
		if (!rows.format.isSound(rows.vectorOf(row))) throw corrupt(`row ${row} is not a vector`);
		rows.table.set(label, row);
	}
	if (rows.size !== size) throw corrupt("two rows have the same label");
	rows.table.next = Math.max(rows.table.next, nextLabel);
	if (rows.codes !== undefined) for (let row = 0; row < size; row++) rows.measure(row);
	rows.trainCodes();
}

/** A count of labels: never more than there are. */
function isCount(value: unknown): value is number {
	return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_LABEL + 1;
}
