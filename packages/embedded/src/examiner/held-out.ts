import { deltaOf, UNFILTERED } from "@nigh/recall";
import type { Searcher, SlotQuery } from "../memory/searcher.ts";
import { BY_ITSELF, type ExaminedCollection } from "./examined-collection.ts";
import { groups, measureQuery } from "./measure.ts";
import { HELD_OUT_K, LEAST_PILOT, LEAST_VECTORS_PER_K, MOST_PILOT, PILOT_ONE_IN } from "./parameters.ts";
import { placeLadder } from "./place-ladder.ts";
import { Process, placeOf } from "./process.ts";
import { Subject, type Truth } from "./subject.ts";

/**
 * Asks an index of a collection by vectors that it has not taken in. Those that it has all the same, since another record has the same vector, are left
 * out: what an index has it finds too easily.
 *
 * @param index A searcher of the index, which need not serve yet.
 * @param check Throws `Interrupted` where the work is to end; called often.
 * @param waiting How many of them its generation counts already, which the index is about to take in.
 */
export async function askByHeldOut(
	collection: ExaminedCollection,
	index: Searcher,
	vectors: readonly SlotQuery["vector"][],
	check: () => void,
	waiting = 0,
): Promise<void> {
	const { generation } = index;
	const place = placeOf(generation, waiting);
	const pilots = Math.min(MOST_PILOT, Math.max(LEAST_PILOT, Math.floor(vectors.length / PILOT_ONE_IN)));
	const others = vectors.slice(pilots);
	const nearest = await new Subject(index, check, { mainOnly: true }).truths(vectors.slice(0, pilots), 1);
	const pilot = vectors.slice(0, pilots).filter((_, i) => !isThere(nearest[i], index));
	if (pilot.length === 0) return;
	for (const k of HELD_OUT_K) {
		// Of so few, what was held out would be missed.
		if (k * LEAST_VECTORS_PER_K > generation.mainEnd) continue;
		const stratum = collection.stratum(k, UNFILTERED);
		if (stratum.breach !== undefined || stratum.targets.size === 0) continue;
		const subject = () => new Subject(index, check, { mainOnly: true });
		const ladder = await placeLadder(subject(), pilot, k, stratum.highestTarget);
		const targets = [...stratum.targets];
		const delta = deltaOf({ ...BY_ITSELF, rebuilds: stratum.rebuildsBefore(place.identity) });
		const process = new Process({ place, basis: "heldout", ladder, targets, delta });
		if (place.identity === collection.identity) stratum.byHeldOut = process;
		else stratum.ofNext = process;
		collection.isChanged = true;
		await askAll(collection, process, subject(), { k, vectors: others, check });
	}
}

interface HeldOut {
	readonly k: number;
	readonly vectors: readonly SlotQuery["vector"][];
	check(): void;
}

async function askAll(
	{ around }: ExaminedCollection,
	process: Process,
	subject: Subject,
	{ k, vectors, check }: HeldOut,
): Promise<void> {
	for (const group of groups(vectors)) {
		if (!process.isOpen) return;
		const truths = await subject.truths(group, k);
		for (const [i, vector] of group.entries()) {
			if (!process.isOpen) return;
			const truth = truths[i];
			if (truth !== undefined && !isThere(truth, subject.searcher))
				await measureQuery(process, subject, { vector, k, truth }, around);
		}
		check();
	}
}

/** Distances that are nothing but rounding. */
const NO_DISTANCE = 1e-6;

/** Whether the index has a vector like the one asked for. By the inner product nobody can tell. */
function isThere(truth: Truth | undefined, { generation }: Searcher): boolean {
	return truth !== undefined && generation.handle.format.metric !== "ip" && truth.nearest <= NO_DISTANCE;
}
