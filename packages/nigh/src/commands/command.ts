import type { TerminalStream } from "../terminal/progress.ts";

/** Where a command prints and whom it can ask. */
export interface Terminal {
	/** Prints one line of the answer. */
	readonly print: (line: string) => void;
	/** For what is drawn over again rather than printed. */
	readonly output: TerminalStream;
	/** For progress, which is no part of the answer. */
	readonly errors: TerminalStream;
	/** Whether somebody is there to type and read. */
	readonly isInteractive: boolean;
}

/** One of the words after `nigh`. */
export interface Command {
	readonly name: string;
	/** One line for the list of commands. */
	readonly summary: string;
	/** What `--help` prints. */
	readonly help: string;
	/** Throws `UsageError` for a wrong command line and `NighError` when the work fails. */
	readonly run: (args: readonly string[], terminal: Terminal) => Promise<void>;
}
