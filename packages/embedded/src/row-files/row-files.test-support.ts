import fs, { closeSync, openSync, readSync, writeSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { RowFileFront } from "./front.ts";
import type { PlacedSegment } from "./segments.ts";
import { RowFileWriter } from "./write.ts";

export const FRONT: RowFileFront = {
	databaseId: "5b1f6b0e-93c4-4c1d-8a53-1de2c1f7a001",
	key: 7,
	rowBytes: 24,
	from: 0,
};
export const OWNER = { databaseId: FRONT.databaseId, key: FRONT.key };

/** The row of a slot: looks random, is the same every time, and is that of no other slot. */
export function rowOf(slot: number, rowBytes: number): Uint8Array {
	const row = new Uint8Array(rowBytes);
	let state = Math.imul(slot + 1, 0x9e3779b1);
	for (let at = 0; at < rowBytes; at++) {
		state = Math.imul(state, 1_664_525) + 1_013_904_223;
		row[at] = state >>> 24;
	}
	return row;
}

export function rowsOf(slots: Iterable<number>, rowBytes: number): Buffer {
	return Buffer.concat([...slots].map((slot) => rowOf(slot, rowBytes)));
}

export function range(from: number, count: number): number[] {
	return Array.from({ length: count }, (_, at) => from + at);
}

/** A file with `count` rows from the slot that the front has, and its segment. Closed, not flushed. */
export async function written(folder: string, front: RowFileFront, count: number): Promise<PlacedSegment> {
	const writer = RowFileWriter.create(folder, front);
	writer.append(rowsOf(range(front.from, count), front.rowBytes));
	await writer.close();
	return writer.segment;
}

/** Flips bits of one byte. Doing it again undoes it. */
export function flip(folder: string, file: string, offset: number, mask: number): void {
	const descriptor = openSync(join(folder, file), "r+");
	const byte = new Uint8Array(1);
	readSync(descriptor, byte, 0, 1, offset);
	byte[0] = (byte[0] as number) ^ mask;
	writeSync(descriptor, byte, 0, 1, offset);
	closeSync(descriptor);
}

/**
 * Puts something in the place of a function of node:fs, also for who imported it by name, until the test ends.
 *
 * @returns Takes it back.
 */
export function replaceInFs<Name extends "writeSync" | "readSync" | "read" | "fsync" | "openSync">(
	t: TestContext,
	name: Name,
	by: (original: (typeof fs)[Name]) => unknown,
): () => void {
	const original = fs[name];
	t.mock.method(fs, name, by(original) as never);
	syncBuiltinESMExports();
	const restore = () => {
		t.mock.restoreAll();
		syncBuiltinESMExports();
	};
	t.after(restore);
	return restore;
}

/** An error as the system gives it. */
export function systemError(code: string): Error {
	return Object.assign(new Error(`${code}: failed, as the test wants`), { code });
}
