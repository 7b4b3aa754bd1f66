import { servingRung } from "@nigh/recall";
import type { Breach, ServedCell } from "../recall/served.ts";
import { MOST_MEASURED } from "./parameters.ts";
import type { Process } from "./process.ts";
import type { Stratum } from "./stratum.ts";

/** What serves the cells of a stratum, one for each target, in searches of one index. */
export function servedCells(stratum: Stratum, identity: string): ServedCell[] {
	return [...stratum.targets].flatMap((target) => servedCell(stratum, target, identity) ?? []);
}

export function servedCell(stratum: Stratum, target: number, identity: string): ServedCell | undefined {
	const ofIndex = (process: Process | undefined) => (process?.place.identity === identity ? process : undefined);
	const { breach } = stratum;
	const byQueries = ofIndex(stratum.byQueries);
	const byHeldOut = ofIndex(stratum.byHeldOut) ?? ofIndex(stratum.ofNext);
	const certified = byQueries && cellOf(stratum, byQueries, target);
	// A drop was found: until queries from after it certify something, or that no rung will do, only the exact search will.
	const isFoundOut = certified !== undefined && (certified.rung !== null || certified.plateau !== undefined);
	if (breach !== undefined && !isFoundOut) return breachedCell(stratum, target, breach);
	const earlier = ofIndex(stratum.earlier);
	if (earlier !== undefined && certified?.rung == null) {
		const stale = cellOf(stratum, earlier, target);
		if (stale !== undefined && stale.rung !== null) return stale;
	}
	const provisional = byHeldOut && cellOf(stratum, byHeldOut, target);
	if (certified === undefined) return provisional;
	if (provisional === undefined || provisional.rung === null) return certified;
	// What queries have certified goes before what held-out vectors have; that they have not yet, says nothing before there are enough.
	return certified.rung !== null || byQueries?.isConclusive === true ? certified : provisional;
}

function cellOf({ k, band }: Stratum, process: Process, target: number): ServedCell | undefined {
	const { id, basis, ladder, place, asked, certifiedAt, certification } = process;
	if (asked === 0) return undefined;
	const { confidence } = certification.certificate(target);
	const rung = servingRung(certification, target);
	const isRefused = rung < 0;
	const { queries, mean } = certification.report(rung) ?? { queries: asked, mean: 1 };
	const plateau = isRefused ? plateauOf(process, target) : undefined;
	return {
		k,
		selectivity: band,
		process: id,
		target,
		state: isRefused ? "refused" : basis === "queries" ? "certified" : "provisional",
		rung: ladder[rung] ?? null,
		rungs: certification.certified(target).flatMap((each) => (each <= rung ? (ladder[each] ?? []) : [])),
		estimate: mean,
		basis,
		confidence,
		queries,
		changeNumber: place.changeNumber,
		certifiedAt,
		churn: place.churn,
		vectors: place.vectors,
		...(isRefused && ladder[0] !== undefined && { widest: ladder[0] }),
		...(plateau !== undefined && { plateau }),
	};
}

/** The mean recall of the dearest rung, where there have been enough queries to say that it is too low, or as many as are ever asked. */
function plateauOf({ certification }: Process, target: number): number | undefined {
	const { testing } = certification.certificate(target);
	if (testing === undefined) return undefined;
	const isSettled = certification.isGivenUp(target) || (certification.recalls[testing]?.length ?? 0) >= MOST_MEASURED;
	return isSettled ? certification.meanOf(testing) : undefined;
}

function breachedCell({ k, band }: Stratum, target: number, breach: Breach): ServedCell {
	return {
		k,
		selectivity: band,
		process: "",
		target,
		state: "breached",
		rung: null,
		rungs: [],
		estimate: breach.mean,
		basis: "queries",
		confidence: 0,
		queries: breach.audits,
		changeNumber: 0,
		certifiedAt: breach.at,
		churn: 0,
		vectors: Number.MAX_SAFE_INTEGER,
		breach,
		...(breach.widest !== undefined && { widest: breach.widest }),
	};
}
