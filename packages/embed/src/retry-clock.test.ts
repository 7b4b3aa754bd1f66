import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { systemClock } from "./retry-clock.ts";

test("sleep ends at once when its signal is raised, before or during it, and leaves nothing behind", async () => {
	await systemClock.sleep(600_000, AbortSignal.abort());
	const controller = new AbortController();
	const sleeping = systemClock.sleep(600_000, controller.signal);
	controller.abort();
	await sleeping;
	assert.equal(getEventListeners(controller.signal, "abort").length, 0);
});

test("sleep ends by itself and leaves nothing behind", async (t) => {
	t.mock.timers.enable({ apis: ["setTimeout"] });
	const { signal } = new AbortController();
	let awake = false;
	const sleeping = systemClock.sleep(5_000, signal).then(() => {
		awake = true;
	});
	t.mock.timers.tick(4_999);
	await Promise.resolve();
	assert.equal(awake, false);
	t.mock.timers.tick(1);
	await sleeping;
	assert.equal(getEventListeners(signal, "abort").length, 0);
});

test("now is the time of the machine", () => {
	const before = Date.now();
	const now = systemClock.now();
	assert.ok(before <= now && now <= Date.now());
});
