import { BOUNDS, type RecallCell, TUNER_ALGORITHMS, type TunerSpec } from "@nigh/contract";
import type { Rung } from "../ladder/rungs.ts";
import type { ArmState } from "./arm-record.ts";
import { isSameArm } from "./arms.ts";
import type { BanditState } from "./bandit.ts";

export const TUNER_STATE_VERSION = 1;

export interface CellState extends BanditState {
	readonly cell: RecallCell;
}

/** What a tuner knows, as plain JSON. */
export interface TunerState {
	readonly version: typeof TUNER_STATE_VERSION;
	/** The index that it was learned of: another one has other latencies. */
	readonly index: string;
	readonly settings: Required<TunerSpec>;
	readonly cells: readonly CellState[];
}

/**
 * Reads the state of a tuner from where it was kept. What is no such state, of another version or of another index is nothing at all: it is never
 * read in part.
 *
 * @param value Any JSON value.
 * @param index The identity of the index there is.
 */
export function readTunerState(value: unknown, index: string): TunerState | undefined {
	if (!isObject(value) || value.version !== TUNER_STATE_VERSION || value.index !== index) return undefined;
	const settings = settingsOf(value.settings);
	const cells = listOf(value.cells, cellStateOf);
	if (settings === undefined || cells === undefined) return undefined;
	if (new Set(cells.map(({ cell }) => keyOf(cell))).size < cells.length) return undefined;
	return { version: TUNER_STATE_VERSION, index, settings, cells };
}

/** The same text for the same cell. */
export function keyOf({ k, selectivity, target }: RecallCell): string {
	return `${k.from} ${k.to} ${selectivity.from} ${selectivity.to} ${target}`;
}

function settingsOf(value: unknown): Required<TunerSpec> | undefined {
	if (!isObject(value)) return undefined;
	const { epsilon, decay, live } = value;
	const algorithm = TUNER_ALGORITHMS.find((each) => each === value.algorithm);
	if (algorithm === undefined || typeof live !== "boolean") return undefined;
	if (!isBetween(epsilon, BOUNDS.epsilonGreedy.min, BOUNDS.epsilonGreedy.max)) return undefined;
	if (!isBetween(decay, BOUNDS.epsilonDecay.min, BOUNDS.epsilonDecay.max)) return undefined;
	return { algorithm, epsilon, decay, live };
}

function cellStateOf(value: unknown): CellState | undefined {
	if (!isObject(value) || !isCount(value.searches)) return undefined;
	const cell = cellOf(value.cell);
	const arms = listOf(value.arms, armStateOf);
	if (cell === undefined || arms === undefined) return undefined;
	if (arms.some((arm, at) => arms.findIndex((other) => isSameArm(arm, other)) < at)) return undefined;
	return { cell, searches: value.searches, arms };
}

function cellOf(value: unknown): RecallCell | undefined {
	if (!isObject(value)) return undefined;
	const [k, selectivity, target] = [bandOf(value.k), bandOf(value.selectivity), value.target];
	if (k === undefined || selectivity === undefined || !isBetween(target, 0, 1)) return undefined;
	return { k, selectivity, target };
}

function bandOf(value: unknown): RecallCell["k"] | undefined {
	if (!isObject(value)) return undefined;
	const { from, to } = value;
	return isBetween(to, 0, Number.MAX_VALUE) && isBetween(from, 0, to) ? { from, to } : undefined;
}

function armStateOf(value: unknown): ArmState | undefined {
	if (!isObject(value) || typeof value.name !== "string") return undefined;
	const rung = value.rung === null ? null : rungOf(value.rung);
	const { name, pulls, fallbacks, totalReward, totalMs } = value;
	if (rung === undefined || !isCount(pulls) || !isCount(fallbacks)) return undefined;
	if (!isSum(totalReward, pulls) || !isSum(totalMs, pulls)) return undefined;
	return { name, rung, pulls, fallbacks, totalReward, totalMs };
}

function rungOf(value: unknown): Rung | undefined {
	if (!isObject(value)) return undefined;
	if (value.kind === "graph") {
		const { kind, ef, patience } = value;
		if (!isCount(ef) || !isCountOrAbsent(patience)) return undefined;
		return { kind, ef, ...(patience !== undefined && { patience }) };
	}
	const { kind, nprobe, rerank, budget, arm } = value;
	if (kind !== "cells" || !isCount(nprobe) || !isCountOrAbsent(rerank) || !isCountOrAbsent(budget)) return undefined;
	if (arm !== undefined && typeof arm !== "string") return undefined;
	return {
		kind,
		nprobe,
		...(rerank !== undefined && { rerank }),
		...(budget !== undefined && { budget }),
		...(arm !== undefined && { arm }),
	};
}

/** Every item read; `undefined` where one cannot be. */
function listOf<T>(value: unknown, read: (item: unknown) => T | undefined): readonly T[] | undefined {
	if (!Array.isArray(value)) return undefined;
	const items: T[] = [];
	for (const each of value) {
		const item = read(each);
		if (item === undefined) return undefined;
		items.push(item);
	}
	return items;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
	return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isCountOrAbsent(value: unknown): value is number | undefined {
	return value === undefined || isCount(value);
}

function isBetween(value: unknown, least: number, most: number): value is number {
	return typeof value === "number" && value >= least && value <= most;
}

/** Whether so many numbers, each from a billionth to 10^12, may add up to it: then means are finite, and so is what is made of them. */
function isSum(value: unknown, count: number): value is number {
	return isBetween(value, count * 0.5e-9, count * 2e12);
}
