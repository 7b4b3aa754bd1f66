import { throwIfAborted } from "./abort.ts";
import { backOffMs } from "./back-off.ts";
import { type Failure, failureError, networkFailure, statusFailure, timeoutFailure } from "./openai-failure.ts";
import type { OpenAISettings } from "./openai-options.ts";
import { MAX_RETRY_AFTER_MS } from "./parameters.ts";

/**
 * What the service answers for some texts, a JSON text if all is well. Repeats the request where that may help.
 *
 * @throws NighError `UNAVAILABLE` after the last attempt, `INVALID_OPTION` where the service refuses address, key, model
 * or texts, `ABORTED`.
 */
export async function requestEmbeddings(
	settings: OpenAISettings,
	texts: readonly string[],
	signal: AbortSignal,
): Promise<string> {
	const body = JSON.stringify({
		model: settings.model,
		input: texts,
		dimensions: settings.dimensions,
		encoding_format: settings.encodingFormat,
	});
	for (let attempt = 1; ; attempt++) {
		throwIfAborted(signal);
		const result = await post(settings, body, signal);
		if (typeof result === "string") return result;
		throwIfAborted(signal);
		const wait = backOffMs(attempt, settings.random(), result.retryAfterMs);
		if (!result.retry || attempt > settings.retries || wait > MAX_RETRY_AFTER_MS) {
			throw failureError(result, attempt, settings);
		}
		await settings.clock.sleep(wait, signal);
	}
}

/** One attempt: the answer, or what went wrong. Never rejects. */
async function post(settings: OpenAISettings, body: string, signal: AbortSignal): Promise<string | Failure> {
	const request = new AbortController();
	const timer = new AbortController();
	const abort = () => request.abort();
	signal.addEventListener("abort", abort);
	let timedOut = false;
	void settings.clock.sleep(settings.timeoutMs, timer.signal).then(() => {
		if (timer.signal.aborted) return;
		timedOut = true;
		request.abort();
	});
	try {
		const response = await settings.fetch(settings.url, {
			method: "POST",
			headers: settings.headers,
			body,
			signal: request.signal,
			// Following would send own headers, which can be keys, to wherever the service points.
			redirect: "manual",
		});
		const text = await response.text();
		return response.ok ? text : statusFailure(response, text, settings);
	} catch (error) {
		return timedOut ? timeoutFailure(settings) : networkFailure(error, settings);
	} finally {
		timer.abort();
		signal.removeEventListener("abort", abort);
	}
}
