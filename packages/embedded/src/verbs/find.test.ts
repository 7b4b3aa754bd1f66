import assert from "node:assert/strict";
import { test } from "node:test";
import type { FilterNode } from "@nigh/contract";
import type { CollectionCore } from "../core.ts";
import type { Matches } from "../memory/searcher.ts";
import type { Checked } from "./check-request.ts";
import { find, type Question } from "./find.ts";
import type { SearchState } from "./search-state.ts";

const MATCHES: Matches = { bitmap: 64, count: 1, change: 4 };

/** A state whose filters are evaluated when the test says so, and which counts the searches. */
class SlowState {
	searches = 0;
	readonly evaluated = Promise.withResolvers<Matches | undefined>();
	readonly change = 4;
	readonly searcher = {
		area: { main: null },
		generation: { change: 4, labels: [70], idOf: () => "a" },
		bytesCompared: () => 1,
		slots: [0],
		distances: [2],
		unranked: new Uint32Array(0),
		way: "filtered-scan",
		ef: undefined,
		search: () => ++this.searches > 0,
	};

	async withMatches<T>(_node: FilterNode, use: (matches: Matches) => Promise<T>): Promise<T | undefined> {
		const matches = await this.evaluated.promise;
		return matches && use(matches);
	}

	words(): Promise<never> {
		return new Promise(() => {});
	}

	find(more: Partial<Checked>) {
		const core = { expire() {}, database: { view: "writer" } } as unknown as CollectionCore;
		const request = { k: 1, exact: false, recall: 0.95, minScore: -Infinity, maxDistance: Infinity, ...more };
		const question = { request, vector: Float32Array.of(1), start: performance.now() } as unknown as Question;
		return find(core, question, this as unknown as SearchState);
	}
}

const node = {} as FilterNode;

test("a filter that takes longer than the search may keeps nobody waiting, and is searched for nobody", async () => {
	const state = new SlowState();
	assert.equal(await state.find({ node, timeoutMs: 10 }), undefined);
	state.evaluated.resolve(MATCHES);
	await new Promise((resolve) => setImmediate(resolve));
	assert.equal(state.searches, 0);
});

test("a filter that is there in time is searched with, and one that cannot be lent answers at once", async () => {
	const [there, none] = [new SlowState(), new SlowState()];
	there.evaluated.resolve(MATCHES);
	const found = await there.find({ node, timeoutMs: 86_400_000 });
	assert.deepEqual(found?.ranked, [{ label: 70, id: "a", distance: 2 }]);
	assert.deepEqual([found?.matches, there.searches], [1, 1]);
	none.evaluated.resolve(undefined);
	assert.equal(await none.find({ node, timeoutMs: 86_400_000 }), undefined);
	assert.equal(none.searches, 0);
});

test("a filter that fails says so, in time; too late it is told to nobody", async () => {
	const [now, later] = [new SlowState(), new SlowState()];
	now.evaluated.reject(new Error("no disk"));
	await assert.rejects(now.find({ node, timeoutMs: 86_400_000 }), { message: "no disk" });
	assert.equal(await later.find({ node, timeoutMs: 10 }), undefined);
	later.evaluated.reject(new Error("no disk"));
	// One that nobody has handled would end the process.
	await new Promise((resolve) => setImmediate(resolve));
});

test("a signal ends the wait for a filter, and for words, with ABORTED; words wait no longer than the search may", async () => {
	const controller = new AbortController();
	const { signal } = controller;
	const state = new SlowState();
	const calls = [state.find({ node, signal }), new SlowState().find({ text: "words", signal })];
	controller.abort("enough");
	for (const call of calls) await assert.rejects(call, { code: "ABORTED" });
	state.evaluated.resolve(MATCHES);
	await new Promise((resolve) => setImmediate(resolve));
	assert.equal(state.searches, 0);
	assert.equal(await new SlowState().find({ text: "words", timeoutMs: 10 }), undefined);
});
