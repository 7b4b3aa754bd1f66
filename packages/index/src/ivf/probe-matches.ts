import type { ArenaView } from "../arena-view.ts";
import type { Eligibility } from "../eligibility.ts";
import { boundScan } from "./probe-rows.ts";
import type { IvfReaderSpec } from "./reader-spec.ts";
import { CHUNK_ROWS, type IvfScratch, MOST_CANDIDATES } from "./scratch.ts";
import type { IvfView } from "./view.ts";

type Allowed = NonNullable<Eligibility["allow"]>;

/** Lists what a bitmap lets through, some at a time: places and labels in the scratch, `n` of them at each call of `visit`, which ends it with `false`. */
export function listAllowed(
	arena: ArenaView,
	{ labels, places: placesAt }: IvfScratch,
	{ cursor: cursorAt, places, firstLabel, labelCount }: IvfReaderSpec,
	{ address, covered }: Allowed,
	visit: (n: number) => boolean,
): void {
	const words = Math.ceil(Math.min(covered, firstLabel + labelCount) / 32);
	const cursor = arena.u32(cursorAt, 1);
	cursor[0] = 0;
	const range = [places, firstLabel, labelCount] as const;
	while ((cursor[0] as number) < words) {
		const n = arena.kernels.listMatches(address, cursorAt, words, ...range, CHUNK_ROWS, labels, placesAt);
		if (n > 0 && !visit(n)) return;
	}
}

/**
 * Labels of a bitmap that may be among the k nearest to the query in the scratch: what bounds of 7-bit codes do not exclude, or, where rows have none, all of
 * them; `undefined` where those are more than {@link MOST_CANDIDATES}.
 */
export function probeMatches(
	view: IvfView,
	scratch: IvfScratch,
	spec: IvfReaderSpec,
	allow: Allowed,
	query: { readonly k: number; readonly eligibility: number },
): Uint32Array | undefined {
	const { arena } = view;
	if (view.parameters.kind === "ivf") {
		const scan = boundScan(view, scratch, query);
		listAllowed(arena, scratch, spec, allow, (n) => {
			scan.judge(n);
			return true;
		});
		return scan.candidates();
	}
	const { keys, labels, candidates } = scratch;
	const found: number[] = [];
	listAllowed(arena, scratch, spec, allow, (n) => {
		// With equal keys for all, those that are left are in the order of their labels.
		arena.f32(keys, n).fill(0);
		const left = arena.kernels.topk(keys, labels, n, n, candidates, 0, query.eligibility);
		const pairs = arena.u32(candidates, 2 * left);
		for (let i = 0; i < left; i++) found.push(pairs[2 * i + 1] as number);
		return found.length <= MOST_CANDIDATES;
	});
	return found.length > MOST_CANDIDATES ? undefined : Uint32Array.from(found);
}
