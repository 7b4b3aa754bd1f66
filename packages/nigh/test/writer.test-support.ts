// A process that has a database open for writing, until its input ends: node writer.test-support.ts FOLDER
import { open } from "../src/index.ts";

const database = await open(process.argv[2] as string);
const notes = await database.collection("notes", { metric: "l2" });
await notes.upsert([
	{ id: "a", vector: [0, 0], metadata: { type: "lesson" }, text: "rye bread" },
	{ id: "b", vector: [1, 0], metadata: { type: "draft" } },
	{ id: "c", vector: [5, 5] },
]);
process.stdout.write("ready\n");
for await (const line of process.stdin) {
	const id = String(line).trim();
	await notes.upsert([{ id, vector: [9, 9] }]);
	process.stdout.write("written\n");
}
await database.close();
