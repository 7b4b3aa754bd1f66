import type { Embedder, EmbedOptions } from "@nigh/contract";
import { throwIfAborted } from "./abort.ts";
import { checkTexts } from "./check-texts.ts";
import { dimensionMismatch, readAnswer } from "./openai-answer.ts";
import { checkOpenAIOptions, type OpenAICompatibleOptions } from "./openai-options.ts";
import { requestEmbeddings } from "./openai-request.ts";

/** Embedded where somebody asks for the dimensions before the first text. */
const PROBE_TEXT = "dimensions";

/**
 * An embedder that asks a service with the API of OpenAI's `POST /v1/embeddings`: OpenAI itself, Ollama, vLLM,
 * llama.cpp, LM Studio, text-embeddings-inference and others.
 *
 * - Texts go out in batches of `batchSize`, one request after the other; `embed` gives all vectors or throws.
 * - Status 408, 429 and 5xx, network trouble and requests over `timeoutMs` are repeated up to `retries` times, after 0.25
 *   to 0.5 s at first and up to twice as long each time (30 s at most), and not before a `Retry-After` has passed; one of
 *   more than 120 s is not waited for.
 * - `identity()` has the name `"openai-compatible"`. It makes one small request if neither `dimensions` nor an earlier
 *   answer tells the dimensions.
 * - Vectors come as the service gives them: most services normalise them, some do not.
 *
 * `embed` and `identity` throw `UNAVAILABLE` (after the last attempt, with `status` and `attempts` in the details; or an
 * answer of another shape), `INVALID_OPTION` (status 400, 401, 403, 404, 405, 413, 422 and redirects: waiting will not
 * help, the message says what to check), `DIMENSION_MISMATCH` (an answer with other dimensions than `dimensions` or the
 * first answer), `INVALID_RECORD` (a text that is not a string), `ABORTED`.
 *
 * @example const embedder = openAICompatible({ baseUrl: "http://127.0.0.1:11434/v1", model: "nomic-embed-text" });
 * @throws NighError `INVALID_OPTION` at once for an option that is missing, unknown or outside its bounds.
 */
export function openAICompatible(options: OpenAICompatibleOptions): Embedder {
	const settings = checkOpenAIOptions(options);
	let dimensions = settings.dimensions;

	async function embedBatch(texts: readonly string[], firstRow: number, signal: AbortSignal): Promise<Float32Array[]> {
		const answer = await requestEmbeddings(settings, texts, signal);
		const vectors = readAnswer(answer, texts.length, firstRow);
		const found = (vectors[0] as Float32Array).length;
		dimensions ??= found;
		if (found !== dimensions) throw dimensionMismatch(found, dimensions, firstRow);
		return vectors;
	}

	async function embed(texts: readonly string[], options: EmbedOptions = {}): Promise<Float32Array[]> {
		const checked = checkTexts(texts);
		const signal = options.signal ?? new AbortController().signal;
		throwIfAborted(signal);
		const vectors: Float32Array[] = [];
		while (vectors.length < checked.length) {
			const batch = checked.slice(vectors.length, vectors.length + settings.batchSize);
			vectors.push(...(await embedBatch(batch, vectors.length, signal)));
		}
		return vectors;
	}

	return {
		embed,
		async identity(options) {
			const known = dimensions ?? (await embed([PROBE_TEXT], options))[0]?.length;
			return { name: "openai-compatible", model: settings.model, dimensions: known as number };
		},
	};
}
