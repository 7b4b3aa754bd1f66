// A process that opens a database for reading, and tells what it finds after a refresh when it is asked to.
import { once } from "node:events";
import { openFolder } from "@nigh/embedded";
import { vectorOf } from "./points.test-support.ts";

const database = await openFolder(process.argv[2] as string, { readOnly: true, threads: 1 });
const collection = await database.collection("a");
process.send?.("open");
await once(process, "message");
await collection.refresh();
const { hits } = await collection.search({ vector: vectorOf(0), k: 1_000 });
process.send?.({ count: await collection.count(), ids: hits.map(({ id }) => id) });
await database.close();
process.disconnect();
