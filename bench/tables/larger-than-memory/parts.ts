import { grouped } from "../../../packages/nigh/src/terminal/table.ts";
import { NIGH } from "../../report/report.ts";
import { lessIsBetter, moreIsBetter, recallText } from "../../report/rounding.ts";
import type { Rows } from "../../report/rows.ts";
import { K, type TablePart } from "../table.ts";
import type { Loaded } from "./load-database.ts";
import type { BesideRow } from "./rows.ts";
import { BATCH, WARM_PASSES } from "./run.ts";
import type { Answered, Served } from "./serve-database.ts";

const MIB = 2 ** 20;

const left = (title: string) => ({ title, align: "left" as const });
const right = (title: string) => ({ title, align: "right" as const });

/** `1,234` of 2^20 bytes, and `12.3` below 100. */
export function mib(bytes: number): string {
	return lessIsBetter(NIGH, bytes / MIB, bytes < 100 * MIB ? 1 : 0);
}

export function loadingPart(loaded: Loaded): TablePart {
	return {
		title: "Loading",
		about: [
			`A process reads the file and writes ${grouped(BATCH)} records at a time, each batch awaited before the next. Written: until the last was acknowledged; in the index: until none was left to be taken in; optimize: what \`optimize()\` took then. Resident is the most that the process had in all of that; index is the memory that the collection tells of at the end. The files are those of the database when it is closed: the records, the snapshots of the index, and the row files from which searches read vectors.`,
			...loaded.failures.map((message) => `While it was built, \`health()\` told of: ${message}.`),
			...(loaded.planned === undefined ? [] : [`What was chosen: ${loaded.planned.reason}`]),
		],
		cells: loadingCells(loaded),
	};
}

export function servingPart(served: Served, queries: number): TablePart {
	const { openMs, firstMs, isOpenedCold, peakResident, memory, answers } = served;
	const ms = (value: number) => `${lessIsBetter(NIGH, value, value < 100 ? 1 : 0)} ms`;
	const warm = `Warm: after \`warm()\`, which reads all rows once; the median of ${WARM_PASSES} passes, all settings in turns.`;
	return {
		title: "Serving",
		about: [
			`A new process opens the database${isOpenedCold ? ", of whose files the system was made to keep nothing," : ""} in ${ms(openMs)} and answers its first search in ${ms(firstMs)}. The index takes ${mib(memory)} MiB, and the most that the process had resident is ${mib(peakResident)} MiB. ${grouped(queries)} queries, k ${K}, with metadata, one after the other, after a pass that is not told of. Recall is against the exact scan of all vectors.`,
			isOpenedCold
				? `Cold: one pass of each setting, before which the system was made to forget the files (\`dd iflag=nocache\`); what one query has had read, those after it find. ${warm} From disk is what the system had to read for it, what it reads ahead included.`
				: `There are no cold rows: the system could not be made to forget files, which takes a \`dd\` that knows \`iflag=nocache\`, and a \`sync\` that takes files. ${warm}`,
		],
		cells: servingCells(answers),
	};
}

export function besidePart(rows: readonly BesideRow[]): TablePart {
	return {
		title: "Beside the same index in memory",
		about: [
			`The first ${grouped(rows[0]?.n ?? 0)} of the vectors, no cap, the same index with its vectors on disk and with its vectors in memory: each loaded by a process and served by another, warm, as above. The index in memory includes the vectors.`,
		],
		cells: besideCells(rows),
	};
}

function loadingCells({ disk, ...loaded }: Loaded): Rows {
	return {
		columns: [
			...["written s", "in the index s", "optimize s", "peak resident MiB", "index MiB"],
			...["records MiB", "snapshots MiB", "row files MiB"],
		].map(right),
		rows: [
			[
				...[loaded.writtenSeconds, loaded.indexedSeconds, loaded.optimizeSeconds].map((s) => lessIsBetter(NIGH, s, 1)),
				...[loaded.peakResident, loaded.memory, disk.records, disk.snapshots, disk.rows].map(mib),
			],
		],
	};
}

function servingCells(answers: readonly Answered[]): Rows {
	return {
		columns: [
			...["files", "setting"].map(left),
			...[`recall@${K}`, "p50 ms", "p99 ms", "queries/s", "from disk, KiB/query", "peak MiB so far"].map(right),
		],
		rows: answers.map((row) => [
			row.cache,
			settingOf(row),
			recallText(row.recall),
			lessIsBetter(NIGH, row.p50Ms, 2),
			lessIsBetter(NIGH, row.p99Ms, 2),
			moreIsBetter(NIGH, row.qps),
			row.diskBytes === undefined ? "" : lessIsBetter(NIGH, row.diskBytes / 1_024, 0),
			mib(row.peakResident),
		]),
	};
}

function besideCells(rows: readonly BesideRow[]): Rows {
	return {
		columns: [
			left("storage"),
			...["in the index s", "optimize s", "loading, peak MiB", "index MiB", "open ms"].map(right),
			...[`recall@${K}`, "p50 ms", "p99 ms", "queries/s", "serving, peak MiB"].map(right),
		],
		rows: rows.map(({ storage, loaded, served }) => {
			const [own] = served.answers as [Answered];
			return [
				storage,
				lessIsBetter(NIGH, loaded.indexedSeconds, 1),
				lessIsBetter(NIGH, loaded.optimizeSeconds, 1),
				mib(loaded.peakResident),
				mib(served.memory),
				lessIsBetter(NIGH, served.openMs, 0),
				recallText(own.recall),
				lessIsBetter(NIGH, own.p50Ms, 2),
				lessIsBetter(NIGH, own.p99Ms, 2),
				moreIsBetter(NIGH, own.qps),
				mib(served.peakResident),
			];
		}),
	};
}

function settingOf({ asked, plan }: Answered): string {
	const { nprobe, rerank } = { ...plan, ...asked };
	const words = [
		...(nprobe === undefined ? [] : [`nprobe ${grouped(nprobe)}`]),
		...(rerank === undefined ? [] : [`rerank ${grouped(rerank)}`]),
	].join(", ");
	if (Object.keys(asked).length > 0) return words;
	return words === "" ? "as it is" : `as it is (${words})`;
}
