import assert from "node:assert/strict";
import { isNighError, type NighError } from "@nigh/contract";

/** The error that a call fails with, which must be a NighError of this code. */
export function refusal(code: string, call: () => unknown): NighError {
	let caught: unknown;
	try {
		call();
	} catch (error) {
		caught = error;
	}
	return checkRefusal(code, caught);
}

/** The same for what is answered later. */
export async function rejection(code: string, promise: Promise<unknown>): Promise<NighError> {
	return checkRefusal(
		code,
		await promise.then(
			() => undefined,
			(error: unknown) => error,
		),
	);
}

function checkRefusal(code: string, caught: unknown): NighError {
	assert.ok(isNighError(caught), `expected ${code}, not ${caught instanceof Error ? caught.stack : caught}`);
	assert.equal(caught.code, code, caught.message);
	return caught;
}
