import { NighError } from "@nigh/contract";

/** What calls are told that come for a collection after its end. */
export function closedCollection(): NighError {
	return new NighError("CLOSED", "the collection is closed or has been dropped: open it again");
}
