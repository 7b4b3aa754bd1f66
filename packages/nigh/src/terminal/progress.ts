/** Where a bar is drawn: the error output of a process. */
export interface BarStream {
	readonly isTTY?: boolean;
	readonly columns?: number;
	write(text: string): unknown;
}

/** Shows how far some work has come, on one line that is gone when the work is done. */
export interface ProgressBar {
	readonly update: (done: number, total: number) => void;
	/** Takes the line away. To be called however the work ends. */
	readonly clear: () => void;
}

const WIDTH = 30;
const CLEAR_LINE = "\r\u001b[K";

/** A bar on a terminal; on anything else (a pipe, a file) it stays silent. */
export function progressBar(stream: BarStream, label: string): ProgressBar {
	let shown = "";
	return {
		update(done, total) {
			if (stream.isTTY !== true) return;
			const line = barLine(label, done, total).slice(0, (stream.columns ?? 80) - 1);
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
