import type { DocumentName } from "./documents.ts";

/** A part of a document: what one command prints or writes. */
export interface Section {
	readonly name: string;
	/** The document that it stands in. */
	readonly document: DocumentName;
	/** The script and its arguments, from the root of the repository; `--out` and `--data` are added where they are wanted. */
	readonly command: readonly string[];
	/** Writes a report of this name (.md, .svg, .json), the set's, instead of printing. */
	readonly report?: string;
	/** Heads a report that is not the only one of its set. */
	readonly title?: string;
	/** Wants the folder of the known sets. */
	readonly data?: true;
	/** Runs on all cores; everything else is pinned to one. */
	readonly cores?: "all";
}

const C = ["--peers", "hnswlib-cpp"];
const GRAPHS = ["--peers", "hnswlib-cpp,usearch-f32,usearch-f16,hnswlib-node"];

/** Those that build 60,000 x 784 in minutes. */
const MANY = ["--peers", "hnswlib-cpp,usearch-f32,usearch-f16,hnswlib-node,faiss,sqlite-vec"];

/** Inverted files, beside the graphs that they have to be compared with. */
const CELLS = "nigh-ivf,nigh-ivfpq,nigh-ivfrabitq,hnswlib-cpp,faiss,faiss-ivfflat,faiss-ivfpq,faiss-ivfpqfs";
/** Those that build a million, or many settings of which are asked, in minutes. */
const QUICK_CELLS = "nigh-ivf,nigh-ivfpq,nigh-ivfrabitq,hnswlib-cpp,faiss-ivfpq,faiss-ivfpqfs";
/** An exact scan, and what spares most of it. */
const EXACT_AND_CELLS = ["--peers", "nigh-flat,nigh-ivf,nigh-ivfpq"];

/** Tables of what several threads do, or one beside others that work in the background. */
const ON_ALL_CORES = new Set(["threads", "kmeans", "larger-than-memory", "declared"]);

/** In the order of the documents. Those without `--peers` run beside all peers that are installed. */
export const SECTIONS: readonly Section[] = [
	bench("fashion-mnist-784", ["--set", "fashion-mnist-784", "--queries", "5000", ...MANY]),
	bench("generated-100000x128", ["--set", "generated", "--queries", "5000"]),
	bench("generated-1000000x128", ["--set", "generated", "--n", "1000000", "--queries", "5000", ...C]),
	bench("generated-100000x768", [
		"--set",
		"generated",
		"--dimensions",
		"768",
		"--queries",
		"2000",
		"--peers",
		"hnswlib-cpp,usearch-f16",
	]),
	bench("squad-sif-300d", ["--set", "squad-sif-300d", "--queries", "2000", ...GRAPHS]),
	bench("uniform-100000x128", ["--set", "uniform", "--queries", "1000", ...C]),
	cells("fashion-mnist-784", ["--set", "fashion-mnist-784", "--queries", "2000", "--peers", CELLS]),
	cells("squad-sif-300d", ["--set", "squad-sif-300d", "--queries", "2000", "--peers", QUICK_CELLS]),
	cells("palettes-20000x1152", ["--set", "palettes", "--queries", "1000", "--peers", CELLS]),
	cells("generated-150000x128", ["--set", "generated", "--n", "150000", "--queries", "1000", ...EXACT_AND_CELLS]),
	cells("generated-1000000x128", ["--set", "generated", "--n", "1000000", "--queries", "1000", "--peers", QUICK_CELLS]),
	...["flat", "threads", "ef-sweep", "presets", "sizes", "kmeans", "larger-than-memory", "declared"].map(table),
	{ name: "kernels", document: "benchmarks", command: ["bench/kernels/main.ts"] },
	{ name: "database", document: "benchmarks", data: true, cores: "all", command: ["bench/db/main.ts"] },
	{ ...table("kinds"), document: "choosing-an-index" },
	{ ...table("limits"), document: "limits" },
];

function bench(report: string, args: readonly string[]): Section {
	return { name: report, document: "benchmarks", report, data: true, command: ["bench/bench.ts", ...args] };
}

function cells(report: string, args: readonly string[]): Section {
	return { ...bench(report, args), name: `${report}-inverted-files`, title: `${report}: inverted files` };
}

function table(name: string): Section {
	const section: Section = { name, document: "benchmarks", data: true, command: ["bench/tables/main.ts", name] };
	return ON_ALL_CORES.has(name) ? { ...section, cores: "all" } : section;
}
