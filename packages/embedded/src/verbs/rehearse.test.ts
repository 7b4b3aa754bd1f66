import assert from "node:assert/strict";
import { test } from "node:test";
import { NighError } from "@nigh/contract";
import type { CollectionCore } from "../core.ts";
import { coreOf } from "./core.test-support.ts";
import { rehearse } from "./rehearse.ts";

/** A collection of `rows` rows whose searches fail; returns the vectors that were searched for. */
function breakSearches(core: CollectionCore, rows: number): unknown[] {
	const asked: unknown[] = [];
	const value = {
		generation: { change: 0, expire() {} },
		area: { main: null },
		bytesCompared: () => rows * 1_024,
		search({ vector }: { readonly vector: unknown }) {
			asked.push(vector);
			throw new Error("no memory");
		},
	};
	Object.defineProperty(core, "searcher", { value });
	return asked;
}

test("a rehearsal searches, and keeps to itself what goes wrong", async () => {
	const floats = await coreOf({ metric: "cosine", dimensions: 3 });
	const ofFloats = breakSearches(floats, 10);
	await rehearse(floats);
	assert.deepEqual(ofFloats, [new Float32Array(3)]);
	const bits = await coreOf({ type: "bit", dimensions: 16 });
	const ofBits = breakSearches(bits, 10);
	await rehearse(bits);
	assert.deepEqual(ofBits, [new Uint8Array(2)]);
});

test("a rehearsal in a state that does not come ends soon, and one of a collection that is closed does not begin", async () => {
	const core = await coreOf({ metric: "l2", dimensions: 3 });
	const asked = breakSearches(core, 10);
	// What is committed is never shown.
	Object.defineProperty(core.database, "view", { value: "shared" });
	Object.defineProperty(core.database, "records", { value: { state: () => ({ change: 1 }) } });
	await rehearse(core);
	assert.deepEqual(asked, []);
	const closed = await coreOf({ metric: "l2", dimensions: 3 });
	const ofClosed = breakSearches(closed, 10);
	await closed.close(new NighError("CLOSED", "closed"));
	await rehearse(closed);
	assert.deepEqual(ofClosed, []);
});

test("what another thread would have to search is not rehearsed, nor where there are no vectors", async () => {
	const large = await coreOf({ metric: "l2", dimensions: 3 });
	const asked = breakSearches(large, 1_000_000);
	await rehearse(large);
	assert.deepEqual(asked, []);
	await rehearse(await coreOf({ metric: "l2", dimensions: 3 }));
});
