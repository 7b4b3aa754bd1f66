import { type ErrorCode, NighError } from "@nigh/contract";
import { retryAfterMs } from "./back-off.ts";
import { isObject } from "./is-object.ts";
import type { OpenAISettings } from "./openai-options.ts";

/** Why one attempt gave no answer. */
export interface Failure {
	/** Continues "POST ... failed: ". Shows no secret. */
	readonly reason: string;
	/** The HTTP status, where there was one. */
	readonly status?: number;
	/** Whether the same request may do better later. */
	readonly retry: boolean;
	/** How long the service asks to wait, in milliseconds. */
	readonly retryAfterMs?: number;
}

const LONGEST_EXCERPT = 300;

/** Network trouble and answers that never came. */
export function networkFailure(error: unknown, settings: OpenAISettings): Failure {
	const message = error instanceof Error ? error.message : "unknown error";
	// fetch says only "fetch failed"; its cause has the system's code, such as ECONNREFUSED.
	const cause = error instanceof Error && isObject(error.cause) ? error.cause.code : undefined;
	const reason = typeof cause === "string" ? `${message}, ${cause}` : message;
	return { reason: hideSecrets(reason, settings), retry: true };
}

export function timeoutFailure({ timeoutMs }: OpenAISettings): Failure {
	return { reason: `no complete answer within timeoutMs = ${timeoutMs}`, retry: true };
}

/** An answer that is not a success. `body` is what it said, as text. */
export function statusFailure(response: Response, body: string, settings: OpenAISettings): Failure {
	const { status } = response;
	const said = messageOf(body);
	const excerpt =
		said === undefined ? "" : ` (${hideSecrets(said, settings).replace(/\s+/g, " ").slice(0, LONGEST_EXCERPT)})`;
	const wait = retryAfterMs(response.headers.get("retry-after"), settings.clock.now());
	return {
		reason: `status ${status}${excerpt}`,
		status,
		retry: status === 408 || status === 429 || status >= 500,
		...(wait !== undefined && { retryAfterMs: wait }),
	};
}

/** The error for the last failure of a request. */
export function failureError(failure: Failure, attempts: number, settings: OpenAISettings): NighError {
	const { status, reason, retryAfterMs: wait } = failure;
	const { code, advice, field } = verdict(status);
	const url = hideSecrets(settings.shownUrl, settings);
	const asked = wait === undefined ? "" : `; it asks to wait ${Math.ceil(wait / 1_000)} s`;
	const times = attempts === 1 ? "1 attempt" : `${attempts} attempts`;
	// No cause: the error of an injected fetch may carry the request with its headers.
	return new NighError(code, `POST ${url} failed after ${times}: ${reason}${asked}. ${advice}`, {
		url,
		attempts,
		...(field !== undefined && { field }),
		...(status !== undefined && { status }),
		...(wait !== undefined && { retryAfterMs: wait }),
	});
}

interface Verdict {
	readonly code: ErrorCode;
	readonly field?: string;
	readonly advice: string;
}

/** What a status means to the caller: `INVALID_OPTION` where waiting will not help. */
function verdict(status: number | undefined): Verdict {
	if (status === undefined) {
		return { code: "UNAVAILABLE", advice: "Check that the service runs and that baseUrl is its address." };
	}
	if (status < 400) {
		return {
			code: "INVALID_OPTION",
			field: "baseUrl",
			advice: "Check baseUrl: the service redirects, and the key is not sent elsewhere; give the final address.",
		};
	}
	switch (status) {
		case 400:
		case 422:
			return {
				code: "INVALID_OPTION",
				field: "model",
				advice: "Check model, dimensions and encodingFormat, and that no text is empty or too long for the model.",
			};
		case 401:
		case 403:
			return {
				code: "INVALID_OPTION",
				field: "apiKey",
				advice: "Check apiKey (or headers), and that it may use the model.",
			};
		case 404:
		case 405:
			return {
				code: "INVALID_OPTION",
				field: "baseUrl",
				advice: "Check baseUrl, which usually ends in /v1, and that the service has the model.",
			};
		case 413:
			return { code: "INVALID_OPTION", field: "batchSize", advice: "Lower batchSize or shorten the texts." };
		case 429:
			return { code: "UNAVAILABLE", advice: "Check the quota, wait, or raise retries." };
		default:
			return { code: "UNAVAILABLE", advice: "Check the state of the service and try again later." };
	}
}

/**
 * The message in an error body: OpenAI and most others `{ error: { message } }`, Ollama `{ error }`, vLLM
 * `{ message }`, FastAPI `{ detail }`. Pages that are not JSON say nothing worth showing.
 */
function messageOf(body: string): string | undefined {
	let json: unknown;
	try {
		json = JSON.parse(body);
	} catch {
		return undefined;
	}
	if (!isObject(json)) return undefined;
	const candidates = [isObject(json.error) ? json.error.message : json.error, json.message, json.detail];
	return candidates.find((candidate) => typeof candidate === "string" && candidate !== "") as string | undefined;
}

function hideSecrets(text: string, { secrets }: OpenAISettings): string {
	let hidden = text;
	for (const secret of secrets) hidden = hidden.replaceAll(secret, "[secret]");
	return hidden;
}
