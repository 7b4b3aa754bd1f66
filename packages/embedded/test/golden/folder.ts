// The golden folder as it is kept: every file of it compressed, and a list of their checksums.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";

/** Of the format that the first version writes. A new format gets a folder beside it, and this one is read as before. */
export const V1 = join(import.meta.dirname, "v1");

const LIST = "SHA256.json";
/** What only a running process has. */
const LEFT_OUT = /^lock\.|-shm$/;

/** SHA-256 of every file, uncompressed, by its path in the folder. */
export type Checksums = Readonly<Record<string, string>>;

export function checksumsOf(golden: string): Checksums {
	return JSON.parse(readFileSync(join(golden, LIST), "utf8")) as Checksums;
}

/** What the files of a list are in a folder now. */
export function checksumsIn(folder: string, paths: readonly string[]): Checksums {
	return Object.fromEntries(paths.map((path) => [path, sha256(readFileSync(join(folder, path)))]));
}

/** Keeps the folder of a database that is closed. Fails where there is one already: it is written once for a version. */
export function keepFolder(folder: string, golden: string): Checksums {
	const checksums: Record<string, string> = {};
	for (const path of filesIn(folder)) {
		if (LEFT_OUT.test(path)) continue;
		const bytes = readFileSync(join(folder, path));
		checksums[path] = sha256(bytes);
		const kept = join(golden, `${path}.gz`);
		mkdirSync(dirname(kept), { recursive: true });
		writeFileSync(kept, gzipSync(bytes, { level: 9 }), { flag: "wx" });
	}
	writeFileSync(join(golden, LIST), `${JSON.stringify(checksums, null, "\t")}\n`, { flag: "wx" });
	return checksums;
}

/** Lays the database out again. Returns the checksums of what it has laid out. */
export function unpackFolder(golden: string, folder: string): Checksums {
	const checksums: Record<string, string> = {};
	for (const kept of filesIn(golden).filter((path) => path.endsWith(".gz"))) {
		const path = kept.slice(0, -".gz".length);
		const bytes = gunzipSync(readFileSync(join(golden, kept)));
		checksums[path] = sha256(bytes);
		mkdirSync(dirname(join(folder, path)), { recursive: true });
		writeFileSync(join(folder, path), bytes);
	}
	return checksums;
}

function filesIn(folder: string): string[] {
	const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
	const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
	return paths.map((path) => path.slice(folder.length + 1).replaceAll("\\", "/")).sort();
}

function sha256(bytes: Uint8Array): string {
	return createHash("sha256").update(bytes).digest("hex");
}
