import type { Json, Metadata } from "../metadata.ts";
import { compareUtf8 } from "../utf8.ts";
import type { FieldSteps, FilterNode } from "./ast.ts";

/** Whether a record with this metadata (`undefined`: none) matches. */
export type Predicate = (metadata: Metadata | undefined) => boolean;

type Test = (value: Json) => boolean;

/**
 * The meaning of a filter. This is its only definition: a back end may use SQL to look at fewer records, and asks the predicate
 * about those.
 */
export function predicateOf(node: FilterNode): Predicate {
	switch (node.op) {
		case "and": {
			const parts = node.operands.map(predicateOf);
			return (metadata) => parts.every((part) => part(metadata));
		}
		case "or": {
			const parts = node.operands.map(predicateOf);
			return (metadata) => parts.some((part) => part(metadata));
		}
		case "not": {
			const part = predicateOf(node.operand);
			return (metadata) => !part(metadata);
		}
		default: {
			const test = testOf(node);
			const { path } = node;
			return (metadata) => {
				const value = fieldOf(metadata, path);
				return value !== undefined && test(value);
			};
		}
	}
}

/** The value at the end of a path, `undefined` where there is none. Arrays are not entered, inherited properties not seen. */
export function fieldOf(metadata: Metadata | undefined, path: FieldSteps): Json | undefined {
	let value: Json | undefined = metadata;
	for (const key of path) {
		if (!isObject(value) || !Object.hasOwn(value, key)) return undefined;
		value = value[key];
	}
	return value;
}

/** Deep equality of two JSON values: keys in any order, a property that is `undefined` counting as absent. */
export function equalJson(a: Json, b: Json): boolean {
	if (a === b) return true;
	if (Array.isArray(a)) {
		if (!Array.isArray(b) || a.length !== b.length) return false;
		return a.every((element, i) => equalJson(element, b[i]));
	}
	if (!isObject(a) || !isObject(b)) return false;
	const keys = presentKeys(a);
	return keys.length === presentKeys(b).length && keys.every((key) => equalProperty(a, b, key));
}

function testOf(node: Exclude<FilterNode, { op: "and" | "or" | "not" }>): Test {
	switch (node.op) {
		case "exists":
			return () => true;
		case "eq": {
			const { value } = node;
			return (field) => equalJson(value, field);
		}
		case "in":
			return isOneOf(node.values);
		case "contains":
			return contains(node.value);
		case "gt":
			return compares(node.value, (order) => order > 0);
		case "gte":
			return compares(node.value, (order) => order >= 0);
		case "lt":
			return compares(node.value, (order) => order < 0);
		case "lte":
			return compares(node.value, (order) => order <= 0);
	}
}

function compares(value: number | string, accepts: (order: number) => boolean): Test {
	if (typeof value === "number") return (field) => typeof field === "number" && accepts(order(field, value));
	return (field) => typeof field === "string" && accepts(compareUtf8(field, value));
}

/** Not a subtraction: the difference of two unequal numbers can round to 0 or overflow. */
function order(a: number, b: number): number {
	if (a === b) return 0;
	return a < b ? -1 : 1;
}

function isOneOf(values: readonly Json[]): Test {
	const primitives = new Set(values.filter((value) => !isComposite(value)));
	const composites = values.filter(isComposite);
	return (field) => (isComposite(field) ? composites.some((value) => equalJson(value, field)) : primitives.has(field));
}

function contains(value: Json): Test {
	return (field) => {
		if (typeof field === "string") return typeof value === "string" && field.includes(value);
		return Array.isArray(field) && field.some((element) => equalJson(value, element));
	};
}

function equalProperty(a: JsonObject, b: JsonObject, key: string): boolean {
	const right = Object.hasOwn(b, key) ? b[key] : undefined;
	return right !== undefined && equalJson(a[key] as Json, right);
}

function presentKeys(object: JsonObject): string[] {
	return Object.keys(object).filter((key) => object[key] !== undefined);
}

type JsonObject = { readonly [key: string]: Json | undefined };

function isComposite(value: Json): boolean {
	return typeof value === "object" && value !== null;
}

function isObject(value: Json | undefined): value is JsonObject {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
