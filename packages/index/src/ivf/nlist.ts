import { BOUNDS, checkInteger, NighError, nearestName } from "@nigh/contract";

/** Vectors a cell is meant to have: fewer than this teach k-means too little about a centroid. */
export const VECTORS_PER_CELL = 39;

/** How many cells there are, and why: what is logged and can be read back. */
export interface NlistChoice {
	/** The rule that chose, or `"given"`. */
	readonly rule: NlistRule | "given";
	/** Vectors it was asked for. */
	readonly n: number;
	readonly nlist: number;
	/** n / nlist. */
	readonly vectorsPerCell: number;
	/** What the rule or the caller asked for, where there were too few vectors for it. */
	readonly asked?: number;
}

type Rule = (n: number, capacity: number) => number;

/**
 * Rules for the number of cells, by name. `adaptive` is the default; the others are those of the systems that Nigh grew out of, for who wants
 * an index as it was.
 */
export const NLIST_RULES = {
	/** One cell for 39 vectors, at least 10; at most twice the square root of the capacity (256 or more), from where on finding cells costs more than scanning them. */
	adaptive: (n, capacity) => within(Math.floor(n / VECTORS_PER_CELL), 10, nlistCeiling(capacity)),
	/** 100, or a tenth of fewer vectors than that. */
	nanoindex: (n) => (n < 100 ? Math.max(1, Math.floor(n / 10)) : 100),
	/** One for 39, at least 10. */
	"memevolve-headline": (n) => Math.max(10, Math.floor(n / 39)),
	/** One for 39 within 10 and 256. */
	"memevolve-env": (n) => within(Math.floor(n / 39), 10, 256),
	/** One for 39, doubled from 500 vectors on, held to 100 below 2,000 and to 256 above. */
	"memevolve-method": (n) => {
		const base = within(Math.floor(n / 39), 10, 1_000);
		if (n < 100) return Math.max(5, Math.floor(base / 2));
		if (n < 500) return base;
		return Math.min(2 * base, n < 2_000 ? 100 : 256);
	},
	/** Tens, one for 390 and one more, held to one for 39 of the capacity. */
	"memevolve-create": (n, capacity) => Math.max(1, Math.min((Math.floor(n / 390) + 1) * 10, Math.floor(capacity / 39))),
	/** One for 39 in whole tens, at least 10. */
	"memevolve-retrain": (n) => Math.max(10, 10 * Math.floor(Math.floor(n / 39) / 10)),
	/** 100, as the configuration says. */
	chromatica: () => 100,
	/** 50, as the note on training says. */
	"chromatica-note": () => 50,
	/** The largest power of two of at most as many as there are vectors, up to 16,384: about one vector a cell. */
	"chromatica-script": (n) => 2 ** within(Math.floor(Math.log2(Math.max(1, n))), 0, 14),
} as const satisfies Readonly<Record<string, Rule>>;

export type NlistRule = keyof typeof NLIST_RULES;

/** The most cells that `adaptive` makes for a capacity. */
export function nlistCeiling(capacity: number): number {
	return Math.max(256, Math.floor(2 * Math.sqrt(capacity)));
}

/** @throws NighError `INVALID_OPTION` for a number outside its bounds, or a name that is no rule. */
export function checkNlist(nlist: unknown): number | NlistRule {
	if (typeof nlist !== "string") return checkInteger("nlist", nlist, BOUNDS.nlist);
	if (Object.hasOwn(NLIST_RULES, nlist)) return nlist as NlistRule;
	const names = Object.keys(NLIST_RULES);
	const nearest = nearestName(nlist, names);
	throw new NighError(
		"INVALID_OPTION",
		`nlist is a number of cells or one of the rules ${names.join(", ")}; ${JSON.stringify(nlist)} is neither.${nearest === undefined ? "" : ` Did you mean ${nearest}?`}`,
		{ field: "nlist", value: nlist },
	);
}

/**
 * How many cells to make for `n` vectors. Fewer vectors than cells cannot fill them: then there is one for ten.
 *
 * @param capacity Vectors there may be one day; the ceiling of `adaptive` grows with it.
 */
export function chooseNlist(nlist: number | NlistRule, n: number, capacity: number = n): NlistChoice {
	const rule = typeof nlist === "number" ? "given" : nlist;
	const asked = typeof nlist === "number" ? nlist : NLIST_RULES[nlist](n, Math.max(n, capacity));
	if (asked <= n) return { rule, n, nlist: asked, vectorsPerCell: n / asked };
	const fewer = Math.max(1, Math.floor(n / 10));
	return { rule, n, nlist: fewer, vectorsPerCell: n / fewer, asked };
}

/** Off by so much of what they are, the number of cells and of vectors have drifted. */
const DRIFT = 0.25;

/**
 * Whether an index that was trained for `trained` would better be trained anew for `n` vectors: the rule asks for a number of cells that is off by
 * a quarter or more, and so is the number of vectors. The second keeps a rule with steps from going to and fro where n does.
 */
export function hasDrifted(
	trained: Pick<NlistChoice, "rule" | "n" | "nlist">,
	n: number,
	capacity: number = n,
): boolean {
	if (trained.rule === "given" || Math.abs(n - trained.n) < DRIFT * trained.n) return false;
	const { nlist } = chooseNlist(trained.rule, n, capacity);
	return Math.abs(nlist - trained.nlist) >= DRIFT * trained.nlist;
}

/** How well a number of cells suits a number of vectors: the words of a health report. */
export type CellFill = "DEGRADED" | "INEFFICIENT" | "OPTIMAL" | "GOOD";

/**
 * `DEGRADED`: more vectors a cell than 100, and than two and a half times what the most cells that `adaptive` makes would hold, so that a probe
 * scans too much. `INEFFICIENT`: fewer than 10. `OPTIMAL`: between. `GOOD`: there are no cells (`nlist` undefined).
 */
export function cellFill(n: number, nlist: number | undefined, capacity: number = n): CellFill {
	if (nlist === undefined) return "GOOD";
	const perCell = n / nlist;
	if (perCell < 10) return "INEFFICIENT";
	const least = n / nlistCeiling(Math.max(n, capacity));
	return perCell > Math.max(100, 2.5 * least) ? "DEGRADED" : "OPTIMAL";
}

function within(x: number, min: number, max: number): number {
	return Math.min(max, Math.max(min, x));
}
