import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { peerFile } from "./peer-package.ts";

/** An engine that the bench knows how to run. */
export interface EngineEntry {
	readonly about: string;
	/** Program and arguments before those of the protocol. */
	readonly command: readonly string[];
	/** What `setting` is: the name of the knob, and its values from fast to sure. */
	readonly knob: string;
	readonly settings: readonly number[];
	/** Queries of a pass, for engines that scan: fewer than the rest gets. */
	readonly queries?: number;
	/** A file that has to be there; `npm run bench:setup` makes it. */
	readonly needs?: string;
}

const EF = [10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 480];

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const nodeEngine = (file: string, ...flags: string[]) => [
	process.execPath,
	"--conditions=@nigh/source",
	...flags,
	here(file),
];
const usearch = (scalar: string, kept: string): EngineEntry => ({
	about: `USearch from Node, ${kept}`,
	// The adapter frees what it replaces.
	command: nodeEngine(`./usearch-${scalar}.ts`, "--expose-gc"),
	knob: "ef",
	settings: EF,
	needs: peerFile("usearch", "package.json"),
});

export const ENGINES: Readonly<Record<string, EngineEntry>> = {
	nigh: { about: "Nigh, HNSW on 7-bit codes", command: nodeEngine("./nigh.ts"), knob: "ef", settings: EF },
	"hnswlib-cpp": {
		about: "hnswlib in C++, float32",
		command: [here("../.cache/hnswlib")],
		knob: "ef",
		settings: EF,
		needs: here("../.cache/hnswlib"),
	},
	"hnswlib-node": {
		about: "hnswlib from Node, float32",
		command: nodeEngine("./hnswlib-node.ts"),
		knob: "ef",
		settings: EF,
		needs: peerFile("hnswlib-node", "build/Release/addon.node"),
	},
	"usearch-f32": usearch("f32", "float32"),
	"usearch-f16": usearch("f16", "float16"),
	// Its Node package takes no ready-made integers, and loses the lengths of what it is given, for l2 as well.
	"usearch-i8": usearch("i8", "8-bit integers of vectors scaled to length 1"),
	faiss: {
		about: "Faiss' IndexHNSWFlat from Python, float32",
		// Debian's Python, since the package is Debian's: the first one on the PATH may be another. -I keeps the adapter's folder out
		// of what it imports from, or the adapter would import itself.
		command: ["/usr/bin/python3", "-I", here("./faiss.py")],
		knob: "ef",
		settings: EF,
		needs: "/usr/lib/python3/dist-packages/faiss/__init__.py",
	},
	edgevec: {
		about: "EdgeVec, HNSW on float32 in WebAssembly",
		command: nodeEngine("./edgevec.ts"),
		knob: "asked for",
		settings: EF,
		queries: 200,
		needs: peerFile("edgevec", "edgevec_bg.wasm"),
	},
	lancedb: {
		about: "LanceDB from Node, HNSW on 8-bit codes, re-ranked from its files",
		command: nodeEngine("./lancedb.ts"),
		knob: "ef",
		// It takes no less than k times the refine factor; less would be the same setting again.
		settings: EF.filter((ef) => ef >= 20),
		queries: 200,
		needs: peerFile("@lancedb/lancedb", "package.json"),
	},
	pglite: {
		about: "PGlite with pgvector's HNSW, float32, PostgreSQL in WebAssembly",
		command: nodeEngine("./pglite.ts"),
		knob: "ef_search",
		settings: [10, 20, 40, 80, 160, 320],
		queries: 100,
		needs: peerFile("@electric-sql/pglite-pgvector", "package.json"),
	},
	"sqlite-vec": {
		about: "sqlite-vec in node:sqlite, an exact scan of float32",
		command: nodeEngine("./sqlite-vec.ts"),
		knob: "none",
		settings: [0],
		queries: 100,
		needs: peerFile("sqlite-vec", "package.json"),
	},
};

/** What keeps an engine from running here; `undefined` when nothing does. */
export function missing({ needs }: EngineEntry): string | undefined {
	return needs === undefined || existsSync(needs) ? undefined : `${needs} is not there: run npm run bench:setup`;
}
