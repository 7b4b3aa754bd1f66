// `node --conditions=@nigh/source packages/embedded/test/golden/write.ts` makes the golden folder of this format, once and for all.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openFolder } from "@nigh/embedded";
import { apply, CLOCK, CONTENTS, type Content } from "./contents.ts";
import { keepFolder, V1 } from "./folder.ts";

const folder = mkdtempSync(join(tmpdir(), "nigh-golden-"));
try {
	const path = join(folder, "data");
	const options = { threads: 1, pruneEveryMs: 0, now: () => CLOCK.now } as const;
	for (const part of ["saved", "later"] as const) {
		const database = await openFolder(path, options);
		for (const [name, content] of Object.entries<Content>(CONTENTS)) {
			const collection = await database.collection(name, content.spec);
			await apply(collection, content[part]);
			if (part === "saved") await collection.optimize();
		}
		await database.close();
	}
	console.log(keepFolder(path, V1));
} finally {
	rmSync(folder, { recursive: true });
}
