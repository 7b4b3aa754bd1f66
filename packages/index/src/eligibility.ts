import { NighError } from "@nigh/contract";
import { type AbortFlag, type Arena, ELIGIBILITY, type LabelSet } from "@nigh/kernels";
import type { ArenaView } from "./arena-view.ts";

/** What may be answered. What is left out restricts nothing. */
export interface Eligibility {
	/** A bitmap of labels in the arena, one bit a label, and how many labels it covers; those beyond are not allowed. A `LabelSet` is one. */
	readonly allow?: { readonly address: number; readonly covered: number } | undefined;
	/** Addresses of a float64 change number for each label: alive is what was born at or before `reader` and died after it. */
	readonly born?: number | undefined;
	readonly died?: number | undefined;
	/** Labels that `born` and `died` cover; those beyond are not alive. */
	readonly dated?: number | undefined;
	/** The change number that is read at. */
	readonly reader?: number | undefined;
}

/** As {@link writeEligible}, for a set of this arena. */
export function writeEligibility(arena: Arena, address: number, allow: LabelSet | undefined): number {
	if (allow === undefined) return 0;
	if (allow.arena !== arena) {
		throw new NighError("INVALID_OPTION", "allow is a set of another arena: make it with new LabelSet(index.arena)", {
			field: "allow",
		});
	}
	return writeEligible(arena, address, { allow });
}

/**
 * Writes what may be answered as the struct that kernels read, at `address`; returns what to pass on: the address, or 0 for everything.
 */
export function writeEligible(arena: ArenaView, address: number, eligibility: Eligibility | undefined): number {
	if (eligibility === undefined) return 0;
	const { allow, born = 0, died = 0, dated = 0, reader = 0 } = eligibility;
	if (allow === undefined && born === 0) return 0;
	const words = arena.u32(address, ELIGIBILITY.bytes / 4);
	// A set that never held a label has no bitmap, and address 0 would mean "all": with nothing covered, any other address serves.
	words[ELIGIBILITY.allow / 4] = allow === undefined ? 0 : allow.address || address;
	words[ELIGIBILITY.allowed / 4] = allow?.covered ?? 0;
	words[ELIGIBILITY.born / 4] = born;
	words[ELIGIBILITY.died / 4] = died;
	words[ELIGIBILITY.dated / 4] = dated;
	arena.f64(address + ELIGIBILITY.reader, 1)[0] = reader;
	return address;
}

/** @throws NighError `INVALID_OPTION` for a flag of another arena: a kernel would look for its word in this one. */
export function checkAbortFlag(arena: Arena, flag: AbortFlag | undefined): void {
	if (flag === undefined || flag.arena === arena) return;
	throw new NighError("INVALID_OPTION", "abort is a flag of another arena: make it with new AbortFlag(index.arena)", {
		field: "abort",
	});
}

/** @throws NighError `ABORTED` where the flag has been raised. */
export function checkAborted(flag: AbortFlag | undefined): void {
	if (flag?.raised) throw aborted();
}

/** The error of a search that its abort flag has ended. */
export function aborted(): NighError {
	return new NighError("ABORTED", "the search was aborted: its abort flag is raised");
}
