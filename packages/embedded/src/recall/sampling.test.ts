import assert from "node:assert/strict";
import { test } from "node:test";
import { kBandsFor, randomFrom } from "@nigh/recall";
import type { Audit, DrawnQuery } from "./queries.ts";
import { AUDIT_SHARE, QUERIES_KEPT, Sampling } from "./sampling.ts";

function heard() {
	const queries: DrawnQuery[] = [];
	const audits: Audit[] = [];
	const sink = {
		queries: (some: readonly DrawnQuery[]) => void queries.push(...some),
		audit: (audit: Audit) => void audits.push(audit),
	};
	return { queries, audits, sink };
}

const about = { node: undefined, share: undefined, target: 0.95 };

test("of what is asked of a cell every search is as likely to be kept, whatever its k", () => {
	const { queries, sink } = heard();
	const sampling = new Sampling(sink, randomFrom(11));
	// Ten times as many for k = 10 as for k = 7, in turn.
	const n = 60_000;
	for (let i = 0; i < n; i++) sampling.offer({ ...about, k: i % 11 === 0 ? 7 : 10 }, Float32Array.of(i));
	sampling.flush();
	const inTen = queries.filter(({ bands }) => bands.includes(10));
	const rare = inTen.filter(({ k }) => k === 7).length;
	// Of the band's own stream each is drawn with 4,000 / its number.
	const expected = QUERIES_KEPT * (1 + Math.log(n / QUERIES_KEPT));
	assert.ok(Math.abs(inTen.length - expected) < 5 * Math.sqrt(expected), `${inTen.length} of ${expected}`);
	const share = inTen.length / 11;
	assert.ok(Math.abs(rare - share) < 5 * Math.sqrt(share), `${rare} of ${share}`);
	for (const { k, bands } of queries) for (const band of bands) assert.ok(kBandsFor(k).includes(band));
});

test("each band of selectivity has a coin of its own", () => {
	const { queries, sink } = heard();
	const sampling = new Sampling(sink, randomFrom(12));
	for (let i = 0; i < 20_000; i++) sampling.offer({ ...about, k: 10 }, Float32Array.of(i));
	sampling.flush();
	const before = queries.length;
	for (let i = 0; i < 100; i++) sampling.offer({ ...about, k: 10, share: 0.3 }, Float32Array.of(i));
	sampling.flush();
	assert.equal(queries.length - before, 100);
});

test("what is kept is a copy", () => {
	const { queries, sink } = heard();
	const sampling = new Sampling(sink, randomFrom(1));
	const vector = Float32Array.of(1, 2);
	sampling.offer({ ...about, k: 10 }, vector);
	vector.fill(9);
	sampling.flush();
	assert.deepEqual(queries[0]?.vector, Float32Array.of(1, 2));
});

test("after a purge all that come are wanted again, and what waited is not handed over", () => {
	const { queries, sink } = heard();
	const sampling = new Sampling(sink, randomFrom(13));
	for (let i = 0; i < 30_000; i++) sampling.offer({ ...about, k: 10 }, Float32Array.of(i));
	sampling.flush();
	sampling.offer({ ...about, k: 1 }, Float32Array.of(-1));
	sampling.restart();
	queries.length = 0;
	sampling.flush();
	assert.deepEqual(queries, []);
	for (let i = 0; i < 500; i++) sampling.offer({ ...about, k: 10 }, Float32Array.of(i));
	sampling.flush();
	assert.equal(queries.length, 500);
});

test("where nobody examines nothing is drawn", () => {
	const sampling = new Sampling(undefined, randomFrom(1));
	sampling.offer({ ...about, k: 10 }, Float32Array.of(1));
	assert.equal(sampling.tossForAudit(1), false);
});

test("audits take no more than their share of a core, whatever they take and however many searches there are", () => {
	for (const [perSecond, auditMs] of [
		[10, 0],
		[1_000, 0],
		[1_000, 2],
		[5_000, 40],
		[200, 0.5],
	] as const) {
		const sampling = new Sampling(heard().sink, randomFrom(perSecond + auditMs));
		sampling.auditMs = auditMs;
		let drawn = 0;
		const seconds = 60;
		for (let i = 0; i < perSecond * seconds; i++) {
			if (sampling.tossForAudit(1_000 + (i * 1_000) / perSecond) && i >= perSecond) drawn++;
		}
		const most = (AUDIT_SHARE * 1_000 * (seconds - 1)) / (auditMs || 5);
		const expected = Math.min(most, perSecond * (seconds - 1));
		assert.ok(
			Math.abs(drawn - expected) < 5 * Math.sqrt(expected) + 0.01 * expected,
			`${perSecond}: ${drawn} of ${expected}`,
		);
	}
});

test("a burst in the first second is not audited as if it were a trickle", () => {
	const sampling = new Sampling(heard().sink, randomFrom(5));
	let drawn = 0;
	for (let i = 0; i < 10_000; i++) if (sampling.tossForAudit(1)) drawn++;
	// 4 (1 + 1/2 + ... + 1/n), the first four for certain.
	assert.ok(drawn < 4 * Math.log(10_000) + 20, `${drawn}`);
});
