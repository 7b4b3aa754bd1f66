import { randomUUID } from "node:crypto";
import { BroadcastChannel } from "node:worker_threads";
import { NighError } from "@nigh/contract";
import { MOST_READERS } from "../memory/generation.ts";
import type { CatalogueEntry } from "../records/catalogue.ts";
import type { Threads } from "../threads.ts";
import type { Installed } from "../workers/messages.ts";
import { Service } from "../workers/rpc.ts";
import { ChannelPort } from "./channel-port.ts";
import type { EmbeddedShareHandle, HostMethods, HostNotes, ShareMessage } from "./messages.ts";

/** The calling thread and the reader worker have the first numbers. */
const FIRST_READER = 2;

/** What the host needs of its database. */
export interface Hosting {
	readonly threads: Pick<Threads, "indexer">;
	/** The file of the records. */
	readonly records: string;
	/** Opens a collection, so that it is kept up to date. */
	open(name: string): Promise<{ entry: CatalogueEntry; hasVectors: boolean }>;
}

interface Reader {
	readonly number: number;
	readonly port: ChannelPort;
	readonly service: Service<HostNotes>;
	/** Collections it reads. */
	readonly keys: Set<number>;
}

/** Lets other threads of the process read from the same memory: they ask here for their areas and hear of new generations. */
export class ShareHost {
	readonly handle: EmbeddedShareHandle;
	readonly #hosting: Hosting;
	readonly #channel: BroadcastChannel;
	readonly #readers = new Map<string, Reader>();

	constructor(hosting: Hosting) {
		this.#hosting = hosting;
		this.handle = { kind: "nigh-share", channel: `nigh ${randomUUID()}`, records: hosting.records };
		this.#channel = new BroadcastChannel(this.handle.channel);
		this.#channel.unref();
		this.#channel.onmessage = (event) => this.#receive((event as { data: ShareMessage }).data);
	}

	/** A generation has taken over: those who read the collection get their areas in it. */
	async install({ key, generation }: Installed): Promise<void> {
		for (const reader of this.#readers.values()) {
			if (reader.keys.has(key)) reader.service.tell("installed", await this.#areaOf(key, reader, generation.number));
		}
	}

	close(): void {
		for (const { service } of this.#readers.values()) service.tell("closed", undefined);
		this.#channel.close();
	}

	#receive(message: ShareMessage): void {
		if (!("from" in message)) return;
		const reader = this.#readers.get(message.from) ?? this.#welcome(message.from);
		reader.port.receive(message.message);
	}

	#welcome(name: string): Reader {
		const port = new ChannelPort(this.#channel, (message) => ({ to: name, message }));
		const service = new Service<HostNotes>(port);
		const reader: Reader = { number: this.#freeNumber(), port, service, keys: new Set() };
		this.#readers.set(name, reader);
		const { indexer } = this.#hosting.threads;
		service.serve<HostMethods>({
			open: async (collection) => {
				if (reader.number < 0) throw tooMany();
				const { entry, hasVectors } = await this.#hosting.open(collection);
				reader.keys.add(entry.key);
				return { entry, installed: hasVectors ? await this.#areaOf(entry.key, reader) : undefined };
			},
			state: (key) => indexer.call("state", key) as never,
			memory: (key) => indexer.call("memory", key) as never,
			analyze: (key) => indexer.call("analyze", key),
			leave: () => {
				this.#readers.delete(name);
			},
		});
		return reader;
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
