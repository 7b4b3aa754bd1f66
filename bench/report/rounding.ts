import { isNigh } from "./report.ts";

/** Digits that a double is sure of after one multiplication: what lies behind them is not measured but computed. */
const SURE_DIGITS = 12;

/** The largest number with so many decimals that is not above the value. */
export function cut(value: number, decimals: number): number {
	return shifted(value, decimals, Math.floor);
}

/** The smallest number with so many decimals that is not below the value. */
export function raise(value: number, decimals: number): number {
	return shifted(value, decimals, Math.ceil);
}

/** Recall with four decimals, cut for every engine alike: only a recall of 1 reads 1.0000. */
export function recallText(recall: number): string {
	return cut(recall, 4).toFixed(4);
}

/** A figure of which more is better, rounded against Nigh: down for Nigh, up for its peers. `12,345`, and `12.3` below 100. */
export function moreIsBetter(engine: string, value: number): string {
	const decimals = value < 100 ? 1 : 0;
	return withDecimals(isNigh(engine) ? cut(value, decimals) : raise(value, decimals), decimals);
}

/** A figure of which less is better, rounded against Nigh: up for Nigh, down for its peers. */
export function lessIsBetter(engine: string, value: number, decimals: number): string {
	return withDecimals(isNigh(engine) ? raise(value, decimals) : cut(value, decimals), decimals);
}

function withDecimals(value: number, decimals: number): string {
	return value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

function shifted(value: number, decimals: number, round: (value: number) => number): number {
	const factor = 10 ** decimals;
	return round(Number((value * factor).toPrecision(SURE_DIGITS))) / factor;
}
