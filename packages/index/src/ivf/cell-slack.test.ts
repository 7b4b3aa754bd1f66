import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CELL, CELL_ROWS } from "@nigh/kernels";
import fc from "fast-check";
import { CellSlack } from "./cell-slack.ts";

describe("blocks that more rows may begin", () => {
	/** A cell table of cells with so many rows. */
	function slackOf(rows: readonly number[], removed: readonly number[] = []): CellSlack {
		const table = new Uint32Array((rows.length * CELL.bytes) / 4);
		rows.forEach((count, cell) => {
			table[(cell * CELL.bytes + CELL.rows) / 4] = count;
			table[(cell * CELL.bytes + CELL.removed) / 4] = removed[cell] ?? 0;
		});
		return new CellSlack(table, rows.length);
	}
	const blocksIn = (rows: readonly number[]) => rows.reduce((sum, count) => sum + Math.ceil(count / CELL_ROWS), 0);

	const cells = fc.array(fc.nat(100), { minLength: 1, maxLength: 4 });

	test("are as many as rows can begin that fall as ill as they may, and no more", () => {
		fc.assert(
			fc.property(fc.array(fc.nat(70), { minLength: 1, maxLength: 3 }), fc.nat(70), (rows, more) => {
				/** Every way in which rows may fall into cells from one on. */
				const worst = (cell: number, left: number): number => {
					const last = cell === rows.length - 1;
					let most = 0;
					for (let taken = last ? left : 0; taken <= left; taken++) {
						const count = rows[cell] as number;
						const begun = Math.ceil((count + taken) / CELL_ROWS) - Math.ceil(count / CELL_ROWS);
						most = Math.max(most, begun + (last ? 0 : worst(cell + 1, left - taken)));
					}
					return most;
				};
				assert.equal(slackOf(rows).blocksFor(more), worst(0, more));
			}),
			{ numRuns: 100 },
		);
	});

	test("stay within what was reserved, whichever cells rows fall into, and so does what is asked for on the way", () => {
		fc.assert(
			fc.property(cells, fc.array(fc.nat(3), { maxLength: 200 }), (before, falls) => {
				const rows = [...before];
				const reserved = blocksIn(rows) + slackOf(rows).blocksFor(falls.length);
				falls.forEach((fall, i) => {
					const cell = fall % rows.length;
					rows[cell] = (rows[cell] as number) + 1;
					assert.ok(blocksIn(rows) + slackOf(rows).blocksFor(falls.length - i - 1) <= reserved);
				});
			}),
		);
	});

	test("and rows that begin no more than so many are told by the same reckoning", () => {
		fc.assert(
			fc.property(cells, fc.nat(50), (rows, blocks) => {
				const slack = slackOf(rows);
				const within = slack.rowsWithin(blocks);
				assert.ok(slack.blocksFor(within) <= blocks);
				assert.equal(slack.blocksFor(within + 1), blocks + 1);
			}),
		);
	});

	test("do not depend on what was removed", () => {
		const slack = slackOf([40, 64], [10, 64]);
		assert.equal(slack.placed, 30);
		assert.equal(slack.blocksFor(1), 1);
		assert.equal(slackOf([40, 63]).blocksFor(1), 0);
	});
});
