import type { ShareHandle } from "@nigh/contract";
import type { ServedTable } from "../recall/served.ts";
import type { CatalogueEntry } from "../records/catalogue.ts";
import type { IndexerMethods, Installed } from "../workers/messages.ts";

/** What is posted to a worker thread. Threads of one process find each other by the channel's name. */
export interface EmbeddedShareHandle extends ShareHandle {
	readonly channel: string;
	/** The thread that has opened the database. */
	readonly thread: number;
	/** The file of the records. */
	readonly records: string;
}

/** What a reading thread asks of the thread that has opened the database. */
export type HostMethods = {
	/** Opens a collection; `undefined` for the generation while there are no vectors, and for what is known of its recall while nothing is. */
	open(
		name: string,
	): Promise<{ entry: CatalogueEntry; installed: Installed | undefined; table: ServedTable | undefined }>;
	state: IndexerMethods["state"];
	memory: IndexerMethods["memory"];
	analyze: IndexerMethods["analyze"];
	/** Answers: the host is there. */
	greet(request: undefined): void;
	/** The thread has done with it. */
	leave(request: undefined): void;
};

/** What goes over the channel: every message says which reader it is from or for. */
export type ShareMessage =
	| { readonly from: string; readonly message: unknown }
	| { readonly to: string; readonly message: unknown };

/** What the host says without being asked. */
export type HostNotes = {
	installed(installed: Installed): void;
	served(table: ServedTable): void;
	/** The database has been closed. */
	closed(argument: undefined): void;
};
