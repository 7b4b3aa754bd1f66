import { NighError } from "@nigh/contract";

/** What calls are told of a thread of the database that has ended by itself: after an error, or for want of memory. */
export function endedThread(name: "writer" | "indexer" | "reader" | "examiner"): (cause?: Error) => NighError {
	return (cause) => {
		const why = cause === undefined ? "" : ` (${cause.message})`;
		return new NighError(
			"UNAVAILABLE",
			`the ${name} thread of the database has ended${why}: close the database and open it again. Nothing that was acknowledged is lost.`,
			{},
			{ cause },
		);
	};
}
