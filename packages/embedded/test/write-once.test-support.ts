// A process that writes one batch with the durability of its second argument into the folder of its first.
import { openFolder } from "@nigh/embedded";

const [folder, durability] = process.argv.slice(2) as [string, "full" | "normal"];
const database = await openFolder(folder, { threads: 1, durability });
const notes = await database.collection("notes", { dimensions: 2 });
await notes.upsert(Array.from({ length: 100 }, (_, i) => ({ id: `r${i}`, vector: [i, 1] })));
await database.close();
