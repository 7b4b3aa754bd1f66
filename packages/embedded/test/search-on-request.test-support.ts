// A process that opens a database for reading, and searches when it is asked to.
import type { SearchRequest } from "@nigh/contract";
import { openFolder } from "@nigh/embedded";

/** What the process is asked: to bring itself up to date, or to search. */
export type Asked = { readonly refresh: true } | { readonly search: SearchRequest };

const [folder, name] = process.argv.slice(2) as [string, string];
const database = await openFolder(folder, { readOnly: true, threads: 1 });
const collection = await database.collection(name);

process.on("message", async (asked: Asked) => {
	if ("refresh" in asked) return process.send?.(await collection.refresh());
	const { hits, plan, recall } = await collection.search(asked.search);
	process.send?.({ ids: hits.map(({ id }) => id), plan, recall });
});
process.once("disconnect", () => void database.close());
process.send?.("open");
