/** JSON on one line, as `--json` prints it. Vectors are arrays; a float32 is written in as few digits as give it back. */
export function jsonText(value: unknown): string {
	return JSON.stringify(value, (_, part: unknown) => {
		if (part instanceof Float32Array) return Array.from(part, shortest);
		return part instanceof Uint8Array ? Array.from(part) : part;
	});
}

/** Nine digits always give a float32 back, six often do. */
function shortest(value: number): number {
	for (let digits = 6; digits < 9; digits++) {
		const short = Number(value.toPrecision(digits));
		if (Math.fround(short) === value) return short;
	}
	return Number(value.toPrecision(9));
}
