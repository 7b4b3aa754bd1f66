import { setTimeout as pause } from "node:timers/promises";
import type { Collection } from "@nigh/contract";
import { grouped } from "../../packages/nigh/src/terminal/table.ts";
import { generated } from "../sets/generated.ts";
import { withCollection } from "./collection.ts";
import { type DatabaseBenchOptions, DIMENSIONS, type Figure, K, type Measured, SEED } from "./measurement.ts";
import { BATCH, batches } from "./records.ts";
import { quantile, timed } from "./times.ts";

const VECTORS = 1_000_000;
const QUERIES = 5_000;
/** Of those that are given, one in eight places the ladder. */
const GIVEN = 5_800;
/** Queries that users ask meanwhile, at most every so many ms: a machine that is asked without a break has no core to spare. */
const ASKED = 1_000;
const APART_MS = 2;
/** Before it begins, searches are timed for as long. */
const IDLE_MS = 20_000;
/** What users' searches ask for: fixed, so that what is certified does not change them. */
const EF = 64;

/** How long the certification of a large index takes, and what searches notice of it. */
export async function certifying({ size = VECTORS, folder, onStep }: DatabaseBenchOptions): Promise<Measured> {
	onStep("making the set");
	const set = generated({ n: size, dimensions: DIMENSIONS, queries: GIVEN + ASKED, seed: SEED });
	const rowOf = (i: number) => set.queries.slice(i * DIMENSIONS, (i + 1) * DIMENSIONS);
	const own = Array.from({ length: GIVEN }, (_, i) => rowOf(i));
	const asked = Array.from({ length: ASKED }, (_, i) => rowOf(GIVEN + i));
	return withCollection({ folder, name: "certify" }, async (collection) => {
		let written = 0;
		for (const batch of batches(set.base, BATCH)) {
			await collection.upsert(batch);
			written += batch.length;
			onStep(`writing, ${grouped(written)} of ${grouped(size)}`);
		}
		await collection.optimize({
			onProgress: (done, total) => onStep(`taking in, ${grouped(done)} of ${grouped(total)}`),
		});
		await searchUntil(collection, asked, pause(1_000));
		onStep("searching, with nothing else to do");
		const idle = await searchUntil(collection, asked, pause(IDLE_MS));
		onStep("certifying");
		let report: Awaited<ReturnType<Collection["certify"]>> | undefined;
		const certified = timed(async () => {
			report = await collection.certify({ queries: own, k: K, maxQueries: QUERIES });
		});
		const busy = await searchUntil(collection, asked, certified);
		const { ms } = await certified;
		const [statement] = report?.statements ?? [];
		const figures: Figure[] = [
			{ what: "certification", value: ms / 1_000, unit: "s", target: { atMost: 60 } },
			{ what: "search p50, before", value: quantile(idle, 0.5), unit: "ms" },
			{ what: "search p99, before", value: quantile(idle, 0.99), unit: "ms" },
			{ what: "search p50, meanwhile", value: quantile(busy, 0.5), unit: "ms" },
			{ what: "search p99, meanwhile", value: quantile(busy, 0.99), unit: "ms" },
			{
				what: "search p99, meanwhile / before",
				value: quantile(busy, 0.99) / quantile(idle, 0.99),
				unit: "times",
				target: { atMost: 2 },
			},
		];
		return {
			title: "Certifying the recall in the background",
			about: [
				`${grouped(size)} generated vectors of ${DIMENSIONS} dimensions under l2 (seed ${SEED}); ${grouped(GIVEN)} further ones are queries, of which ${grouped(QUERIES)} at most are compared with exact answers for recall@${K} of 0.95; the others place the ladder. The statement: ${statement?.state}, mean ${statement?.estimate?.toFixed(4)} over ${grouped(statement?.queries ?? 0)} queries on the rung that serves. Meanwhile searches of ef ${EF} come one after the other, ${APART_MS} ms apart (${grouped(busy.length)} during the certification, ${grouped(idle.length)} before).`,
			],
			figures,
		};
	});
}

/** Milliseconds of each search that was made until `end`. */
async function searchUntil(
	collection: Collection,
	queries: readonly Float32Array[],
	end: Promise<unknown>,
): Promise<number[]> {
	let isOver = false;
	const over = end.finally(() => {
		isOver = true;
	});
	const times: number[] = [];
	for (let i = 0; !isOver; i++) {
		const vector = queries[i % queries.length] as Float32Array;
		const { ms } = await timed(() => collection.search({ vector, k: K, ef: EF, include: { metadata: false } }));
		times.push(ms);
		await pause(APART_MS);
	}
	await over;
	return times;
}
