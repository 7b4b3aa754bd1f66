import { describe } from "./describe.ts";

/** A path into a JSON value: keys of objects, places in arrays. */
export type JsonPath = readonly (string | number)[];

export interface JsonLimits {
	/** Arrays and objects inside each other, the outermost counting 1. */
	readonly depth: number;
	/** Values in all, arrays and objects included. */
	readonly values: number;
	/** How many of those have been used up before. Default: 0. */
	readonly used?: number;
	/** Whether a property of an object may be `undefined`, which JSON leaves out. */
	readonly undefinedProperties: boolean;
}

/** What is wrong, as the end of a sentence that starts with the path. */
export interface JsonProblem {
	readonly path: JsonPath;
	readonly problem: string;
	readonly value: unknown;
}

/**
 * Looks for the first part of `value` that is not JSON as every back end can store it, or goes beyond the limits. Ends on cyclic and
 * on hugely deep input, and on objects that share parts (which are as large as their JSON text, not as small as their memory).
 */
export function findJsonProblem(value: unknown, limits: JsonLimits): JsonProblem | undefined {
	return search(value, [], { limits, ancestors: [], values: limits.used ?? 0 });
}

/** Whether `value` is an object made of braces rather than of a class. Also true for one of another realm. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
	if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
	const prototype: unknown = Object.getPrototypeOf(value);
	return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** `filter`, `["$and", 0, "a.b"]` -> `filter.$and[0]["a.b"]` */
export function formatPath(root: string, path: JsonPath): string {
	return path.reduce<string>((text, step) => {
		if (typeof step === "number") return `${text}[${step}]`;
		return /^[\w$]{1,60}$/.test(step) ? `${text}.${step}` : `${text}[${describe(step)}]`;
	}, root);
}

/** What is wrong with a string, as the end of a sentence, or `undefined`. */
export function findStringProblem(text: string): string | undefined {
	if (!text.isWellFormed()) return "is not well-formed Unicode: it has half of a surrogate pair";
	if (text.includes("\u0000")) return "has the character U+0000, which databases cannot store";
	return undefined;
}

interface Progress {
	readonly limits: JsonLimits;
	readonly ancestors: object[];
	values: number;
}

function search(value: unknown, path: JsonPath, progress: Progress): JsonProblem | undefined {
	const { limits, ancestors } = progress;
	const fail = (problem: string): JsonProblem => ({ path, problem, value });
	progress.values++;
	if (progress.values > limits.values) return fail(`is one value too many: at most ${limits.values} are allowed`);
	if (value === null || typeof value === "boolean") return undefined;
	if (typeof value === "string") {
		const problem = findStringProblem(value);
		return problem === undefined ? undefined : fail(problem);
	}
	if (typeof value === "number")
		return Number.isFinite(value) ? undefined : fail(`is ${value}, which JSON does not have`);
	if (!Array.isArray(value) && !isPlainObject(value)) return fail(notJson(value));
	if (ancestors.includes(value)) return fail("contains itself; JSON cannot be cyclic");
	if (ancestors.length === limits.depth) return fail(`is nested deeper than ${limits.depth} levels`);
	ancestors.push(value);
	const problem = Array.isArray(value) ? searchArray(value, path, progress) : searchObject(value, path, progress);
	ancestors.pop();
	return problem;
}

function searchArray(list: readonly unknown[], path: JsonPath, progress: Progress): JsonProblem | undefined {
	for (let i = 0; i < list.length; i++) {
		const problem = search(list[i], [...path, i], progress);
		if (problem !== undefined) return problem;
	}
	return undefined;
}

function searchObject(
	object: Readonly<Record<string, unknown>>,
	path: JsonPath,
	progress: Progress,
): JsonProblem | undefined {
	for (const key of Object.keys(object)) {
		const keyPath = [...path, key];
		const value = object[key];
		const keyProblem = findStringProblem(key);
		if (keyProblem !== undefined) return { path: keyPath, problem: `has a key that ${keyProblem}`, value: key };
		if (value === undefined && progress.limits.undefinedProperties) continue;
		const problem = search(value, keyPath, progress);
		if (problem !== undefined) return problem;
	}
	return undefined;
}

function notJson(value: unknown): string {
	const tag = Object.prototype.toString.call(value);
	if (tag === "[object Date]") {
		return "is a Date, which JSON does not have; use a number (getTime()) or a string (toISOString())";
	}
	if (typeof value === "bigint") return "is a bigint, which JSON does not have; use a number or a string";
	return `is ${describe(value)}, which is not JSON`;
}
