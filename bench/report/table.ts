import { grouped, tableRows } from "../../packages/nigh/src/terminal/table.ts";
import { machineLine } from "./machine.ts";
import type { Report } from "./report.ts";
import { engineRows, notes, pointRows, type Rows, recallRows } from "./rows.ts";

/** The report for a terminal. */
export function tableReport(report: Report): string {
	const { set, machine, failures } = report;
	return [
		`${set.name}: ${grouped(set.n)} vectors, ${set.dimensions} dimensions, ${set.metric}, ${grouped(set.queryCount)} queries`,
		machineLine(machine),
		...[engineRows(report), pointRows(report), recallRows(report)].map((rows) => `\n${aligned(rows)}`),
		`\n${notes(report).join("\n")}`,
		...Object.entries(failures).map(([engine, message]) => `\n${engine} failed: ${message}`),
	].join("\n");
}

function aligned({ columns, rows }: Rows): string {
	const { header, row } = tableRows(
		columns.map((column, at) => ({ ...column, width: Math.max(0, ...rows.map((cells) => cells[at]?.length ?? 0)) })),
	);
	return [header, ...rows.map(row)].join("\n");
}
