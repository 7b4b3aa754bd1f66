/** Where something is drawn: the output or the error output of a process. */
export interface TerminalStream {
	readonly isTTY?: boolean;
	readonly columns?: number;
	readonly rows?: number;
	write(text: string): unknown;
}

/** Shows how far some work has come, on one line that is gone when the work is done. */
export interface ProgressBar {
	/** `note` stands behind the bar, e.g. how long it will take. */
	readonly update: (done: number, total: number, note?: string) => void;
	/** Takes the line away. To be called however the work ends. */
	readonly clear: () => void;
}

const WIDTH = 30;
const CLEAR_LINE = "\r\u001b[K";

/** A bar on a terminal; on anything else (a pipe, a file) it stays silent. */
export function progressBar(stream: TerminalStream, label: string): ProgressBar {
	let shown = "";
	return {
		update(done, total, note) {
			if (stream.isTTY !== true) return;
			const bar = barLine(label, done, total);
			const line = (note === undefined ? bar : `${bar}  ${note}`).slice(0, (stream.columns ?? 80) - 1);
			if (line === shown) return;
			shown = line;
			stream.write(CLEAR_LINE + line);
		},
		clear() {
			if (shown !== "") stream.write(CLEAR_LINE);
			shown = "";
		},
	};
}

/** `building [######........................]  20%` */
export function barLine(label: string, done: number, total: number): string {
	const share = total > 0 ? Math.min(1, done / total) : 1;
	const full = Math.floor(share * WIDTH);
	return `${label} [${"#".repeat(full)}${".".repeat(WIDTH - full)}] ${String(Math.floor(share * 100)).padStart(3)}%`;
}

/** Does work that tells how far it has come, with a bar that is gone when it ends, however it ends. */
export async function withProgress<T>(
	stream: TerminalStream,
	label: string,
	work: (onProgress: (done: number, total: number) => void) => Promise<T>,
): Promise<T> {
	const bar = progressBar(stream, label);
	try {
		return await work((done, total) => bar.update(done, total));
	} finally {
		bar.clear();
	}
}
