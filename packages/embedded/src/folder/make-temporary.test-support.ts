// A process that makes a temporary folder with a file in it, says where, and lives until its input ends.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeTemporaryFolder } from "./temporary.ts";

const { path } = makeTemporaryFolder(process.argv[2]);
writeFileSync(join(path, "file"), "");
console.log(path);
process.stdin.on("end", () => process.exit()).resume();
