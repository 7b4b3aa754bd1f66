import { describe } from "../describe.ts";

/** A value and where it begins in the text. */
interface At<T> {
	readonly value: T;
	readonly at: number;
}

/** The header of an npy file as its dict literal has it. */
export interface NpyDict {
	readonly descr: At<string>;
	readonly fortran_order: At<boolean>;
	readonly shape: At<readonly number[]>;
}

/** Makes the error for a place in the text. */
export type Fault = (at: number, problem: string, expected: string) => Error;

const KEYS = ["descr", "fortran_order", "shape"] as const;

/**
 * Parses the Python literal `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }` and the blanks around it: strings without
 * escapes, True and False, tuples of whole numbers. The three keys in any order, each once, and no other.
 */
export function parseDict(text: string, fault: Fault): NpyDict {
	const cursor = new Cursor(text, fault);
	const found: { -readonly [K in keyof NpyDict]?: NpyDict[K] } = {};
	cursor.take("{");
	while (!cursor.takeIf("}")) {
		const key = cursor.string("a key in quotes, or }");
		if (!isKey(key.value))
			throw fault(key.at, `the header has the key ${describe(key.value)}`, `only ${KEYS.join(", ")}`);
		if (found[key.value] !== undefined) throw fault(key.at, `the key '${key.value}' is there twice`, "each key once");
		cursor.take(":");
		if (key.value === "descr") found.descr = cursor.string("a dtype in quotes, such as '<f4'; no structured dtype");
		else if (key.value === "shape") found.shape = cursor.tuple();
		else found.fortran_order = cursor.boolean();
		if (cursor.takeIf(",")) continue;
		cursor.take("}");
		break;
	}
	cursor.end();
	const { descr, fortran_order, shape } = found;
	if (descr && fortran_order && shape) return { descr, fortran_order, shape };
	const missing = KEYS.filter((key) => found[key] === undefined);
	throw fault(0, `the header lacks ${missing.join(" and ")}`, `the keys ${KEYS.join(", ")}`);
}

function isKey(key: string): key is (typeof KEYS)[number] {
	return (KEYS as readonly string[]).includes(key);
}

/** A place in the text; every method passes over blanks first and moves on over what it takes. */
class Cursor {
	readonly #text: string;
	readonly #fault: Fault;
	#at = 0;

	constructor(text: string, fault: Fault) {
		this.#text = text;
		this.#fault = fault;
	}

	take(mark: string): void {
		if (!this.takeIf(mark)) throw this.#unexpected(mark);
	}

	takeIf(mark: string): boolean {
		this.#blanks();
		if (!this.#text.startsWith(mark, this.#at)) return false;
		this.#at += mark.length;
		return true;
	}

	string(expected: string): At<string> {
		const [literal, at] = this.#match(/'[ -&(-[\]-~]*'|"[ !#-[\]-~]*"/y, expected);
		return { value: literal.slice(1, -1), at };
	}

	boolean(): At<boolean> {
		const [literal, at] = this.#match(/(?:True|False)(?!\w)/y, "True or False");
		return { value: literal === "True", at };
	}

	/** A tuple of whole numbers: `()`, `(3,)`, `(3, 4)`. `(3)` is a number in Python, no tuple. */
	tuple(): At<readonly number[]> {
		this.#blanks();
		const at = this.#at;
		this.take("(");
		const numbers: number[] = [];
		while (!this.takeIf(")")) {
			numbers.push(this.#wholeNumber());
			if (this.takeIf(",")) continue;
			if (numbers.length === 1) throw this.#unexpected("a comma after the only number of a tuple");
			this.take(")");
			break;
		}
		return { value: numbers, at };
	}

	end(): void {
		this.#blanks();
		if (this.#at < this.#text.length) throw this.#unexpected("nothing but blanks after the header");
	}

	/** Python 2 wrote long numbers with an L. */
	#wholeNumber(): number {
		const [literal, at] = this.#match(/(?:0|[1-9]\d*)L?(?!\w)/y, "a whole number");
		const value = Number.parseInt(literal, 10);
		if (Number.isSafeInteger(value)) return value;
		throw this.#fault(at, `the shape has the number ${literal.slice(0, 40)}`, `at most ${Number.MAX_SAFE_INTEGER}`);
	}

	#match(pattern: RegExp, expected: string): [literal: string, at: number] {
		this.#blanks();
		const at = this.#at;
		pattern.lastIndex = at;
		const literal = pattern.exec(this.#text)?.[0];
		if (literal === undefined) throw this.#unexpected(expected);
		this.#at += literal.length;
		return [literal, at];
	}

	#blanks(): void {
		while (this.#at < this.#text.length && " \t\r\n".includes(this.#text[this.#at] as string)) this.#at += 1;
	}

	#unexpected(expected: string): Error {
		const rest = this.#text.slice(this.#at, this.#at + 20);
		return this.#fault(this.#at, `the header goes on with ${rest === "" ? "its end" : JSON.stringify(rest)}`, expected);
	}
}
