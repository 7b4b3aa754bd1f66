import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { isNighError } from "@nigh/contract";
import type { CollectionCore } from "../core.ts";
import { inSomeState, type SearchState } from "./search-state.ts";

/** What is committed; the memory has less of it at first. */
const COMMITTED = 6;

/** A collection whose records are ahead of its memory, and the thread that holds their state. */
class Behind {
	readonly generation = { change: COMMITTED - 1, slotEnd: 10, handle: { number: 1 } };
	readonly searcher = { generation: this.generation };
	readonly writer: { failure: Error | undefined } = { failure: undefined };
	readonly key = 1;
	isWaiting = false;
	holds = 0;
	releases = 0;
	/** Done at each hold before it is answered. */
	onHold: () => unknown = () => {};
	readonly database = { view: "writer", threads: { reader: this, writer: this.writer } };

	async call(method: string): Promise<number | undefined> {
		if (method === "release") this.releases++;
		if (method !== "hold") return undefined;
		this.holds++;
		await this.onHold();
		return COMMITTED;
	}

	/** A search that only a held state answers. */
	search(
		left: (waitedMs: number) => number = () => Number.POSITIVE_INFINITY,
		signal?: AbortSignal,
	): Promise<string | undefined> {
		const use = async (state: SearchState | undefined) => (state?.change === COMMITTED ? "found" : undefined);
		return inSomeState(this as unknown as CollectionCore, { signal, left }, use);
	}

	show(): void {
		this.generation.change = COMMITTED;
	}
}

/** A clock that goes on by half a second whenever somebody looks at it. */
function fastClock(t: TestContext): void {
	let clock = performance.now();
	t.mock.method(performance, "now", () => {
		clock += 500;
		return clock;
	});
}

/** ms of waiting, as the search counts them. */
const SHORTLY = (waitedMs: number) => 20 - waitedMs;

test("a search whose time runs out while a state is held for it ends then, and lets the state go", async () => {
	const behind = new Behind();
	assert.equal(await behind.search(SHORTLY), undefined);
	assert.deepEqual([behind.holds, behind.releases], [1, 1]);
});

test("a search whose time runs out while it waits for its turn ends then, and its turn goes to the next", async () => {
	const behind = new Behind();
	const turn = Promise.withResolvers<void>();
	behind.onHold = () => turn.promise;
	behind.show();
	assert.equal(await behind.search(SHORTLY), undefined);
	assert.deepEqual([behind.holds, behind.releases], [1, 0]);
	turn.resolve();
	assert.equal(await behind.search(), "found");
	assert.deepEqual([behind.holds, behind.releases], [2, 2]);
});

test("a signal ends a search that waits for its turn, and its turn goes to the next", async () => {
	const behind = new Behind();
	const turn = Promise.withResolvers<void>();
	const controller = new AbortController();
	behind.onHold = () => {
		controller.abort("enough");
		return turn.promise;
	};
	const call = behind.search(undefined, controller.signal);
	await assert.rejects(call, (error) => isNighError(error, "ABORTED") && error.cause === "enough");
	behind.onHold = () => {};
	behind.show();
	turn.resolve();
	assert.equal(await behind.search(), "found");
	assert.deepEqual([behind.holds, behind.releases], [2, 2]);
});

test("what the first state answers is answered, whatever the time; what a search takes itself is not waiting", async (t) => {
	fastClock(t);
	const core = new Behind() as unknown as CollectionCore;
	const patience = { signal: undefined, left: () => 0 };
	assert.equal(await inSomeState(core, patience, async () => "found"), "found");
	const waits: number[] = [];
	const result = await inSomeState(
		core,
		{ signal: undefined, left: (waitedMs) => 86_400_000 - waitedMs },
		async (_, ms) => {
			waits.push(ms);
			for (let i = 0; i < 1_000; i++) performance.now();
			return waits.length === 3 ? "found" : undefined;
		},
	);
	assert.equal(result, "found");
	assert.ok(
		waits.every((ms) => ms < 100_000),
		`waited ${waits} ms beside searches that took 500,000`,
	);
});

const EXPLAINED: Readonly<Record<string, (behind: Behind, isGoingOn: boolean) => void>> = {
	"writers wait for room": (behind, isGoingOn) => {
		behind.isWaiting = isGoingOn;
	},
	"more comes into the memory": ({ generation }, isGoingOn) => {
		if (isGoingOn) generation.slotEnd++;
	},
};

for (const [what, goOn] of Object.entries(EXPLAINED)) {
	test(`as long as ${what} a search goes on waiting, and is answered in the end`, async (t) => {
		fastClock(t);
		const behind = new Behind();
		behind.onHold = () => {
			goOn(behind, true);
			if (behind.holds === 60) behind.show();
		};
		assert.equal(await behind.search(), "found");
		assert.deepEqual([behind.holds, behind.releases], [60, 60]);
	});

	test(`when ${what} no longer and nothing is shown, a search says so`, async (t) => {
		fastClock(t);
		const behind = new Behind();
		behind.onHold = () => goOn(behind, behind.holds < 60);
		await assert.rejects(behind.search(), { code: "UNAVAILABLE" });
		assert.ok(behind.holds > 60, `${behind.holds} states were held`);
		assert.equal(behind.releases, behind.holds);
	});
}

test("where nothing explains it, or the writer has ended, a search does not wait for ever", async (t) => {
	fastClock(t);
	for (const failure of [undefined, new Error("the writer has ended")]) {
		const behind = new Behind();
		behind.writer.failure = failure;
		behind.isWaiting = failure !== undefined;
		await assert.rejects(behind.search(), { code: "UNAVAILABLE" });
	}
});
