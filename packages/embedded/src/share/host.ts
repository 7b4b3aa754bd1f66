import { randomUUID } from "node:crypto";
import { BroadcastChannel, type MessagePort, threadId } from "node:worker_threads";
import { NighError } from "@nigh/contract";
import { EXAMINER } from "../examiner/messages.ts";
import { MOST_READERS } from "../memory/generation.ts";
import type { ServedTable } from "../recall/served.ts";
import type { CatalogueEntry } from "../records/catalogue.ts";
import type { Threads } from "../threads.ts";
import type { Installed } from "../workers/messages.ts";
import { Service } from "../workers/rpc.ts";
import { ChannelPort } from "./channel-port.ts";
import { takeLifelines } from "./lifeline.ts";
import type { EmbeddedShareHandle, HostMethods, HostNotes, ShareMessage } from "./messages.ts";

/** The calling thread, the reader worker and the examiner have the first numbers. */
export const FIRST_READER = EXAMINER + 1;

/** What the host needs of its database. */
export interface Hosting {
	readonly threads: Pick<Threads, "indexer">;
	/** The file of the records. */
	readonly records: string;
	/** Opens a collection, so that it is kept up to date. */
	open(name: string): Promise<{ entry: CatalogueEntry; hasVectors: boolean; table: ServedTable | undefined }>;
}

interface Reader {
	readonly number: number;
	readonly port: ChannelPort;
	readonly service: Service<HostNotes>;
	/** Collections it reads. */
	readonly keys: Set<number>;
	/** Is closed when its thread has ended, in whatever way. */
	readonly lifeline: MessagePort;
}

/** Lets other threads of the process read from the same memory: they ask here for their areas and hear of new generations. */
export class ShareHost {
	readonly handle: EmbeddedShareHandle;
	readonly #hosting: Hosting;
	readonly #channel: BroadcastChannel;
	readonly #readers = new Map<string, Reader>();
	readonly #refuseMore: () => void;

	constructor(hosting: Hosting) {
		this.#hosting = hosting;
		this.handle = { kind: "nigh-share", channel: `nigh ${randomUUID()}`, thread: threadId, records: hosting.records };
		this.#channel = new BroadcastChannel(this.handle.channel);
		this.#channel.unref();
		this.#channel.onmessage = (event) => this.#receive((event as { data: ShareMessage }).data);
		this.#refuseMore = takeLifelines(this.handle.channel, (name, lifeline) => this.#welcome(name, lifeline));
	}

	/**
	 * A generation has taken over: those who read the collection get their areas in it, each for itself.
	 *
	 * @throws what has kept one of them from its own.
	 */
	async install({ key, generation, choice }: Installed): Promise<void> {
		const readers = [...this.#readers.values()].filter(({ keys }) => keys.has(key));
		await Promise.all(
			readers.map(async (reader) => {
				const installed = await this.#areaOf(key, reader, generation.number);
				reader.service.tell("installed", { ...installed, ...(choice !== undefined && { choice }) });
			}),
		);
	}

	/** Something has been found out about the recall of a collection. */
	served(table: ServedTable): void {
		for (const { keys, service } of this.#readers.values()) if (keys.has(table.key)) service.tell("served", table);
	}

	close(): void {
		this.#refuseMore();
		for (const { service, port, lifeline } of this.#readers.values()) {
			service.tell("closed", undefined);
			port.close();
			lifeline.close();
		}
		this.#channel.close();
	}

	#receive(message: ShareMessage): void {
		if (!("from" in message)) return;
		// What comes late, from a thread that has ended, is of no interest.
		this.#readers.get(message.from)?.port.receive(message.message);
	}

	#welcome(name: string, lifeline: MessagePort): void {
		const port = new ChannelPort(this.#channel, (message) => ({ to: name, message }));
		const service = new Service<HostNotes>(port);
		const reader: Reader = { number: this.#freeNumber(), port, service, keys: new Set(), lifeline };
		this.#readers.set(name, reader);
		lifeline.once("close", () => this.#readers.delete(name)).unref();
		const { indexer } = this.#hosting.threads;
		service.serve<HostMethods>({
			open: async (collection) => {
				if (reader.number < 0) throw tooMany();
				const { entry, hasVectors, table } = await this.#hosting.open(collection);
				reader.keys.add(entry.key);
				return { entry, table, installed: hasVectors ? await this.#areaOf(entry.key, reader) : undefined };
			},
			greet: () => {},
			state: (key) => indexer.call("state", key) as never,
			memory: (key) => indexer.call("memory", key) as never,
			analyze: (key) => indexer.call("analyze", key),
			leave: () => {
				this.#readers.delete(name);
			},
		});
	}

	async #areaOf(key: number, { number }: Reader, generation = 0): Promise<Installed> {
		const { installed, area } = await this.#hosting.threads.indexer.call("area", { key, reader: number, generation });
		return { ...installed, areas: { caller: area, worker: area } };
	}

	#freeNumber(): number {
		const taken = new Set(Array.from(this.#readers.values(), ({ number }) => number));
		for (let number = FIRST_READER; number < MOST_READERS; number++) if (!taken.has(number)) return number;
		return -1;
	}
}

function tooMany(): NighError {
	const most = MOST_READERS - FIRST_READER;
	return new NighError("UNAVAILABLE", `${most} threads share this database already: close one of them first`, {
		bound: most,
	});
}
