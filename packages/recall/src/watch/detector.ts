import { checkRecall } from "../recall-of.ts";

/** What is bet on a change, as shares of the most that may be: small ones see small drops, large ones see large drops soon. */
export const DETECTOR_BETS: readonly number[] = [0.02, 0.05, 0.1, 0.2, 0.4];

/** Alarms from here on at the earliest: at a mean that is at the target, one false alarm in at least as many audits, on average. */
export const ALARM_AT = 10_000;

/** How a detector is set. */
export interface DetectorSettings {
	/** t0, at most the target: a mean from here on is none to alarm for. Default: the target. */
	readonly reference?: number;
	/** The evidence that it alarms at, {@link ALARM_AT} or more. Default: that. */
	readonly alarmAt?: number;
}

/** A sum that has grown beyond is kept there: it has alarmed long since, and JSON knows no infinity. */
const MOST = 1e300;

/**
 * Watches recalls that come one after the other for a change of their mean to below a target: the Shiryaev-Roberts e-detector (Shin, Ramdas &
 * Rinaldo, "E-detectors: a nonparametric framework for sequential change detection", NEJSDS 2 (2024) 229-260):
 *
 *     R_t = (1 + R_{t-1}) (1 - l (X_t - t0)),  l = c / (1 - t0),
 *
 * averaged over c in {.02, .05, .1, .2, .4}; it alarms when the average has reached A, 10,000 or more. As long as each recall has a mean of at least
 * t0 given those before it, R_t - t is a supermartingale, so that the mean number of audits until a false alarm is at least A, whatever the
 * distribution. The farther above t0 the mean is, the longer; without a fixed end, there is one some time. {@link settingsFor} chooses t0 and A.
 *
 * @example
 * // Recalls of 0.9 at the target 0.95: c = 0.4 bets l = 8, so that each factor is 1.4, and R = 1.4 + ... + 1.4^29 = 60,500 after 29
 * // audits, a fifth of which is beyond 10,000 alone.
 * const detector = new Detector(0.95);
 * for (let i = 0; i < 29; i++) detector.add(0.9);
 * detector.alarmed; // true
 */
export class Detector {
	readonly target: number;
	readonly reference: number;
	readonly alarmAt: number;
	/** Audits so far. */
	size = 0;
	/** The first audit, counted from 1, at which it alarmed; 0: none. It goes on alarming. */
	alarmedAt = 0;
	/** The mean of the last audits, of which the newest weighs a twentieth: a description. NaN before the first. */
	recentMean = Number.NaN;
	readonly #sums = new Float64Array(DETECTOR_BETS.length);

	/** @param target 0 or above, below 1. */
	constructor(target: number, { reference = target, alarmAt = ALARM_AT }: DetectorSettings = {}) {
		this.target = target;
		this.reference = reference;
		this.alarmAt = alarmAt;
	}

	/**
	 * Takes in the recall of the next audit, 0 to 1. Returns whether it has alarmed by now.
	 *
	 * @throws RangeError for what is no recall.
	 */
	add(recall: number): boolean {
		checkRecall(recall);
		this.size++;
		this.recentMean = this.size === 1 ? recall : this.recentMean + (recall - this.recentMean) / Math.min(20, this.size);
		const excess = (recall - this.reference) / (1 - this.reference);
		for (let j = 0; j < DETECTOR_BETS.length; j++) {
			const sum = (1 + (this.#sums[j] as number)) * (1 - (DETECTOR_BETS[j] as number) * excess);
			this.#sums[j] = Math.min(sum, MOST);
		}
		if (this.alarmedAt === 0 && this.evidence >= this.alarmAt) this.alarmedAt = this.size;
		return this.alarmed;
	}

	/** The average R. */
	get evidence(): number {
		return this.#sums.reduce((sum, each) => sum + each, 0) / DETECTOR_BETS.length;
	}

	get alarmed(): boolean {
		return this.alarmedAt > 0;
	}

	/** All that has to be kept to go on later. */
	get state(): DetectorState {
		const { reference, alarmAt, size, alarmedAt, recentMean } = this;
		return { reference, alarmAt, size, alarmedAt, recentMean: size === 0 ? 0 : recentMean, sums: [...this.#sums] };
	}

	/** Goes on where another stopped. What cannot be such a state is `undefined`. */
	static from(target: number, state: DetectorState): Detector | undefined {
		const { reference, alarmAt, size, alarmedAt, recentMean, sums } = state;
		const isState = Array.isArray(sums) && sums.length === DETECTOR_BETS.length && sums.every(isSum);
		if (!isState || !isCount(size) || !isCount(alarmedAt) || alarmedAt > size) return undefined;
		if (!(recentMean >= 0 && recentMean <= 1)) return undefined;
		if (!(reference >= 0 && reference <= target) || !(alarmAt >= ALARM_AT && alarmAt < MOST)) return undefined;
		const detector = new Detector(target, { reference, alarmAt });
		detector.size = size;
		detector.alarmedAt = alarmedAt;
		if (size > 0) detector.recentMean = recentMean;
		detector.#sums.set(sums);
		return detector;
	}
}

export interface DetectorState {
	readonly reference: number;
	readonly alarmAt: number;
	readonly size: number;
	readonly alarmedAt: number;
	readonly recentMean: number;
	readonly sums: readonly number[];
}

function isSum(value: unknown): boolean {
	return typeof value === "number" && value >= 0 && value <= MOST;
}

function isCount(value: unknown): boolean {
	return Number.isSafeInteger(value) && (value as number) >= 0;
}
