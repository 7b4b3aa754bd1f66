// A process that replaces the same 200 records, all at once, by version after version, and folds now and then, until it hears "stop".
import { openFolder } from "@nigh/embedded";
import { DIMENSIONS, idOf, vectorFor } from "./records.ts";

let isStopped = false;
process.on("message", () => {
	isStopped = true;
});

const database = await openFolder(process.argv[2] as string, { threads: 1 });
const collection = await database.collection("replaced", {
	dimensions: DIMENSIONS,
	metric: "l2",
	index: { kind: "hnsw", M: 6, efConstruction: 40 },
});
for (let version = 1; !isStopped; version++) {
	const records = Array.from({ length: 200 }, (_, i) => {
		const id = idOf(i);
		return { id, vector: vectorFor(id, version), metadata: { version }, text: `record ${i}` };
	});
	await collection.upsert(records);
	if (version === 1) process.send?.("ready");
	if (version % 20 === 0) await collection.optimize();
}
await database.close();
process.disconnect();
