// The thread that reads and writes whole files for verify, repair and restore. It lives for one call.
import { parentPort } from "node:worker_threads";
import { openReader } from "../records/connection.ts";
import { checkRecords } from "../records/integrity.ts";
import { salvageRecords } from "../records/salvage.ts";
import { Service } from "../workers/rpc.ts";
import { checkFiles } from "./check-files.ts";
import { mendFile } from "./mend-file.ts";
import type { MaintenanceMethods, MaintenanceNotes } from "./messages.ts";
import { moveSnapshots } from "./move-snapshots.ts";

const port = parentPort;
if (port === null) throw new Error("this module is a worker of @nigh/embedded");
const service = new Service<MaintenanceNotes>(port);

service.serve<MaintenanceMethods>({
	checkFiles: (files) => checkFiles(files, (bytes) => service.tell("advanced", bytes)),
	checkRecords(path) {
		const db = openReader(path);
		try {
			return checkRecords(db, { quick: true });
		} finally {
			db.close();
		}
	},
	mendRecords: mendFile,
	salvage: ({ damaged, target }) => salvageRecords(damaged, target),
	moveSnapshots,
});
