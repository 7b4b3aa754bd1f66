import {
	BOUNDS,
	type Bound,
	CELL_KINDS,
	INDEX_KINDS,
	type IndexKind,
	type IndexSettings,
	NLIST_RULES,
	PQ_PROFILES,
	type RebuildOptions,
	ROTATIONS,
	STORAGES,
} from "@nigh/contract";
import { alternatives, chosen, hint, plainNumber, wholeNumber } from "../terminal/arguments.ts";
import { UsageError } from "../terminal/usage-error.ts";

/** What `--index` and `nigh convert` can name. */
export const INDEX_NAMES = ["auto", ...INDEX_KINDS] as const;

/** A value as it was typed, checked. `what` is the option, for messages. */
type Reader = (what: string, typed: string) => number | string | boolean;
type Readers = Readonly<Record<string, Reader>>;

const whole =
	(bound: Bound): Reader =>
	(what, typed) =>
		wholeNumber(what, typed, bound);
const word =
	(names: readonly string[]): Reader =>
	(what, typed) =>
		chosen(what, typed, names);

const OF_CELLS: Readers = {
	nlist: (what, typed) => (/^[-+.0-9]/.test(typed) ? whole(BOUNDS.nlist) : word(NLIST_RULES))(what, typed),
	nprobe: whole(BOUNDS.nprobe),
	storage: word(STORAGES),
};

/** The parameters of each kind. What depends on the dimensions is checked by the collection. */
const PARAMETERS: Readonly<Record<(typeof INDEX_NAMES)[number], Readers>> = {
	auto: {},
	flat: {},
	hnsw: { M: whole(BOUNDS.M), efConstruction: whole(BOUNDS.efConstruction) },
	ivf: OF_CELLS,
	ivfpq: {
		...OF_CELLS,
		M: whole(BOUNDS.pqM),
		bits: whole(BOUNDS.pqBits),
		rotation: word(ROTATIONS),
		residual: (what, typed) => chosen(what, typed, ["true", "false"]) === "true",
		profile: word(PQ_PROFILES),
		rerank: whole(BOUNDS.rerank),
	},
	ivfrabitq: {
		...OF_CELLS,
		bits: whole(BOUNDS.rabitqBits),
		epsilon: (what, typed) => plainNumber(what, typed, BOUNDS.epsilon),
		rerank: whole(BOUNDS.rerank),
	},
};

/** The lines of `--param` in the help of a verb; the column that the texts stand in is the caller's. */
export function parameterHelp(column: number, names: readonly IndexKind[] = INDEX_KINDS): string {
	const texts: Readonly<Record<string, readonly string[]>> = {
		hnsw: ["of hnsw: M, efConstruction"],
		ivf: ["of ivf: nlist (a number or a rule), nprobe, storage", "  (memory or disk: where the vectors are)"],
		ivfpq: ["of ivfpq: these, M, bits, rotation, residual,", "  profile, rerank"],
		ivfrabitq: ["of ivfrabitq: nlist, nprobe, storage, bits,", "  epsilon, rerank"],
	};
	const lines = names.flatMap((name) => texts[name] ?? []);
	return [...lines, "May repeat."]
		.map((text, at) => `  ${(at === 0 ? "--param NAME=VALUE" : "").padEnd(column)}${text}`)
		.join("\n");
}

/** The kinds that have parameters, for messages. */
export const WITH_PARAMETERS = alternatives(INDEX_NAMES.filter((name) => Object.keys(PARAMETERS[name]).length > 0));

/**
 * The index of a kind with the parameters that were typed as `NAME=VALUE`.
 *
 * @throws UsageError.
 */
export function indexSettings(kind: (typeof INDEX_NAMES)[number], texts: readonly string[]): IndexSettings {
	const readers = PARAMETERS[kind];
	if (texts.length > 0 && Object.keys(readers).length === 0) {
		throw new UsageError(`An index of kind ${kind} has no parameters: leave out --param, or say ${WITH_PARAMETERS}.`);
	}
	return { kind, ...parametersOf(kind, readers, texts) } as IndexSettings;
}

/**
 * What was typed as `NAME=VALUE` for an index of cells, of whichever kind; the collection knows which.
 *
 * @throws UsageError.
 */
export function cellParameters(texts: readonly string[]): RebuildOptions {
	// Of two kinds that have one name for different numbers the wider bound holds here.
	const readers = Object.assign({}, ...CELL_KINDS.map((kind) => PARAMETERS[kind]), { bits: whole(BOUNDS.pqBits) });
	return parametersOf("an index of cells", readers, texts);
}

function parametersOf(what: string, readers: Readers, texts: readonly string[]): Readonly<Record<string, unknown>> {
	const names = Object.keys(readers);
	const given = new Map<string, unknown>();
	for (const text of texts) {
		const [, name, value] = /^(\w+)=(.*)$/.exec(text) ?? [];
		if (name === undefined || value === undefined) {
			throw new UsageError(`--param is ${JSON.stringify(text)}; it must be NAME=VALUE, e.g. ${names[0]}=24.`);
		}
		const read = Object.hasOwn(readers, name) ? readers[name] : undefined;
		if (read === undefined) {
			throw new UsageError(
				`${what} has no parameter ${name}.${hint(name, names)} --param takes ${alternatives(names)}.`,
			);
		}
		if (given.has(name)) throw new UsageError(`--param ${name} is given more than once; leave one.`);
		given.set(name, read(`--param ${name}`, value));
	}
	return Object.fromEntries(given);
}
