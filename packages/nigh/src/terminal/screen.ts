import type { TerminalStream } from "./progress.ts";

/** Lines of a terminal that are drawn over again. */
export interface Screen {
	readonly draw: (lines: readonly string[]) => void;
}

/** Draws below what is there, and from then on over its own last picture. Lines that are too wide are cut, too many left out. */
export function liveScreen(stream: TerminalStream): Screen {
	let drawn = 0;
	return {
		draw(lines) {
			const width = stream.columns ?? 80;
			const fitting = lines.slice(0, (stream.rows ?? 24) - 1).map((line) => line.slice(0, width - 1));
			// Up to the first line of the last picture, then everything below is cleared.
			const home = drawn === 0 ? "" : `\u001b[${drawn}A\r\u001b[J`;
			stream.write(`${home}${fitting.map((line) => `${line}\n`).join("")}`);
			drawn = fitting.length;
		},
	};
}
