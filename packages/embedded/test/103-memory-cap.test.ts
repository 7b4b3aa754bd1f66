// A cap on memory that is too small for vectors in memory: what the planner chooses, and that everything keeps to it, from one large upsert through
// growth, opening without snapshots, and a restore.
import assert from "node:assert/strict";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Collection, CollectionSpec } from "@nigh/contract";
import { createRandom } from "@nigh/contract/suite";
import { CollectionCore } from "../src/core.ts";
import type { GenerationHandle } from "../src/memory/generation.ts";
import { tailRowsWithin } from "../src/plan-memory-bytes.ts";
import type { Installed } from "../src/workers/messages.ts";
import { testPlace, until } from "./points.test-support.ts";

const DIMENSIONS = 384;
const MAX_MB = 48;
const CAP = MAX_MB * 2 ** 20;
const FIRST = 6_000;
const RECORDS = 6_800;
const BOUND = tailRowsWithin(4 * DIMENSIONS, CAP);
const SPEC: CollectionSpec = { dimensions: DIMENSIONS, metric: "l2", memory: { maxMB: MAX_MB } };
const PAGE = 4_096;

const random = createRandom(19);
const centres = Array.from({ length: 30 }, () => Array.from({ length: DIMENSIONS }, () => random.normal()));
const vectors = Array.from({ length: RECORDS }, () => {
	const centre = random.pick(centres);
	return Float32Array.from(centre, (value) => value + 0.5 * random.normal());
});

function records(from: number, to: number) {
	return vectors.slice(from, to).map((vector, i) => ({ id: `r${from + i}`, vector }));
}

/** Bytes of the pages that have been written to: the others cost nothing. */
function writtenTo({ memory }: GenerationHandle): number {
	const words = new BigUint64Array(memory.buffer);
	let pages = 0;
	for (let at = 0; at < words.length; at++) {
		if (words[at] === 0n) continue;
		pages++;
		at = (Math.floor((at * 8) / PAGE) + 1) * (PAGE / 8) - 1;
	}
	return pages * PAGE;
}

/** The generations that searches have been in since this was last asked, the one from before first. */
type Seen = () => GenerationHandle[];

/** Until all of it is in cells on disk, as the plan says; no generation on the way is larger than is allowed. */
async function checkWithin(notes: Collection, count: number, seen: Seen): Promise<void> {
	let told = "";
	const isIndexed = async () => {
		const { index, effective, plan } = await notes.stats();
		const { status, reasons } = await notes.health();
		told = JSON.stringify({ index, effective: effective.index, plan: plan?.index, status, reasons });
		return index.main === count && index.tail === 0 && plan?.index.kind === index.kind && status !== "failing";
	};
	await until(isIndexed, "all of it in an index").catch((error) => {
		throw new Error(`${error.message}, but ${told}`);
	});
	const { index, effective, plan, memory, records } = await notes.stats();
	assert.equal(records, count);
	assert.equal(index.kind, "ivfrabitq", told);
	assert.equal(effective.index.parameters.storage, "disk");
	assert.ok(plan !== undefined && plan.bytes <= CAP && plan.index.kind === index.kind);
	assert.ok((memory?.onDisk ?? 0) >= count * 4 * DIMENSIONS && (memory?.total ?? CAP) < CAP / 3, told);
	const handles = seen();
	assert.ok(handles.length > 0);
	for (const { size } of handles)
		assert.ok(size.ringRows <= BOUND, `${size.ringRows} rows in a tail, and ${BOUND} may be`);
	const bytes = handles.map(writtenTo);
	bytes.forEach((each, i) => {
		assert.ok(each + (bytes[i - 1] ?? 0) <= CAP, `${bytes} bytes, one after the other`);
	});
}

async function checkAnswers(notes: Collection): Promise<void> {
	for (let n = 0; n < RECORDS; n += 331) {
		const { hits } = await notes.search({ vector: vectors[n] as Float32Array, k: 1 });
		assert.equal(hits[0]?.id, `r${n}`);
	}
	const { hits } = await notes.search({ vector: vectors[7] as Float32Array, k: 5, exact: true });
	const squared = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + (x - (b[i] as number)) ** 2, 0);
	const nearest = vectors
		.map((vector, n) => ({ id: `r${n}`, distance: squared(vector, vectors[7] as Float32Array) }))
		.sort((a, b) => a.distance - b.distance);
	assert.deepEqual(
		hits.map(({ id }) => id),
		nearest.slice(0, 5).map(({ id }) => id),
	);
}

test("what is too large for its cap in memory is in cells on disk, and within the cap all along", async (t) => {
	assert.ok(BOUND < FIRST / 1.5);
	const all: GenerationHandle[] = [];
	const { install } = CollectionCore.prototype;
	t.mock.method(CollectionCore.prototype, "install", function (this: CollectionCore, installed: Installed) {
		all.push(installed.generation);
		install.call(this, installed);
	});
	const seen = () => [...all.splice(0, all.length - 1), ...all];
	const place = testPlace(t);
	const first = await place.open("data");
	const notes = await first.collection("notes", SPEC);

	await notes.upsert(records(0, FIRST));
	await checkWithin(notes, FIRST, seen);
	for (let from = FIRST; from < RECORDS; from += 100) await notes.upsert(records(from, from + 100));
	await checkWithin(notes, RECORDS, seen);
	await assert.rejects(notes.upsert(records(0, RECORDS).map(({ vector }, i) => ({ id: `other${i}`, vector }))), {
		code: "MEMORY_LIMIT",
	});
	await checkAnswers(notes);
	const { path } = await first.backup(join(place.folder, "backup"));
	await first.close();

	const snapshots = join(place.folder, "data", "snapshots");
	assert.ok(readdirSync(snapshots).length > 0);
	for (const name of readdirSync(snapshots)) rmSync(join(snapshots, name));
	all.length = 0;
	const again = await place.open("data");
	const reopened = await again.collection("notes");
	await checkWithin(reopened, RECORDS, seen);
	await checkAnswers(reopened);
	await again.close();

	all.length = 0;
	const other = await place.open("other");
	await other.restore(path);
	const restored = await other.collection("notes");
	await checkWithin(restored, RECORDS, seen);
	await checkAnswers(restored);
});
