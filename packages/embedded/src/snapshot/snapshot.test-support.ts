import assert from "node:assert/strict";
import { closeSync, openSync, readFileSync, readSync, writeFileSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";
import { isNighError, type NighError } from "@nigh/contract";
import type { SnapshotMeta } from "./header.ts";
import { openSnapshot } from "./read.ts";
import type { SectionSource } from "./write.ts";

export const META: SnapshotMeta = {
	databaseId: "5b1f6b0e-93c4-4c1d-8a53-1de2c1f7a001",
	collection: { key: 7, name: "notes" },
	change: 42,
	nextLabel: 1_000,
	records: 990,
	createdAt: 1_700_000_000_000,
	engine: "0.1.0",
	index: { kind: "hnsw", parameters: { M: 16, mL: 0.36067376022224085, weights: null } },
};

export const MIB = 1 << 20;

/** Bytes that look random and are the same every time; no two blocks are alike. */
export function pattern(bytes: number, seed: number): Uint8Array {
	const data = new Uint8Array(bytes);
	let state = seed | 1;
	for (let at = 0; at < bytes; at++) {
		state = Math.imul(state, 1_664_525) + 1_013_904_223;
		data[at] = state >>> 24;
	}
	return data;
}

export function section(name: string, data: Uint8Array): SectionSource {
	return { name, bytes: data.length, chunks: [data] };
}

/** What a full check of a file says of it; `undefined`: nothing is wrong. Only a coded error with a place counts as an answer. */
export async function damageOf(path: string): Promise<NighError | undefined> {
	try {
		const snapshot = openSnapshot(path);
		try {
			await snapshot.verifyAll({ yieldNow: async () => {} });
		} finally {
			snapshot.close();
		}
		return undefined;
	} catch (error) {
		if (!isNighError(error, "CORRUPT_SNAPSHOT")) throw error;
		assert.equal(typeof error.details.byteOffset, "number", error.message);
		return error;
	}
}

/** Flips bits of one byte. Doing it again undoes it. */
export function flip(path: string, offset: number, mask: number): void {
	const file = openSync(path, "r+");
	const byte = new Uint8Array(1);
	assert.equal(readSync(file, byte, 0, 1, offset), 1);
	byte[0] = (byte[0] as number) ^ mask;
	writeSync(file, byte, 0, 1, offset);
	closeSync(file);
}

/** Changes prefix or header the way somebody would who knows of the checksums: they are right again afterwards. */
export function forge(
	path: string,
	change: (view: DataView, header: Record<string, unknown>) => Record<string, unknown> | undefined,
): void {
	const bytes = readFileSync(path);
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
	const length = view.getUint32(12, true);
	const header = change(view, JSON.parse(bytes.toString("utf8", 32, 32 + length)));
	if (header !== undefined) {
		const json = new TextEncoder().encode(JSON.stringify(header));
		assert.ok(32 + json.length <= 4_096, "the forged header needs more room than there is");
		bytes.fill(0, 32, 4_096);
		bytes.set(json, 32);
		view.setUint32(12, json.length, true);
		view.setUint32(24, crc32(json), true);
		view.setUint32(bytes.length - 16, crc32(json), true);
		view.setUint32(bytes.length - 12, crc32(bytes.subarray(bytes.length - 32, bytes.length - 12)), true);
	}
	view.setUint32(28, crc32(bytes.subarray(0, 28)), true);
	writeFileSync(path, bytes);
}
