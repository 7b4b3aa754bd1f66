import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { peerFile } from "./peer-package.ts";
import { grid, type Setting } from "./setting.ts";

/** An engine that the bench knows how to run. */
export interface EngineEntry {
	readonly about: string;
	/** Program and arguments before those of the protocol. */
	readonly command: readonly string[];
	/** What has to stand beside every figure of it, such as how it is compiled. */
	readonly caveat?: string;
	/** What it is asked with, each setting with the same knobs; none looks at less than one before it and at more nowhere. */
	readonly settings: readonly Setting[];
	/** Queries of a pass, for engines that scan: fewer than the rest gets. */
	readonly queries?: number;
	/** A file that has to be there; `npm run bench:setup` makes it. */
	readonly needs?: string;
}

const EF = [10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 480];
const NPROBE = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192];
const RERANK = [20, 30, 40, 60, 80, 120, 160, 320];

/** A beam in a graph. */
const GRAPH = grid({ ef: EF });
/** Cells scanned by their vectors. */
const CELLS = grid({ nprobe: NPROBE });
/** Cells scanned by their codes, and the candidates whose vectors then decide. */
const CODES = grid({ nprobe: NPROBE, rerank: RERANK });
/** For engines that take milliseconds a query: every other value. */
const FEWER_CODES = grid({ nprobe: [1, 2, 4, 8, 16, 32, 64, 128], rerank: [20, 50, 100, 200] });

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const nodeEngine = (file: string, ...flags: string[]) => [
	process.execPath,
	"--conditions=@nigh/source",
	...flags,
	here(file),
];
const nighCells = (kind: string, about: string, settings: readonly Setting[]): EngineEntry => ({
	about: `Nigh, IVF: ${about}`,
	command: [...nodeEngine("./nigh-cells.ts"), kind],
	settings,
});
const usearch = (scalar: string, kept: string): EngineEntry => ({
	about: `USearch from Node, ${kept}`,
	// The adapter frees what it replaces.
	command: nodeEngine(`./usearch-${scalar}.ts`, "--expose-gc"),
	settings: GRAPH,
	needs: peerFile("usearch", "package.json"),
});
const faiss = (kind: string, about: string, settings: readonly Setting[]): EngineEntry => ({
	about: `Faiss from Python, ${about}`,
	caveat: "Debian's generic build",
	// Debian's Python, since the package is Debian's: the first one on the PATH may be another. -I keeps the adapter's folder out
	// of what it imports from, or the adapter would import itself.
	command: ["/usr/bin/python3", "-I", here("./faiss.py"), kind],
	settings,
	needs: "/usr/lib/python3/dist-packages/faiss/__init__.py",
});
const lancedb = (kind: string, about: string, settings: readonly Setting[]): EngineEntry => ({
	about: `LanceDB from Node, ${about}, re-ranked from its files`,
	command: [...nodeEngine("./lancedb.ts"), kind],
	settings,
	queries: 200,
	needs: peerFile("@lancedb/lancedb", "package.json"),
});
const pglite = (kind: string, about: string, settings: readonly Setting[]): EngineEntry => ({
	about: `PGlite with pgvector's ${about}, float32, PostgreSQL in WebAssembly`,
	command: [...nodeEngine("./pglite.ts"), kind],
	settings,
	queries: 100,
	needs: peerFile("@electric-sql/pglite-pgvector", "package.json"),
});

export const ENGINES: Readonly<Record<string, EngineEntry>> = {
	nigh: { about: "Nigh, HNSW on 7-bit codes", command: nodeEngine("./nigh.ts"), settings: GRAPH },
	"nigh-ivf": nighCells("ivf", "the vectors by 7-bit codes", CELLS),
	"nigh-ivfpq": nighCells("ivfpq", "4-bit product codes, re-ranked by float32", CODES),
	// What is re-ranked is decided by the codes' bounds.
	"nigh-ivfrabitq": nighCells("ivfrabitq", "1-bit RaBitQ codes, re-ranked by float32", CELLS),
	"nigh-flat": {
		about: "Nigh, an exact scan by 7-bit codes",
		command: nodeEngine("./nigh-flat.ts"),
		settings: [{}],
		queries: 500,
	},
	"hnswlib-cpp": {
		about: "hnswlib in C++, float32",
		command: [here("../.cache/hnswlib")],
		settings: GRAPH,
		needs: here("../.cache/hnswlib"),
	},
	"hnswlib-node": {
		about: "hnswlib from Node, float32",
		command: nodeEngine("./hnswlib-node.ts"),
		settings: GRAPH,
		needs: peerFile("hnswlib-node", "build/Release/addon.node"),
	},
	"usearch-f32": usearch("f32", "float32"),
	"usearch-f16": usearch("f16", "float16"),
	// Its Node package takes no ready-made integers, and loses the lengths of what it is given, for l2 as well.
	"usearch-i8": usearch("i8", "8-bit integers of vectors scaled to length 1"),
	// How many cells and sub-quantisers each has was tried by hand, and stands with the reasons in the adapter.
	faiss: faiss("hnsw", "HNSW, float32", GRAPH),
	"faiss-ivfflat": faiss("ivfflat", "IVF, float32", CELLS),
	"faiss-ivfpq": faiss("ivfpq", "IVF with 8-bit product codes, re-ranked by float32", CODES),
	"faiss-ivfpqfs": faiss("ivfpqfs", "IVF with 4-bit product codes (fast scan), re-ranked by float32", CODES),
	edgevec: {
		about: "EdgeVec, HNSW on float32 in WebAssembly; ef is the number asked for",
		command: nodeEngine("./edgevec.ts"),
		settings: GRAPH,
		queries: 200,
		needs: peerFile("edgevec", "edgevec_bg.wasm"),
	},
	// It takes no less than k times the refine factor; less would be the same setting again.
	lancedb: lancedb("hnsw", "HNSW on 8-bit codes", grid({ ef: EF.filter((ef) => ef >= 20) })),
	"lancedb-ivfpq": lancedb("ivfpq", "IVF with 8-bit product codes", FEWER_CODES),
	pglite: pglite("hnsw", "HNSW", grid({ ef: [10, 20, 40, 80, 160, 320] })),
	"pglite-ivfflat": pglite("ivfflat", "IVF", grid({ nprobe: [1, 2, 4, 8, 16, 32, 64] })),
	"sqlite-vec": {
		about: "sqlite-vec in node:sqlite, an exact scan of float32",
		command: nodeEngine("./sqlite-vec.ts"),
		settings: [{}],
		queries: 100,
		needs: peerFile("sqlite-vec", "package.json"),
	},
};

/** What keeps an engine from running here; `undefined` when nothing does. */
export function missing({ needs }: EngineEntry): string | undefined {
	return needs === undefined || existsSync(needs) ? undefined : `${needs} is not there: run npm run bench:setup`;
}
