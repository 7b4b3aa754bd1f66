import { BOUNDS } from "../bounds.ts";
import { describe, detailOf } from "../describe.ts";
import { NighError } from "../errors.ts";
import { findJsonProblem, findStringProblem, formatPath, isPlainObject, type JsonPath } from "../json.ts";
import type { Json } from "../metadata.ts";
import { nearestName } from "../nearest-name.ts";
import type { FieldSteps, FilterNode } from "./ast.ts";
import { FIELD_OPERATORS, type FieldOperator, LOGICAL_OPERATORS, type LogicalOperator } from "./filter.ts";

/** One part of a filter: what it is, where it stands, what it stands in. */
interface Part {
	readonly value: unknown;
	readonly at: JsonPath;
	/** Filters around and including this one. */
	readonly depth: number;
	/** The filters it stands in, to find one that contains itself. */
	readonly ancestors: readonly object[];
	readonly budget: { values: number };
}

/**
 * Checks a filter (see `Filter` for the language) and returns it as a tree of its own: later changes to `filter` do not reach it.
 * Ends on any input, cyclic and hugely deep ones included.
 *
 * @throws NighError `INVALID_FILTER`; details hold field (the path of the offending part), value and, where there are any, bound
 * and nearest (the operator that was probably meant).
 */
export function parseFilter(filter: unknown): FilterNode {
	return parseObject({ value: filter, at: [], depth: 1, ancestors: [], budget: { values: 0 } });
}

function parseObject(part: Part): FilterNode {
	const { value, at } = part;
	if (!isPlainObject(value)) throw invalid(part, `must be an object such as { field: value }, not ${describe(value)}`);
	const inner = enter(part, value);
	const operands = Object.keys(value).map((key) => {
		const entry = { ...inner, value: value[key], at: [...at, key] };
		spend(entry, 1);
		return key.startsWith("$") ? parseLogical(key, entry) : parseCondition(parsePath(key, entry), entry);
	});
	return allOf(operands);
}

function parseLogical(operator: string, part: Part): FilterNode {
	if (!isLogicalOperator(operator)) throw unknownLogicalOperator(operator, part);
	if (operator === "$not") return not(parseObject({ ...part, depth: part.depth + 1 }));
	const { value, at } = part;
	if (!Array.isArray(value)) throw invalid(part, `takes an array of filters, not ${describe(value)}`);
	if (value.length === 0) throw invalid(part, "is empty: it needs at least one filter. Leave it out instead");
	spend(part, value.length);
	const operands = Array.from(value, (element: unknown, i) =>
		parseObject({ ...part, value: element, at: [...at, i], depth: part.depth + 1 }),
	);
	return Object.freeze({ op: operator === "$and" ? "and" : "or", operands: Object.freeze(operands) });
}

function parsePath(key: string, part: Part): FieldSteps {
	const problem = findStringProblem(key);
	if (problem !== undefined) throw invalid(part, `is a path that ${problem}`, { value: key });
	const steps = key.split(".");
	if (steps.includes("")) {
		const hint = "Keys that are empty or hold a dot cannot be addressed";
		throw invalid(part, `is not a path: it has an empty key. Write a.b for b inside a. ${hint}`, { value: key });
	}
	if (steps.some((step) => step.startsWith("$"))) {
		const hint =
			"An operator stands under its field: { field: { $gt: 5 } }. Keys that start with $ cannot be addressed";
		throw invalid(part, `is not a path: one of its keys starts with $. ${hint}`, { value: key });
	}
	return Object.freeze(steps);
}

function parseCondition(path: FieldSteps, part: Part): FilterNode {
	const { value } = part;
	if (!isPlainObject(value)) return Object.freeze({ op: "eq", path, value: parseLiteral(part) });
	const keys = Object.keys(value);
	const operators = keys.filter((key) => key.startsWith("$"));
	if (operators.length < keys.length || keys.length === 0) throw notOperators(path, keys, operators, part);
	return parseOperators(path, part);
}

function parseOperators(path: FieldSteps, part: Part): FilterNode {
	const { value, at } = part;
	if (!isPlainObject(value)) {
		throw invalid(part, `takes operators such as { $gt: 5 }, not ${describe(value)}. For "not equal" use $ne`);
	}
	const keys = Object.keys(value);
	if (keys.length === 0) throw invalid(part, "is empty: it needs at least one operator");
	const inner = enter(part, value);
	const operands = keys.map((key) => {
		const entry = { ...inner, value: value[key], at: [...at, key] };
		spend(entry, 1);
		if (!isFieldOperator(key)) throw unknownFieldOperator(key, entry);
		return parseOperator(key, path, entry);
	});
	return allOf(operands);
}

function parseOperator(operator: FieldOperator, path: FieldSteps, part: Part): FilterNode {
	switch (operator) {
		case "$eq":
			return Object.freeze({ op: "eq", path, value: parseLiteral(part) });
		case "$ne":
			return not(Object.freeze({ op: "eq", path, value: parseLiteral(part) }));
		case "$in":
			return Object.freeze({ op: "in", path, values: parseValues(part) });
		case "$nin":
			return not(Object.freeze({ op: "in", path, values: parseValues(part) }));
		case "$gt":
			return Object.freeze({ op: "gt", path, value: parseOrdered(part) });
		case "$gte":
			return Object.freeze({ op: "gte", path, value: parseOrdered(part) });
		case "$lt":
			return Object.freeze({ op: "lt", path, value: parseOrdered(part) });
		case "$lte":
			return Object.freeze({ op: "lte", path, value: parseOrdered(part) });
		case "$contains":
			return Object.freeze({ op: "contains", path, value: parseLiteral(part) });
		case "$exists": {
			const { value } = part;
			if (typeof value !== "boolean") throw invalid(part, `takes true or false, not ${describe(value)}`);
			const exists: FilterNode = Object.freeze({ op: "exists", path });
			return value ? exists : not(exists);
		}
		case "$not":
			return not(parseOperators(path, { ...part, depth: part.depth + 1 }));
	}
}

function parseValues(part: Part): readonly Json[] {
	const { value } = part;
	if (!Array.isArray(value)) throw invalid(part, `takes an array of values, not ${describe(value)}`);
	const bound = BOUNDS.inValues;
	if (value.length > bound.max) {
		throw invalid(part, `has ${value.length} values; at most ${bound.max} are allowed`, { value: value.length, bound });
	}
	return parseLiteral(part) as readonly Json[];
}

function parseOrdered(part: Part): number | string {
	const value = parseLiteral(part);
	if (typeof value === "number" || typeof value === "string") return value;
	throw invalid(part, `takes a number or a string, not ${describe(value)}: only those have an order`);
}

/** The value as a frozen copy. */
function parseLiteral(part: Part): Json {
	const { value, at, budget } = part;
	if (value === undefined) {
		throw invalid(part, "is undefined. Leave the field out, or ask for a missing one with { $exists: false }");
	}
	const found = findJsonProblem(value, {
		// One more than for metadata: the array of $in stands around values.
		depth: BOUNDS.metadataDepth.max + 1,
		values: BOUNDS.filterValues.max,
		used: budget.values,
		undefinedProperties: false,
	});
	if (found !== undefined)
		throw invalid({ ...part, at: [...at, ...found.path] }, found.problem, { value: found.value });
	const text = JSON.stringify(value);
	// Unlike copying property by property, JSON keeps a key named __proto__ an ordinary key.
	return JSON.parse(text, (_, inner: Json) => {
		budget.values++;
		return Object.freeze(inner);
	}) as Json;
}

/** Steps into a filter or a set of operators: the contents are parsed one object further down. */
function enter(part: Part, value: object): Part {
	const { depth, ancestors } = part;
	if (ancestors.includes(value)) throw invalid(part, "contains itself; a filter cannot be cyclic");
	const bound = BOUNDS.filterDepth;
	if (depth > bound.max) {
		throw invalid(part, `is nested deeper than ${bound.max} levels of $and, $or and $not`, { value: depth, bound });
	}
	return { ...part, ancestors: [...ancestors, value] };
}

/** Counts towards the bound that ends filters whose parts are shared so often that they would take for ever. */
function spend(part: Part, values: number): void {
	const bound = BOUNDS.filterValues;
	part.budget.values += values;
	if (part.budget.values <= bound.max) return;
	throw invalid(part, `is one part too many: a filter has at most ${bound.max} fields, operators and values`, {
		bound,
	});
}

function allOf(operands: readonly FilterNode[]): FilterNode {
	const [first] = operands;
	if (first !== undefined && operands.length === 1) return first;
	return Object.freeze({ op: "and", operands: Object.freeze(operands) });
}

function not(operand: FilterNode): FilterNode {
	return Object.freeze({ op: "not", operand });
}

function isLogicalOperator(key: string): key is LogicalOperator {
	return (LOGICAL_OPERATORS as readonly string[]).includes(key);
}

function isFieldOperator(key: string): key is FieldOperator {
	return (FIELD_OPERATORS as readonly string[]).includes(key);
}

function unknownLogicalOperator(key: string, part: Part): NighError {
	if (isFieldOperator(key)) {
		return invalid(part, `stands where a field is expected. Put it under one: { field: { ${key}: ... } }`);
	}
	return unknownOperator(key, LOGICAL_OPERATORS, part);
}

function unknownFieldOperator(key: string, part: Part): NighError {
	if (isLogicalOperator(key)) {
		return invalid(part, `cannot stand under a field. Write { ${key}: [{ field: ... }, { field: ... }] } instead`);
	}
	return unknownOperator(key, FIELD_OPERATORS, part);
}

function unknownOperator(key: string, operators: readonly string[], part: Part): NighError {
	const nearest = nearestName(key, operators);
	const hint = nearest === undefined ? "" : ` Did you mean ${nearest}?`;
	return invalid(part, `is not an operator.${hint} Here stand ${operators.join(", ")}`, {
		value: key,
		...(nearest !== undefined && { nearest }),
	});
}

function notOperators(path: FieldSteps, keys: readonly string[], operators: readonly string[], part: Part): NighError {
	const [plain] = keys.filter((key) => !operators.includes(key));
	if (plain === undefined) return invalid(part, "is an empty object. To compare with one write { $eq: {} }");
	if (operators.length > 0) {
		return invalid(part, `mixes operators (${describe(operators[0])}) with other keys (${describe(plain)})`);
	}
	const deeper = describe(`${path.join(".")}.${plain}`);
	const hint = `For a field inside it write ${deeper}: ..., to compare with the whole object write { $eq: { ... } }`;
	return invalid(part, `is an object without operators. ${hint}`);
}

function invalid(part: Part, problem: string, details: Record<string, unknown> = {}): NighError {
	const field = formatPath("filter", part.at);
	const value = detailOf("value" in details ? details.value : part.value);
	return new NighError("INVALID_FILTER", `${field} ${problem}.`, { ...details, field, value });
}
