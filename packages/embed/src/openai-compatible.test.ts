import assert from "node:assert/strict";
import { getEventListeners, once } from "node:events";
import { type TestContext, test } from "node:test";
import { inspect } from "node:util";
import { type ErrorCode, isNighError, type NighError } from "@nigh/contract";
import { embeddings, type Respond, startServer, status, TestClock, vectorFor } from "./local-server.test-support.ts";
import { openAICompatible } from "./openai-compatible.ts";
import type { OpenAICompatibleOptions } from "./openai-options.ts";

const KEY = "sk-very-secret-0123456789";

/** An embedder without jitter in front of a server with these answers. */
async function setUp(t: TestContext, options: Partial<OpenAICompatibleOptions>, ...responders: Respond[]) {
	const { baseUrl, requests } = await startServer(t, ...responders);
	const clock = new TestClock();
	const { timeoutMs } = clock;
	const all = { baseUrl, model: "small", apiKey: KEY, timeoutMs, clock, random: () => 0, ...options };
	return { embedder: openAICompatible(all), requests, clock, url: `${baseUrl}/embeddings` };
}

/** The error that a promise rejects with: a NighError of this code that shows no secret. */
async function failure(promise: Promise<unknown>, code: ErrorCode): Promise<NighError> {
	const error = await promise.then(
		() => assert.fail(`expected ${code}`),
		(reason: unknown) => reason,
	);
	assert.ok(isNighError(error, code), String(error));
	assert.ok(!inspect(error, { depth: 9, showHidden: true }).includes("very-secret"), "the key is shown");
	return error;
}

const floats = (texts: string[], dimensions = 3) => texts.map((text) => Float32Array.from(vectorFor(text, dimensions)));

test("texts go out in batches, with model and key, and come back in their order", async (t) => {
	const { embedder, requests } = await setUp(t, { batchSize: 3, headers: { "x-team": "search" } }, embeddings());
	const texts = ["a", "bb", "ccc", "dddd", "eeeee", "ffffff", "ggggggg"];
	assert.deepEqual(await embedder.embed(texts), floats(texts));
	assert.deepEqual(
		requests.map(({ body }) => body),
		[texts.slice(0, 3), texts.slice(3, 6), texts.slice(6)].map((input) => ({ model: "small", input })),
	);
	for (const { method, url, headers } of requests) {
		assert.deepEqual([method, url], ["POST", "/v1/embeddings"]);
		assert.equal(headers.authorization, `Bearer ${KEY}`);
		assert.equal(headers["content-type"], "application/json");
		assert.equal(headers["x-team"], "search");
	}
});

test("no text makes no request", async (t) => {
	const { embedder, requests } = await setUp(t, {}, embeddings());
	assert.deepEqual(await embedder.embed([]), []);
	assert.equal(requests.length, 0);
});

test("without a key no Authorization is sent", async (t) => {
	const { embedder, requests } = await setUp(t, { apiKey: undefined }, embeddings());
	await embedder.embed(["a"]);
	assert.equal(requests[0]?.headers.authorization, undefined);
});

test("the global fetch and the machine's clock serve where none is given", async (t) => {
	const { baseUrl } = await startServer(t, embeddings());
	assert.deepEqual(await openAICompatible({ baseUrl, model: "small" }).embed(["a"]), floats(["a"]));
});

test("identity asks the service once for the dimensions, and not at all after an answer", async (t) => {
	const { embedder, requests } = await setUp(t, {}, embeddings(5));
	const identity = { name: "openai-compatible", model: "small", dimensions: 5 };
	assert.deepEqual(await embedder.identity(), identity);
	assert.deepEqual(await embedder.identity(), identity);
	assert.equal(requests.length, 1);
	const second = await setUp(t, {}, embeddings(4));
	await second.embedder.embed(["a"]);
	assert.equal((await second.embedder.identity()).dimensions, 4);
	assert.equal(second.requests.length, 1);
});

test("dimensions that are given are asked for, known at once, and required", async (t) => {
	const { embedder, requests } = await setUp(t, { dimensions: 4, batchSize: 1 }, embeddings(4), embeddings(3));
	assert.equal((await embedder.identity()).dimensions, 4);
	assert.equal(requests.length, 0);
	const error = await failure(embedder.embed(["a", "b"]), "DIMENSION_MISMATCH");
	assert.deepEqual({ ...error.details }, { field: "dimensions", value: 3, bound: 4, row: 1 });
	assert.equal(requests[0]?.body.dimensions, 4);
});

test("an answer of other dimensions than the first is a DIMENSION_MISMATCH, and the first ones stay", async (t) => {
	const { embedder } = await setUp(t, {}, embeddings(3), embeddings(4), embeddings(3));
	await embedder.embed(["a"]);
	const error = await failure(embedder.embed(["b"]), "DIMENSION_MISMATCH");
	assert.deepEqual({ ...error.details }, { field: "dimensions", value: 4, bound: 3, row: 0 });
	assert.equal((await embedder.identity()).dimensions, 3);
	assert.deepEqual(await embedder.embed(["c"]), floats(["c"]));
});

test("base64 is asked for and understood", async (t) => {
	const { embedder, requests } = await setUp(t, { encodingFormat: "base64" }, (response, { body }) => {
		const pack = (text: string) => Buffer.from(Float32Array.from(vectorFor(text)).buffer).toString("base64");
		const data = body.input.map((text, index) => ({ index, embedding: pack(text) })).reverse();
		response.end(JSON.stringify({ data }));
	});
	assert.deepEqual(await embedder.embed(["a", "bb"]), floats(["a", "bb"]));
	assert.equal(requests[0]?.body.encoding_format, "base64");
});

test("an answer that cannot be used is UNAVAILABLE, names the row, and is not asked for again", async (t) => {
	const { embedder, requests } = await setUp(
		t,
		{ batchSize: 1 },
		embeddings(),
		status(200, { data: [{ embedding: [1, null, 3] }] }),
	);
	const error = await failure(embedder.embed(["a", "b"]), "UNAVAILABLE");
	assert.equal(error.details.row, 1);
	assert.equal(requests.length, 2);
});

test("408, 429, 5xx and broken connections are repeated, after waits that double", async (t) => {
	const { embedder, requests, clock } = await setUp(
		t,
		{ retries: 6 },
		status(429),
		status(500, "<html>"),
		(response) => response.destroy(),
		status(503),
		status(408),
		(response) => {
			response.writeHead(200, { "content-length": 1_000 });
			response.write('{"data":[', () => response.destroy());
		},
		embeddings(),
	);
	assert.deepEqual(await embedder.embed(["a"]), floats(["a"]));
	assert.equal(requests.length, 7);
	assert.deepEqual(clock.waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000]);
});

test("jitter comes from the random numbers given", async (t) => {
	const numbers = [0.5, 0.25];
	const { embedder, clock } = await setUp(
		t,
		{ random: () => numbers.shift() as number },
		status(500),
		status(500),
		embeddings(),
	);
	await embedder.embed(["a"]);
	assert.deepEqual(clock.waits, [375, 875]);
});

test("every batch has all its repetitions", async (t) => {
	const { embedder, clock } = await setUp(
		t,
		{ batchSize: 1, retries: 1 },
		status(500),
		embeddings(),
		status(500),
		embeddings(),
	);
	assert.deepEqual(await embedder.embed(["a", "b"]), floats(["a", "b"]));
	assert.deepEqual(clock.waits, [500, 500]);
});

test("Retry-After is honoured, in seconds and as a date", async (t) => {
	const { embedder, clock } = await setUp(
		t,
		{},
		status(429, {}, { "retry-after": "17" }),
		status(503, {}, { "retry-after": "Thu, 29 Feb 2024 12:01:00 GMT" }),
		status(503, {}, { "retry-after": "0" }),
		embeddings(),
	);
	await embedder.embed(["a"]);
	assert.deepEqual(clock.waits, [17_000, 60_000, 2_000]);
});

test("a Retry-After of more than two minutes is not waited for", async (t) => {
	const { embedder, clock, requests } = await setUp(t, {}, status(429, {}, { "retry-after": "121" }));
	const error = await failure(embedder.embed(["a"]), "UNAVAILABLE");
	assert.match(error.message, /wait 121 s/);
	assert.equal(error.details.retryAfterMs, 121_000);
	assert.deepEqual(clock.waits, []);
	assert.equal(requests.length, 1);
});

test("after the last repetition the error tells status, attempts and what the service said", async (t) => {
	const { embedder, requests, url } = await setUp(
		t,
		{ retries: 2 },
		status(503, { error: { message: "model\nis loading" } }),
	);
	const error = await failure(embedder.embed(["a"]), "UNAVAILABLE");
	assert.equal(requests.length, 3);
	assert.deepEqual({ ...error.details }, { url, attempts: 3, status: 503 });
	assert.match(error.message, /failed after 3 attempts: status 503 \(model is loading\)/);
	const none = await setUp(t, { retries: 0 }, status(500));
	assert.equal((await failure(none.embedder.embed(["a"]), "UNAVAILABLE")).details.attempts, 1);
});

test("a service that is not there is UNAVAILABLE with the system's code, and without what fetch knew", async (t) => {
	const cause = { code: "ECONNREFUSED", authorization: `Bearer ${KEY}` };
	const fetch = () => Promise.reject(new TypeError(`fetch failed for ${KEY}`, { cause }));
	const { embedder, clock } = await setUp(t, { retries: 1, fetch }, embeddings());
	const error = await failure(embedder.embed(["a"]), "UNAVAILABLE");
	assert.match(error.message, /2 attempts: fetch failed for \[secret\], ECONNREFUSED\. Check that the service runs/);
	assert.equal(error.details.status, undefined);
	assert.deepEqual(clock.waits, [500]);
});

const PERMANENT: readonly [code: number, field: string | undefined, says: RegExp, result?: ErrorCode][] = [
	[301, "baseUrl", /redirects/],
	[307, "baseUrl", /redirects/],
	[400, "model", /Check model, dimensions/],
	[401, "apiKey", /Check apiKey/],
	[403, "apiKey", /Check apiKey/],
	[404, "baseUrl", /Check baseUrl, which usually ends in \/v1/],
	[405, "baseUrl", /Check baseUrl/],
	[413, "batchSize", /Lower batchSize/],
	[422, "model", /Check model/],
	[402, undefined, /state of the service/, "UNAVAILABLE"],
];

for (const [code, field, says, result = "INVALID_OPTION"] of PERMANENT) {
	test(`status ${code} is not repeated, is ${result} and says what to check, without the key`, async (t) => {
		const { embedder, requests } = await setUp(
			t,
			{ headers: { "x-token": "token very-secret-too" } },
			(response, { headers }) => {
				const echo = { error: { message: `no: ${headers.authorization}, ${headers["x-token"]}, very-secret-too` } };
				response.writeHead(code, { location: "http://127.0.0.1:9/elsewhere" }).end(JSON.stringify(echo));
			},
		);
		const error = await failure(embedder.embed(["a"]), result);
		assert.match(error.message, says);
		assert.match(error.message, new RegExp(`status ${code} \\(no: Bearer \\[secret\\], \\[secret\\], \\[secret\\]\\)`));
		assert.equal(error.details.status, code);
		assert.equal(error.details.field, field);
		assert.equal(requests.length, 1);
	});
}

test("the messages of other services' error bodies are shown, those that are not JSON are not", async (t) => {
	const said: [body: unknown, shown: string][] = [
		[{ error: "model not found" }, "status 404 (model not found)."],
		[{ object: "error", message: "too long" }, "status 404 (too long)."],
		[{ detail: "Not Found" }, "status 404 (Not Found)."],
		[{ error: { message: "x".repeat(400) } }, `status 404 (${"x".repeat(300)}).`],
		["<html>", "status 404."],
		["null", "status 404."],
		[{ detail: [{ loc: 1 }] }, "status 404."],
	];
	const { embedder } = await setUp(t, {}, ...said.map(([body]) => status(404, body)));
	for (const [, shown] of said) {
		const error = await failure(embedder.embed(["a"]), "INVALID_OPTION");
		assert.ok(error.message.includes(shown), error.message);
	}
});

test("a secret that contains another one is hidden as a whole", async (t) => {
	const headers = { "x-part": "very-secret", "x-whole": "very-secret-and-more" };
	const { embedder } = await setUp(t, { headers }, status(401, { error: "unknown very-secret-and-more" }));
	assert.match((await failure(embedder.embed(["a"]), "INVALID_OPTION")).message, /\(unknown \[secret\]\)/);
});

test("a request over timeoutMs is given up and repeated, also when only the end of the answer is missing", async (t) => {
	const closed: Promise<unknown>[] = [];
	let expire = () => {};
	const { embedder, requests, clock } = await setUp(
		t,
		{},
		(response) => {
			closed.push(once(response, "close"));
			expire();
		},
		(response) => {
			closed.push(once(response, "close"));
			response.write('{"data":[', () => expire());
		},
		embeddings(),
	);
	expire = () => clock.expire();
	assert.deepEqual(await embedder.embed(["a"]), floats(["a"]));
	assert.equal(requests.length, 3);
	await Promise.all(closed);
});

test("requests that all time out are UNAVAILABLE and name timeoutMs", async (t) => {
	let expire = () => {};
	const { embedder, clock } = await setUp(t, { retries: 1 }, () => expire());
	expire = () => clock.expire();
	const error = await failure(embedder.embed(["a"]), "UNAVAILABLE");
	assert.match(error.message, /2 attempts: no complete answer within timeoutMs = 54321\./);
});

test("an aborted signal makes no request", async (t) => {
	const { embedder, requests } = await setUp(t, {}, embeddings());
	const signal = AbortSignal.abort("enough");
	assert.equal((await failure(embedder.embed(["a"], { signal }), "ABORTED")).cause, "enough");
	await failure(embedder.embed([], { signal }), "ABORTED");
	await failure(embedder.identity({ signal }), "ABORTED");
	assert.equal(requests.length, 0);
});

test("an abort during a request ends it, and nothing is repeated", async (t) => {
	const controller = new AbortController();
	let closed: Promise<unknown> | undefined;
	const { embedder, requests } = await setUp(t, {}, (response) => {
		closed = once(response, "close");
		controller.abort("enough");
	});
	const error = await failure(embedder.embed(["a"], { signal: controller.signal }), "ABORTED");
	assert.equal(error.cause, "enough");
	await closed;
	assert.equal(requests.length, 1);
});

test("an abort during a back-off ends it, and nothing is repeated", async (t) => {
	const controller = new AbortController();
	const { embedder, requests, clock } = await setUp(t, {}, status(500), embeddings());
	clock.onWait = () => controller.abort("enough");
	const error = await failure(embedder.embed(["a"], { signal: controller.signal }), "ABORTED");
	assert.equal(error.cause, "enough");
	assert.equal(requests.length, 1);
});

test("an abort between two batches keeps the second from being sent", async (t) => {
	const controller = new AbortController();
	const abortAfterAnswer = async (url: string, init: RequestInit) => {
		const body = await (await fetch(url, init)).text();
		controller.abort("enough");
		return new Response(body);
	};
	const { embedder, requests } = await setUp(t, { batchSize: 1, fetch: abortAfterAnswer }, embeddings());
	await failure(embedder.embed(["a", "b"], { signal: controller.signal }), "ABORTED");
	assert.equal(requests.length, 1);
});

test("no listener stays on the caller's signal, and no timer runs on", async (t) => {
	const { signal } = new AbortController();
	const { embedder, clock } = await setUp(t, { batchSize: 1, retries: 1 }, status(500), embeddings());
	await embedder.embed(["a", "b", "c"], { signal });
	assert.equal(getEventListeners(signal, "abort").length, 0);
	assert.equal(clock.running, 0);
});

test("what is not a string is refused with its row before any request", async (t) => {
	const { embedder, requests } = await setUp(t, {}, embeddings());
	assert.equal((await failure(embedder.embed(["a", 5 as never]), "INVALID_RECORD")).details.row, 1);
	assert.equal(requests.length, 0);
});

test("the embedder itself does not show the key", async (t) => {
	const { embedder } = await setUp(t, {}, embeddings());
	assert.ok(!inspect(embedder, { depth: 9, showHidden: true }).includes(KEY));
	assert.ok(!JSON.stringify(embedder).includes(KEY));
});

test("options are checked at once", () => {
	assert.throws(
		() => openAICompatible({ baseUrl: "nowhere", model: "small" }),
		(error) => isNighError(error, "INVALID_OPTION"),
	);
});
