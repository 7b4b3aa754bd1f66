import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { asFileError } from "../files/file-errors.ts";
import { isAlive } from "./process-alive.ts";

/** A folder that goes with its owner. */
export interface TemporaryFolder {
	readonly path: string;
	/** Deletes it with everything in it. A second call does nothing. */
	remove(): void;
}

/** Containers may share a folder of temporary files and not see each other's processes: they have different host names. */
const PREFIX = `nigh-temporary-${crc32(hostname()).toString(16)}-`;
/** What follows it: the process that made the folder, and what `mkdtemp` added. */
const MAKER = /^(\d+)-[A-Za-z0-9]{6}$/;

const folders = new Set<string>();

/**
 * A new folder for a database that is thrown away, or for a backup that is unpacked. It is deleted by `remove`, or else when the process
 * ends, or else (the process was killed) by the next process that makes one.
 *
 * @param parent Default: the system's folder for temporary files.
 * @param name From {@link temporaryName}, where others have to know it before it is made. Default: one that nobody has.
 * @throws NighError `DISK_FULL`, `READ_ONLY`, `NOT_FOUND` (the parent).
 */
export function makeTemporaryFolder(parent: string = tmpdir(), name?: string): TemporaryFolder {
	removeLeftBehind(parent);
	const path = made(parent, name);
	if (folders.size === 0) process.on("exit", removeAll);
	folders.add(path);
	return {
		path,
		remove() {
			if (!folders.delete(path)) return;
			if (folders.size === 0) process.off("exit", removeAll);
			removeFolder(path);
		},
	};
}

/** A name for a folder that is made later, if at all. */
export function temporaryName(): string {
	return `${PREFIX}${process.pid}-${randomBytes(3).toString("hex")}`;
}

function made(parent: string, name: string | undefined): string {
	try {
		if (name !== undefined) {
			const path = join(parent, name);
			mkdirSync(path, { mode: 0o700 });
			return path;
		}
		return realpathSync(mkdtempSync(join(parent, `${PREFIX}${process.pid}-`)));
	} catch (error) {
		throw asFileError(error, `making a temporary folder in ${parent}`);
	}
}

/** Deletes the folders of processes that are dead. */
function removeLeftBehind(parent: string): void {
	let names: string[];
	try {
		names = readdirSync(parent);
	} catch {
		return;
	}
	for (const name of names) {
		const pid = name.startsWith(PREFIX) ? MAKER.exec(name.slice(PREFIX.length))?.[1] : undefined;
		if (pid !== undefined && !isAlive(Number(pid))) removeFolder(join(parent, name));
	}
}

function removeAll(): void {
	for (const path of folders) removeFolder(path);
}

/** As well as it goes: what another user made, or what is still open on Windows, stays for the next time. */
function removeFolder(path: string): void {
	try {
		rmSync(path, { recursive: true, force: true });
	} catch {
		return;
	}
}
