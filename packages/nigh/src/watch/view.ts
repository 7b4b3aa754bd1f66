import { bytesText, countText, timeText, wrapped } from "../terminal/quantities.ts";
import { grouped, tableRows } from "../terminal/table.ts";
import type { CollectionLook, Look } from "./look.ts";

/** What must be said beside the numbers of a reader. */
export const FOOTNOTE =
	"Index, tail and tombstones are those of this reader; searches are its own probes. Waits and latencies of the writer cannot be seen from here.";

/** A look as lines of a screen of so many columns; a table that is wider is left to be cut. */
export function screenLines(path: string, look: Look, width: number): string[] {
	const { status, diskBytes, collections } = look;
	const longest = Math.max(0, ...collections.map(({ name }) => name.length));
	// What matters most stands first: a narrow terminal cuts off the rest.
	const table = tableRows([
		{ title: "collection", align: "left", width: longest },
		{ title: "health", align: "left", width: 8 },
		{ title: "records", align: "right", width: 11 },
		{ title: "index", align: "left" },
		{ title: "tail", align: "right", width: 7 },
		{ title: "folded", align: "right" },
		{ title: "records/s", align: "right" },
		{ title: "p99 ms", align: "right" },
		{ title: "p50 ms", align: "right" },
		{ title: "tombstones", align: "right" },
		{ title: "changes/s", align: "right" },
		{ title: "change", align: "right", width: 9 },
	]);
	const rows = collections.map(({ name, records, changeNumber, index, folded, rates, probes, health }) =>
		table.row([
			name,
			health.status,
			grouped(records),
			index.kind,
			grouped(index.tail),
			percent(folded),
			rates === null ? "-" : rateText(rates.records),
			probes === null ? "-" : probes.p99.toFixed(2),
			probes === null ? "-" : probes.p50.toFixed(2),
			grouped(index.tombstones),
			rates === null ? "-" : rateText(rates.changes),
			grouped(changeNumber),
		]),
	);
	return [
		`${path}  ${status}  ${sizeText(diskBytes)} on disk  ${timeText(look.time)}`,
		...(collections.length === 0 ? ["There is no collection yet."] : [table.header, ...rows]),
		...[...collections.flatMap(reasonLines), FOOTNOTE].flatMap((line) => wrapped(line, width)),
	];
}

/** A look on one line, for a file or a pipe. */
export function logLine({ time, status, diskBytes, collections }: Look): string {
	const each = collections.map(({ name, records, index, folded, rates, probes, health }) => {
		const speed = rates === null ? "" : `, ${rateText(rates.records)} records/s, ${rateText(rates.changes)} changes/s`;
		const search = probes === null ? "" : `, probes p50 ${probes.p50.toFixed(2)} ms p99 ${probes.p99.toFixed(2)} ms`;
		const codes = health.reasons.map(({ code }) => ` ${code}`).join("");
		return `${name}: ${countText(records, "record")}, ${index.kind}, tail ${grouped(index.tail)} (${percent(folded)} folded), tombstones ${grouped(index.tombstones)}${speed}${search}, ${health.status}${codes}`;
	});
	return [`${timeText(time)} ${status} ${sizeText(diskBytes)}`, ...each].join(" | ");
}

function reasonLines({ name, health }: CollectionLook): string[] {
	return health.reasons.map(
		({ status, code, message, recommendation }) => `${name}: ${status}, ${code}: ${message} ${recommendation}`,
	);
}

/** Cut, so that only all of it reads 100 %. */
function percent(share: number): string {
	return `${Math.floor(share * 100)} %`;
}

/** Few in a second are told with a fraction. */
function rateText(rate: number): string {
	return Math.abs(rate) < 10 && !Number.isInteger(rate) ? rate.toFixed(1) : grouped(rate);
}

function sizeText(bytes: number | null): string {
	return bytes === null ? "unknown bytes" : bytesText(bytes);
}
