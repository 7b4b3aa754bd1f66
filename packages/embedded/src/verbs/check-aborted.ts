import { NighError } from "@nigh/contract";

/** @throws NighError `ABORTED` with the signal's reason as the cause; `INVALID_OPTION` for something that is no AbortSignal. */
export function checkAborted(signal: AbortSignal | undefined): void {
	if (signal === undefined) return;
	if (typeof signal?.addEventListener !== "function") {
		throw new NighError("INVALID_OPTION", "signal must be an AbortSignal, such as controller.signal.", {
			field: "signal",
		});
	}
	if (signal.aborted) throw abortedBy(signal);
}

/** What a call that its signal has ended says. */
export function abortedBy({ reason }: AbortSignal): NighError {
	return new NighError(
		"ABORTED",
		"the call was ended by its AbortSignal; it had written nothing.",
		{},
		{ cause: reason },
	);
}
