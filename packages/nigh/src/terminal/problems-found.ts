/** What was looked at is not as it should be: exit code 1. The report has been printed; the message is one line that says what to do. */
export class ProblemsFound extends Error {
	override readonly name = "ProblemsFound";
}
