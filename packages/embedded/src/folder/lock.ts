import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { DatabaseSync } from "node:sqlite";
import { NighError } from "@nigh/contract";
import { asNighError } from "../records/sqlite-errors.ts";
import { pathsIn } from "./layout.ts";
import { isAlive } from "./process-alive.ts";

/** The right to write in a folder, held by one opener in one process. */
export interface Lock {
	/** Gives it up. A second call does nothing. */
	release(): void;
}

/** Who holds a lock. Only for people: a file that says so means nothing without the lock. */
interface Holder {
	readonly pid: number;
	readonly host: string;
	/** UTC. */
	readonly since: string;
}

/**
 * Two that try at the same moment can get into each other's way so that neither gets it. So whoever is refused while nobody is known
 * to hold it tries again, so many times, after so many ms at most.
 */
const ATTEMPTS = 40;
const PAUSE_MS = 10;

const SQLITE_BUSY = 5;
const SQLITE_NOTADB = 26;

/** A connection that nothing refers to is closed at the next garbage collection, and its lock with it. */
const held = new Set<DatabaseSync>();

/**
 * Takes the lock of a folder, at once or not at all. What is held is an exclusive transaction on a small SQLite file: the system frees
 * it when the process ends, however it ends, and it holds against another thread and another opener in this process too.
 *
 * The file must not be opened with `node:fs` in the process that holds it: POSIX gives up all the locks that a process has on a file as
 * soon as it closes any descriptor of it.
 *
 * @throws NighError `LOCKED` (details: `pid`, where it is known), `READ_ONLY`, `NOT_FOUND` (the folder), `DISK_FULL`.
 */
export function takeLock(folder: string): Lock {
	const { lock: path, holder: holderPath } = pathsIn(folder);
	for (let attempt = 1; ; attempt++) {
		const db = tryLock(path);
		if (db !== undefined) return lockOf(db, holderPath);
		const holder = readHolder(holderPath);
		if (holder !== undefined || attempt === ATTEMPTS) throw locked(folder, holder);
		pause(Math.random() * PAUSE_MS);
	}
}

/** The connection that holds the lock, `undefined` where another one does. */
function tryLock(path: string): DatabaseSync | undefined {
	let db: DatabaseSync | undefined;
	try {
		db = new DatabaseSync(path, { timeout: 0 });
		db.exec("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE");
		return db;
	} catch (error) {
		db?.close();
		const code = ((error as { errcode?: number }).errcode ?? 0) & 0xff;
		if (code === SQLITE_BUSY) return undefined;
		throw code === SQLITE_NOTADB ? notALock(path, error) : asNighError(error, `taking the lock ${path}`, path);
	}
}

function lockOf(db: DatabaseSync, holderPath: string): Lock {
	held.add(db);
	writeHolder(holderPath);
	return {
		release() {
			if (!held.delete(db)) return;
			// First the name, then the lock: the other way round it could be the name of the next holder that goes.
			rmSync(holderPath, { force: true });
			db.close();
		},
	};
}

/** That the name cannot be written takes nothing from the lock: the others are told less. */
function writeHolder(path: string): void {
	const holder: Holder = { pid: process.pid, host: hostname(), since: new Date().toISOString() };
	try {
		writeFileSync(path, `${JSON.stringify(holder)}\n`);
	} catch {
		rmSync(path, { force: true });
	}
}

/** Who wrote that they hold it, `undefined` where nobody did or the one who did is dead. */
function readHolder(path: string): Holder | undefined {
	try {
		const holder = JSON.parse(readFileSync(path, "utf8")) as Holder;
		if (!Number.isInteger(holder.pid)) return undefined;
		// The processes of another machine, or container, cannot be asked after.
		return holder.host !== hostname() || isAlive(holder.pid) ? holder : undefined;
	} catch {
		return undefined;
	}
}

function locked(folder: string, holder: Holder | undefined): NighError {
	const who = holder === undefined ? "another process" : whoIs(holder);
	return new NighError(
		"LOCKED",
		`${folder} is open for writing in ${who}. One opener writes at a time: close it there, or open with readOnly: true.`,
		holder === undefined ? { folder } : { folder, ...holder },
	);
}

function whoIs({ pid, host, since }: Holder): string {
	if (host !== hostname()) return `process ${pid} of ${host} (since ${since})`;
	return pid === process.pid ? `this process (${pid}, since ${since})` : `process ${pid} (since ${since})`;
}

function notALock(path: string, cause: unknown): NighError {
	return new NighError(
		"CORRUPT_RECORDS",
		`${path} is not what Nigh wrote there. It holds no records: when no process has the database open, delete it.`,
		{ path },
		{ cause },
	);
}

function pause(ms: number): void {
	Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
