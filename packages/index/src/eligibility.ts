import { NighError } from "@nigh/contract";
import { type AbortFlag, type Arena, ELIGIBILITY, type LabelSet } from "@nigh/kernels";

/**
 * Writes what may be answered as the struct that kernels read, at `address`; returns what to pass on: the address, or 0 for everything.
 */
export function writeEligibility(arena: Arena, address: number, allow: LabelSet | undefined): number {
	if (allow === undefined) return 0;
	if (allow.arena !== arena) {
		throw new NighError("INVALID_OPTION", "allow is a set of another arena: make it with new LabelSet(index.arena)", {
			field: "allow",
		});
	}
	const words = arena.u32(address, ELIGIBILITY.bytes / 4);
	words.fill(0);
	// A set that never held a label has no bitmap, and address 0 would mean "all": with nothing covered, any other address serves.
	words[ELIGIBILITY.allow / 4] = allow.address === 0 ? address : allow.address;
	words[ELIGIBILITY.allowed / 4] = allow.covered;
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
	if (flag?.raised) throw new NighError("ABORTED", "the search was aborted: its abort flag is raised");
}
