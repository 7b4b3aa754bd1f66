import { type Random, randomBelow } from "../random.ts";
import { ALARM_AT, Detector, type DetectorSettings } from "./detector.ts";

/** The drop of the mean that is to be heard, and within how many audits. */
export const DROP = 0.05;
export const HEARD_WITHIN = 100;
/** How often of the times that it is tried. */
const HEARD = 0.9;
const TRIES = 100;

/** Recalls that tell too little of how they spread. */
const LEAST = 50;

/** How far below the target t0 is, as a share of what may be missed, and the evidence to alarm at: from the deafest on. */
const SETTINGS: readonly (readonly [below: number, alarmAt: number])[] = [
	[0.3, 1_000_000],
	[0.2, 1_000_000],
	[0.2, 100_000],
	[0.1, 100_000],
	[0, 100_000],
	[0.2, ALARM_AT],
	[0.1, ALARM_AT],
];

/**
 * Sets a detector as deaf as it may be: so that it hears a drop of the mean to {@link DROP} below the target within {@link HEARD_WITHIN} audits nine
 * times of ten, as far as the recalls of the certificate tell. Two drops are tried: hits that are missed at random, and more queries like the worst tenth.
 * Deafer means fewer false alarms; the guarantee of each setting is that of {@link Detector}. Where hardly any recall tells something (k = 1, where
 * each is 0 or 1), no setting hears so soon: then t0 is the target, and the evidence the least.
 *
 * @param recalls Of the rung that serves, as they were measured at this k.
 */
export function settingsFor(
	target: number,
	recalls: readonly number[],
	k: number,
	random: Random,
): Required<DetectorSettings> {
	const usual = { reference: target, alarmAt: ALARM_AT };
	const goal = target - DROP;
	const mean = recalls.reduce((sum, recall) => sum + recall, 0) / recalls.length;
	if (recalls.length < LEAST || !(mean > goal)) return usual;
	const drops = [scattered(recalls, k, goal / mean), clustered(recalls, mean, goal)].filter(
		(each) => each !== undefined,
	);
	for (const [below, alarmAt] of SETTINGS) {
		const settings = { reference: target - below * (1 - target), alarmAt };
		if (drops.every((drop) => isHeard(target, settings, drop, random))) return settings;
	}
	return usual;
}

type Draw = (random: Random) => number;

function isHeard(target: number, settings: DetectorSettings, drop: Draw, random: Random): boolean {
	let heard = 0;
	for (let n = 0; n < TRIES; n++) {
		const detector = new Detector(target, settings);
		for (let i = 0; i < HEARD_WITHIN && !detector.alarmed; i++) detector.add(drop(random));
		if (detector.alarmed) heard++;
	}
	return heard >= HEARD * TRIES;
}

/** Each query loses about the same share of what it found. */
function scattered(recalls: readonly number[], k: number, kept: number): Draw {
	return (random) => {
		let hits = 0;
		for (let left = Math.round((recalls[randomBelow(random, recalls.length)] as number) * k); left > 0; left--) {
			if (random() < kept) hits++;
		}
		return hits / k;
	};
}

/** More and more queries are like the worst tenth. `undefined`: those are not bad enough. */
function clustered(recalls: readonly number[], mean: number, goal: number): Draw | undefined {
	const worst = recalls.toSorted((a, b) => a - b).slice(0, Math.ceil(recalls.length / 10));
	const bad = worst.reduce((sum, recall) => sum + recall, 0) / worst.length;
	if (!(bad < goal)) return undefined;
	const share = (mean - goal) / (mean - bad);
	return (random) => {
		const source = random() < share ? worst : recalls;
		return source[randomBelow(random, source.length)] as number;
	};
}
