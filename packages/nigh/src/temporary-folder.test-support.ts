import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";

/** A folder with these files (path to content), gone after the test. Its name has a space in it. */
export function temporaryFolder(t: TestContext, files: Readonly<Record<string, string | Uint8Array>> = {}): string {
	const { folder, remove } = makeTemporaryFolder();
	t.after(remove);
	for (const [path, content] of Object.entries(files)) {
		mkdirSync(dirname(join(folder, path)), { recursive: true });
		writeFileSync(join(folder, path), content);
	}
	return folder;
}

/** A folder for several tests, to be removed after the last. Its name has a space in it. */
export function makeTemporaryFolder(): { readonly folder: string; readonly remove: () => void } {
	const folder = realpathSync(mkdtempSync(join(tmpdir(), "nigh test ")));
	return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** All chunks of a file that is written piece by piece. */
export async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
	const parts: Uint8Array[] = [];
	for await (const chunk of chunks) parts.push(chunk);
	return Buffer.concat(parts);
}
