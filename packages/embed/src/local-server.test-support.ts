import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import type { RetryClock } from "./retry-clock.ts";

/** A request as the server saw it. */
export interface SeenRequest {
	readonly method: string | undefined;
	readonly url: string | undefined;
	readonly headers: IncomingHttpHeaders;
	readonly body: { readonly model: string; readonly input: string[] } & Readonly<Record<string, unknown>>;
}

/** Answers a request, or leaves it unanswered. */
export type Respond = (response: ServerResponse, request: SeenRequest) => void;

/** A server on a free port of this machine that ends with the test. Request number n is answered by `responders[n]`, or the last. */
export async function startServer(
	t: TestContext,
	...responders: Respond[]
): Promise<{ baseUrl: string; requests: SeenRequest[] }> {
	const requests: SeenRequest[] = [];
	const server = createServer(async (incoming, response) => {
		const chunks: Buffer[] = [];
		for await (const chunk of incoming) chunks.push(chunk);
		const body = JSON.parse(Buffer.concat(chunks).toString("utf8"));
		const request = { method: incoming.method, url: incoming.url, headers: incoming.headers, body };
		const respond = responders[Math.min(requests.length, responders.length - 1)] as Respond;
		requests.push(request);
		respond(response, request);
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	t.after(async () => {
		const closed = once(server, "close");
		server.close();
		server.closeAllConnections();
		await closed;
	});
	return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, requests };
}

/** A vector that tells its text: length, first character code, and zeros. */
export function vectorFor(text: string, dimensions = 3): number[] {
	return Array.from({ length: dimensions }, (_, at) => [text.length, text.charCodeAt(0)][at] ?? 0);
}

/** Answers as the API does, with {@link vectorFor} of every text. */
export function embeddings(dimensions = 3): Respond {
	return (response, { body }) => {
		const data = body.input.map((text, index) => ({
			object: "embedding",
			index,
			embedding: vectorFor(text, dimensions),
		}));
		send(response, 200, { object: "list", model: body.model, data });
	};
}

export function status(code: number, body: unknown = {}, headers: Record<string, string> = {}): Respond {
	return (response) => send(response, code, body, headers);
}

function send(response: ServerResponse, code: number, body: unknown, headers: Record<string, string> = {}): void {
	response.writeHead(code, { "content-type": "application/json", ...headers });
	response.end(typeof body === "string" ? body : JSON.stringify(body));
}

/**
 * A clock on which no wait takes time. Waits of `timeoutMs` last until the request is over or `expire` is called; all
 * others, the back-offs, are noted in `waits` and end at once.
 */
export class TestClock implements RetryClock {
	readonly timeoutMs = 54_321;
	readonly waits: number[] = [];
	/** Waits of `timeoutMs` that have not ended. */
	running = 0;
	/** Called at each back-off, before it ends. */
	onWait: () => void = () => {};
	#expire: () => void = () => {};

	now(): number {
		return Date.UTC(2024, 1, 29, 12, 0, 0);
	}

	sleep(ms: number, signal: AbortSignal): Promise<void> {
		if (ms !== this.timeoutMs) {
			this.waits.push(ms);
			this.onWait();
			return Promise.resolve();
		}
		this.running++;
		return new Promise((resolve) => {
			this.#expire = () => {
				this.running--;
				this.#expire = () => {};
				resolve();
			};
			signal.addEventListener("abort", () => this.#expire());
		});
	}

	/** The time of the request under way is over. */
	expire(): void {
		this.#expire();
	}
}
