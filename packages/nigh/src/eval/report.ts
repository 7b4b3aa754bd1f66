import type { IvfWarning } from "@nigh/index";
import { type Column, grouped, shareText, tableRows } from "../terminal/table.ts";

/** What one setting of an index gives: a line of the report. Times in seconds and microseconds, sizes in bytes. */
export interface OperatingPoint {
	readonly index: string;
	readonly params: Readonly<Record<string, number | string | boolean>>;
	readonly build_s: number;
	/** Of an index with cells: what {@link build_s} consists of. */
	readonly train_s?: number;
	readonly insert_s?: number;
	/** Of an index with cells: what its training warns of; none where it went well. */
	readonly warnings?: readonly IvfWarning[];
	/** Mean recall@k. */
	readonly recall: number;
	readonly qps: number;
	readonly p50_us: number;
	readonly p99_us: number;
	readonly bytes_total: number;
	readonly bytes_codes: number;
	readonly n: number;
	readonly dim: number;
	readonly k: number;
}

/** One line of JSON with the keys of {@link OperatingPoint} in their order. */
export function jsonLine(point: OperatingPoint): string {
	const {
		index,
		params,
		build_s,
		train_s,
		insert_s,
		warnings,
		recall,
		qps,
		p50_us,
		p99_us,
		bytes_total,
		bytes_codes,
		n,
		dim,
		k,
	} = point;
	return JSON.stringify({
		index,
		params,
		build_s: rounded(build_s, 3),
		...(train_s !== undefined && { train_s: rounded(train_s, 3) }),
		...(insert_s !== undefined && { insert_s: rounded(insert_s, 3) }),
		...(warnings !== undefined && { warnings }),
		recall,
		qps: rounded(qps, 1),
		p50_us: rounded(p50_us, 1),
		p99_us: rounded(p99_us, 1),
		bytes_total,
		bytes_codes,
		n,
		dim,
		k,
	});
}

/** The table for people. The widths are those of the longest name of an index and the longest {@link paramsText} that will come. */
export function pointTable(k: number, indexWidth: number, paramsWidth: number) {
	const columns: Column[] = [
		{ title: "index", align: "left", width: indexWidth },
		{ title: "parameters", align: "left", width: paramsWidth },
		{ title: "build s", align: "right", width: 8 },
		{ title: `recall@${k}`, align: "right" },
		{ title: "queries/s", align: "right", width: 11 },
		{ title: "p50 us", align: "right", width: 9 },
		{ title: "p99 us", align: "right", width: 9 },
		{ title: "bytes total", align: "right", width: 14 },
		{ title: "bytes of codes", align: "right" },
	];
	const { header, row } = tableRows(columns);
	return {
		header,
		row: (point: OperatingPoint) =>
			row([
				point.index,
				paramsText(point.params),
				point.build_s.toFixed(2),
				shareText(point.recall),
				grouped(point.qps),
				point.p50_us.toFixed(1),
				point.p99_us.toFixed(1),
				grouped(point.bytes_total),
				grouped(point.bytes_codes),
			]),
	};
}

/** `M=16 ef=40` */
export function paramsText(params: OperatingPoint["params"]): string {
	return Object.entries(params)
		.map(([name, value]) => `${name}=${value}`)
		.join(" ");
}

function rounded(value: number, places: number): number {
	return Number(value.toFixed(places));
}
