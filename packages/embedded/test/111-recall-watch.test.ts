// Audits of live searches find that the recall has dropped. From then on answers are exact, until it is certified anew.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { CollectionSpec } from "@nigh/contract";
import { Sampling } from "../src/recall/sampling.ts";
import {
	assertKept,
	clustered,
	Examined,
	listen,
	measured,
	type Source,
	spreadOut,
	states,
	type Told,
	untilTold,
} from "./recall.test-support.ts";

const TARGET = 0.95;
const SPEC: CollectionSpec = { dimensions: 32, metric: "l2", recall: TARGET, index: { kind: "hnsw" } };

/** Audits are drawn for a fiftieth of a core, and a test would have to wait for the coin: here all searches are audited that may be. */
function auditAll(t: TestContext): void {
	t.mock.method(Sampling.prototype, "tossForAudit", () => true);
}

/** Waits until all audits that were drawn have been done, or could not be. */
async function audited(told: Told, count: number): Promise<void> {
	await untilTold(() => told.audited.length + told.failed.length >= count, `${count} audits`);
}

/** The reason for which health says that the recall is not kept. */
async function breach(examined: Examined) {
	const { reasons } = await examined.collection.health();
	return reasons.find(({ code }) => code === "recall-breached");
}

/** Searches from `source`, one after the other, until an audit alarms. What was answered until then is fair game; what comes later is exact. */
async function alarms(examined: Examined, told: Told, source: Source, most: number): Promise<void> {
	const since = Date.now();
	let drawn = told.audited.length + told.failed.length;
	for (let search = 0; (await breach(examined)) === undefined; search++) {
		assert.ok(search < most, `${most} searches have found nothing`);
		const [result] = await examined.check(1, {}, source);
		if (result?.plan.strategy === "index") await audited(told, ++drawn);
	}
	const reason = await breach(examined);
	assert.equal(reason?.status, "degraded");
	const [, at] = /found at (\S+) that the recall of 0\.95 is not kept/.exec(reason.message) ?? [];
	assert.ok(Date.parse(at as string) >= since && Date.parse(at as string) <= Date.now(), reason.message);
	assert.match(reason.message, /searches for k = 10 .* the last of \d+ found 0\.\d+ on average/);
	const [cell] = await examined.cells(10);
	assert.equal(cell?.state, "breached");
}

/** That all is well again, once there are enough queries of the new kind. */
async function recovers(examined: Examined, source: Source): Promise<void> {
	const meanwhile = await examined.check(50, {}, source);
	for (const { recall, plan, measured } of meanwhile) {
		assert.deepEqual([recall.state, recall.estimate, plan.strategy, measured], ["breached", 1, "scan", 1]);
	}
	const before = examined.source;
	examined.source = source;
	await examined.certified();
	assert.equal(await breach(examined), undefined);
	const later = await examined.check(600);
	assert.deepEqual(states(later), { certified: 600 });
	assertKept(measured(later), TARGET, "certified anew");
	examined.source = before;
}

test("queries that are other than those it was certified by are found out", async (t) => {
	const examined = await Examined.filled(t, { spec: SPEC, source: clustered(21) });
	await examined.certified({ recall: 0.8 });
	await examined.certified();
	auditAll(t);
	const told = listen(t);
	const others = clustered(22);
	await alarms(examined, told, others, 100);
	// Every certificate of the cell is void.
	for (const { recall } of await examined.search(10, { recall: 0.8 })) assert.equal(recall.state, "breached");
	await recovers(examined, others);
});

/** All queries go where a part of the records is, the others of which are elsewhere. */
async function gathered(t: TestContext, share: number): Promise<{ examined: Examined; near: Source; ids: string[] }> {
	const [near, far] = [clustered(23), spreadOut(24, { at: 30 })];
	const isNear = (n: number) => n % 100 < 100 * share;
	let n = 0;
	const examined = await Examined.filled(t, { spec: SPEC, source: () => (isNear(n++) ? near() : far()) });
	examined.source = near;
	const ids = [...examined.oracle.rows].flatMap(([id, { metadata }]) => (isNear(metadata.n as number) ? [id] : []));
	return { examined, near, ids };
}

test("that what queries look for has been deleted is found out", async (t) => {
	const { examined, near, ids } = await gathered(t, 0.08);
	await examined.certified();
	auditAll(t);
	const told = listen(t);
	await examined.delete(ids);
	await alarms(examined, told, near, 200);
	await recovers(examined, near);
});

test("where so much has been deleted that certificates are stale, searches are certified anew or found out", async (t) => {
	const { examined, near, ids } = await gathered(t, 0.3);
	await examined.certified();
	auditAll(t);
	await examined.delete(ids);
	for (const { recall } of await examined.check(20, {}, near)) assert.notEqual(recall.state, "certified");
	await examined.certified();
	const later = await examined.check(600);
	assert.deepEqual(states(later), { certified: 600 });
	assertKept(measured(later), TARGET, "certified anew");
});

test("that much has been inserted where it is harder to find is found out", async (t) => {
	const examined = await Examined.filled(t, { spec: SPEC, source: clustered(25) });
	await examined.certified();
	const hard = spreadOut(26);
	await examined.insert(3_500, hard);
	await examined.collection.optimize();
	auditAll(t);
	const told = listen(t);
	await alarms(examined, told, hard, 200);
	await recovers(examined, hard);
});

test("as long as nothing changes there is no alarm, and all audits that were drawn are done", async (t) => {
	const examined = await Examined.filled(t, { spec: SPEC, source: clustered(27) });
	await examined.certified();
	auditAll(t);
	const told = listen(t);
	for (let drawn = 100; drawn <= 1_500; drawn += 100) {
		assert.deepEqual(states(await examined.search(100)), { certified: 100 });
		await audited(told, drawn);
	}
	assert.deepEqual(told.failed, []);
	assert.equal(told.audited.length, 1_500);
	for (const { target, recall, collection } of told.audited) {
		assert.deepEqual([target, collection], [TARGET, "notes"]);
		assert.ok(recall >= 0 && recall <= 1);
	}
	assertKept(
		told.audited.map(({ recall }) => recall),
		TARGET,
		"what audits have found",
	);
	assert.equal(await breach(examined), undefined);
});

test("a few searches are audited by themselves, and none that is exact, or of a width of its own", async (t) => {
	const examined = await Examined.filled(t, { spec: SPEC, source: clustered(28) });
	await examined.certified();
	const told = listen(t);
	await examined.search(50, { exact: true });
	await examined.search(50, { ef: 20 });
	// How many the coin draws depends on how fast they come, and of a few thousand it may be none.
	let searches = 0;
	do {
		assert.ok(searches < 60_000, `none of ${searches} searches was audited`);
		await examined.search(3_000);
		searches += 3_000;
	} while (told.audited.length === 0);
	assert.ok(told.audited.length < searches / 3, `${told.audited.length} of ${searches} searches were audited`);
});

test("where nothing short of an exact search keeps the recall of the new queries, health says that instead", async (t) => {
	const examined = await Examined.filled(t, { spec: { ...SPEC, recall: 0.99 }, source: clustered(29) });
	await examined.certified();
	auditAll(t);
	const others = spreadOut(30, { spread: 3 });
	const codes = async () => (await examined.collection.health()).reasons.map(({ code }) => code);
	await examined.search(100, {}, others);
	await untilTold(async () => (await codes()).includes("recall-breached"), "an alarm");
	await examined.search(900, {}, others);
	await untilTold(async () => (await codes()).includes("recall-unreachable"), "a refusal");
	assert.ok(!(await codes()).includes("recall-breached"));
	for (const { recall, plan } of await examined.search(10, {}, others)) {
		assert.deepEqual([recall.state, plan.strategy], ["exact", "scan"]);
	}
});
