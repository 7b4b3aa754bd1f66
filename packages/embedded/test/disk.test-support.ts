// Disks of their own, which may be full or not to be written.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type ErrorCode, isNighError } from "@nigh/contract";

export const MIB = 2 ** 20;

export function mount(...options: string[]): boolean {
	return spawnSync("mount", options).status === 0;
}

/** A disk of its own, of so many bytes. `undefined` where this user may not mount one: then the test is skipped. */
export function diskFor(t: TestContext, bytes: number): string | undefined {
	const folder = mkdtempSync(join(tmpdir(), "nigh-disk-"));
	if (!mount("-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", folder)) {
		rmdirSync(folder);
		t.skip("needs the right to mount a tmpfs");
		return undefined;
	}
	t.after(() => {
		spawnSync("umount", ["--lazy", folder]);
		rmdirSync(folder);
	});
	return folder;
}

export function refused(code: ErrorCode, ...words: string[]): (error: unknown) => boolean {
	return (error) => {
		assert.ok(isNighError(error, code), `${code} expected, not ${error}`);
		for (const word of words) assert.ok(error.message.includes(word), `${word} is in ${JSON.stringify(error.message)}`);
		return true;
	};
}

/** Writes files into a new folder until there is no space left. */
export function fillDisk(folder: string): void {
	mkdirSync(folder);
	for (let bytes = MIB, files = 0; bytes >= 4_096; files++) {
		try {
			writeFileSync(join(folder, `${files}`), new Uint8Array(bytes));
		} catch {
			bytes /= 2;
		}
	}
}
