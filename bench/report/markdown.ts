import { grouped } from "../../packages/nigh/src/terminal/table.ts";
import { machineLine } from "./machine.ts";
import type { Report } from "./report.ts";
import { engineRows, notes, pointRows, type Rows, recallRows } from "./rows.ts";

/** The report as a section of a document. `plot`: where its picture is, seen from the document. */
export function markdownReport(report: Report, plot: string): string {
	const { set, machine, parameters, command, failures } = report;
	const { k, M, efConstruction } = parameters;
	const parts = [
		`## ${set.name}`,
		`${sentence(set.about)} ${grouped(set.n)} vectors of ${set.dimensions} dimensions under ${set.metric}, ${grouped(set.queryCount)} queries; k ${k}, M ${M}, efConstruction ${efConstruction}.`,
		`\`${command}\``,
		`Machine: ${machineLine(machine)}.`,
		`![recall@${k} against queries a second on ${set.name}](${encodeURI(plot)})`,
		piped(recallRows(report)),
		piped(engineRows(report)),
		piped(pointRows(report)),
		notes(report)
			.map((note) => `- ${note}`)
			.join("\n"),
		...Object.entries(failures).map(([engine, message]) => `**${engine} failed:** ${oneLine(message)}`),
	];
	return `${parts.join("\n\n")}\n`;
}

function sentence(text: string): string {
	return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** Rows as a Markdown table. */
export function piped({ columns, rows }: Rows): string {
	const rule = `|${columns.map(({ align }) => (align === "left" ? "---" : "--:")).join("|")}|`;
	return [tableRow(columns.map(({ title }) => title)), rule, ...rows.map(tableRow)].join("\n");
}

export function tableRow(cells: readonly string[]): string {
	return `| ${cells.map(cell).join(" | ")} |`;
}

function cell(text: string): string {
	return oneLine(text).replaceAll("|", "\\|");
}

function oneLine(text: string): string {
	return text.replace(/\s+/g, " ").trim();
}
