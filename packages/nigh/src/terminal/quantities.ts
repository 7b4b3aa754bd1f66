import { grouped } from "./table.ts";

const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"] as const;

/** `512 bytes`, `1.5 MiB` */
export function bytesText(bytes: number): string {
	let value = bytes;
	let unit = 0;
	while (value >= 1024 && unit < UNITS.length - 1) {
		value /= 1024;
		unit++;
	}
	return unit === 0 ? `${grouped(value)} ${UNITS[0]}` : `${value.toFixed(1)} ${UNITS[unit]}`;
}

/** `0.42 ms`, `12 ms`, `3.4 s`, `2 min 5 s`, `3 h 10 min` */
export function durationText(ms: number): string {
	if (ms < 10) return `${ms.toFixed(2)} ms`;
	if (ms < 1_000) return `${Math.round(ms)} ms`;
	if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`;
	const seconds = Math.round(ms / 1_000);
	if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
	const minutes = Math.round(seconds / 60);
	return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A moment, in ms since 1970, in UTC: `2026-03-01 12:30:00Z` */
export function timeText(ms: number): string {
	return new Date(ms)
		.toISOString()
		.replace("T", " ")
		.replace(/\.\d+Z$/, "Z");
}

/** A number in few digits, as people compare them: `0.1234`, `12.5`, `1234567`. */
export function numberText(value: number): string {
	return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
}

/** `1 record`, `2 records` */
export function countText(count: number, noun: string): string {
	return `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** On one line, and cut where it is longer than `most`. */
export function oneLine(text: string, most: number): string {
	// biome-ignore lint/suspicious/noControlCharactersInRegex: what would move the cursor must not get to a terminal.
	const line = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ").trim();
	return cutTo(line, most);
}

/** At most so many characters, dots for what is left out. */
export function cutTo(line: string, most: number): string {
	return line.length <= most ? line : `${line.slice(0, most - 3).toWellFormed()}...`;
}

/** Text in lines of at most `width` characters, broken between words; a word that is longer has a line of its own. */
export function wrapped(text: string, width: number): string[] {
	const lines: string[] = [];
	for (const word of text.split(" ")) {
		const last = lines.at(-1);
		if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
		else lines.push(word);
	}
	return lines;
}
