import { type Dirent, existsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, extname, join, relative, resolve, sep } from "node:path";
import { NighError } from "@nigh/contract";

/** A text file below the folder. */
export interface TextFile {
	/** Path from the folder, with forward slashes. */
	readonly path: string;
	readonly kind: "markdown" | "typescript";
	readonly text: string;
}

const KINDS: ReadonlyMap<string, TextFile["kind"]> = new Map([
	[".md", "markdown"],
	[".markdown", "markdown"],
	[".ts", "typescript"],
	[".tsx", "typescript"],
	[".mts", "typescript"],
	[".cts", "typescript"],
]);
const SKIPPED: ReadonlySet<string> = new Set(["node_modules", "dist", "generated"]);
const LARGEST_BYTES = 1024 * 1024;

/** The nearest folder upward from `from` that is a repository or a workspace; `from` itself when there is none. */
export async function repositoryFolder(from: string): Promise<string> {
	const start = resolve(from);
	for (let folder = start; ; folder = dirname(folder)) {
		if (existsSync(join(folder, ".git")) || (await manifestOf(folder)).workspaces !== undefined) return folder;
		if (folder === dirname(folder)) return start;
	}
}

/** Whether the folder is the workspace of Nigh itself. */
export async function isOwnRepository(folder: string): Promise<boolean> {
	return (await manifestOf(folder)).name === "nigh-workspace";
}

/**
 * The Markdown and TypeScript files below a folder, ordered by path: not in `node_modules`, `dist`, `generated` or hidden folders,
 * nor larger than 1 MiB, nor behind symbolic links.
 *
 * @throws NighError `NOT_FOUND` when there is no such folder, `INVALID_OPTION` when it is a file.
 */
export async function readTexts(folder: string): Promise<TextFile[]> {
	const found = await stat(folder).catch((error: NodeJS.ErrnoException) => {
		if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
		throw new NighError("NOT_FOUND", `There is no folder ${folder}.`, { field: "FOLDER", value: folder });
	});
	if (!found.isDirectory()) {
		throw new NighError("INVALID_OPTION", `${folder} is a file; name the folder it is in.`, {
			field: "FOLDER",
			value: folder,
		});
	}
	const files: TextFile[] = [];
	for (const path of await pathsBelow(folder)) {
		const kind = KINDS.get(extname(path).toLowerCase());
		if (kind === undefined || (await stat(path)).size > LARGEST_BYTES) continue;
		files.push({ path: relative(folder, path).split(sep).join("/"), kind, text: await readFile(path, "utf8") });
	}
	return files;
}

async function pathsBelow(folder: string): Promise<string[]> {
	const entries: Dirent[] = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
		// What may not be read is left out, as it would be from a listing.
		if (error.code === "EACCES" || error.code === "EPERM") return [];
		throw error;
	});
	const paths: string[] = [];
	for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
		const path = join(folder, entry.name);
		if (entry.isFile()) paths.push(path);
		else if (entry.isDirectory() && !entry.name.startsWith(".") && !SKIPPED.has(entry.name)) {
			paths.push(...(await pathsBelow(path)));
		}
	}
	return paths;
}

async function manifestOf(folder: string): Promise<Readonly<Record<string, unknown>>> {
	try {
		const manifest: unknown = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
		return typeof manifest === "object" && manifest !== null ? (manifest as Record<string, unknown>) : {};
	} catch {
		// None there, or not one that can be read: it tells nothing either way.
		return {};
	}
}
