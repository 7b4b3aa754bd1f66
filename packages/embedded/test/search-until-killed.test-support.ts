// A process that searches a collection with fresh queries until it is killed.
import { openFolder } from "@nigh/embedded";
import { clustered } from "./recall.test-support.ts";

const [folder, source, draw] = process.argv.slice(2) as [string, string, string];
const database = await openFolder(folder, { threads: 1 });
const collection = await database.collection("notes");
// Where the records are, but none of them: they find themselves too easily.
const next = clustered(Number(source), { draw: Number(draw) });
let certified = false;
for (let n = 1; ; n++) {
	const { recall } = await collection.search({ vector: next(), k: 10 });
	if (recall.state === "certified" && !certified) {
		certified = true;
		process.send?.("certified");
	}
	if (n % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
}
