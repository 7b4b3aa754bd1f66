import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LruCache } from "./lru-cache.ts";

const key = fc.constantFrom("a", "b", "c", "d", "e", "f");
const step = fc.oneof(
	fc.record({ verb: fc.constant("get" as const), key }),
	fc.record({ verb: fc.constant("set" as const), key, value: fc.integer() }),
);

test("the cache holds the entries used last, never more than its capacity", () => {
	fc.assert(
		fc.property(fc.integer({ min: 0, max: 4 }), fc.array(step, { maxLength: 60 }), (capacity, steps) => {
			const cache = new LruCache<number>(capacity);
			// The model: a plain list, used last at the end.
			let model: [key: string, value: number][] = [];
			for (const one of steps) {
				const known = model.find(([key]) => key === one.key);
				const others = model.filter((entry) => entry !== known);
				if (one.verb === "get") {
					assert.equal(cache.get(one.key), known?.[1]);
					if (known) model = [...others, known];
				} else {
					cache.set(one.key, one.value);
					model = capacity === 0 ? [] : [...others, [one.key, one.value] as [string, number]].slice(-capacity);
				}
				assert.equal(cache.size, model.length);
			}
			for (const [key, value] of model) assert.equal(cache.get(key), value);
		}),
	);
});
