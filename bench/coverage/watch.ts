import { Detector, DROP, randomFrom, servingRung, settingsFor } from "@nigh/recall";
import { type RecallMatrix, trueMeans } from "./matrix.ts";
import { certify } from "./procedures.ts";
import { drawSample, median } from "./redraw.ts";
import { type Audits, LONGEST, SHIFTS, type ShiftName, toBeHeardWithin, unshifted } from "./shifts.ts";

/** Audits within which nothing is to be heard without a drop. */
export const SILENT_FOR = 200_000;

export interface WatchOptions {
	readonly targets: readonly number[];
	readonly delta: number;
	/** Certifications, each of which is watched by a detector of its own. */
	readonly seeds: number;
	/** Queries of a certification. */
	readonly queries: number;
	readonly seed: number;
	/** Audits without a drop; {@link SILENT_FOR} of a full run. */
	readonly silentFor: number;
}

export interface WatchOutcome {
	readonly target: number;
	/** Certifications that served an approximate rung: the exact search is not watched. */
	readonly watched: number;
	/** Of those, how many were silent without a drop. */
	readonly silent: number;
	readonly shifts: readonly ShiftOutcome[];
}

export interface ShiftOutcome {
	readonly shift: ShiftName;
	/** Certifications in which the drop could be made. */
	readonly watched: number;
	/** Of those, how many alarmed within {@link toBeHeardWithin}. */
	readonly heard: number;
	/** Audits until the alarm, the median; NaN without any. */
	readonly delay: number;
}

/** Certifies, serves, and watches what is served: without a drop, and with each of the drops. */
export function watch(matrix: RecallMatrix, groups: Uint8Array, options: WatchOptions): WatchOutcome[] {
	const { targets, delta, seeds, queries, seed } = options;
	const random = randomFrom(seed);
	const certifications = Array.from({ length: seeds }, () =>
		certify(drawSample(matrix, queries, random), targets, delta),
	);
	const means = trueMeans(matrix);
	return targets.map((target) => {
		// A wrong certificate is a breach from the beginning, of which an alarm is right.
		const watches = certifications.flatMap((certification) => {
			const rung = servingRung(certification, target);
			if (rung < 0 || !((means[rung] as number) >= target)) return [];
			// As a database does: by what was measured on that rung until the certification ended.
			const recalls = certification.recalls[rung] as readonly number[];
			return [{ rung, settings: settingsFor(target, recalls, matrix.k, random) }];
		});
		const silent = watches.filter(
			({ rung, settings }) =>
				alarmOf(new Detector(target, settings), unshifted(matrix, rung), random, options.silentFor) === 0,
		);
		return {
			target,
			watched: watches.length,
			silent: silent.length,
			shifts: (Object.keys(SHIFTS) as ShiftName[]).map((shift) => {
				const delays = watches.flatMap(({ rung, settings }) => {
					const audits = SHIFTS[shift](matrix, groups, rung, target - DROP);
					if (audits === undefined) return [];
					return [alarmOf(new Detector(target, settings), audits, random, LONGEST) || Number.POSITIVE_INFINITY];
				});
				return {
					shift,
					watched: delays.length,
					heard: delays.filter((delay) => delay <= toBeHeardWithin(shift)).length,
					delay: median(Float64Array.from(delays)),
				};
			}),
		};
	});
}

/** The audit at which a detector that begins now alarms; 0: none of so many. */
function alarmOf(detector: Detector, audits: Audits, random: () => number, most: number): number {
	while (detector.size < most && !detector.alarmed) detector.add(audits(random));
	return detector.alarmedAt;
}
