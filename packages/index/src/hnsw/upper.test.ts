import assert from "node:assert/strict";
import { test } from "node:test";
import { Arena, FREE_LEVEL } from "@nigh/kernels";
import fc from "fast-check";
import { UpperRecords } from "./upper.ts";

const M = 3;
const NODES = 40;

/** A node gets a level; one that has a level already is removed first. Level 0 takes no records. */
const STEP = fc.record({ node: fc.nat({ max: NODES - 1 }), level: fc.nat({ max: 6 }), pack: fc.nat({ max: 20 }) });

test("records are given out once, kept while their node is there, and given again from the first gap that is long enough", () => {
	const arena = new Arena();
	fc.assert(
		fc.property(fc.array(STEP, { maxLength: 80 }), (steps) => {
			const records = new UpperRecords(arena, M);
			const levels = new Uint8Array(NODES).fill(FREE_LEVEL);
			const upperOf = new Uint32Array(NODES);
			/** The word that a node has written into a record of its own. */
			const wordOf = (node: number, record: number) =>
				arena.u32(records.address + ((upperOf[node] as number) + record) * records.stride, 1);
			const owners = () => {
				const owner = new Map<number, number>();
				levels.forEach((level, node) => {
					if (level === FREE_LEVEL) return;
					for (let i = 0; i < level; i++) {
						const record = (upperOf[node] as number) + i;
						assert.ok(!owner.has(record) && record < records.used, `record ${record} of node ${node}`);
						owner.set(record, node);
						assert.equal(wordOf(node, i)[0], 100 * node + i);
					}
				});
				return owner;
			};
			for (const { node, level, pack } of steps) {
				if (levels[node] !== FREE_LEVEL) {
					levels[node] = FREE_LEVEL;
					records.findGaps(levels, upperOf);
					assert.equal(records.used, Math.max(0, ...[...owners().keys()].map((record) => record + 1)));
				}
				if (level > 0) {
					const taken = owners();
					let first = 0;
					while (Array.from({ length: level }, (_, i) => first + i).some((record) => taken.has(record))) first++;
					upperOf[node] = records.take(level);
					assert.equal(upperOf[node], first);
				}
				levels[node] = level;
				for (let i = 0; i < level; i++) wordOf(node, i)[0] = 100 * node + i;
				if (pack === 0) {
					records.pack(levels, upperOf);
					assert.equal(records.used, owners().size);
				}
				owners();
			}
			records.dispose();
			assert.equal(arena.usedBytes, 0);
		}),
		{ numRuns: 200 },
	);
});
