import type { Json } from "../metadata.ts";

/** The keys that lead to a field, outermost first. */
export type FieldSteps = readonly string[];

/**
 * A filter after parsing: what the predicate evaluates and what a back end translates. Frozen and free of the caller's objects.
 * Negations exist only as `not`: `$ne` is `not` around `eq`, `$nin` around `in`, `$exists: false` around `exists`.
 */
export type FilterNode =
	/** All operands hold; true without any. */
	| { readonly op: "and"; readonly operands: readonly FilterNode[] }
	/** At least one operand holds; there is always one. */
	| { readonly op: "or"; readonly operands: readonly FilterNode[] }
	| { readonly op: "not"; readonly operand: FilterNode }
	/** The field is there and deeply equal to the value. */
	| { readonly op: "eq"; readonly path: FieldSteps; readonly value: Json }
	/** The field is there and deeply equal to one of the values; false without any. */
	| { readonly op: "in"; readonly path: FieldSteps; readonly values: readonly Json[] }
	/** The field has the value's type and comes after (at, before) it; strings in the order of their UTF-8 bytes. */
	| { readonly op: "gt" | "gte" | "lt" | "lte"; readonly path: FieldSteps; readonly value: number | string }
	/** The field is there; null is there. */
	| { readonly op: "exists"; readonly path: FieldSteps }
	/** The field is an array with an element deeply equal to the value, or a string that has the value (a string) as a substring. */
	| { readonly op: "contains"; readonly path: FieldSteps; readonly value: Json };
