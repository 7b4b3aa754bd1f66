import { randomUUID } from "node:crypto";
import type { RecallBasis } from "@nigh/contract";
import {
	Certification,
	Detector,
	type DetectorState,
	type Random,
	type Rung,
	servingRung,
	settingsFor,
} from "@nigh/recall";
import { churnOf, type Generation } from "../memory/generation.ts";
import { LEAST_TO_TAKE_OVER } from "./parameters.ts";

/** Where a certification stands in the life of an index. */
export interface Place {
	/** The index. */
	readonly identity: string;
	/** What had come and gone in it, and what there was, when it was begun. */
	readonly churn: number;
	readonly vectors: number;
	readonly changeNumber: number;
}

/** @param waiting Vectors that the generation counts and the index has not taken in: when it does, they will have come since. */
export function placeOf(generation: Generation, waiting = 0): Place {
	return {
		identity: generation.handle.identity?.id ?? "",
		churn: churnOf(generation) - waiting,
		vectors: generation.mainEnd - waiting,
		changeNumber: generation.change,
	};
}

export interface ProcessOptions {
	readonly place: Place;
	readonly basis: RecallBasis;
	readonly ladder: readonly Rung[];
	readonly targets: readonly number[];
	readonly delta: number;
}

/** What of a process is kept on disk. */
export interface SavedProcess extends Omit<ProcessOptions, "targets"> {
	readonly id: string;
	readonly asked: number;
	readonly certifiedAt: number;
	readonly recalls: readonly (readonly number[])[];
	readonly exact: readonly number[];
	readonly given: readonly string[];
	readonly detectors: readonly (readonly [target: number, state: DetectorState])[];
}

/** The certification of one cell's ladder on one index, by queries of one kind. It goes on as long as the index is the same and queries come. */
export class Process {
	/** Tells searches that were served by what it has certified from those that another one served. */
	readonly id: string;
	readonly place: Place;
	readonly basis: RecallBasis;
	readonly ladder: readonly Rung[];
	delta: number;
	certification: Certification;
	/** Queries that have been measured. */
	asked = 0;
	/** ms since 1970, when the last of them was. */
	certifiedAt = 0;
	/** Queries that were given, of those that have placed its ladder or been measured: each does so once. */
	readonly given = new Set<string>();
	/** By target: the watch of what it has certified. */
	readonly detectors = new Map<number, Detector>();

	/** @param known What of its ladder has been measured, and the id that it has. Default: nothing, and a new one. */
	constructor(
		{ place, basis, ladder, targets, delta }: ProcessOptions,
		known?: Pick<SavedProcess, "id" | "recalls" | "exact">,
	) {
		this.id = known?.id ?? randomUUID();
		this.place = place;
		this.basis = basis;
		this.ladder = ladder;
		this.delta = delta;
		this.certification = Certification.from(
			{ rungs: ladder.length, targets, delta },
			known?.recalls ?? [],
			known?.exact,
		);
	}

	static from(saved: SavedProcess, targets: readonly number[]): Process {
		const process = new Process({ ...saved, targets }, saved);
		process.asked = saved.asked;
		process.certifiedAt = saved.certifiedAt;
		for (const each of saved.given) process.given.add(each);
		for (const [target, state] of saved.detectors) {
			const detector = Detector.from(target, state);
			if (detector !== undefined) process.detectors.set(target, detector);
		}
		return process;
	}

	get saved(): SavedProcess {
		const { id, place, basis, ladder, delta, asked, certifiedAt, certification } = this;
		const { recalls, exact } = certification;
		const detectors = [...this.detectors].map(([target, { state }]) => [target, state] as const);
		return { id, place, basis, ladder, delta, asked, certifiedAt, recalls, exact, given: [...this.given], detectors };
	}

	/** Takes in what one query has found on each of some rungs; `undefined` where a rung has answered it exactly. */
	record(rungs: readonly number[], recalls: readonly (number | undefined)[], at: number): void {
		this.certification.recordQuery(rungs, recalls);
		this.asked++;
		this.certifiedAt = at;
	}

	/** The same recalls, held to another delta: each is a test of its own. */
	retest(delta: number): void {
		if (delta === this.delta) return;
		const { ladder, certification } = this;
		this.delta = delta;
		const { targets, recalls, exact } = certification;
		this.certification = Certification.from({ rungs: ladder.length, targets, delta }, recalls, exact);
	}

	/** Whether more queries could still let another rung pass. */
	get isOpen(): boolean {
		return this.certification.worthwhile.length > 0;
	}

	/** Whether what it has found goes before what is known by other means, also where that is less. */
	get isConclusive(): boolean {
		return this.asked >= LEAST_TO_TAKE_OVER || (this.asked > 0 && !this.isOpen);
	}

	/** Whether there is a rung for every target. */
	get keepsAll(): boolean {
		const { targets } = this.certification;
		return targets.every((target) => this.certification.certificate(target).rung >= 0);
	}

	/**
	 * The watch for one target: as deaf as the recalls allow that were measured on what serves.
	 *
	 * @param k That was measured.
	 */
	detector(target: number, k: number, random: Random): Detector {
		let detector = this.detectors.get(target);
		if (detector === undefined) {
			const served = this.certification.recalls[servingRung(this.certification, target)] ?? [];
			detector = new Detector(target, settingsFor(target, served, k, random));
			this.detectors.set(target, detector);
		}
		return detector;
	}
}
