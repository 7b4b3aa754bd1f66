import { checkBound, checkOptions, NighError } from "@nigh/contract";
import { OPENAI_COMPATIBLE } from "./parameters.ts";
import { type RetryClock, systemClock } from "./retry-clock.ts";

/** The part of the standard `fetch` that is used. Has to reject when `init.signal` is raised. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface OpenAICompatibleOptions {
	/**
	 * Where the API stands, http or https; requests go to `{baseUrl}/embeddings`, so it usually ends in `/v1`. A query
	 * (`?api-version=...`) is kept.
	 */
	readonly baseUrl: string;
	/** The name of the model as the service knows it. */
	readonly model: string;
	/** Sent as `Authorization: Bearer ...`. Never part of an error or of the embedder's visible state. Default: none. */
	readonly apiKey?: string;
	/** Sent with every request, for services that want another header than `Authorization`. Kept as secret as the key. */
	readonly headers?: Readonly<Record<string, string>>;
	/**
	 * Length of the vectors, 1 to 16,384: asked of the service, and every answer must have it. Not every service or model
	 * allows the choice. Default: what the first answer has.
	 */
	readonly dimensions?: number;
	/** `"base64"` asks for a third of the bytes, from services that offer it. Either form is understood. Default: not asked for. */
	readonly encodingFormat?: "float" | "base64";
	/** Texts in one request, 1 to 2,048; default 64. More are faster until the service's own limit refuses them. */
	readonly batchSize?: number;
	/** Milliseconds for one request, its answer included, 1 to 600,000; default 30,000. A request that takes longer is repeated. */
	readonly timeoutMs?: number;
	/** Repetitions of a failed request, 0 to 10; default 4, which waits 7.5 s in all at most unless the service asks for more. */
	readonly retries?: number;
	/** Default: the global `fetch`. */
	readonly fetch?: Fetch;
	/** Who waits, for tests. Default: the clock of the machine. */
	readonly clock?: RetryClock;
	/** 0 inclusive to 1 exclusive: the jitter of the back-off. Default: `Math.random`. */
	readonly random?: () => number;
}

/** The options, checked and with every default filled in. */
export interface OpenAISettings {
	/** The whole address of the endpoint. */
	readonly url: string;
	/** The address as errors may show it: without the query, which can hold a key. */
	readonly shownUrl: string;
	readonly model: string;
	readonly headers: Headers;
	/** What no error may show. */
	readonly secrets: readonly string[];
	readonly dimensions: number | undefined;
	readonly encodingFormat: "float" | "base64" | undefined;
	readonly batchSize: number;
	readonly timeoutMs: number;
	readonly retries: number;
	readonly fetch: Fetch;
	readonly clock: RetryClock;
	readonly random: () => number;
}

const OPTION_NAMES: readonly (keyof OpenAICompatibleOptions)[] = [
	"baseUrl",
	"model",
	"apiKey",
	"headers",
	"dimensions",
	"encodingFormat",
	"batchSize",
	"timeoutMs",
	"retries",
	"fetch",
	"clock",
	"random",
];

/** Shorter header values ("1", "true") are words that messages need, not secrets. */
const SHORTEST_SECRET = 6;

/**
 * Throws `INVALID_OPTION` for what is missing, unknown or outside its bounds. No message shows the value of `apiKey`,
 * `headers` or `baseUrl`, in which a key may stand, if only by mistake.
 */
export function checkOpenAIOptions(options: OpenAICompatibleOptions): OpenAISettings {
	// checkOptions would show a string, which could be the key.
	if (typeof options === "object") checkOptions(options, OPTION_NAMES, "openAICompatible");
	else throw invalid("options", "The argument of openAICompatible must be an object with baseUrl and model.");
	if (options.dimensions !== undefined) checkBound("dimensions", options.dimensions, OPENAI_COMPATIBLE.dimensions);
	if (typeof options.model !== "string" || options.model === "") {
		throw invalid("model", "model must be the name of an embedding model: a string that is not empty.");
	}
	const url = endpointOf(options.baseUrl);
	return {
		url: url.href,
		shownUrl: url.origin + url.pathname,
		model: options.model,
		...checkHeaders(options),
		dimensions: options.dimensions,
		encodingFormat: checkEncodingFormat(options.encodingFormat),
		batchSize: checkNumber("batchSize", options),
		timeoutMs: checkNumber("timeoutMs", options),
		retries: checkNumber("retries", options),
		// Looked up at each call, and called on the global object as browsers demand.
		fetch: checkFunction("fetch", options.fetch) ?? ((input, init) => globalThis.fetch(input, init)),
		clock: checkClock(options.clock),
		random: checkFunction("random", options.random) ?? Math.random,
	};
}

function checkNumber(field: "batchSize" | "timeoutMs" | "retries", options: OpenAICompatibleOptions): number {
	const bound = OPENAI_COMPATIBLE[field];
	const value = options[field];
	return value === undefined ? bound.default : checkBound(field, value, bound);
}

function endpointOf(baseUrl: unknown): URL {
	const url = typeof baseUrl === "string" ? URL.parse(baseUrl) : null;
	if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
		throw invalid("baseUrl", 'baseUrl must be an absolute http or https URL such as "http://127.0.0.1:11434/v1".');
	}
	if (url.username !== "" || url.password !== "") {
		throw invalid("baseUrl", "baseUrl must not hold a user name or password; put credentials into apiKey or headers.");
	}
	url.hash = "";
	url.pathname = `${url.pathname.replace(/\/+$/, "")}/embeddings`;
	return url;
}

function checkHeaders({ apiKey, headers: given }: OpenAICompatibleOptions): { headers: Headers; secrets: string[] } {
	if (apiKey !== undefined && (typeof apiKey !== "string" || !/^[\x21-\x7e]+$/.test(apiKey))) {
		throw invalid(
			"apiKey",
			"apiKey must be a string of visible ASCII characters: not empty, no spaces or line ends. Leave it out where none is needed.",
		);
	}
	if (given !== undefined && (typeof given !== "object" || given === null)) {
		throw invalid("headers", "headers must be an object of names and values.");
	}
	const headers = new Headers();
	const secrets: string[] = [];
	for (const [at, [name, value]] of Object.entries(given ?? {}).entries()) {
		if (/^content-type$/i.test(name) || (apiKey !== undefined && /^authorization$/i.test(name))) {
			throw invalid("headers", `headers must not hold ${name}: it is set by the embedder.`);
		}
		if (!isSet(headers, name, value)) {
			throw invalid(
				"headers",
				`Entry ${at + 1} of headers is not the name and the value (a string) of an HTTP header.`,
			);
		}
		secrets.push(...[value.trim(), ...value.split(/[\s,;=]+/)].filter((part) => part.length >= SHORTEST_SECRET));
	}
	headers.set("content-type", "application/json");
	if (apiKey !== undefined) {
		headers.set("authorization", `Bearer ${apiKey}`);
		secrets.push(apiKey);
	}
	// The longest first, since one can be a part of another.
	return { headers, secrets: secrets.sort((a, b) => b.length - a.length) };
}

function isSet(headers: Headers, name: string, value: unknown): value is string {
	if (typeof value !== "string") return false;
	try {
		headers.set(name, value);
		return true;
	} catch {
		// Not passed on: the platform's error quotes the value.
		return false;
	}
}

function checkEncodingFormat(value: unknown): "float" | "base64" | undefined {
	if (value === undefined || value === "float" || value === "base64") return value;
	throw invalid("encodingFormat", 'encodingFormat must be "float" or "base64", or be left out.');
}

function checkFunction<Value>(field: string, value: Value): Value {
	if (value === undefined || typeof value === "function") return value;
	throw invalid(field, `${field} must be a function, or be left out.`);
}

function checkClock(clock: RetryClock | undefined): RetryClock {
	if (clock === undefined) return systemClock;
	if (typeof clock?.now === "function" && typeof clock.sleep === "function") return clock;
	throw invalid("clock", "clock must have the functions now and sleep, or be left out.");
}

function invalid(field: string, message: string): NighError {
	return new NighError("INVALID_OPTION", message, { field });
}
