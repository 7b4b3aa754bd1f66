import { NighError } from "@nigh/contract";

/** @throws NighError `ABORTED` with the signal's reason as the cause; `INVALID_OPTION` for something that is no AbortSignal. */
export function checkAborted(signal: AbortSignal | undefined): void {
	if (signal === undefined) return;
	if (typeof signal?.addEventListener !== "function") {
		throw new NighError("INVALID_OPTION", "signal must be an AbortSignal, such as controller.signal.", {
			field: "signal",
		});
	}
	if (!signal.aborted) return;
	const message = "the call was ended by its AbortSignal; it had written nothing.";
	throw new NighError("ABORTED", message, {}, { cause: signal.reason });
}
