import type { Band } from "@nigh/contract";

/** The k that recall is certified for. */
export const K_BANDS: readonly number[] = [1, 10, 100, 1_000, 4_000];

/**
 * The bands that a search for `k` is held to: its own, or those on both sides of it, of which the stricter serves. That recall between
 * two bands is no worse than at both is how graphs and cells behave, not a theorem: audits watch it.
 *
 * @param k 1 to 4,000.
 */
export function kBandsFor(k: number): readonly number[] {
	const above = K_BANDS.findIndex((band) => band >= k);
	if (above < 0) throw new RangeError(`no band of k reaches ${k}`);
	const next = K_BANDS[above] as number;
	return next === k ? [k] : [K_BANDS[above - 1] as number, next];
}

/** Where one band of selectivity begins: the share of the records that a filter matches is at least this, and below the one before. */
const SHARES = [0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.001, 0] as const;

/** A search without a filter. It is a band of its own: with a filter, a search goes another way. */
export const UNFILTERED = -1;

/** The number of a band of selectivity: {@link UNFILTERED}, or 0 (half of the records and more) and on to fewer. */
export type SelectivityBand = number;

/** @param share Of the records that the filter matches, 0 to 1; NaN, the share of no records, is in the last band. `undefined` without a filter. */
export function selectivityBand(share: number | undefined): SelectivityBand {
	if (share === undefined) return UNFILTERED;
	const band = SHARES.findIndex((least) => share >= least);
	// Not -1, which would say that there is no filter.
	return band < 0 ? SHARES.length - 1 : band;
}

/** Both ends of a band, as statements tell them. A filter's band includes its lower end. */
export function sharesOf(band: SelectivityBand): Band {
	if (band === UNFILTERED) return { from: 1, to: 1 };
	return { from: SHARES[band] as number, to: band === 0 ? 1 : (SHARES[band - 1] as number) };
}
