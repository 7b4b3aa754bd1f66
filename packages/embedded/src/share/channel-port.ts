import { EventEmitter } from "node:events";
import type { BroadcastChannel } from "node:worker_threads";
import type { Port } from "../workers/rpc.ts";
import type { ShareMessage } from "./messages.ts";

/** One reader's end of the channel, or the host's end of the connection to one reader, as a port of its own. */
export class ChannelPort extends EventEmitter implements Port {
	readonly #channel: BroadcastChannel;
	readonly #wrap: (message: unknown) => ShareMessage;
	#closed = false;

	constructor(channel: BroadcastChannel, wrap: (message: unknown) => ShareMessage) {
		super();
		this.#channel = channel;
		this.#wrap = wrap;
	}

	/** Buffers are copied, or shared where they are: a channel hands nothing over. */
	postMessage(message: unknown): void {
		if (!this.#closed) this.#channel.postMessage(this.#wrap(message));
	}

	/** The channel is about to be closed: what is said from here on reaches nobody, such as the answer to a call that came before. */
	close(): void {
		this.#closed = true;
	}

	/** Takes what has come for this port. */
	receive(message: unknown): void {
		this.emit("message", message);
	}

	ref(): void {
		this.#channel.ref();
	}

	unref(): void {
		this.#channel.unref();
	}
}
