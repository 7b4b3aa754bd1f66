import { BACK_OFF } from "./parameters.ts";

/**
 * Milliseconds to wait before repetition number `repetition` (1 is the first): doubled each time up to a ceiling, of
 * which a random half is taken away, so that clients that failed together do not come back together. Never less than
 * what the server asked for.
 *
 * @param random 0 inclusive to 1 exclusive.
 */
export function backOffMs(repetition: number, random: number, retryAfterMs = 0): number {
	const ceiling = Math.min(BACK_OFF.firstMs * 2 ** (repetition - 1), BACK_OFF.maxMs);
	return Math.max(retryAfterMs, ceiling * (1 - random / 2));
}

/**
 * What a `Retry-After` header asks for, in milliseconds: RFC 9110, section 10.2.3, seconds or an HTTP date (one that
 * has passed is 0). Fractions of a second are taken too, since some servers send them. `undefined` where there is no
 * header or it is neither.
 */
export function retryAfterMs(header: string | null, now: number): number | undefined {
	if (header === null) return undefined;
	const value = header.trim();
	if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * 1_000;
	// Date.parse alone would take "-5" for a date.
	if (!/^[A-Z][a-z]+, .* GMT$/.test(value)) return undefined;
	const date = Date.parse(value);
	return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
