import { closeSync, openSync, writeSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { PAGE_BYTES } from "./schema.ts";

/** The pages of a table or an index, counted from 1, in the order of its tree; those of one type only where that is given. */
export function pagesOf(path: string, name: string, type?: "leaf" | "internal" | "overflow"): number[] {
	const db = new DatabaseSync(path, { readOnly: true });
	const rows = db.prepare("SELECT pageno, pagetype FROM dbstat WHERE name = ? ORDER BY path").all(name);
	db.close();
	return rows.filter(({ pagetype }) => type === undefined || pagetype === type).map(({ pageno }) => pageno as number);
}

/** Overwrites whole pages with bytes drawn from the seed. The database must be closed. */
export function damagePages(path: string, pages: readonly number[], seed: number): void {
	const file = openSync(path, "r+");
	let state = seed | 1;
	for (const page of pages) {
		const bytes = new Uint8Array(PAGE_BYTES);
		for (let at = 0; at < PAGE_BYTES; at++) {
			// Marsaglia's xorshift32.
			state ^= state << 13;
			state ^= state >>> 17;
			state ^= state << 5;
			bytes[at] = state & 0xff;
		}
		writeSync(file, bytes, 0, PAGE_BYTES, (page - 1) * PAGE_BYTES);
	}
	closeSync(file);
}
