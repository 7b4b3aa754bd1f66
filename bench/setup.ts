// `npm run bench:setup`: installs and compiles what the bench compares Nigh with, tries every engine, and says what is to be done for
// those that do not run. It may be run again at any time. Nothing else runs it: the peers are large, and only the bench wants them.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runNpm } from "../scripts/processes.ts";
import { ENGINES, type EngineEntry, missing } from "./engines/registry.ts";
import { tryEngine } from "./run/try-engine.ts";

const folder = dirname(fileURLToPath(import.meta.url));

/** Faiss trains with whichever BLAS there is; the one that its package brings takes many times as long. */
const FAISS = "apt-get install python3-faiss libopenblas0";

/** What the user has to do for a peer that setup could not make ready; npm is to blame for all others. */
const REMEDIES: Readonly<Record<string, string>> = {
	"hnswlib-cpp": "apt-get install libhnswlib-dev g++",
	"hnswlib-node": "apt-get install g++ make python3",
	faiss: FAISS,
	"faiss-ivfflat": FAISS,
	"faiss-ivfpq": FAISS,
	"faiss-ivfpqfs": FAISS,
};

/** What a step could not do; nothing where all went well. */
type Complaint = string | undefined;

/** The packages of package.json, without the scripts of any: they are not needed, or run by {@link compileHnswlibNode}. */
async function installPackages(): Promise<Complaint> {
	const { optionalDependencies } = readJson("package.json");
	const pinned = Object.entries(optionalDependencies as Record<string, string>);
	if (pinned.every(([name, version]) => installedVersion(name) === version)) return undefined;
	console.log("installing the peers of bench/package-lock.json (npm install, about 270 MB) ...");
	// `npm ci` would refuse the lock file: a registry that lacks a peer's build for some platform leaves it out there.
	const { code, output } = await runNpm(["install", "--no-save", "--ignore-scripts", "--include=optional"], folder);
	return code === 0 ? undefined : `npm install in bench/ failed:\n${output.trim()}`;
}

function installedVersion(name: string): string | undefined {
	const manifest = join("node_modules", name, "package.json");
	return existsSync(join(folder, manifest)) ? readJson(manifest).version : undefined;
}

function readJson(path: string) {
	return JSON.parse(readFileSync(join(folder, path), "utf8"));
}

/** By itself, so that a machine without a compiler has all other peers. */
async function compileHnswlibNode(): Promise<Complaint> {
	const entry = ENGINES["hnswlib-node"];
	const unpacked = existsSync(join(folder, "node_modules", "hnswlib-node"));
	if (entry === undefined || missing(entry) === undefined || !unpacked) return undefined;
	console.log("compiling hnswlib-node ...");
	const { code, output } = await runNpm(["rebuild", "hnswlib-node", "--ignore-scripts=false"], folder);
	return code === 0 ? undefined : `hnswlib-node did not compile:\n${output.trim()}`;
}

/** Always anew: -march=native is about the machine that runs it, and it takes seconds. */
function compileHnswlib(): Complaint {
	const compiler = outputOf("g++", ["-dumpfullversion"]);
	if (compiler === undefined || !existsSync("/usr/include/hnswlib")) return undefined;
	const flags = ["-O3", "-march=native"];
	const [, version] = outputOf("dpkg-query", ["--show", "libhnswlib-dev"])?.split("\t") ?? [];
	const cache = join(folder, ".cache");
	const made = join(cache, `hnswlib.${process.pid}`);
	mkdirSync(cache, { recursive: true });
	console.log("compiling hnswlib ...");
	const build = `-DHNSWLIB_BUILD="${version ?? "unknown version"}, g++ ${compiler} ${flags.join(" ")}"`;
	const source = join(folder, "engines", "hnswlib.cpp");
	const result = spawnSync("g++", [...flags, "-std=c++17", build, "-o", made, source], { encoding: "utf8" });
	if (result.status !== 0) return `hnswlib did not compile:\n${result.stderr.trim()}`;
	renameSync(made, join(cache, "hnswlib"));
	return undefined;
}

/** What a program printed; nothing where it is not there or failed. */
function outputOf(program: string, args: readonly string[]): string | undefined {
	const { status, stdout } = spawnSync(program, args, { encoding: "utf8" });
	return status === 0 ? stdout.trim() : undefined;
}

/** Ready with which version, or what to do. */
async function stateOf(name: string, entry: EngineEntry): Promise<string> {
	if (missing(entry) !== undefined) {
		const remedy = REMEDIES[name];
		if (remedy !== undefined) return `missing: ${remedy}, then npm run bench:setup`;
		return "missing: npm did not install it, see above, or it has no build for this machine";
	}
	try {
		return `ready: ${await tryEngine(entry)}`;
	} catch (error) {
		return `does not run: ${(error as Error).message}`;
	}
}

for (const step of [installPackages, compileHnswlibNode, compileHnswlib]) {
	const complaint = await step();
	if (complaint !== undefined) {
		console.error(complaint);
		process.exitCode = 1;
	}
}
const width = Math.max(...Object.keys(ENGINES).map((name) => name.length));
console.log(`\n${"peer".padEnd(width)}  state`);
for (const [name, entry] of Object.entries(ENGINES))
	console.log(`${name.padEnd(width)}  ${await stateOf(name, entry)}`);
