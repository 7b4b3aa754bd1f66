import { grouped } from "../terminal/table.ts";

/** From this share of the queries on, that they are equal to stored vectors is told. */
const MANY_EQUAL = 0.1;

/**
 * What to say of queries that stored vectors are equal to; `undefined` where they are few.
 *
 * @param equal How many are.
 * @param asked Of how many, those that something matches.
 */
export function storedQueriesText(equal: number, asked: number): string | undefined {
	if (asked === 0 || equal < MANY_EQUAL * asked) return undefined;
	return `${grouped(equal)} of ${grouped(asked)} queries are equal to a stored vector. An index finds its own vectors too well: measure with queries that are not stored.`;
}
