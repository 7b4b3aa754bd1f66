import assert from "node:assert/strict";

/** |value / expected - 1| is at most so much; where 0 is expected, |value| is. */
export function assertNear(value: number, expected: number, relative: number, what = ""): void {
	const error = Math.abs(value - expected) / (Math.abs(expected) || 1);
	assert.ok(error <= relative, `${what} ${value}, not ${expected}: off by ${error}`);
}
