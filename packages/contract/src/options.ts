import type { Bound } from "./bounds.ts";
import { describe, detailOf } from "./describe.ts";
import { NighError } from "./errors.ts";
import { nearestName } from "./nearest-name.ts";

/**
 * Returns `value` when it is a number within `bound`.
 *
 * @param field The option's name as the user wrote it, e.g. `"k"` or `"index.M"`.
 * @throws NighError `INVALID_OPTION`, whose details hold field, value and bound.
 */
export function checkBound(field: string, value: unknown, bound: Bound): number {
	if (typeof value === "number" && isWithin(value, bound)) return value;
	const default_ = bound.default === undefined ? "" : ` (default ${format(bound.default)})`;
	throw new NighError(
		"INVALID_OPTION",
		`${field} is ${describe(value)}; it must be ${describeBound(bound)}${default_}.`,
		{ field, value: detailOf(value), bound },
	);
}

/**
 * {@link checkBound} for whole numbers, whatever the bound says about fractions.
 *
 * @example checkInteger("ef", ef, { min: k, max: BOUNDS.ef.max })
 * @throws NighError `INVALID_OPTION`, whose details hold field, value and bound.
 */
export function checkInteger(field: string, value: unknown, bound: Bound): number {
	return checkBound(field, value, bound.integer ? bound : { ...bound, integer: true });
}

/**
 * Refuses option names that nobody reads: an option is never ignored in silence. `undefined` stands for "no options".
 *
 * @param where What the options belong to, for the message, e.g. `"search"`.
 * @throws NighError `INVALID_OPTION`; details hold field, where and, if one is near, nearest.
 */
export function checkOptions(options: unknown, knownNames: readonly string[], where: string): void {
	if (options === undefined) return;
	if (typeof options !== "object" || options === null || Array.isArray(options)) {
		throw new NighError("INVALID_OPTION", `The options of ${where} must be an object, not ${describe(options)}.`, {
			field: where,
			value: detailOf(options),
		});
	}
	for (const name of Object.keys(options)) {
		if (knownNames.includes(name)) continue;
		const nearest = nearestName(name, knownNames);
		const hint = nearest === undefined ? "" : ` Did you mean ${nearest}?`;
		const known = knownNames.length === 0 ? "It has no options." : `Its options are ${knownNames.join(", ")}.`;
		throw new NighError("INVALID_OPTION", `${where} has no option ${describe(name)}.${hint} ${known}`, {
			field: name,
			where,
			...(nearest !== undefined && { nearest }),
		});
	}
}

/** Whether `value` is one of the numbers that `bound` allows. NaN is not. */
export function isWithin(value: number, bound: Bound): boolean {
	if (!(value >= bound.min && value <= bound.max)) return false;
	if (bound.integer && !Number.isInteger(value)) return false;
	return bound.multipleOf === undefined || value % bound.multipleOf === 0;
}

function describeBound(bound: Bound): string {
	const kind =
		bound.multipleOf !== undefined
			? `a multiple of ${bound.multipleOf}`
			: bound.integer
				? "a whole number"
				: "a finite number";
	const unit = bound.unit === undefined ? "" : ` ${bound.unit}`;
	if (bound.min === -Number.MAX_VALUE && bound.max === Number.MAX_VALUE) return `${kind}${unit}`;
	return `${kind} from ${format(bound.min)} to ${format(bound.max)}${unit}`;
}

function format(value: number): string {
	return Number.isInteger(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER
		? String(value).replace(/\B(?=(\d{3})+$)/g, ",")
		: String(value);
}
