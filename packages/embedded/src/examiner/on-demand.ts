import { type CertifiedCell, type MeasuredSetting, NighError } from "@nigh/contract";
import { endsEarly, K_BANDS, kBandsFor, selectivityBand, settingOf, targetFor, UNFILTERED } from "@nigh/recall";
import { churnOf } from "../memory/generation.ts";
import { changedSince } from "../recall/served.ts";
import { cellStatement, uncertifiedRecall } from "../recall/statement.ts";
import { closedCollection } from "../workers/closed-collection.ts";
import { Task } from "../workers/task.ts";
import { servedCell } from "./cells.ts";
import type { ExaminedCollection } from "./examined-collection.ts";
import type { CertifyReply, CertifyRequest } from "./messages.ts";
import { HELD_OUT_K } from "./parameters.ts";
import type { Process } from "./process.ts";
import type { Stratum } from "./stratum.ts";
import { Interrupted } from "./subject.ts";

/** k where nobody says one. */
const USUAL_K = 10;

/**
 * Certifies what a caller asks for, as far as time and queries go. What has been measured when it ends counts, whatever ends it.
 *
 * @param between What else is to be done between two queries.
 * @param onMeasured Called after each query.
 * @throws NighError `ABORTED`; `UNAVAILABLE` where what a filter matches has not come into the memory.
 */
export async function certifyOnDemand(
	collection: ExaminedCollection,
	request: CertifyRequest,
	between: () => Promise<void>,
	onMeasured: () => void = () => {},
): Promise<CertifyReply> {
	const task = new Task(request.task);
	const end = performance.now() + request.maxMs;
	const isOver = () => task.isAborted || performance.now() >= end || collection.isClosing;
	const wanted = request.target === undefined ? undefined : targetFor(request.target);
	const strata = await inSomeGeneration(collection, () => chosen(collection, request, wanted));
	const { confidence, familyWise, maxQueries } = request;
	const cells = familyWise
		? Math.max(
				1,
				strata.reduce((sum, { targets }) => sum + targets.size, 0),
			)
		: 1;
	task.plan(strata.length);
	for (const stratum of strata) {
		task.begin(1);
		await retried(collection, isOver, () => {
			const total = Math.min(maxQueries, stratum.unused(stratum.byQueries).length);
			const check = () => {
				if (isOver() || collection.isOutdated) throw new Interrupted("the work is to end");
			};
			const onQuery = (done: number) => {
				task.advance(done, total);
				onMeasured();
			};
			return collection.certify(stratum, { maxQueries, check, onQuery, between }, { confidence, cells });
		});
	}
	task.check();
	if (collection.isClosing) throw closedCollection();
	const looked = strata.flatMap((stratum) =>
		[...stratum.targets]
			.filter((target) => wanted === undefined || target === wanted)
			.map((target) => reported(collection, stratum, target)),
	);
	return { cells: looked, isComplete: strata.every(isFinished) };
}

/** Goes on with the generation that has taken over, where one has. */
async function retried(
	collection: ExaminedCollection,
	isOver: () => boolean,
	work: () => Promise<void>,
): Promise<void> {
	while (!isOver()) {
		collection.settle();
		try {
			return await work();
		} catch (error) {
			if (!(error instanceof Interrupted)) throw error;
			if (!collection.isOutdated) return;
		}
	}
}

/** As {@link retried}, of what is quick and has to be known. */
async function inSomeGeneration<T>(collection: ExaminedCollection, work: () => Promise<T>): Promise<T> {
	for (;;) {
		collection.settle();
		try {
			return await work();
		} catch (error) {
			if (!(error instanceof Interrupted)) throw error;
			if (!collection.isOutdated) throw unavailable();
		}
	}
}

/** The strata that are meant, which are to keep the wanted target too; those that the given queries belong to, which have them then. */
async function chosen(
	collection: ExaminedCollection,
	request: CertifyRequest,
	wanted: number | undefined,
): Promise<readonly Stratum[]> {
	const strata = await meant(collection, request);
	// Before the queries come: without a log, none are kept where there is nothing to ask them for.
	if (wanted !== undefined) for (const stratum of strata) stratum.addTarget(wanted);
	const given = request.queries.map((vector) => ({ vector, node: request.node }));
	if (given.length > 0) for (const stratum of strata) collection.give(stratum, given);
	return strata;
}

async function meant(collection: ExaminedCollection, request: CertifyRequest): Promise<readonly Stratum[]> {
	const { k, queries, node } = request;
	if (queries.length > 0) {
		const share = node === undefined ? undefined : await collection.shareOf(node);
		return kBandsFor(k ?? USUAL_K).map((band) => collection.stratum(band, selectivityBand(share)));
	}
	const asked = k === undefined ? K_BANDS : kBandsFor(k);
	const known = [...collection.strata.values()].filter((stratum) => asked.includes(stratum.k) && stratum.isKnown);
	if (known.length > 0) return known;
	return (k === undefined ? HELD_OUT_K : asked).map((band) => collection.stratum(band, UNFILTERED));
}

/** Whether more queries would tell nothing more. Where no test could begin, they would. */
function isFinished({ targets, byQueries, byHeldOut }: Stratum): boolean {
	return targets.size === 0 || (byQueries ?? byHeldOut)?.isOpen === false;
}

function reported(collection: ExaminedCollection, stratum: Stratum, target: number): CertifiedCell {
	const cell = servedCell(stratum, target, collection.identity);
	const process = (cell && stratum.processOf(cell.process)) ?? stratum.byQueries;
	const measured = process === undefined ? [] : measuredOn(process, target);
	if (cell === undefined) {
		return { statement: uncertifiedRecall(target), setting: null, endsEarly: false, measured };
	}
	const changed = changedSince(cell, churnOf(collection.searcher.generation));
	return {
		statement: cellStatement(cell, changed),
		setting: settingOf(cell.rung),
		endsEarly: endsEarly(cell.rung),
		measured,
	};
}

function unavailable(): NighError {
	return new NighError("UNAVAILABLE", "what the filter matches now is not in the memory yet: try again");
}

/** Every rung that was measured, the dearest first. */
function measuredOn({ certification, ladder }: Process, target: number): MeasuredSetting[] {
	const certified = new Set(certification.certified(target));
	return ladder.flatMap((rung, i) => {
		const report = certification.report(i);
		return report === undefined
			? []
			: [{ setting: settingOf(rung), endsEarly: endsEarly(rung), ...report, certified: certified.has(i) }];
	});
}
