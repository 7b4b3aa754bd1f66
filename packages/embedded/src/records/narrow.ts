import type { FieldSteps, FilterNode, Json } from "@nigh/contract";
import { fieldSql, fieldTypeSql, pathSql } from "./field-sql.ts";

/** What SQLite is given to bind. */
export type Parameter = string | number | null;

/** A condition on a row of the records table. */
export interface Narrowing {
	/** True on every row whose metadata the predicate accepts; NULL counts as false. */
	readonly sql: string;
	/** What its question marks stand for, in their order. */
	readonly parameters: readonly Parameter[];
	/** Whether it is true on no other row, so that the predicate need not be asked. */
	readonly exact: boolean;
}

/**
 * Tests of fields that one condition may hold. Beyond it the rest is left to the predicate: preparing SQL takes time in proportion to its
 * length, and SQLite has limits on its depth (1,000) and its parameters (32,766).
 */
const MAX_TESTS = 250;

/**
 * What SQL can tell of a filter, `undefined` where that is nothing. Metadata is expected as `JSON.stringify` writes it: keys once, numbers
 * in their shortest form.
 */
export function narrow(node: FilterNode): Narrowing | undefined {
	return narrowNode(node, { tests: MAX_TESTS });
}

interface Budget {
	tests: number;
}

function narrowNode(node: FilterNode, budget: Budget): Narrowing | undefined {
	switch (node.op) {
		case "and":
			return allOf(node.operands, budget);
		case "or":
			return anyOf(node.operands, budget);
		case "not":
			return notOf(node.operand, budget);
		default:
			if (budget.tests === 0) return undefined;
			budget.tests--;
			return narrowField(node);
	}
}

/** What cannot be narrowed is left out: the others still hold for every match. */
function allOf(operands: readonly FilterNode[], budget: Budget): Narrowing | undefined {
	const parts: Narrowing[] = [];
	for (const operand of operands) {
		const part = narrowNode(operand, budget);
		if (part !== undefined) parts.push(part);
	}
	if (parts.length === 0 && operands.length > 0) return undefined;
	return joined(parts, "AND", parts.length === operands.length);
}

/** One operand of which SQL knows nothing may accept any row. */
function anyOf(operands: readonly FilterNode[], budget: Budget): Narrowing | undefined {
	const parts: Narrowing[] = [];
	for (const operand of operands) {
		const part = narrowNode(operand, budget);
		if (part === undefined) return undefined;
		parts.push(part);
	}
	return joined(parts, "OR", true);
}

/** A condition that accepts too much refuses too much once it is negated, so only exact ones are. */
function notOf(operand: FilterNode, budget: Budget): Narrowing | undefined {
	const part = narrowNode(operand, budget);
	if (!part?.exact) return undefined;
	// NOT of NULL would be NULL, but the negation holds on missing fields.
	return { ...part, sql: `((${part.sql}) IS NOT TRUE)` };
}

function joined(parts: readonly Narrowing[], operator: "AND" | "OR", exact: boolean): Narrowing {
	return {
		sql: balanced(
			parts.map((part) => part.sql),
			operator,
		),
		parameters: parts.flatMap((part) => part.parameters),
		exact: exact && parts.every((part) => part.exact),
	};
}

/** A chain of n operators would be an expression of depth n. */
function balanced(terms: readonly string[], operator: "AND" | "OR"): string {
	if (terms.length === 0) return operator === "AND" ? "TRUE" : "FALSE";
	if (terms.length === 1) return terms[0] as string;
	const middle = terms.length >> 1;
	return `(${balanced(terms.slice(0, middle), operator)} ${operator} ${balanced(terms.slice(middle), operator)})`;
}

function narrowField(node: Exclude<FilterNode, { op: "and" | "or" | "not" }>): Narrowing {
	switch (node.op) {
		case "eq":
			return equalsOneOf([node.value], fieldOf(node.path));
		case "in":
			return equalsOneOf(node.values, fieldOf(node.path));
		case "exists":
			return { sql: `(${fieldTypeSql(node.path)} IS NOT NULL)`, parameters: [], exact: true };
		case "contains":
			return contains(node.path, node.value);
		default:
			if (typeof node.value === "number") return comparesNumber(node.op, node.value, fieldOf(node.path));
			return comparesString(node.op, node.value, fieldOf(node.path));
	}
}

/** A JSON value as SQL has it: as an SQL value, and its JSON type. */
interface Subject {
	readonly value: string;
	readonly type: string;
}

function fieldOf(path: FieldSteps): Subject {
	return { value: fieldSql(path), type: fieldTypeSql(path) };
}

function equalsOneOf(values: readonly Json[], subject: Subject): Narrowing {
	const strings = values.filter((value) => typeof value === "string");
	const numbers = values.filter((value) => typeof value === "number");
	const tests = [
		...equalsString(strings, subject),
		...equalsNumber(numbers.filter(isPlainNumber), subject),
		...equalsOtherNumber(
			numbers.filter((value) => !isPlainNumber(value)),
			subject,
		),
		...equalsTrueFalseNull(values, subject),
		...equalsComposite(
			values.filter((value) => typeof value === "object" && value !== null),
			subject,
		),
	];
	return joined(tests, "OR", true);
}

function equalsString(strings: readonly string[], { value, type }: Subject): Narrowing[] {
	if (strings.length === 0) return [];
	const { sql, parameters } = among(value, strings);
	// Arrays and objects are JSON text in SQL, which only such strings can be equal to.
	const ambiguous = strings.some((text) => /^[[{]/.test(text));
	return [{ sql: ambiguous ? `(${sql} AND ${type} = 'text')` : sql, parameters, exact: true }];
}

function equalsNumber(numbers: readonly number[], { value, type }: Subject): Narrowing[] {
	if (numbers.length === 0) return [];
	const { sql, parameters } = among(value, numbers);
	const ambiguous = numbers.some((number) => number === 0 || number === 1);
	return [{ sql: ambiguous ? `(${sql} AND ${isNumber(type)})` : sql, parameters, exact: true }];
}

function equalsOtherNumber(numbers: readonly number[], { value }: Subject): Narrowing[] {
	if (numbers.length === 0) return [];
	const least = numbers.reduce((least, number) => Math.min(least, below(number)), Number.POSITIVE_INFINITY);
	const most = numbers.reduce((most, number) => Math.max(most, above(number)), Number.NEGATIVE_INFINITY);
	return [{ sql: `(${value} BETWEEN ? AND ?)`, parameters: [least, most], exact: false }];
}

function equalsTrueFalseNull(values: readonly Json[], { value, type }: Subject): Narrowing[] {
	const tests: Narrowing[] = [];
	// The value beside the type is what an index is asked for. Null has none: in an index it cannot be told from a missing field.
	if (values.includes(true)) tests.push({ sql: `(${value} = 1 AND ${type} = 'true')`, parameters: [], exact: true });
	if (values.includes(false)) tests.push({ sql: `(${value} = 0 AND ${type} = 'false')`, parameters: [], exact: true });
	if (values.includes(null)) tests.push({ sql: `(${type} = 'null')`, parameters: [], exact: true });
	return tests;
}

function equalsComposite(composites: readonly object[], { value, type }: Subject): Narrowing[] {
	const tests: Narrowing[] = [];
	const texts = composites.filter(hasOneText).map((composite) => JSON.stringify(composite));
	if (texts.length > 0) {
		const { sql, parameters } = among(value, texts);
		tests.push({ sql: `(${sql} AND ${type} IN ('array', 'object'))`, parameters, exact: true });
	}
	if (texts.length < composites.length) {
		tests.push({ sql: `(${type} IN ('array', 'object'))`, parameters: [], exact: false });
	}
	return tests;
}

/** Whether every value equal to it has the same JSON text: no object in it has keys that could stand in another order. */
function hasOneText(value: unknown): boolean {
	if (typeof value !== "object" || value === null) return true;
	const inner: unknown[] = Object.values(value);
	return (Array.isArray(value) || inner.length < 2) && inner.every(hasOneText);
}

function among(subject: string, values: readonly (string | number)[]): { sql: string; parameters: Parameter[] } {
	if (values.length === 1) return { sql: `${subject} = ?`, parameters: [values[0] as string | number] };
	// One parameter, however many values there are.
	return { sql: `${subject} IN (SELECT value FROM json_each(?))`, parameters: [JSON.stringify(values)] };
}

type Comparison = "gt" | "gte" | "lt" | "lte";

const OPERATORS = { gt: ">", gte: ">=", lt: "<", lte: "<=" } as const;

/** SQLite orders NULL, then numbers, then text: the empty text is where an index changes from the one to the other. */
function comparesNumber(op: Comparison, number: number, { value, type }: Subject): Narrowing {
	const up = op === "gt" || op === "gte";
	const exact = isPlainNumber(number);
	const bound = exact ? number : up ? below(number) : above(number);
	const operator = exact ? OPERATORS[op] : up ? ">=" : "<=";
	const range = up ? `${value} ${operator} ? AND ${value} < ''` : `${value} ${operator} ?`;
	const mayBeBoolean = up ? bound <= 1 : bound >= 0;
	return { sql: `(${range}${mayBeBoolean ? ` AND ${isNumber(type)}` : ""})`, parameters: [bound], exact };
}

/** SQLite compares text byte by byte, as the contract does. */
function comparesString(op: Comparison, text: string, { value, type }: Subject): Narrowing {
	const up = op === "gt" || op === "gte";
	const range = `${value} ${OPERATORS[op]} ?${up ? "" : ` AND ${value} >= ''`}`;
	return { sql: `(${range} AND ${type} = 'text')`, parameters: [text], exact: true };
}

function isNumber(type: string): string {
	return `${type} IN ('integer', 'real')`;
}

/**
 * Whether SQLite reads the shortest decimal form of every number around this one as JavaScript does. It keeps whole numbers above 2^53 as
 * 64-bit integers (2^60 is written 1152921504606847000, which is no double), and promises 15 digits only of very large and very small ones.
 */
function isPlainNumber(number: number): boolean {
	const size = Math.abs(number);
	return number === 0 || (size >= 1e-6 && size < 2 ** 53);
}

/** Below every number that SQLite may have read this one as. */
function below(number: number): number {
	return number - margin(number);
}

function above(number: number): number {
	return number + margin(number);
}

function margin(number: number): number {
	return Math.abs(number) * 2 ** -48 + 2 ** -1060;
}

function contains(path: FieldSteps, value: Json): Narrowing {
	const field = fieldOf(path);
	const element = equalsOneOf([value], { value: "json_each.value", type: "json_each.type" });
	const elements = `SELECT 1 FROM json_each(metadata, ${pathSql(path)}) WHERE ${element.sql}`;
	const inArray = { ...element, sql: `(${field.type} = 'array' AND EXISTS (${elements}))` };
	if (typeof value !== "string") return inArray;
	const inString = {
		sql: `(${field.type} = 'text' AND instr(${field.value}, ?) > 0)`,
		parameters: [value],
		exact: true,
	};
	return joined([inString, inArray], "OR", true);
}
