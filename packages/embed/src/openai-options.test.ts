import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { isNighError } from "@nigh/contract";
import { checkOpenAIOptions, type OpenAICompatibleOptions } from "./openai-options.ts";
import { systemClock } from "./retry-clock.ts";

const KEY = "sk-very-secret-0123456789";
const good = { baseUrl: "https://api.example.com/v1", model: "small" };

function refused(field: string, options: unknown, says = /./): void {
	assert.throws(
		() => checkOpenAIOptions(options as OpenAICompatibleOptions),
		(error) => {
			assert.ok(isNighError(error, "INVALID_OPTION"));
			assert.equal(error.details.field, field);
			assert.match(error.message, says);
			assert.ok(!inspect(error, { depth: 9, showHidden: true }).includes(KEY), "the key is shown");
			return true;
		},
	);
}

test("requests go to {baseUrl}/embeddings, with the query kept and not shown", () => {
	const urls = (baseUrl: string) => {
		const { url, shownUrl } = checkOpenAIOptions({ ...good, baseUrl });
		return [url, shownUrl];
	};
	const plain = "https://api.example.com/v1/embeddings";
	assert.deepEqual(urls("https://api.example.com/v1"), [plain, plain]);
	assert.deepEqual(urls("https://api.example.com/v1//"), [plain, plain]);
	assert.deepEqual(urls("http://127.0.0.1:8080"), [
		"http://127.0.0.1:8080/embeddings",
		"http://127.0.0.1:8080/embeddings",
	]);
	assert.deepEqual(urls("https://api.example.com/v1/?key=1#top"), [`${plain}?key=1`, plain]);
});

test("what is left out gets its default", () => {
	const settings = checkOpenAIOptions(good);
	assert.equal(settings.batchSize, 64);
	assert.equal(settings.timeoutMs, 30_000);
	assert.equal(settings.retries, 4);
	assert.equal(settings.dimensions, undefined);
	assert.equal(settings.encodingFormat, undefined);
	assert.equal(settings.clock, systemClock);
	assert.deepEqual([...settings.headers], [["content-type", "application/json"]]);
});

test("the key and own headers are sent", () => {
	const { headers } = checkOpenAIOptions({ ...good, apiKey: KEY, headers: { "X-Team": "search" } });
	assert.equal(headers.get("authorization"), `Bearer ${KEY}`);
	assert.equal(headers.get("x-team"), "search");
	const own = checkOpenAIOptions({ ...good, headers: { Authorization: `Basic ${KEY}` } });
	assert.equal(own.headers.get("authorization"), `Basic ${KEY}`);
});

test("numbers are taken up to their bounds and refused beyond", () => {
	const BOUNDS = { dimensions: [1, 16_384], batchSize: [1, 2_048], timeoutMs: [1, 600_000], retries: [0, 10] } as const;
	for (const [field, [min, max]] of Object.entries(BOUNDS)) {
		for (const value of [min, max]) {
			assert.equal(checkOpenAIOptions({ ...good, [field]: value })[field as keyof typeof BOUNDS], value);
		}
		for (const value of [min - 1, max + 1, min + 0.5, Number.NaN, String(min), null]) {
			refused(field, { ...good, [field]: value });
		}
	}
});

test("every other option is refused where it is of no use, without showing a key", () => {
	refused("options", undefined, /baseUrl and model/);
	refused("options", KEY, /baseUrl and model/);
	refused("openAICompatible", null);
	refused("batchsize", { ...good, batchsize: 5 }, /batchSize/);
	for (const baseUrl of [undefined, "", KEY, "api.example.com/v1", "ftp://api.example.com", 5]) {
		refused("baseUrl", { ...good, baseUrl }, /absolute http or https/);
	}
	refused("baseUrl", { ...good, baseUrl: `https://user:${KEY}@api.example.com/v1` }, /user name or password/);
	for (const model of [undefined, "", 5]) refused("model", { ...good, model });
	for (const apiKey of ["", `${KEY}\n`, `${KEY} x`, `${KEY}é`, 5]) refused("apiKey", { ...good, apiKey });
	for (const value of [`${KEY}\nx-injected: 1`, `${KEY}東`, 5, undefined]) {
		refused("headers", { ...good, headers: { "x-ok": "fine", "x-key": value } }, /Entry 2/);
	}
	refused("headers", { ...good, headers: { [`x ${KEY}`]: "value" } }, /Entry 1/);
	refused("headers", { ...good, headers: "x-key: 5" });
	refused("headers", { ...good, headers: null });
	refused("headers", { ...good, headers: { "Content-Type": "text/plain" } }, /Content-Type/);
	refused("headers", { ...good, apiKey: KEY, headers: { authorization: "Basic x" } }, /authorization/);
	refused("encodingFormat", { ...good, encodingFormat: "int8" });
	refused("fetch", { ...good, fetch: "node-fetch" });
	refused("random", { ...good, random: 0.5 });
	refused("clock", { ...good, clock: { now: Date.now } });
	refused("clock", { ...good, clock: null });
});
