import assert from "node:assert/strict";
import { test } from "node:test";
import { isNighError, NighError } from "@nigh/contract";
import { Arena, ArenaFullError, MAX_ARENA_BYTES } from "@nigh/kernels";
import { newArena, withinMemory } from "./within-memory.ts";

test("the arena's own error keeps its place as the cause, and what has a limit already keeps its own", () => {
	const full = new ArenaFullError(10, 20);
	assert.throws(
		() =>
			withinMemory(4, () => {
				throw full;
			}),
		(error) => isNighError(error, "MEMORY_LIMIT") && error.cause === full && error.message.includes("4 records"),
	);
	assert.equal(
		withinMemory(4, () => 5),
		5,
	);
});

test("an index that has no room is told with count and limit; what has a limit already, and every other error, stays as it is", () => {
	const told = (error: Error) => {
		try {
			return withinMemory(4, () => {
				throw error;
			});
		} catch (each) {
			return each;
		}
	};
	const ofIndex = new NighError("MEMORY_LIMIT", "no room for 7 vectors", { requestedBytes: 5 });
	const given = told(ofIndex);
	assert.ok(isNighError(given, "MEMORY_LIMIT"));
	assert.deepEqual(given.details, { count: 4, limit: MAX_ARENA_BYTES });
	assert.match(given.message, /no room for 7 vectors/);
	for (const error of [
		new NighError("MEMORY_LIMIT", "no", { count: 1, limit: 2 }),
		new NighError("CLOSED", "closed"),
		new RangeError("an offset"),
	]) {
		assert.equal(told(error), error);
	}
});

test("a memory that the system has no room for is MEMORY_LIMIT", (t) => {
	assert.ok(newArena({ shared: false }) instanceof Arena);
	t.mock.method(WebAssembly, "Memory", function fail() {
		throw new RangeError("WebAssembly.Memory(): could not allocate memory");
	});
	const refused = (error: unknown) => isNighError(error, "MEMORY_LIMIT") && error.cause instanceof RangeError;
	assert.throws(() => newArena({ shared: true }), refused);
	assert.throws(
		() => withinMemory(3, () => newArena({ shared: true })),
		(error) =>
			isNighError(error, "MEMORY_LIMIT") && error.details.count === 3 && error.details.limit === MAX_ARENA_BYTES,
	);
});
