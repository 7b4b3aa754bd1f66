import { MessageChannel, type MessagePort, postMessageToThread, threadId } from "node:worker_threads";
import { NighError } from "@nigh/contract";

/** A port between a reading thread and its host: when either side ends, however it does, the other one is told. */
interface Lifeline {
	/** The channel of the host. */
	readonly channel: string;
	readonly reader: string;
	readonly port: MessagePort;
}

type Take = (reader: string, port: MessagePort) => void;

/** The hosts of this thread, by their channel. */
const hosts = new Map<string, Take>();

function receive(message: unknown): void {
	// The program may send its own messages the same way.
	const { lifeline } = (message ?? {}) as { lifeline?: Lifeline };
	if (lifeline === undefined) return;
	const take = hosts.get(lifeline.channel);
	if (take === undefined) lifeline.port.close();
	else take(lifeline.reader, lifeline.port);
}

/** Takes the lifelines that readers of `channel` send to this thread. Returns what ends that. */
export function takeLifelines(channel: string, take: Take): () => void {
	if (hosts.size === 0) process.on("workerMessage", receive);
	hosts.set(channel, take);
	return () => {
		hosts.delete(channel);
		if (hosts.size === 0) process.off("workerMessage", receive);
	};
}

/**
 * Sends the host in `thread` a lifeline. `onEnded` is called once, when the host has gone or the port that is returned has been closed.
 *
 * @throws NighError `CLOSED` where there is no such thread, or no host in it.
 */
export async function sendLifeline(
	thread: number,
	{ channel, reader }: Omit<Lifeline, "port">,
	onEnded: () => void,
): Promise<MessagePort> {
	const { port1, port2 } = new MessageChannel();
	port1.once("close", onEnded).unref();
	const message = { lifeline: { channel, reader, port: port2 } };
	try {
		if (thread === threadId) receive(message);
		else await postMessageToThread(thread, message, [port2]);
	} catch (cause) {
		port1.close();
		throw hostGone(cause);
	}
	return port1;
}

export function hostGone(cause?: unknown): NighError {
	return new NighError("CLOSED", "the database that is shared has been closed: open and share it again", {}, { cause });
}
