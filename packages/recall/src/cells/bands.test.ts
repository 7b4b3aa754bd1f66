import assert from "node:assert/strict";
import { test } from "node:test";
import { K_BANDS, kBandsFor, selectivityBand, sharesOf, UNFILTERED } from "./bands.ts";

test("a k has its own band, or those on both sides of it", () => {
	for (let k = 1; k <= 4_000; k++) {
		const bands = kBandsFor(k);
		if (K_BANDS.includes(k)) assert.deepEqual(bands, [k]);
		else {
			const below = Math.max(...K_BANDS.filter((band) => band < k));
			const above = Math.min(...K_BANDS.filter((band) => band > k));
			assert.deepEqual(bands, [below, above]);
		}
	}
	assert.throws(() => kBandsFor(4_001), /no band of k reaches 4001/);
});

test("bands of selectivity lie side by side, and every share is in the band that says so", () => {
	const last = selectivityBand(0);
	for (let band = 0; band <= last; band++) {
		const { from, to } = sharesOf(band);
		assert.equal(selectivityBand(from), band);
		if (band > 0) assert.equal(selectivityBand(to), band - 1);
		assert.equal(selectivityBand((from + to) / 2), band);
	}
	assert.equal(sharesOf(0).to, 1);
	assert.equal(sharesOf(last).from, 0);
	assert.equal(selectivityBand(1), 0);
});

test("no filter is a band of its own, which no share is in: not that of no records either", () => {
	assert.equal(selectivityBand(undefined), UNFILTERED);
	assert.deepEqual(sharesOf(UNFILTERED), { from: 1, to: 1 });
	assert.equal(selectivityBand(0 / 0), selectivityBand(0));
});
