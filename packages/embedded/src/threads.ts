import { MessageChannel, Worker } from "node:worker_threads";
import { NighError } from "@nigh/contract";
import { EXAMINER, type ExaminerMethods } from "./examiner/messages.ts";
import { type ExaminerNoteHandlers, ExaminerThread } from "./examiner-thread.ts";
import { ReaderThread } from "./reader-thread.ts";
import { endedThread } from "./workers/ended-thread.ts";
import type {
	IndexerMethods,
	IndexerNotes,
	ReaderMethods,
	WorkerData,
	WriterMethods,
	WriterNotes,
} from "./workers/messages.ts";
import { Caller, type CallerOptions, type Methods } from "./workers/rpc.ts";

type NoteHandlers = { readonly [K in keyof WriterNotes]: WriterNotes[K] } & {
	readonly [K in keyof Omit<IndexerNotes, "heldOut">]: IndexerNotes[K];
};

function callerOf(name: "writer" | "indexer"): CallerOptions {
	return { mayEnd: true, ended: endedThread(name) };
}

/** Calls of one thread's methods. */
export type Calling<M extends Methods> = Pick<Caller<M>, "call"> & {
	/** Why the thread answers no more. */
	readonly failure?: Error | undefined;
};

/** The threads that verbs ask. */
export interface Calls {
	readonly writer: Calling<WriterMethods>;
	readonly indexer: Calling<IndexerMethods>;
	readonly reader: Calling<ReaderMethods>;
	readonly examiner: Calling<ExaminerMethods>;
}

/** The worker threads of one open database. They do not keep the process alive. */
export class Threads implements Calls {
	readonly writer: Caller<WriterMethods>;
	readonly indexer: Caller<IndexerMethods>;
	readonly reader: ReaderThread;
	readonly examiner: ExaminerThread;
	readonly #workers: readonly [writer: Worker, indexer: Worker];

	/** Starts them; `notes` hears what they say without being asked. */
	constructor(data: Omit<WorkerData, "port">, notes: NoteHandlers, examinerNotes: ExaminerNoteHandlers) {
		const { port1, port2 } = new MessageChannel();
		const writer = start("writer", { ...data, port: port1 });
		const indexer = start("indexer", { ...data, port: port2 });
		this.#workers = [writer, indexer];
		this.writer = new Caller<WriterMethods>(writer, callerOf("writer")).listen<WriterNotes>(notes);
		this.indexer = new Caller<IndexerMethods>(indexer, callerOf("indexer")).listen<IndexerNotes>({
			...notes,
			heldOut: (event) => this.#examine(event),
		});
		this.reader = new ReaderThread(() => start("reader", data));
		const areaFor = async (key: number, least: number) => {
			const request = { key, reader: EXAMINER, generation: least };
			const { installed, area } = await this.indexer.call("area", request);
			return { generation: installed.generation, area };
		};
		this.examiner = new ExaminerThread({
			start: () => start("examiner", data),
			areaFor,
			notes: examinerNotes,
			readOnly: data.readOnly,
		});
	}

	/** An index waits to be asked; the thread that builds it goes on when it is told, also where nobody could ask. */
	#examine({ ticket, request }: Parameters<IndexerNotes["heldOut"]>[0]): void {
		const ended = () => void this.indexer.call("examined", ticket).catch(() => {});
		this.examiner.call("heldOut", request).then(ended, ended);
	}

	/** Waits until those run that are needed at once; from then on an idle database does not keep the process alive. */
	async started(): Promise<void> {
		const [writer, indexer] = this.#workers;
		await Promise.all([running("writer", writer), running("indexer", indexer)]);
		for (const worker of this.#workers) worker.unref();
	}

	async end(): Promise<void> {
		// First, since an answer that comes in later would let its worker go, and the process could end before the worker has.
		const ended = new NighError("CLOSED", "the database is closed: open it again");
		for (const caller of [this.writer, this.indexer, this.reader, this.examiner]) caller.fail(ended);
		await Promise.all([...this.#workers, this.reader, this.examiner].map((worker) => worker.terminate()));
	}
}

/** Resolves when a thread runs, and rejects where it has ended before. */
function running(name: "writer" | "indexer", worker: Worker): Promise<void> {
	const { promise, resolve, reject } = Promise.withResolvers<void>();
	const ended = endedThread(name);
	worker.once("online", resolve);
	worker.once("error", (cause) => reject(ended(cause)));
	worker.once("exit", () => reject(ended()));
	return promise;
}

function start(name: "writer" | "indexer" | "reader" | "examiner", data: WorkerData): Worker {
	// Compiled, the workers are .js; from source, Node runs the .ts as they are.
	const ending = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
	return new Worker(new URL(`./workers/${name}${ending}`, import.meta.url), {
		name: `nigh ${name}`,
		workerData: data,
		transferList: data.port === undefined ? [] : [data.port],
	});
}
