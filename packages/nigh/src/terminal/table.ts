/** A column: its heading, and on which side its cells stand. */
export interface Column {
	readonly title: string;
	readonly align: "left" | "right";
	/** Width of the widest cell that will come, where that is known to be more than the title's. */
	readonly width?: number;
}

/** Lays out rows one at a time, so that each can be printed as soon as it is known. */
export function tableRows(columns: readonly Column[]): { header: string; row: (cells: readonly string[]) => string } {
	const line = (cells: readonly string[]) =>
		columns
			.map(({ title, align, width = 0 }, at) => {
				const cell = cells[at] ?? "";
				const room = Math.max(title.length, width);
				return align === "left" ? cell.padEnd(room) : cell.padStart(room);
			})
			.join("  ")
			.trimEnd();
	return { header: line(columns.map(({ title }) => title)), row: line };
}

/** `60,000`: a whole number as people read it. */
export function grouped(value: number): string {
	return Math.round(value).toLocaleString("en-US");
}

/** A share cut (not rounded) to four places, so that only exactly 1 reads 1.0000. */
export function shareText(share: number): string {
	return (Math.floor(share * 10_000 + 1e-6) / 10_000).toFixed(4);
}
